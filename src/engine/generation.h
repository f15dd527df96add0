/* What has been applied: each file that was, with what came of it, under a number of its own in the state folder.  They
 * are for people, and for rollback; nothing else depends on them. */
#ifndef ENGINE_GENERATION_H
#define ENGINE_GENERATION_H

#include "base/str.h"
#include "base/vec.h"
#include "sys/paths.h"

struct generation {
	int64_t number;
	int64_t at;	     /* Unix seconds */
	int64_t back_to;     /* it was a rollback to that one; 0: it was not */
	bool done;	     /* all of it; false: it failed, was broken off, or was never tried */
	const char *file;    /* whose text it is */
	const char *copy;    /* a file with that text, which stays */
	struct strings plan; /* what was to be done, a line for each step */
};
struct generations VEC(struct generation);

/* Of that file, or of all (NULL), oldest first.  One whose record cannot be read is ERR_CORRUPT. */
int generations_read(const struct paths *p, const char *file, struct arena *a, struct generations *out,
		     struct err *e) MUST_CHECK;
/* Is that its text? */
bool generation_is(const struct generation *g, struct str text, struct arena *a);
/* A new one, of a file's text: sets its number and its copy.  On disk when it returns.  ERR_BUSY: somebody else adds
 * one at the moment. */
int generation_add(const struct paths *p, struct generation *g, struct str text, struct arena *a,
		   struct err *e) MUST_CHECK;
/* All of it has been done. */
int generation_done(const struct paths *p, struct generation *g, struct err *e) MUST_CHECK;

#endif
