/* What mends a conflict: only ever asked for by a person, who is shown what it takes away.  Pure. */
#ifndef PLAN_REPAIR_PLAN_H
#define PLAN_REPAIR_PLAN_H

#include "base/err.h"
#include "model/config.h"
#include "model/plan.h"

/* The step for one conflict, on a look at both sides; now (Unix seconds) names what is kept aside.  ERR_USAGE: that
 * does not mend this one, and what does. */
int repair_plan(const struct conflict *c, const struct side_state *source, const struct side_state *target,
		enum repair_kind kind, int64_t now, struct arena *a, struct repair_step *out, struct err *e) MUST_CHECK;

/* The step that makes `copy`, which lies somewhere below the destination, the copy of `was`; both sides as b's run
 * looks at them.  ERR_USAGE: it is no copy of it, or the place is taken. */
int repair_take_over(const struct backup *b, const struct side_state *source, const struct side_state *target,
		     const char *was, const char *copy, struct arena *a, struct repair_step *out,
		     struct err *e) MUST_CHECK;

#endif
