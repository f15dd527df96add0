/* Internal to web: what the two processes say to each other.  A question is one line of JSON,
 *   {"page":"status"|"json"|"metrics"|"run"|"dataset","run":N,"backup":B,"name":N}
 * and its answer "STATUS LENGTH\n" and so many bytes. */
#ifndef WEB_LINK_H
#define WEB_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "plan/web_route.h"
#include "wire/json.h"

enum { LINK_QUESTION_MAX = 8192, LINK_ANSWER_MAX = 64 << 20 };

void link_write_question(struct buf *b, const struct web_route *r, const char *backup, const char *name);
struct link_question {
	enum web_page page;
	int64_t run;
	const char *backup, *name;
};
int link_read_question(struct str line, struct arena *a, struct link_question *q, struct err *e) MUST_CHECK;
void link_write_answer(struct buf *b, int status, struct str body);
/* 1: there is a whole one at the beginning of b, *used bytes long; 0: not yet; -1: it makes no sense. */
int link_read_answer(const struct buf *b, int *status, struct str *body, size_t *used);

#endif
