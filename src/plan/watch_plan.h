/* What is to watch, from outside of this host, that its backups succeed in time.  Pure. */
#ifndef PLAN_WATCH_PLAN_H
#define PLAN_WATCH_PLAN_H

#include "model/config.h"

enum {
	WATCH_TRIGGER_MAX_S = 24 * 60 * 60, /* what a trigger of Honeycomb looks back at most */
	WATCH_CHECK_MAX_S = 365 * 24 * 60 * 60
};

struct watch {
	const char *backup;
	int64_t within_s;	   /* somebody is told after so long without a success; whole minutes */
	const char *cannot, *hint; /* why that cannot be watched there, and what to do; NULL: it can */
};
struct watches VEC(struct watch);

/* One for each backup that the sink is told of and that is late at some time: by its alert, or when its schedule has
 * missed two.  now: from when on the schedule is looked at; the answer is the same for any. */
void watch_plan(const struct config *c, const struct sink *s, const struct zone *z, int64_t now, struct arena *a,
		struct watches *out);

/* How often Honeycomb is to look at so long a time: as often as it may, in seconds. */
int64_t watch_frequency_s(int64_t within_s);
/* A check is told of starts, too: after one it waits for so long, which is the second half of its time. */
int64_t watch_grace_s(int64_t within_s);
int64_t watch_timeout_s(int64_t within_s);

#endif
