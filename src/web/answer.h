/* Internal to web: the pages, as what asks for them gets them. */
#ifndef WEB_ANSWER_H
#define WEB_ANSWER_H

#include "engine/survey.h"
#include "web/link.h"

/* The status (HTTP) and the body of the answer.  Blocks, for some seconds at most. */
int answer_make(struct survey *s, const struct link_question *q, struct buf *body);

#endif
