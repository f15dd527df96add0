/* The streams that bring a dataset what it lacks: a part of replicate_plan, which decides whether there are any. */
#ifndef PLAN_STREAM_PLAN_H
#define PLAN_STREAM_PLAN_H

#include "model/config.h"
#include "model/plan.h"

struct planning {
	const struct backup *b;
	const struct snapshot_policy *policy;
	const struct side_state *source, *target;
	const struct zone *z;
	int64_t now;
	struct arena *a;
	struct plan *out;
	bool may_mark;		/* the target is known as it is now */
	struct strings origins; /* of clones at the source */
	uint64_t *sizes;	/* of each source dataset: see send_step.size */
	uint64_t size;		/* of the one that is being planned */
	bool raw;		/* likewise */
	bool keyed, open;	/* likewise: see send_step */
	bool replaces;		/* likewise: a stand-in of ours is in its place */
	bool *wanted;		/* likewise: of its points, the snapshots that are to be sent */
	struct {
		size_t *v;
		size_t n, cap;
	} clones; /* source datasets to be planned when what they are clones of is */
};

/* With whose key that is encrypted which the target has by that name, or will have when this plan is done: nobody's,
 * the source's, as it came raw, or the target's own.  That of what nobody can see counts as the target's. */
enum stream_lock { LOCK_NONE, LOCK_SOURCE, LOCK_TARGET };
enum stream_lock stream_lock(const struct planning *p, const char *target);
/* Sets p->raw, p->keyed and p->open for s, of which the target has t, or NULL; p->replaces is known. */
void stream_encryption(struct planning *p, const struct dataset *s, const char *target, const struct dataset *t);
/* Which snapshots of s are to be sent, if all behind index from are new. */
void stream_choose(struct planning *p, const struct dataset *s, const struct dataset *t, size_t from);
/* The next snapshot to be sent that comes after from, or NULL. */
const struct point *stream_next(const struct planning *p, const struct dataset *s, const struct point *from);
/* The first of s that is to be sent, or NULL. */
const struct point *stream_first(const struct planning *p, const struct dataset *s);
/* Everything that is wanted after from, in as few streams as there can be.  A bookmark can only be the base of a
 * single step (zfs-send(8): -I takes no bookmark). */
void stream_rest(struct planning *p, const struct dataset *s, const char *target, const struct point *from);
/* A first copy whole, and what comes after it. */
void stream_all(struct planning *p, const struct dataset *s, const char *target, const char *reason);
/* The rest of what was cut off, up to the snapshot to, and what comes after it. */
void stream_resume(struct planning *p, const struct dataset *s, const struct dataset *t, const struct point *to);
/* The dataset that a clone is of, or NULL. */
const struct dataset *stream_origin(const struct planning *p, const struct dataset *s);
/* A clone shares with its origin there, too: false where that is not there before it. */
bool stream_clone(struct planning *p, const struct dataset *s, const char *target);

#endif
