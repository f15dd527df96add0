/* What became of the files of a dataset between two of its snapshots.  Pure. */
#ifndef PLAN_FILE_DIFF_H
#define PLAN_FILE_DIFF_H

#include "model/file.h"

struct file_change {
	enum { FILE_ADDED, FILE_REMOVED, FILE_CHANGED, FILE_RENAMED } kind;
	const char *path;
	const char *to; /* FILE_RENAMED */
	bool is_folder;
};
struct file_changes VEC(struct file_change);

/* Sorts both by path.  Changes come in the order of their paths.  What only moved along with its folder is not told,
 * nor that a folder's entries changed; ZFS keeps a file's number as long as it lives, and that tells what was renamed.
 */
void file_diff(struct files *before, struct files *after, struct arena *a, struct file_changes *out);

#endif
