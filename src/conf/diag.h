/* What is wrong with a file: every fault with its place, and what would be right.  And what is only odd. */
#ifndef CONF_DIAG_H
#define CONF_DIAG_H

#include "base/buf.h"
#include "base/vec.h"
#include "model/span.h"

struct diag {
	struct span at;
	struct span first; /* where the same thing stood before; 0,0 = nowhere */
	const char *what;
	const char *hint; /* or NULL */
	bool warning;	  /* the file is good all the same */
};

enum { DIAGS_MAX = 100 };

struct diags {
	struct arena *arena; /* the texts live here */
	struct diag *v;
	size_t n, cap;
	size_t dropped;	   /* beyond DIAGS_MAX */
	struct diag spare; /* what those are written into */
};

/* The added one, or a spare one that nobody will see; never NULL. */
struct diag *diag_add(struct diags *d, struct span at, const char *what, ...) PRINTF(3, 4);
struct diag *diag_warn(struct diags *d, struct span at, const char *what, ...) PRINTF(3, 4);
void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...) PRINTF(3, 4);
/* The nearest of names to a word that was not found, if it is near enough to be what was meant. */
const char *diag_nearest(const char *word, const char *const *names, size_t n);

/* The first one that is more than a warning; NULL: there is none. */
const struct diag *diags_wrong(const struct diags *d);
/* Into the order of the file. */
void diags_sort(struct diags *d);

/* All of them as text for people:
 *	config.hcl:14:3: unknown attribute 'lingr' in block 'target'
 *	   14 |   lingr = "2m"
 *	      |   ^^^^^
 *	hint: did you mean 'linger'?  */
void diags_render(const struct diags *d, const char *path, struct str text, struct buf *out);

/* Line and column, from 1; columns count characters. */
void span_place(struct str text, size_t at, size_t *line, size_t *column);

#endif
