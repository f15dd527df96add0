/* Which snapshots a plan leans on.  Pure. */
#ifndef PLAN_LEAN_PLAN_H
#define PLAN_LEAN_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* Those of the looks that were recalled, each once, though what the plan says of a dataset is true only if they are as
 * they were: what is said to be there or common, what is sent, what increments begin with, what is marked; and all of a
 * dataset that is said to be in conflict. */
void plan_leans_on(const struct backup *b, const struct plan *p, const struct side_state *source,
		   const struct side_state *target, struct arena *a, struct point_refs *of_source,
		   struct point_refs *of_target);

#endif
