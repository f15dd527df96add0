/* One pass over a host: which snapshots are due, and which nothing keeps any more.  Pure. */
#ifndef PLAN_SNAPSHOT_PLAN_H
#define PLAN_SNAPSHOT_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* Does the policy want snapshots of that label of that dataset?  By the file's globs if it has any to include,
 * else by com.sun:auto-snapshot:LABEL, and where that says nothing com.sun:auto-snapshot: as zfstools, but for
 * datasets that are not mounted, which count too. */
bool policy_selects(const struct snapshot_policy *p, const struct dataset *d, enum label l);

/* A label is due in a pool when its newest snapshot there is older than the last instant at which its calendar
 * struck: what was missed is caught up once.  host is a look at all pools; last_seen is when somebody last
 * looked (Unix seconds, 0 = unknown), to tell a clock that jumped.  Names are those of NixOS's zfstools with -u,
 * zfs-auto-snap_<label>-YYYY-MM-DD-HHhMMU, with a suffix where one is taken. */
void pass_plan(const struct snapshot_policy *p, const struct side_state *host, const struct zone *z, int64_t now,
	       int64_t last_seen, struct arena *a, struct pass *out);

enum { CLOCK_TRUSTED = -1 }; /* as last_seen: a person says that the clock is right */

/* Why the clock cannot be right, or NULL: it is before the newest snapshot, or more than a year after
 * everything known. */
const char *clock_doubt(int64_t now, int64_t newest, int64_t last_seen, const struct zone *z, struct arena *a);
extern const char clock_hint[]; /* what to do then */

#endif
