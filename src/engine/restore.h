/* Back from an archive: whole datasets through the channel, files through a mounted snapshot. */
#ifndef ENGINE_RESTORE_H
#define ENGINE_RESTORE_H

#include "engine/reach.h"
#include "model/dataset.h"
#include "plan/compress_plan.h"
#include "plan/file_diff.h"
#include "plan/restore_plan.h"
#include "wire/program.h"

struct restoring {
	const struct config *config;
	const struct backup *backup; /* whose archive it is */
	const char *was;	     /* the dataset of the source that is asked for */
	const struct paths *paths;
	struct arena *arena;
	struct run_listener *listener;

	struct reach archive, home;
	struct side_state seen; /* of the archive, by the last look */
	struct restore plan;	/* made of that */
	struct compress_verdict compress;
	bool measured; /* compress is known */
	struct strings notes;
	uint64_t bytes;
	size_t arrived; /* datasets of this call, proven by GUID */
};

/* Sets up both ways; wakes nothing yet. */
int restore_sides(struct restoring *r, struct err *e) MUST_CHECK;
/* Sends what w wants from the archive to where the source lies, proves it by GUID, and puts the properties back.  What
 * was cut off is resumed, in this call or in the next.  Blocks. */
int restore_datasets(struct restoring *r, const struct restore_wish *w, struct err *e) MUST_CHECK;
/* The snapshots of copy and all below it. */
int restore_look(struct restoring *r, const char *copy, struct side_state *archive, struct err *e) MUST_CHECK;
/* Shows something of a snapshot's files on the descriptor out. */
int restore_files(struct restoring *r, const struct files_wish *w, int out, struct err *e) MUST_CHECK;
/* What became of the files between that snapshot and a later one. */
int restore_diff(struct restoring *r, const struct files_wish *w, const char *later, struct file_changes *out,
		 struct err *e) MUST_CHECK;
/* Unpacks files below a folder of this host, with owners, modes, ACLs and extended attributes.  Nothing that exists is
 * replaced. */
int restore_unpack(struct restoring *r, const struct files_wish *w, const char *folder, struct err *e) MUST_CHECK;
void restore_end(struct restoring *r);

#endif
