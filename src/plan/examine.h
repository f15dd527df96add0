/* Whether both sides can do what a backup asks of them, judged by what they say of themselves.  Pure. */
#ifndef PLAN_EXAMINE_H
#define PLAN_EXAMINE_H

#include "model/config.h"
#include "model/host.h"

struct finding {
	enum { FINDING_FINE, FINDING_NOTE, FINDING_WRONG } verdict;
	const char *what;
	const char *hint; /* what to do; or NULL */
};
struct findings VEC(struct finding);

/* label: how the side is called.  now: this host's time when it answered.  snapshots: a snapshots block is about it. */
void examine_source(const struct host *h, const char *label, bool snapshots, int64_t now, struct arena *a,
		    struct findings *out);
void examine_target(const struct backup *b, const struct host *h, const char *label, struct arena *a,
		    struct findings *out);
/* What the source's streams would hold that the target cannot take; what both need for that. */
void examine_both(const struct backup *b, const struct host *source, const struct host *target, const char *label,
		  struct arena *a, struct findings *out);

#endif
