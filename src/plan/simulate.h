/* What both sides would hold over time, if everything ran as planned.  Pure. */
#ifndef PLAN_SIMULATE_H
#define PLAN_SIMULATE_H

#include "model/config.h"
#include "model/plan.h"

/* One dataset's two sides at one time. */
struct simulated {
	int64_t at;
	size_t source[LABELS], archive[LABELS]; /* snapshots by label */
	size_t source_others, archive_others;	/* without one */
	int64_t source_oldest, archive_oldest;	/* 0: there is none */
};
struct simulation VEC(struct simulated);

/* From now for so many seconds: the pass at each strike, the backup as its schedule says (after each pass, if
 * it says nothing).  p may be NULL: nothing is taken.  Looks are noted after 1 hour, 1 day, 1 week, then each
 * 30 days, and at the end.  Only the backup's own dataset is followed. */
void simulate(const struct snapshot_policy *p, const struct backup *b, const struct side_state *source,
	      const struct side_state *target, const struct zone *z, int64_t now, int64_t seconds, struct arena *a,
	      struct simulation *out);

#endif
