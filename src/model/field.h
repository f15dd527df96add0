/* How attributes of a block map to members of a struct.  One table serves the decoder, its
 * diagnostics, and the manual. */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "model/advice.h"
#include "model/cost.h"

enum field_type {
	FIELD_STRING,	/* const char * */
	FIELD_BOOL,	/* bool */
	FIELD_INT,	/* int64_t */
	FIELD_DURATION, /* int64_t milliseconds, written "2m" */
	FIELD_SIZE,	/* uint64_t bytes, written "10GiB" or a number */
	FIELD_STRINGS,	/* struct strings: a list of strings */
	FIELD_MAP,	/* struct strings: name, value, name, value, …, from an object of strings */
	FIELD_OPTION,	/* enum option: true, false, or not said */
	FIELD_PORT,	/* int64_t from 1 to 65535; 0 = not said */
};
enum option { OPTION_UNSET, OPTION_NO, OPTION_YES };

struct field {
	const char *name;
	enum field_type type;
	size_t offset; /* of the member */
	bool required;
	const char *fallback; /* as it would be written in the file ("2m", "22"), or NULL = zero */
	const char *doc;      /* one line */
	const char *words;    /* FIELD_STRING: what it may be, parted by commas; NULL: anything */
	bool renewed;	      /* FIELD_STRING: a secret; once it is refused, a machine that runs takes the file's */
	bool secret;	      /* FIELD_STRING: it must not be shown */
};

/* Blocks of one name that may stand in a target's block, each a struct. */
struct field_items {
	void *v; /* an array of that struct, in the arena */
	size_t n;
};
struct field_block {
	const char *name;
	bool labelled; /* it has a name of its own, which is the first member of its struct, a const char * */
	size_t offset; /* of the struct field_items */
	bool many;     /* it may stand there more than once; if labelled, each with another name */
	const struct field *fields;
	size_t nfields;
	size_t size;			  /* of the struct */
	const struct field_block *blocks; /* that may stand in it */
	size_t nblocks;
};

/* Whether a host key is made for each start of a machine, and how it is known to be the right one. */
enum made_key {
	MADE_NONE,
	MADE_SIGNED, /* by a certificate of the target's authority */
	MADE_PLAIN,  /* the key itself, until the machine ends */
};

/* A kind of target: what may stand in its block beside what every target has. */
struct target_kind {
	const char *name;
	const char *doc;
	const struct field *fields;
	size_t nfields;
	size_t size; /* of the struct the offsets are in */
	const struct field_block *blocks;
	size_t nblocks;
	bool one;	/* it is one machine, whoever asks: always shared */
	bool unchecked; /* nothing waits for a port of it unless check_port says so */
	bool gone_off;	/* one that is off costs nothing: it is gone */
	bool local;	/* no machine, but something of this host: no ssh, its pools are here */
	/* What is wrong with settings that are right each for itself, in the arena, and in *hint what to do; NULL:
	 * nothing.  May be NULL. */
	const char *(*wrong)(const void *settings, struct arena *a, const char **hint);
	/* What its keys must be allowed by whoever owns the account, for people, in the arena.  May be NULL. */
	const char *(*policy)(const char *target, const void *settings, struct arena *a);
	/* What it costs in a month by such a list, if its machines were on so within so many days; days 0: what these
	 * uses cost, and nothing else.  And the list that is known without asking.  NULL: nobody knows. */
	void (*cost)(const void *settings, const struct price_list *list, const struct cost_uses *uses, int64_t days,
		     struct arena *a, struct cost_items *out);
	const struct price_list *prices;
	/* What of it could be better.  May be NULL. */
	void (*advise)(const void *settings, struct arena *a, struct advices *out);
	/* Adds pools that are the target's because of its settings.  May be NULL. */
	void (*pools)(const void *settings, struct arena *a, struct strings *pools);
	/* Unless the ssh block names a host key.  NULL: none is made. */
	enum made_key (*made_key)(const void *settings);
};

#endif
