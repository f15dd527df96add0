/* What the archive keeps of what it has, and which of its datasets have lost their source.  Pure. */
#ifndef PLAN_ARCHIVE_PLAN_H
#define PLAN_ARCHIVE_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* Of two looks that both happened.  p is the policy of the source's host or NULL; doubt (clock_doubt) non-NULL:
 * nothing is planned but what it says.  A copy that could be written to or mounted is closed.  One whose source is gone
 * is marked with the time; only a keep block with forget_after ever destroys it, never before looks all along that time
 * found the source gone (of the time between two, a quarter of forget_after counts at most: the clock may have leapt),
 * and never one with foreign or held snapshots, or with clones. */
void archive_plan(const struct backup *b, const struct snapshot_policy *p, const struct side_state *source,
		  const struct side_state *target, const struct zone *z, int64_t now, const char *doubt,
		  struct arena *a, struct archive *out);

#endif
