/* Which marks keep what both sides have last from any clean-up at the source: a hold, and a bookmark.  Pure. */
#ifndef PLAN_MARK_PLAN_H
#define PLAN_MARK_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* Holds and bookmarks common, which is of s, and lets go of what was common earlier.  The bookmark is made before the
 * hold and removed after it: so every hold of ours can be found by a bookmark, whatever crashed. */
void mark_plan(const struct backup *b, const struct dataset *s, const struct point *common, struct arena *a,
	       struct mark_steps *out);

/* Holds and bookmarks what is being sent, and would be missed if it were cleaned up before all of it has arrived. */
void mark_coming(const struct backup *b, const struct dataset *s, const struct point *to, struct arena *a,
		 struct mark_steps *out);

/* The tag of a backup's holds: "dormouse:NAME". */
const char *backup_tag(const struct backup *b, struct arena *a);

#endif
