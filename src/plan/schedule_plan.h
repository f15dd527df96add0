/* When something runs next.  Pure. */
#ifndef PLAN_SCHEDULE_PLAN_H
#define PLAN_SCHEDULE_PLAN_H

#include "model/config.h"

/* The instant at which a run that last began at last (Unix seconds, 0 = never) is to begin: not after now if it
 * is due.  What was missed is caught up once.  INT64_MAX: nothing but another run's end begins it.  name and the
 * instant choose a run's jitter; the first run ever has none, and what is waited for moves only by a run. */
int64_t schedule_next(const struct schedule *s, const char *name, const struct zone *z, int64_t last, int64_t now);

/* The first instant after now at which a label of the policy strikes; INT64_MAX: none is taken. */
int64_t policy_next(const struct snapshot_policy *p, const struct zone *z, int64_t now);
/* The first of them all. */
int64_t policies_next(const struct snapshot_policies *all, const struct zone *z, int64_t now);

/* The first instant after t at which a backup runs by itself, at its schedule or after a snapshot. */
int64_t backup_next(const struct config *c, const struct backup *b, const struct zone *z, int64_t t);

#endif
