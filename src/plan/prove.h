/* What is proven to be on the target: both sides compared by GUID, dataset by dataset.  Pure. */
#ifndef PLAN_PROVE_H
#define PLAN_PROVE_H

#include "model/config.h"
#include "model/dataset.h"

enum prove_state {
	PROVE_CURRENT, /* the newest snapshot is on the target */
	PROVE_BEHIND,  /* an older one is */
	PROVE_ABSENT,  /* none is */
	PROVE_EMPTY,   /* the source has no snapshot of it */
};

struct prove_dataset {
	const char *source, *target;
	enum prove_state state;
	struct point newest; /* of the source; guid 0 = none */
	struct point common; /* the newest that both have, as the target names it; guid 0 = none */
	size_t missing;	     /* snapshots of the source newer than common */
	int64_t age_s;	     /* of common at the time of the comparison; -1 = there is none */
};
struct prove_datasets VEC(struct prove_dataset);

struct prove_verdict {
	bool seen;   /* both sides could be looked at; if not, nothing is said of anything */
	bool proven; /* seen, something is there, and every dataset is PROVE_CURRENT */
	size_t current, behind, absent, empty;
	/* All that was in a snapshot at that time is on the target: the oldest of the newest common ones (Unix
	 * seconds); 0 = a dataset has nothing there. */
	int64_t safe_until;
	struct prove_datasets datasets; /* in the source's order, without what the backup excludes */
};

void prove_sides(const struct backup *b, const struct side_state *source, const struct side_state *target, int64_t now,
		 struct arena *a, struct prove_verdict *out);
/* The word for it: "current", "behind", "absent", "empty". */
const char *prove_state_name(enum prove_state s);

#endif
