/* What a command about the archive was asked for: a dataset, a snapshot, a path, and the way there. */
#ifndef CLI_ASKING_H
#define CLI_ASKING_H

#include "cli/cli.h"
#include "engine/restore.h"

struct asking {
	struct cli c;
	struct run_listener listener;
	struct restoring with;
	const char *backup_name; /* --backup */
	const char *was;	 /* the source's dataset */
	const char *copy;	 /* and the archive's */
	const char *snapshot;	 /* or NULL */
	const char *path;	 /* or NULL */
};

/* was: the dataset of the backup's source that is asked for, or NULL. */
struct restoring asking_with(struct cli *c, const struct backup *b, const char *was, struct run_listener *l);
/* Takes the first of at most so many words apart, DATASET[@SNAPSHOT][:/PATH], finds its backup, and sets up both
 * ways. */
int asking_ready(struct asking *q, size_t words, struct err *e) MUST_CHECK;
/* The newest snapshot that the archive has of it. */
int asking_newest(struct asking *q, const char **name, struct err *e) MUST_CHECK;
/* Of that snapshot, or without one of the newest. */
int asking_wish(struct asking *q, enum files_kind kind, struct files_wish *w, struct err *e) MUST_CHECK;
/* rc < 0: says what went wrong.  The exit code. */
int asking_end(struct asking *q, int rc, const struct err *e);

#endif
