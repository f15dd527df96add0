/* Runs in short: a result has a line for each dataset, and who looks at a year of runs does not want them all. */
#ifndef DRIVERS_STORE_SUMMARY_H
#define DRIVERS_STORE_SUMMARY_H

#include "drivers/store_sqlite.h"

struct stored_summary {
	int64_t id, began, ended; /* ended 0: still running */
	int exit;
	const char *backup;
	const char *json;   /* NULL: nobody has made it yet, of: */
	const char *result; /* which may be NULL, too */
	const char *stage;  /* of one that is running: the last line of its story, or NULL */
};
struct stored_summaries VEC(struct stored_summary);
/* Newest first; backup NULL: of all. */
int store_summaries(struct store *s, const char *backup, int64_t limit, struct arena *a, struct stored_summaries *out,
		    struct err *e) MUST_CHECK;
int store_summary_put(struct store *s, int64_t run, const char *json, struct err *e) MUST_CHECK;
/* The result of a backup's last run that came to a dataset; *json NULL: there is none. */
int store_last_result(struct store *s, const char *backup, struct arena *a, const char **json,
		      struct err *e) MUST_CHECK;

/* What a program has to remember, by name; *json NULL: nothing. */
int store_memo_put(struct store *s, const char *name, const char *json, struct err *e) MUST_CHECK;
int store_memo_get(struct store *s, const char *name, struct arena *a, const char **json, struct err *e) MUST_CHECK;

#endif
