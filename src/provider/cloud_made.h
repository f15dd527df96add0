/* What apply makes, as far as it is the same in each cloud: what the blocks want, and what is found there by its marks.
 */
#ifndef PROVIDER_CLOUD_MADE_H
#define PROVIDER_CLOUD_MADE_H

#include "base/err.h"
#include "model/made.h"
#include "model/resource.h"

/* What a volume for a pool is marked with before there is one; then with its GUID. */
#define CLOUD_NO_POOL "uninitialised"
/* Of volumes of one name the one with the greatest number is in use; no mark is 0.  Or that it is not its turn yet.  So
 * one call changes which one it is (docs/decisions/0040). */
#define CLOUD_TURN_NEXT "next"

/* What is particular to a cloud. */
struct cloud_made_kind {
	enum resource_kind firewall;  /* what who-may-reach-it is there */
	const char *place;	      /* the fact of where a volume is: "zone" */
	const char *wall_block;	      /* the block's name */
	uint64_t least_gib, most_gib; /* of a volume; most 0: no limit that we know */
};

extern const struct cloud_made_kind cloud_made_ec2, cloud_made_hcloud;

/* What is wrong with the blocks, and in *hint what to do; NULL: nothing.  As model/field.h has it. */
const char *cloud_made_wrong(const struct made *m, const struct cloud_made_kind *k, struct arena *a, const char **hint);
/* Adds the pools of its volumes. */
void cloud_made_pools(const struct made *m, struct arena *a, struct strings *pools);

/* What the blocks want; place: where volumes are to be. */
void cloud_made_want(const struct made *m, const struct cloud_made_kind *k, const char *place, struct arena *a,
		     struct resources *wanted);
/* In one order, each once, parted by blanks. */
const char *cloud_made_list(struct strings from, struct arena *a);
/* What a volume that was found is marked with, and its fact "pool": which one it is, the mark says; what it is called,
 * the file. */
void cloud_made_put_marks(const struct made *m, const char *mark, const char *turn, struct arena *a,
			  struct resource *r);
/* By their turns: which volumes are in use, which are old, and which are being filled. */
void cloud_made_roles(struct resources *found);
/* That of the one that takes the place of the one in use. */
const char *cloud_made_turn_after(const struct resource *now, struct arena *a);
/* Those that are being filled, as far as the file has their names: to be with the machine that fills them. */
struct strings cloud_made_next(const struct made *m, const struct resources *found, struct arena *a);

/* The one that is found of what is wanted; NULL: there is none (ERR_MISSING), or more than one (ERR_CONFLICT). */
const struct resource *cloud_made_one(const struct resources *found, const struct resource *wanted, const char *target,
				      struct arena *a, struct err *e);
/* The disks of the volumes that pools are on: of those in use, and those that are being filled and that the machine was
 * given. */
struct cloud_made_seen {
	const struct made *made;
	const char *target;
	const struct resources *found;
	struct strings given; /* ids */
	const char *(*path_of)(const char *id, struct arena *a);
};
int cloud_made_disks(const struct cloud_made_seen *s, struct arena *a, struct pool_disks *disks,
		     struct err *e) MUST_CHECK;

#endif
