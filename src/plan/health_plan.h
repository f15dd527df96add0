/* Is everything safe, and what is wrong?  Pure, and total: whatever is not known is said to be so. */
#ifndef PLAN_HEALTH_PLAN_H
#define PLAN_HEALTH_PLAN_H

#include "model/health.h"

/* Everything in out points into c, f and a. */
void health_plan(const struct config *c, const struct facts *f, struct arena *a, struct health *out);

/* The exit code that it deserves: 0 all is safe, 1 not all, 2 nothing is. */
int health_exit(const struct health *h);

#endif
