/* The keeper's memory: runs, looks, and the machines that may exist.  A journal: losing it loses no
 * backup and leaks no machine.  One process opens it, the keeper. */
#ifndef DRIVERS_STORE_SQLITE_H
#define DRIVERS_STORE_SQLITE_H

#include "base/err.h"
#include "base/vec.h"

struct store;

/* Opens or makes the database, of mode 0600.  Every change below is on disk (fsync) when its call returns. */
int store_open(const char *path, struct store **s, struct err *e) MUST_CHECK;
void store_close(struct store *s); /* NULL is fine */
/* Can anything be written?  It is tried, where it is not known: at first, and after what could not be. */
int store_works(struct store *s, struct err *e) MUST_CHECK;

/* A machine that exists or may exist, known by target and token: written before the provider is asked for it.  One
 * that is "absent" has been ended, and may come up after all, because its start was broken off. */
struct stored_machine {
	const char *target, *token, *state;
	const char *config; /* the target's block as JSON configuration: enough to stop it whatever the file says now */
	int64_t started;    /* Unix seconds; when it was found, if nobody here started it */
};
struct stored_machines VEC(struct stored_machine);
int store_machine_put(struct store *s, const struct stored_machine *m, struct err *e) MUST_CHECK;
int store_machine_drop(struct store *s, const char *target, const char *token, struct err *e) MUST_CHECK;
int store_machines(struct store *s, struct arena *a, struct stored_machines *out, struct err *e) MUST_CHECK;

/* Who woke what, and what came of it, the last 10,000; client: of the jump host, or "". */
int store_start_begin(struct store *s, const char *target, const char *token, const char *who, const char *client,
		      int64_t now, int64_t *id, struct err *e) MUST_CHECK;
/* error: why it failed, "" if it did not; until then it is unknown. */
int store_start_end(struct store *s, int64_t id, const char *error, struct err *e) MUST_CHECK;
/* The machine has gone. */
int store_start_gone(struct store *s, const char *target, const char *token, int64_t now, struct err *e) MUST_CHECK;
struct stored_start {
	const char *target;
	int64_t at; /* Unix seconds */
	const char *who;
	const char *error; /* NULL: nobody lived to see */
	int64_t ended;	   /* when the machine had gone; 0: it has not, or nobody saw it */
};
struct stored_starts VEC(struct stored_start);
/* How many a client has caused from then until then; what is later is of a clock that has been set back. */
int store_client_starts(struct store *s, const char *client, int64_t since, int64_t until, int64_t *n,
			struct err *e) MUST_CHECK;
/* Oldest first; target NULL: all. */
int store_starts(struct store *s, const char *target, int64_t since, struct arena *a, struct stored_starts *out,
		 struct err *e) MUST_CHECK;

/* Changes between these are on disk together; or not at all, if rc says that one of them failed (-1, with e), or it
 * fails itself. */
int store_begin(struct store *s, struct err *e) MUST_CHECK;
int store_end(struct store *s, int rc, struct err *e) MUST_CHECK;

/* Runs.  trace: a name of its own; sinks: who is told of it, a JSON list of names. */
int store_run_begin(struct store *s, const char *backup, const char *trace, const char *sinks, int64_t now, int64_t *id,
		    struct err *e) MUST_CHECK;
/* The run of that trace, taken for dead, goes on; *id 0: there is none. */
int store_run_again(struct store *s, const char *backup, const char *trace, int64_t *id, struct err *e) MUST_CHECK;
int store_run_event(struct store *s, int64_t id, int64_t now, const char *text, struct err *e) MUST_CHECK;
int store_run_end(struct store *s, int64_t id, int64_t now, int exit, const char *result, struct err *e) MUST_CHECK;

struct stored_run {
	int64_t id, began, ended; /* ended 0: still running */
	int exit;		  /* -1: died */
	const char *backup, *result, *trace, *sinks;
};
struct stored_runs VEC(struct stored_run);
/* Newest first; backup NULL: all. */
int store_history(struct store *s, const char *backup, int64_t limit, struct arena *a, struct stored_runs *out,
		  struct err *e) MUST_CHECK;
/* One, or none. */
int store_run_get(struct store *s, int64_t id, struct arena *a, struct stored_runs *out, struct err *e) MUST_CHECK;
/* Those that have not ended. */
int store_runs_open(struct store *s, struct arena *a, struct stored_runs *out, struct err *e) MUST_CHECK;
struct stored_event {
	int64_t at;
	const char *text;
};
struct stored_events VEC(struct stored_event);
int store_run_events(struct store *s, int64_t id, struct arena *a, struct stored_events *out, struct err *e) MUST_CHECK;
/* A span of a run, JSON, in place of one with that number; the last 200,000 are kept. */
int store_span_put(struct store *s, int64_t run, int64_t id, const char *json, struct err *e) MUST_CHECK;
/* In the order of their numbers. */
int store_spans(struct store *s, int64_t run, struct arena *a, struct strings *out, struct err *e) MUST_CHECK;

/* The last look at a backup's target. */
int store_look_put(struct store *s, const char *backup, int64_t now, const char *json, struct err *e) MUST_CHECK;
int store_look_get(struct store *s, const char *backup, struct arena *a, int64_t *at, const char **json,
		   struct err *e) MUST_CHECK; /* *json NULL: there is none */

#endif
