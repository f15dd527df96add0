/* What has been told of a problem, and what is to be told. */
#ifndef MODEL_ALERT_H
#define MODEL_ALERT_H

#include "model/health.h"

struct alert_memo {
	const char *key; /* of the problem */
	enum health_level level;
	const char *text;
	int64_t since;	      /* it is there since then, or comes and goes; Unix seconds */
	int64_t gone;	      /* it is not there since then; 0: it is */
	int64_t told;	      /* when it was last told; 0: not yet */
	enum health_level as; /* how bad it was when it was told */
};
struct alert_memos VEC(struct alert_memo);

struct alert_message {
	bool over;	 /* it is not any more */
	const char *key; /* the same for both */
	enum health_level level;
	const char *title, *text;
};
struct alert_messages VEC(struct alert_message);

#endif
