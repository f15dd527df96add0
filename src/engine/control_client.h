/* The other end of the control socket: what every command uses to talk to the keeper. */
#ifndef ENGINE_CONTROL_CLIENT_H
#define ENGINE_CONTROL_CLIENT_H

#include "sys/paths.h"
#include "wire/control.h"
#include "wire/json.h"

struct control {
	int fd; /* -1: not connected */
	struct buf in;
	int passed;	/* a descriptor that came along, or -1 */
	char token[80]; /* of the machine that is leased, for a lease from the next keeper; "" = it has none */
};

typedef void control_progress(void *ctx, const char *text);

/* Connects; where no keeper answers, starts one that ends when it is idle.  Blocks for at most 10 s. */
int control_open(const struct paths *p, struct control *c, struct err *e) MUST_CHECK;
void control_close(struct control *c); /* {0} is not open: use CONTROL_INIT */
#define CONTROL_INIT                   \
	{                              \
		.fd = -1, .passed = -1 \
	}
void control_auto(struct control *c);

/* When the keeper goes away c is closed: c->fd < 0 tells that from a failure that the keeper reports. */
int control_send(struct control *c, const struct control_request *r, struct err *e) MUST_CHECK;
/* Waits until the keeper says ready (0) or answers (0, *json set), or fails; progress goes to fn, which
 * may be NULL.  Blocks. */
int control_wait(struct control *c, struct arena *a, control_progress *fn, void *ctx, const char **json,
		 struct err *e) MUST_CHECK;
/* control_wait for a c->fd that was made non-blocking: 1 when there is no answer yet. */
int control_try(struct control *c, struct arena *a, control_progress *fn, void *ctx, const char **json,
		struct err *e) MUST_CHECK;
/* control_send and control_wait. */
int control_ask(struct control *c, const struct control_request *r, struct arena *a, const char **json,
		struct err *e) MUST_CHECK;
/* control_open, unless it is open, and control_ask with progress; again with the next keeper, up to three
 * times, if this one goes away before it answered.  c is open afterwards unless no keeper was left. */
int control_call(const struct paths *p, struct control *c, const struct control_request *r, struct arena *a,
		 control_progress *fn, void *ctx, const char **json, struct err *e) MUST_CHECK;
/* control_call without progress, and what it answers; the caller's.  NULL: it failed. */
json_t *control_json(const struct paths *p, struct control *c, const struct control_request *r, struct arena *a,
		     struct err *e);
/* Has the keeper gone?  Does not block. */
bool control_lost(struct control *c);

#endif
