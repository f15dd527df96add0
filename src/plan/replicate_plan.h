/* What has to be sent so that the target has what the source has.  Pure and total: what cannot be
 * done is a conflict in the plan. */
#ifndef PLAN_REPLICATE_PLAN_H
#define PLAN_REPLICATE_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* Datasets are matched by name (the target's is <destination>/<whole source name>), their points by
 * GUID.  Fills everything of out but snaps.  Marks are planned only when target is a fresh look.  p is the policy of
 * the source's host, or NULL.  Not sent are snapshots that the backup excludes, and what the archive would not keep;
 * the newest of the others is what the target must have. */
void replicate_plan(const struct backup *b, const struct snapshot_policy *p, const struct side_state *source,
		    const struct side_state *target, const struct zone *z, int64_t now, struct arena *a,
		    struct plan *out);

#endif
