/* What is kept and why: a verdict on every snapshot.  Pure. */
#ifndef PLAN_RETAIN_PLAN_H
#define PLAN_RETAIN_PLAN_H

#include "model/config.h"
#include "model/plan.h"

/* The host that takes the snapshots: the newest so many of each label, the ones of snaps (which are about to
 * be taken) included.  Verdicts come dataset by dataset, newest first. */
void retain_host(const struct snapshot_policy *p, const struct side_state *host, const struct snap_steps *snaps,
		 const struct zone *z, int64_t now, struct arena *a, struct verdicts *out);

/* The archive: the first snapshot of so many periods of each label, whatever the source still has.  p is the
 * policy of the source's host, for what it adopts, or NULL.  Only what lies below the backup's destination;
 * nothing when the backup has no keep block. */
void retain_archive(const struct backup *b, const struct snapshot_policy *p, const struct side_state *source,
		    const struct side_state *target, const struct zone *z, int64_t now, struct arena *a,
		    struct verdicts *out);

/* Of the snapshots of s that stand behind index from, which the archive would keep once they had all arrived at t
 * (NULL: it is not there yet): sets wanted of the others to false.  The newest is always kept, and so are origins (see
 * retain_origins): clones are received on top of them. */
void retain_arrivals(const struct backup *b, const struct snapshot_policy *p, const struct strings *origins,
		     const struct dataset *s, const struct dataset *t, size_t from, const struct zone *z, int64_t now,
		     bool *wanted);

/* The snapshots that clones of a side depend on, "pool/dataset@snapshot", sorted. */
struct strings retain_origins(const struct side_state *s, struct arena *a);

/* The reason as a sentence's end: "number 3 of the 24 newest hourly ones"; in the arena. */
const char *verdict_text(const struct verdict *v, struct arena *a);

/* When it will go, as far as the calendar tells: INT64_MAX if never, or if that depends on other things. */
int64_t verdict_until(const struct verdict *v, const struct zone *z, int64_t now);

/* The steps that destroy what the verdicts drop.  One that all datasets below a place lose is destroyed there
 * in one go. */
void prune_plan(const struct verdicts *v, struct arena *a, struct prune_steps *out);
/* The same for counting: dataset by dataset, as what two snapshots share is free only when both are gone. */
void prune_plan_each(const struct verdicts *v, struct arena *a, struct prune_steps *out);

#endif
