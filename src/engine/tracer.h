/* What a run records of itself while it goes: its spans, handed on in few messages.  Every function takes NULL for who
 * does not record, and a span's number 0 for one that is not recorded. */
#ifndef ENGINE_TRACER_H
#define ENGINE_TRACER_H

#include "base/err.h"
#include "model/trace.h"

struct tracer {
	struct arena *arena;
	struct trace trace; /* span number i is spans.v[i - 1] */
	struct {
		bool *v;
		size_t n, cap;
	} changed; /* of each span: since it was handed on */
	int64_t sent_ms;
	int64_t under; /* what is begun lies below this one, unless it names another */
	/* Takes the spans that are new or have changed, if there are any; must not block for long. */
	void (*send)(struct tracer *t, const struct trace_spans *changed);
};

/* Begins a span below what was begun by tracer_step and goes on; 0: there are too many. */
int64_t tracer_begin(struct tracer *t, const char *name);
/* Likewise, and what is begun until its end lies below it. */
int64_t tracer_step(struct tracer *t, const char *name);
void tracer_end(struct tracer *t, int64_t id, enum trace_outcome outcome);
/* By an error that ended it, or NULL for success. */
void tracer_close(struct tracer *t, int64_t id, const struct err *e);
/* By what a function returned, which is handed through: 0, or -1 with e; a step further out is one again. */
int tracer_result(struct tracer *t, int64_t id, int rc, const struct err *e);

/* Attributes; a text must live as long as the arena. */
void tracer_text(struct tracer *t, int64_t id, const char *name, const char *text);
void tracer_int(struct tracer *t, int64_t id, const char *name, int64_t number);
void tracer_real(struct tracer *t, int64_t id, const char *name, double real);
void tracer_bool(struct tracer *t, int64_t id, const char *name, bool yes);
/* The error.* attributes. */
void tracer_err(struct tracer *t, int64_t id, const struct err *e);

/* Hands on what has changed; flush: at once. */
void tracer_tick(struct tracer *t);
void tracer_flush(struct tracer *t);
/* How long the spans of a name have taken together, in milliseconds. */
int64_t tracer_took(const struct tracer *t, const char *name);

#endif
