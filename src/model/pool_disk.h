/* Disks of a machine that pools are on, by names that stay. */
#ifndef MODEL_POOL_DISK_H
#define MODEL_POOL_DISK_H

#include "base/vec.h"

/* A dataset that a pool is to have, in words of the file. */
struct pool_dataset {
	const char *name;	   /* without the pool's */
	struct strings properties; /* name, value, … */
};
struct pool_disk {
	const char *id;	  /* what the provider calls it */
	const char *path; /* in the machine */
	const char *pool; /* its name */
	const char *guid; /* of its pool; NULL: it has none yet, says the mark that it got when it was made */
	bool fresh;	  /* that was so before the machine was asked */
	/* Of a disk that is being filled, to take the place of another: the name of that one's pool, what it is marked
	 * with when it has, and whether that is to be done.  NULL: it is none. */
	const char *becomes, *turn;
	bool moved;
	const struct pool_dataset *datasets;
	size_t ndatasets;
};
struct pool_disks VEC(struct pool_disk);

/* What the pool is called that is to take a pool's place. */
static inline const char *pool_next(const char *pool, struct arena *a)
{
	return arena_printf(a, "%s.next", pool);
}

#endif
