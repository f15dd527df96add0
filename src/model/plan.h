/* A plan: what a run will do, step by step, each with its reason.  Plain data; making it cannot
 * fail (what cannot be done is a conflict in it), and doing it needs no policy. */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "model/dataset.h"

/* Take these snapshots in one atomic command. */
struct snap_step {
	enum label label;
	const char *name;	 /* after the '@' */
	struct strings datasets; /* of one pool, in the order of the look */
	const char *reason;
};
struct snap_steps VEC(struct snap_step);

/* Why a snapshot stays, or that it goes. */
enum verdict_why {
	KEEP_FOREIGN,	 /* a name of nobody we know */
	KEEP_UNSELECTED, /* its dataset, or its label there, is not in the policy */
	KEEP_LABEL,	 /* number rank of the keep newest of its label */
	KEEP_PERIOD,	 /* the first of the rank-th newest period of label that has any */
	KEEP_WITHIN,	 /* young enough against the newest */
	KEEP_NEWEST,
	KEEP_COMMON, /* the last that both sides have */
	KEEP_HELD,
	KEEP_ORIGIN, /* a clone depends on it */
	KEEP_YOUNG,  /* younger than min_age */
	KEEP_FROZEN, /* its dataset is in conflict, half received, or set aside: nothing is destroyed there */
	DROP,
};
struct verdict {
	const struct dataset *dataset;
	const struct point *point;
	enum verdict_why why;
	enum label label;
	size_t rank;
	int64_t keep;
};
struct verdicts VEC(struct verdict);

/* Destroy snapshots: of one dataset, or of all below it that have them. */
struct prune_step {
	const char *dataset;
	struct strings snapshots; /* names after the '@' */
	bool below;		  /* zfs destroy -r: every dataset below that has them loses them */
	struct strings each;	  /* with below: those datasets */
};
struct prune_steps VEC(struct prune_step);

/* One pass over a host: snapshots, then what no label keeps any more. */
struct pass {
	int64_t now;
	struct snap_steps snaps;
	struct verdicts verdicts;
	struct prune_steps prunes;
	struct strings notes; /* what a person should know of the selection */
	const char *doubt;    /* why the clock is not believed, and nothing is done; or NULL */
};

/* Make a missing parent on the target. */
struct parent_step {
	const char *dataset;
	bool later; /* it lies below what comes first: the send that needs it makes it */
	bool open;  /* it lies below what is encrypted with the source's key, and is not encrypted itself */
	const char *reason;
};
struct parent_steps VEC(struct parent_step);

enum send_kind {
	SEND_FULL,	   /* zfs send ds@to */
	SEND_CLONE,	   /* zfs send -i origin ds@to: the first of a clone whose origin is there */
	SEND_INCREMENTAL,  /* zfs send -i base ds@to */
	SEND_INTERMEDIATE, /* zfs send -I base ds@to: all snapshots in between come along */
	SEND_RESUME,	   /* zfs send -t token */
};

struct send_step {
	enum send_kind kind;
	const char *source; /* dataset */
	const char *target; /* dataset */
	struct point base;  /* of an incremental: snapshot or bookmark; of a clone: its origin */
	const char *origin; /* of a clone: "tank/x@s" at the source, and "vault/tank/x@s" at the target */
	const char *target_origin;
	struct point to;  /* what the target has afterwards */
	size_t snapshots; /* how many snapshots arrive */
	uint64_t size;	  /* of a first copy: what it and all first copies above it refer to; bytes; 0 = not one */
	uint64_t bytes;	  /* how long the stream will be, by zfs's estimate; 0 = not asked yet */
	bool raw;	  /* -w */
	bool keyed;	  /* the target encrypts it with a key of its own, or may do so: not with -e (zfs-send(8)) */
	bool open;	  /* a first copy: as in parent_step */
	bool is_volume;
	const char *token;		     /* SEND_RESUME */
	const struct properties *properties; /* of the source, to be written down there; or NULL */
	bool replaces;			     /* our empty stand-in of that name */
	struct parent_steps parents;	     /* stand-ins to be made right before it, from above */
	bool restores;			     /* it goes back: nothing of what makes a copy a copy */
	const char *reason;
};
struct send_steps VEC(struct send_step);

/* Does it bring a dataset that is not there yet? */
static inline bool send_is_first(const struct send_step *s)
{
	return s->kind == SEND_FULL || s->kind == SEND_CLONE;
}

/* The beginnings of some streams, and what zstd makes of them on the side that would send. */
struct compress_sample {
	bool has_zstd;
	uint64_t bytes, packed; /* before and after */
	uint64_t cpu_ms;	/* that reading and compressing took */
	uint64_t ratio_percent; /* least compressratio of their datasets: 100 = ZFS has compressed nothing */
};

/* Give up a partial receive that no source snapshot fits any more (zfs receive -A). */
struct abort_step {
	const char *dataset;
	const char *reason;
};
struct abort_steps VEC(struct abort_step);

/* Marks on the source: hold and bookmark the last verified common snapshot, let go of older ones. */
enum mark_kind { MARK_HOLD, MARK_BOOKMARK, MARK_RELEASE, MARK_UNBOOKMARK };
struct mark_step {
	enum mark_kind kind;
	const char *dataset;
	const char *snapshot; /* after the '@'; MARK_UNBOOKMARK: the bookmark's name after the '#' */
	const char *bookmark; /* MARK_BOOKMARK: its name after the '#' */
	const char *reason;
};
struct mark_steps VEC(struct mark_step);

enum conflict_kind {
	CONFLICT_NO_SNAPSHOT, /* nothing to send yet */
	CONFLICT_DIVERGED,    /* the target has snapshots the source does not have, after the common one */
	CONFLICT_NO_COMMON,   /* the target has snapshots, none of which the source has */
	CONFLICT_CHANGED,     /* the target was written to since its newest snapshot */
	CONFLICT_NOT_OURS,    /* the target dataset exists, without snapshots */
	CONFLICT_TYPE,	      /* a file system here, a volume there; encrypted here, and not there */
	CONFLICT_UNREADABLE,  /* a partial receive whose token cannot be read */
	CONFLICT_NAME,	      /* the target's name would be longer than a name can be */
};
struct conflict {
	enum conflict_kind kind;
	const char *source, *target;
	const char *why;  /* the evidence, one line */
	const char *hint; /* the way out, a command where there is one */
	const char *base; /* CONFLICT_DIVERGED, CONFLICT_CHANGED: the snapshot there that both have */
};
struct conflicts VEC(struct conflict);

/* What mends one: a person has to ask for it. */
enum repair_kind {
	REPAIR_ROLLBACK,  /* the target goes back to the snapshot that both have */
	REPAIR_KEEP_BOTH, /* the target's is set aside under another name, and a new copy begins */
	REPAIR_GIVE_UP,	  /* the partial receive is dropped */
	REPAIR_TAKE_OVER, /* a copy that another tool made gets the name under which ours is looked for */
};
struct repair_step {
	enum repair_kind kind;
	const char *dataset;	 /* at the target */
	const char *base;	 /* REPAIR_ROLLBACK */
	const char *to;		 /* REPAIR_KEEP_BOTH, REPAIR_TAKE_OVER: the other name */
	struct strings parents;	 /* REPAIR_TAKE_OVER: what must be there above it, from above */
	struct strings children; /* REPAIR_KEEP_BOTH: what lies right below it */
	bool open;		 /* REPAIR_KEEP_BOTH: of the stand-in that they need, as in parent_step */
	bool along;		 /* they go along, as no raw stream is received where a stand-in is; else they stay */
	struct strings lost;	 /* for people */
};

/* What is put in order among the datasets of the archive. */
enum tidy_kind {
	TIDY_RENAME, /* its source was renamed: follow */
	TIDY_GONE,   /* its source is missed: write down since when, and when that was seen */
	TIDY_BACK,   /* it is there again */
	TIDY_CLOSE,  /* it could be written to, or be mounted: make it read-only */
	TIDY_FORGET, /* it was gone for longer than forget_after: destroy it */
};
struct tidy_step {
	enum tidy_kind kind;
	const char *dataset;
	const char *to; /* TIDY_RENAME: where; and the source's name now */
	const char *source;
	int64_t since, at; /* TIDY_GONE */
	bool is_volume;	   /* TIDY_CLOSE */
	const char *reason;
};
struct tidy_steps VEC(struct tidy_step);

/* What the archive keeps, and what goes: after everything was sent and proven. */
struct archive {
	struct verdicts verdicts;
	struct prune_steps prunes;
	struct tidy_steps tidies; /* not TIDY_RENAME */
	const char *doubt;	  /* why the clock is not believed, and nothing is done; or NULL */
};

/* A pool's data goes to another one of the same machine, which is to take its place (plan/move_plan.h). */
enum move_kind {
	MOVE_DESTROY, /* a dataset that the first does not have, or not so: with all that depends on it */
	MOVE_PRUNE,   /* a snapshot likewise */
	MOVE_SEND,    /* send */
	MOVE_WHOLE,   /* send, of a dataset that has no snapshot: as it is */
	MOVE_SET,     /* a property; value NULL: it is set there and not here */
	MOVE_HOLD,    /* all holds of a snapshot */
	MOVE_BOOKMARK,
};
struct move_step {
	enum move_kind kind;
	const char *from, *to; /* datasets; MOVE_PRUNE and MOVE_HOLD: snapshots, "pool/dataset@snapshot" */
	const char *bookmark;  /* MOVE_BOOKMARK: after the '#'; from is the snapshot, at the place of to */
	struct property property;
	struct send_step send;
};
struct move_steps VEC(struct move_step);

/* A dataset whose newest snapshot is on the target, by GUID: proven, and nothing to send. */
struct skip {
	const char *source;
	struct point newest;
	const char *reason;
};
struct skips VEC(struct skip);

struct plan {
	const char *backup;
	int64_t now;
	struct parent_steps parents; /* done first but for later ones, in order, a parent before its children */
	struct tidy_steps renames;   /* then these, each when its new parent is there */
	struct abort_steps aborts;
	struct send_steps sends; /* in order: what is new of known datasets, then first copies, small ones
				  * first, a parent before its children; a dataset's own steps follow each other */
	struct mark_steps marks; /* of what is common already, before any send */
	struct conflicts conflicts;
	struct skips skips;
};

#endif
