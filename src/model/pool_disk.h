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
	const struct pool_dataset *datasets;
	size_t ndatasets;
};
struct pool_disks VEC(struct pool_disk);

#endif
