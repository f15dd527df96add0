/* A plan as text that a person reads before it happens.  Pure. */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include "base/buf.h"
#include "model/config.h"
#include "model/plan.h"

/* Every step and its reason.  target is the side the plan was made for: whether it was looked at now,
 * earlier, or never is said. */
void plan_explain(const struct plan *p, const struct backup *b, const struct side_state *target, struct buf *out);
/* "full @a", "@a … @b (3 snapshots)", "resume to @b". */
void send_explain(const struct send_step *s, struct buf *out);

#endif
