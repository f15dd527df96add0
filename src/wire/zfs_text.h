/* What zfs prints, read strictly: a line that does not fit is an error, never skipped. */
#ifndef WIRE_ZFS_TEXT_H
#define WIRE_ZFS_TEXT_H

#include "base/err.h"
#include "base/str.h"
#include "model/dataset.h"
#include "model/plan.h"
#include "wire/blame.h"

/* The output of program_look into s, whose root is set; sorts it.  "dataset does not exist", said of
 * the root itself while its pool is there, makes root_exists false; anything else that zfs complains
 * of is an error: could not list is never empty.  Strings are in the arena. */
int look_parse(struct str out, struct arena *a, struct side_state *s, struct err *e) MUST_CHECK;

/* The output of program_tokens: fills what a token means, or why it cannot be read, into the datasets
 * of s that have one, in their order. */
int tokens_parse(struct str out, struct arena *a, struct side_state *s, struct err *e) MUST_CHECK;

/* The output of program_receive.  A last answer that is cut off in the middle of its line is left
 * out: nobody knows what it would have said. */
struct receive_answer {
	int code;
	uint64_t guid; /* 0: the snapshot is not there */
	struct str text; /* a view into what was parsed, with a '!' before each line */
};
struct receive_answers VEC(struct receive_answer);
int receive_answers_parse(struct str out, struct arena *a, struct receive_answers *answers, struct err *e) MUST_CHECK;

#endif
