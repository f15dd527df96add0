/* How attributes of a block map to members of a struct.  One table serves the decoder, its
 * diagnostics, and the manual. */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/base.h"

enum field_type {
	FIELD_STRING,	/* const char * */
	FIELD_BOOL,	/* bool */
	FIELD_INT,	/* int64_t */
	FIELD_DURATION, /* int64_t milliseconds, written "2m" */
	FIELD_SIZE,	/* uint64_t bytes, written "10GiB" or a number */
	FIELD_STRINGS,	/* struct strings: a list of strings */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset; /* of the member */
	bool required;
	const char *fallback; /* as it would be written in the file ("2m", "22"), or NULL = zero */
	const char *doc;      /* one line */
};

/* A kind of target: what may stand in its block beside what every target has. */
struct target_kind {
	const char *name;
	const char *doc;
	const struct field *fields;
	size_t nfields;
	size_t size; /* of the struct the offsets are in */
};

#endif
