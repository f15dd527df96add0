/* The spool: what is to be told to whom, and how it stands with each of them. */
#ifndef DRIVERS_STORE_REPORTS_H
#define DRIVERS_STORE_REPORTS_H

#include "drivers/store_sqlite.h"

/* At most so many wait for a sink, and none longer than that: older ones are given up, which is counted. */
enum { REPORTS_MAX = 1000 };
#define REPORTS_AGE_MS (14LL * 24 * 3600 * 1000)

/* at: Unix milliseconds, when it happened.  *dropped: how many were given up for it. */
int store_report_add(struct store *s, const char *sink, int64_t at, const char *json, int64_t now_ms, int64_t *dropped,
		     struct err *e) MUST_CHECK;

struct stored_report {
	int64_t id, tries, lost;
	const char *sink, *json, *rest;
};
struct stored_reports VEC(struct stored_report);
/* What is to be told now: each sink's oldest, at most limit of each, of those that are not waiting to try again. */
int store_reports_due(struct store *s, int64_t now_ms, int64_t limit, struct arena *a, struct stored_reports *out,
		      struct err *e) MUST_CHECK;
/* When the next is due: now_ms at the earliest; INT64_MAX: nothing waits. */
int store_reports_next(struct store *s, int64_t now_ms, int64_t *at, struct err *e) MUST_CHECK;

/* What became of one; a report that is not there any more changes nothing.  memo: of the sink, 0 = as before.
 * Taken: it goes; error: "" unless a part was refused. */
int store_report_taken(struct store *s, int64_t id, int64_t now_ms, int64_t memo, const char *error,
		       struct err *e) MUST_CHECK;
/* It goes: it is nothing to its sink. */
int store_report_pass(struct store *s, int64_t id, struct err *e) MUST_CHECK;
int store_report_refused(struct store *s, int64_t id, int64_t now_ms, const char *error, struct err *e) MUST_CHECK;
/* It stays, with what of it is left to tell, and is due again then. */
int store_report_later(struct store *s, int64_t id, int64_t now_ms, int64_t again_ms, const char *rest,
		       const char *error, struct err *e) MUST_CHECK;
/* How often its sink has failed in a row; 0 for a report that is not there. */
int store_report_tries(struct store *s, int64_t id, int64_t *tries, struct err *e) MUST_CHECK;

struct stored_sink {
	const char *name, *error; /* error "": the last went well */
	int64_t ok, failed;	  /* when it was last told something, and last failed; Unix milliseconds, 0 = never */
	int64_t refused, dropped; /* how many it would not take, and how many were given up, ever */
	int64_t tries, again, memo;
	int64_t waiting, oldest; /* how many wait, and since when, Unix milliseconds */
};
struct stored_sinks VEC(struct stored_sink);
int store_sinks(struct store *s, struct arena *a, struct stored_sinks *out, struct err *e) MUST_CHECK;

#endif
