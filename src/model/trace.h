/* What a run did, as spans: the one model that history, the status page and every report are made of.  A run is one
 * trace.  Its spans are steps with a beginning, an end, an outcome and typed attributes; the first is the run itself,
 * "backup.run", and the others lie below one another by their parent. */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include "base/vec.h"

enum trace_type { TRACE_TEXT, TRACE_INT, TRACE_REAL, TRACE_BOOL };

/* Names are lower case with dots and underscores; what has a unit ends in it: _ms, _s, _bytes. */
struct trace_attr {
	const char *name;
	enum trace_type type;
	const char *text; /* TRACE_TEXT */
	int64_t number;	  /* TRACE_INT */
	double real;	  /* TRACE_REAL, finite */
	bool yes;	  /* TRACE_BOOL */
};
struct trace_attrs VEC(struct trace_attr);

enum trace_outcome {
	TRACE_RUNNING, /* it has no end yet */
	TRACE_SUCCESS,
	TRACE_PARTIAL,
	TRACE_FAILED,
	TRACE_SKIPPED, /* another was at it already */
	TRACE_TIMEOUT, /* its time was over, or somebody ended it */
	TRACE_DIED     /* nobody has told its end */
};

enum { TRACE_ROOT = 1, TRACE_SPANS_MAX = 1500, TRACE_ID_TEXT = 33 };

struct trace_span {
	int64_t id, parent; /* from TRACE_ROOT in the order they began; the root's parent is 0 */
	const char *name;
	int64_t began_ms, ended_ms; /* Unix milliseconds; ended 0: it goes on */
	enum trace_outcome outcome;
	struct trace_attrs attrs;
};
struct trace_spans VEC(struct trace_span);

struct trace {
	const char *id; /* 32 hexadecimal digits, nobody else's */
	struct trace_spans spans;
};

/* "running", "success", "partial", …; and back, false if it is none. */
const char *trace_outcome_name(enum trace_outcome o);
bool trace_outcome_of(const char *name, enum trace_outcome *out);
/* How a run ended by its exit code, 0 to 4, or -1 of one that died. */
enum trace_outcome trace_outcome_of_exit(int64_t exit);

/* NULL: there is none. */
const struct trace_span *trace_find(const struct trace *t, int64_t id);
const struct trace_attr *trace_attr(const struct trace_span *s, const char *name);
/* Sets an attribute, in place of one of that name; texts are kept as they are.  NULL as a text sets none. */
void trace_put_text(struct trace_span *s, struct arena *a, const char *name, const char *text);
void trace_put_int(struct trace_span *s, struct arena *a, const char *name, int64_t number);
void trace_put_real(struct trace_span *s, struct arena *a, const char *name, double real);
void trace_put_bool(struct trace_span *s, struct arena *a, const char *name, bool yes);
/* What was open when the run was given up has died then. */
void trace_bury(struct trace *t, int64_t now_ms);
/* What a run has cost, for people: "about 0.0012 USD", into out, which it returns; NULL: nobody knows. */
enum { TRACE_COST_TEXT = 64 };
const char *trace_cost(const struct trace *t, char *out);
/* One span's number within its trace as 16 hexadecimal digits, into out. */
const char *trace_span_id(const struct trace *t, int64_t id, char out[17]);

#endif
