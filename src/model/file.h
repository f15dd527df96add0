/* Files of a snapshot, as far as they are compared. */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include "base/vec.h"

/* A file or folder in one snapshot. */
struct file {
	const char *path; /* absolute, within the dataset */
	char type;	  /* as find -printf %y: 'f', 'd', 'l', … */
	uint64_t inode, size;
	const char *modified, *changed; /* when its content was, and anything of it; as find(1) prints it */
	const char *rights;		/* mode and owners */
};
struct files VEC(struct file);

#endif
