/* The shell programs that run on a side, made from values.  Every name is quoted; nothing that came
 * from outside is ever read as shell.  POSIX sh, as dash and bash have it. */
#ifndef WIRE_PROGRAM_H
#define WIRE_PROGRAM_H

#include "base/err.h"
#include "model/plan.h"
#include "model/pool_disk.h"
#include "wire/shell.h"

/* Each appends a whole program, to be given to the loader on standard input. */

/* Lists everything below root, all pools if it is "", with or without snapshots and bookmarks; and the properties
 * set below another root, unless that is NULL; pool: and how root's pool is.  See look_parse (wire/zfs_text.h). */
void program_look(struct buf *b, const char *root, bool points, const char *properties, bool pool);
/* Likewise with all, but of snapshots only the names: what is dear is to open each.  For root one program in the
 * kernel (zfs-program(8)) lists them, for others zfs list does, with an ioctl each. */
void program_look_names(struct buf *b, const char *root, const char *properties, bool pool);
/* Likewise, but with the name of each dataset's newest snapshot instead of snapshots and bookmarks: a dataset that is
 * not mounted is opened anew for each of its snapshots, however they are listed. */
void program_look_newest(struct buf *b, const char *root, const char *properties, bool pool);
/* The snapshots and bookmarks of these datasets, without what is below them: see listed_parse. */
void program_look_below(struct buf *b, const struct strings *datasets);
/* These snapshots, "pool/dataset@snapshot", in full: see points_parse. */
void program_look_points(struct buf *b, const struct strings *snapshots);
/* A line for each pool: its name, health, bytes used and size, with tabs between them. */
void program_pools(struct buf *b);
/* Asks the source what resume tokens mean: see tokens_parse. */
void program_tokens(struct buf *b, const struct strings *tokens);
/* Asks the source how long the streams will be: see estimates_parse. */
void program_estimate(struct buf *b, const struct send_steps *sends);
/* Asks the source what zstd makes of the beginnings of some streams: see sample_parse. */
void program_sample(struct buf *b, const struct send_step *steps, size_t n, size_t bytes_each);
/* Says "zstd yes" or "zstd no", and takes so many bytes from standard input, or (not up) prints them. */
void program_carry(struct buf *b, bool up, size_t bytes);
/* Asks a host about itself, and what its user may do with a dataset, or below the nearest one above it that is there:
 * see host_parse (wire/host_text.h). */
void program_host(struct buf *b, const char *dataset);
/* Prints how many bytes may be written to a dataset that is there, or below the nearest one above it that is. */
void program_available(struct buf *b, const char *dataset);
/* One atomic zfs snapshot for each step. */
void program_snapshot(struct buf *b, const struct snap_steps *steps);
/* One command of a program: makes a stand-in; open: which is not encrypted, whatever it lies below. */
void program_stand_in(struct buf *b, const char *dataset, bool open);
/* Makes missing parents, in order, but for later ones; gives up partial receives. */
void program_parents(struct buf *b, const struct parent_steps *parents, const struct abort_steps *aborts);
/* Gives up partial receives, at least one and all of one pool, and waits until their space can be used. */
void program_make_room(struct buf *b, const struct abort_steps *aborts);
/* Destroys snapshots, or (dry) says what would go: see prune_parse.  What cannot be destroyed is looked for by
 * halving, and the rest is destroyed all the same. */
void program_prune(struct buf *b, const struct prune_steps *steps, bool dry);
/* Mends a conflict; the first command that fails ends it. */
void program_repair(struct buf *b, const struct repair_step *s);
/* Renames, notes, and forgets datasets of the archive; one that fails stops nothing. */
void program_tidy(struct buf *b, const struct tidy_steps *steps);
/* Makes datasets, in order, that are not there; nothing is mounted. */
void program_create(struct buf *b, const struct parent_steps *datasets);
/* Sets properties of a restored dataset, one by one: what is refused is said on standard error, and stops nothing.
 * Then it is no longer marked as one that is being restored.
 * inherit: canmount goes back to what it is of itself. */
void program_put_back(struct buf *b, const char *dataset, const struct properties *p, bool inherit);
/* Shows what is in a snapshot, which is mounted for that where nobody sees it. */
enum files_kind { FILES_LIST, FILES_FIND, FILES_CAT, FILES_TAR };
struct files_wish {
	enum files_kind kind;
	const char *dataset, *snapshot;
	const char *path;    /* absolute, within the snapshot */
	const char *pattern; /* FILES_FIND: of names, as find(1) has them; NULL: all */
};
void program_files(struct buf *b, const struct files_wish *w);
/* Lists what is below w->path in that snapshot, and in a later one of the dataset: see files_parse. */
void program_two_lists(struct buf *b, const struct files_wish *w, const char *later);
/* Holds, bookmarks, releases.  What is so already is no error. */
void program_marks(struct buf *b, const struct mark_steps *marks, const char *tag);
/* Imports pools without mounting anything; one that is imported already is fine.  Exports them; one
 * that is not imported is fine. */
void program_import(struct buf *b, const struct strings *pools);
void program_export(struct buf *b, const struct strings *pools);
/* Has a machine switch itself off after so long, its pools exported, unless this is asked of it again before; nothing
 * of it outlasts the machine.  Refused on the host whose boot has that id (random(4)), and to who is not root. */
void program_watchdog(struct buf *b, const char *not_on, int64_t left_ms, const struct strings *pools);
/* Waits for disks that apply has made, and imports their pools, without mounting anything; makes those that are not
 * there yet, on disks that are blank, and datasets that they lack.  What it prints disks_parse reads: it sets the guid
 * of each.  ERR_CORRUPT: it is not said of all. */
void program_disks(struct buf *b, const struct pool_disks *disks);
int disks_parse(struct str out, struct arena *a, struct pool_disks *disks, struct err *e) MUST_CHECK;
/* Runs one command, a list of words. */
void program_command(struct buf *b, const struct strings *words);
/* Steps of a move, from pool to pool of one machine; the first that fails ends it, but that something cannot be set
 * is only said. */
void program_move(struct buf *b, const struct move_step *steps, size_t n);
/* The pool of a disk, which is imported under another name, gets the name of one that is imported, too, and is exported
 * for that. */
void program_take_place(struct buf *b, const struct pool_disk *disk);
/* Sends one stream after the other to standard output; the first failure ends it with
 * "dormouse-send INDEX CODE" on standard error.  zstd: all of them together are compressed, at both ends. */
void program_send(struct buf *b, const struct send_step *steps, size_t n, bool zstd);
/* Receives one stream after the other from standard input, and answers each: see
 * receive_answers_parse. */
void program_receive(struct buf *b, const struct send_step *steps, size_t n, bool zstd);

#endif
