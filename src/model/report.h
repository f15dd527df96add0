/* What is told to the sinks of the file's report blocks: that a run began or ended, an alert, or a test. */
#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include "model/trace.h"

enum report_kind {
	REPORT_START, /* a run began */
	REPORT_RUN,   /* a run ended */
	REPORT_ALERT, /* something is wrong: title says what */
	REPORT_CLEAR, /* and now it is not any more */
	REPORT_TEST   /* somebody tries the sinks */
};

struct report {
	enum report_kind kind;
	int64_t at_ms;	      /* Unix milliseconds, when it happened */
	const char *host;     /* this one */
	const char *backup;   /* or NULL */
	int64_t run;	      /* its number in the history; 0 = it is about none */
	const char *key;      /* ALERT, CLEAR: the same for both; else NULL */
	const char *severity; /* ALERT, CLEAR: "warn" or "critical"; else NULL */
	const char *title;    /* one line for people */
	const char *text;     /* more of them, with what to do; or NULL */
	/* START, RUN: */
	enum trace_outcome outcome;
	struct trace trace;
	const char *log; /* RUN: the run's lines, or NULL */
	/* Of its way: */
	int64_t late_s; /* how long after it happened it is told */
	bool spooled;	/* it had to wait */
	int64_t lost;	/* so many before it were given up and never told */
};

const char *report_kind_name(enum report_kind kind); /* "start", "run", "alert", "clear", "test" */
bool report_kind_of(const char *name, enum report_kind *out);
/* Does it tell of something bad? */
bool report_is_bad(const struct report *r);

#endif
