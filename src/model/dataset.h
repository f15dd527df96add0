/* What ZFS says of one side: datasets with their snapshots and bookmarks, as plain values. */
#ifndef MODEL_DATASET_H
#define MODEL_DATASET_H

#include "base/vec.h"
#include "model/label.h"

enum point_kind { POINT_SNAPSHOT, POINT_BOOKMARK };

/* A snapshot or a bookmark: a point in a dataset's history, known by its GUID. */
struct point {
	enum point_kind kind;
	const char *name;   /* after the '@' or '#' */
	uint64_t guid;	    /* of the snapshot; a bookmark has that of the snapshot it was made of */
	uint64_t createtxg; /* orders the points of one dataset on one pool */
	int64_t creation;   /* Unix seconds */
	uint64_t userrefs;  /* number of holds (snapshots only) */
	bool recalled;	    /* all but the name is what an earlier look saw, and holds are not known */
};
struct points VEC(struct point);

/* One that is set on the dataset itself, or was received. */
struct property {
	const char *name, *value;
};
struct properties VEC(struct property);

enum dataset_type { DATASET_FILESYSTEM, DATASET_VOLUME };

/* A partly received stream, as the target tells it and the source decodes it (zfs send -nvt). */
struct resume {
	const char *token;  /* NULL = there is none */
	uint64_t to_guid;   /* 0 = could not be decoded; then why says so */
	uint64_t from_guid; /* of an incremental stream; 0 = a full one */
	bool raw;
	const char *to_name; /* "pool/ds@snap" */
	const char *why;
};

struct dataset {
	const char *name;
	enum dataset_type type;
	uint64_t guid;
	bool encrypted;
	const char *key_root; /* the dataset whose key it has; NULL = none, or nobody asked */
	bool placeholder;     /* an empty stand-in of ours: its property dormouse:placeholder is its own name */
	/* On the archive: since when its source is missed, 0 = it is not; and when that was last written down, if not
	 * then (dormouse:gone).  Since moves by what does not count (archive_plan). */
	int64_t gone_since, gone_seen;
	bool open;	/* readonly is off, or canmount on: a copy should be neither */
	bool restoring; /* a restore received it, and has not put its properties back yet (dormouse:restoring) */
	/* The effective com.sun:auto-snapshot:LABEL, at LABEL_NONE com.sun:auto-snapshot; NULL = unset. */
	const char *wants[LABELS + 1];
	const char *chosen; /* the effective dormouse:backup; NULL = unset */
	const char *origin; /* the snapshot that a clone is of, or NULL */
	uint64_t used, referenced, available;
	uint64_t written; /* since the newest snapshot */
	struct resume resume;
	struct points points; /* oldest first, by createtxg */
	const char *newest; /* the name of its newest snapshot, after the '@'; NULL = there is none, or nobody asked */
	int64_t listed_at;  /* Unix seconds: an earlier look listed its points, this one did not; 0 = it did */
	struct properties properties; /* only of a look that asked for them; none of ours */
	bool has_record;	      /* of a copy: what its source had set is written down, namely: */
	struct properties recorded;
};
struct datasets VEC(struct dataset);

/* One of a look's. */
struct point_ref {
	const struct dataset *dataset;
	const struct point *point;
};
struct point_refs VEC(struct point_ref);
struct dataset_ref {
	struct dataset *dataset;
};
struct dataset_refs VEC(struct dataset_ref);

/* One side as seen at one time. */
struct side_state {
	const char *root;	  /* where the listing began, "tank/home" */
	bool seen;		  /* false: nobody could look (yet); "could not list" is never "empty" */
	bool root_exists;	  /* false: looked, and root is not there */
	bool recorded;		  /* an earlier look, not a fresh one */
	bool has_properties;	  /* the look asked for them */
	bool ours_too;		  /* and dormouse's own count as properties, like any other */
	int64_t seen_at;	  /* Unix seconds */
	const char *pool_health;  /* of root's pool, as zpool says it, "ONLINE"; NULL: nobody asked, or could tell */
	struct datasets datasets; /* sorted by name, byte-wise, a parent before its children */
};

/* NULL if there is none of that name. */
const struct dataset *side_find(const struct side_state *s, const char *name);
/* The newest snapshot, or NULL. */
const struct point *dataset_newest(const struct dataset *d);
/* Whether it has that GUID, as a snapshot or as a bookmark. */
bool dataset_has_guid(const struct dataset *d, uint64_t guid);
/* The snapshot with that GUID, or NULL. */
const struct point *dataset_snapshot_by_guid(const struct dataset *d, uint64_t guid);
/* The snapshot of that name (after the '@'), or NULL. */
const struct point *dataset_snapshot_by_name(const struct dataset *d, const char *name);
/* Sorts datasets by name and each one's points by createtxg, a bookmark before its snapshot. */
void side_sort(struct side_state *s);
/* Whether a glob matches the name. */
bool name_matches(const struct strings *globs, const char *name);
/* Whether a glob matches the name, or that of something it lies below. */
bool dataset_matches(const struct strings *globs, const char *name);
/* Whether a copy was set aside (plan/repair_plan): nobody's copy any more, and left alone. */
bool dataset_is_aside(const char *name);
/* Of its pool's name, which a dataset's or snapshot's name begins with. */
size_t dataset_pool_len(const char *name);
/* Whether name is root or lies below it. */
bool dataset_is_under(const char *name, const char *root);

#endif
