/* Who is to be told of what is wrong, and when: once when it has begun and lasts, again after a while, and when it is
 * over.  Pure: what was told before comes in, and what has been told goes out. */
#ifndef PLAN_ALERT_PLAN_H
#define PLAN_ALERT_PLAN_H

#include "model/alert.h"
#include "model/health.h"

/* Everything in after and tell points into h, before and a. */
void alert_plan(const struct health *h, const struct alert_memos *before, struct arena *a, struct alert_memos *after,
		struct alert_messages *tell);

#endif
