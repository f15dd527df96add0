/* What zfs, zpool and ssh print, read strictly: a line that does not fit is an error, never skipped. */
#ifndef WIRE_ZFS_TEXT_H
#define WIRE_ZFS_TEXT_H

#include "base/err.h"
#include "base/str.h"
#include "model/dataset.h"
#include "model/plan.h"

/* The output of program_look, program_look_names or program_look_newest into s, whose root is set; sorts it.  Snapshots
 * of which only the name is known have no GUID, and come first.  "dataset does not exist", said of the root itself,
 * makes root_exists false; anything else that zfs complains of is an error: could not list is never empty.  Strings are
 * in the arena. */
int look_parse(struct str out, struct arena *a, struct side_state *s, struct err *e) MUST_CHECK;

/* The output of program_look_below: adds to the points of s, and sorts it. */
int listed_parse(struct str out, struct arena *a, struct side_state *s, struct err *e) MUST_CHECK;

/* The output of program_look_points: fills in those of s that have no GUID, or are recalled.  *changed: one of the
 * recalled is not what it was.  What is not there any more stays as it is. */
int points_parse(struct str out, struct side_state *s, bool *changed, struct err *e) MUST_CHECK;

/* The output of program_tokens: fills to_guid and to_name, or why, of the datasets of s that have a
 * token, in their order. */
int tokens_parse(struct str out, struct arena *a, struct side_state *s, struct err *e) MUST_CHECK;

/* The output of program_estimate: fills bytes of each step; 0 where zfs could not tell. */
int estimates_parse(struct str out, struct send_steps *sends, struct err *e) MUST_CHECK;

/* The output of program_prune. */
struct pruned {
	size_t destroyed;      /* or, of a dry run, what would be */
	uint64_t reclaimed;    /* bytes, by zfs's estimate; only of a dry run */
	struct strings failed; /* "pool/ds@snap: why" */
};
int prune_parse(struct str out, struct arena *a, struct pruned *p, struct err *e) MUST_CHECK;

/* The output of program_sample. */
int sample_parse(struct str out, struct compress_sample *s, struct err *e) MUST_CHECK;

/* The output of program_receive. */
struct receive_answer {
	int code;
	uint64_t guid; /* of the snapshot that is there now; 0: it is not, or code is 0 and nobody asked */
	struct str text;
};
struct receive_answers VEC(struct receive_answer);
int receive_answers_parse(struct str out, struct arena *a, struct receive_answers *answers, struct err *e) MUST_CHECK;

#endif
