/* What the file forgets: datasets of this host in no backup, and globs that match nothing.  Pure. */
#ifndef PLAN_COVERAGE_PLAN_H
#define PLAN_COVERAGE_PLAN_H

#include "model/config.h"
#include "model/facts.h"

/* host: all pools of this host, datasets only.  What only holds others, and hardly anything itself, does not count. */
void coverage_plan(const struct config *c, const struct side_state *host, struct arena *a, struct strings *uncovered,
		   struct fact_filters *unmatched);

#endif
