/* A plan as text that a person reads before it happens.  Pure. */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include "base/buf.h"
#include "model/config.h"
#include "model/plan.h"
#include "plan/simulate.h"

/* A pass over a host: its snapshots, what goes, what a person should know. */
void pass_explain(const struct pass *pass, struct buf *out);
/* Every step of a run and its reason.  target is the side the plan was made for: whether it was looked at now,
 * earlier, or never is said. */
void plan_explain(const struct pass *pass, const struct plan *p, const struct archive *archive, const struct backup *b,
		  const struct side_state *target, struct buf *out);
/* A table of what both sides would hold. */
void simulation_explain(const struct simulation *sim, const struct backup *b, const struct zone *z, struct buf *out);
/* "full @a", "@a … @b (3 snapshots)", "resume to @b". */
void send_explain(const struct send_step *s, struct buf *out);

#endif
