/* What a host says of its ZFS, and of what its user may do with one dataset there: for doctor. */
#ifndef MODEL_HOST_H
#define MODEL_HOST_H

#include "model/dataset.h"

struct feature {
	const char *name; /* "large_blocks" */
	enum { FEATURE_DISABLED, FEATURE_ENABLED, FEATURE_ACTIVE } state;
};
struct features VEC(struct feature);

struct host {
	const char *user;
	bool is_root;
	const char *zfs, *module; /* versions: "zfs-2.1.11-1"; NULL = there is none */
	bool may_open;		  /* /dev/zfs */
	bool has_zstd;
	int64_t now;		  /* Unix seconds */
	const char *asked;	  /* the dataset that was asked about */
	const char *nearest;	  /* it, or the nearest above it that is there; NULL = not even the pool */
	struct strings may;	  /* what is granted to the user there and below (zfs-allow(8)) */
	struct features features; /* of its pool */
};

#endif
