/* What has to be sent so that the target has what the source has.  Pure and total: what cannot be
 * done is a conflict in the plan. */
#ifndef PLAN_REPLICATE_PLAN_H
#define PLAN_REPLICATE_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* Datasets are matched by name (the target's is <destination>/<whole source name>), their points by
 * GUID.  Fills everything of out but snaps; a side that was not seen makes it empty, and out->unseen
 * says why.  Marks are planned only when target is a fresh look. */
void replicate_plan(const struct backup *b, const struct side_state *source, const struct side_state *target,
		    int64_t now, struct arena *a, struct plan *out);

/* What to mark after a step was proven: step->to held and bookmarked, older marks of this backup let
 * go.  source is the dataset as it was seen before the run; to be called for the last proven step of
 * each dataset.  Appends to out; strings are in the arena or shared. */
void replicate_marks_after(const struct backup *b, const struct dataset *source, const struct send_step *step,
			   struct arena *a, struct mark_steps *out);

/* The tag of a backup's holds: "dormouse:NAME". */
const char *backup_tag(const struct backup *b, struct arena *a);
/* Where a dataset of the source goes: "<destination>/<whole source name>". */
const char *backup_target(const struct backup *b, const char *source, struct arena *a);

#endif
