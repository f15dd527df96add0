/* What has to be sent so that the target has what the source has.  Pure and total: what cannot be
 * done is a conflict in the plan. */
#ifndef PLAN_REPLICATE_PLAN_H
#define PLAN_REPLICATE_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* Datasets are matched by name (the target's is <destination>/<whole source name>), their points by
 * GUID.  Fills everything of out but snaps.  Marks are planned only when target is a fresh look. */
void replicate_plan(const struct backup *b, const struct side_state *source, const struct side_state *target,
		    int64_t now, struct arena *a, struct plan *out);

/* The tag of a backup's holds: "dormouse:NAME". */
const char *backup_tag(const struct backup *b, struct arena *a);

#endif
