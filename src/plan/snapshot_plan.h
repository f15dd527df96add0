/* Which snapshots are due.  Pure. */
#ifndef PLAN_SNAPSHOT_PLAN_H
#define PLAN_SNAPSHOT_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* A label is due when its newest snapshot of the source's root was not made in the current period:
 * the quarter of an hour, the hour, the day, the week (from Monday), the month, the year, in UTC.
 * Labels that keep 0 are not taken.  Fills out->snaps; the names are those of NixOS's zfstools with
 * -u: zfs-auto-snap_<label>-YYYY-MM-DD-HHhMMU, with a suffix where that is taken. */
void snapshot_plan(const struct config *c, const struct backup *b, const struct side_state *source, int64_t now,
		   struct arena *a, struct plan *out);

/* The source as it will be: with the planned snapshots, whose GUIDs nobody knows yet (made up, none
 * of them stands in the source).  Its arrays are new, the rest is shared. */
struct side_state snapshot_foresee(const struct plan *p, const struct side_state *source, struct arena *a);

/* Whether a backup leaves a dataset out: its name, or that of a parent, matches. */
bool backup_excludes(const struct backup *b, const char *dataset);

#endif
