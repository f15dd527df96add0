/* The part of health_plan that is not about datasets: the clock, runs that were unlike others, machines, sinks,
 * pools, and what the file forgets.  Pure. */
#ifndef PLAN_HEALTH_AROUND_H
#define PLAN_HEALTH_AROUND_H

#include "model/health.h"

/* Adds a problem.  All texts are of h's arena or live longer. */
void health_around(struct health *h, struct arena *a);
/* The median of what the good runs of a backup took, the last 20 but for one; 0: there were too few (5). */
int64_t health_usual_ms(const struct facts *f, const char *backup, const struct fact_run *but);

#endif
