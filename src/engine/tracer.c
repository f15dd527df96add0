#include "engine/tracer.h"

#include "sys/clock.h"

enum { TICK_MS = 1000, BATCH = 200, ROOM = 100 };

static struct trace_span *span(struct tracer *t, int64_t id)
{
	if (t == NULL || id < 1 || (size_t)id > t->trace.spans.n)
		return NULL;
	t->changed.v[id - 1] = true;
	return &t->trace.spans.v[id - 1];
}

static int64_t begin(struct tracer *t, const char *name, bool many)
{
	/* What there may be thousands of leaves room for the rest. */
	if (t == NULL || t->trace.spans.n >= (size_t)(many ? TRACE_SPANS_MAX - ROOM : TRACE_SPANS_MAX))
		return 0;
	int64_t id = (int64_t)t->trace.spans.n + 1;
	*vec_add(&t->changed, t->arena) = true;
	*vec_add(&t->trace.spans, t->arena) =
	    (struct trace_span){.id = id, .parent = t->under, .name = name, .began_ms = clock_unix_ms()};
	return id;
}

int64_t tracer_begin(struct tracer *t, const char *name)
{
	int64_t id = begin(t, name, true);

	tracer_tick(t);
	return id;
}

int64_t tracer_step(struct tracer *t, const char *name)
{
	int64_t id = begin(t, name, false);

	if (id == 0)
		return 0;
	t->under = id;
	/* A run that is killed in the midst of it has it. */
	tracer_flush(t);
	return id;
}

void tracer_end(struct tracer *t, int64_t id, enum trace_outcome outcome)
{
	struct trace_span *s = span(t, id);

	if (s == NULL)
		return;
	int64_t now = clock_unix_ms();
	/* The clock may have been set back. */
	s->ended_ms = now > s->began_ms ? now : s->began_ms;
	s->outcome = outcome;
	if (t->under == id)
		t->under = s->parent;
	tracer_tick(t);
}

void tracer_close(struct tracer *t, int64_t id, const struct err *e)
{
	tracer_err(t, id, e);
	tracer_end(t, id,
		   e == NULL						? TRACE_SUCCESS
		   : e->kind == ERR_TIMEOUT || e->kind == ERR_CANCELLED ? TRACE_TIMEOUT
									: TRACE_FAILED);
}

int tracer_result(struct tracer *t, int64_t id, int rc, const struct err *e)
{
	tracer_close(t, id, rc < 0 ? e : NULL);
	return rc;
}

void tracer_text(struct tracer *t, int64_t id, const char *name, const char *text)
{
	struct trace_span *s = span(t, id);

	if (s != NULL)
		trace_put_text(s, t->arena, name, text);
}

void tracer_int(struct tracer *t, int64_t id, const char *name, int64_t number)
{
	struct trace_span *s = span(t, id);

	if (s != NULL)
		trace_put_int(s, t->arena, name, number);
}

void tracer_real(struct tracer *t, int64_t id, const char *name, double real)
{
	struct trace_span *s = span(t, id);

	if (s != NULL)
		trace_put_real(s, t->arena, name, real);
}

void tracer_bool(struct tracer *t, int64_t id, const char *name, bool yes)
{
	struct trace_span *s = span(t, id);

	if (s != NULL)
		trace_put_bool(s, t->arena, name, yes);
}

void tracer_err(struct tracer *t, int64_t id, const struct err *e)
{
	char line[sizeof(e->what) + sizeof(e->why) + 8];

	if (e == NULL || span(t, id) == NULL)
		return;
	err_line(e, line, sizeof(line));
	tracer_text(t, id, "error.kind", err_kind_name(e->kind));
	tracer_text(t, id, "error.message", arena_strdup(t->arena, line));
	if (e->hint[0] != '\0')
		tracer_text(t, id, "error.hint", arena_strdup(t->arena, e->hint));
}

static void hand_on(struct tracer *t, bool now)
{
	AUTO(arena) struct arena a = {0};
	struct trace_spans some = {0};

	if (!now && clock_mono_ms() - t->sent_ms < TICK_MS)
		return;
	for (size_t i = 0; i < t->trace.spans.n; i++) {
		if (t->changed.v[i])
			*vec_add(&some, &a) = t->trace.spans.v[i];
		t->changed.v[i] = false;
	}
	t->sent_ms = clock_mono_ms();
	size_t at = 0;
	do {
		struct trace_spans part = {.n = some.n - at < BATCH ? some.n - at : BATCH};
		if (part.n > 0)
			part.v = &some.v[at];
		t->send(t, &part);
		at += part.n;
	} while (at < some.n);
}

void tracer_tick(struct tracer *t)
{
	if (t != NULL && t->send != NULL)
		hand_on(t, false);
}

void tracer_flush(struct tracer *t)
{
	if (t != NULL && t->send != NULL)
		hand_on(t, true);
}

int64_t tracer_took(const struct tracer *t, const char *name)
{
	int64_t took = 0;

	for (size_t i = 0; i < t->trace.spans.n; i++) {
		const struct trace_span *s = &t->trace.spans.v[i];
		if (s->ended_ms != 0 && strcmp(s->name, name) == 0)
			took += s->ended_ms - s->began_ms;
	}
	return took;
}
