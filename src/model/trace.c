#include "model/trace.h"

#include "base/str.h"

static const char *const outcomes[] = {
    [TRACE_RUNNING] = "running", [TRACE_SUCCESS] = "success", [TRACE_PARTIAL] = "partial", [TRACE_FAILED] = "failed",
    [TRACE_SKIPPED] = "skipped", [TRACE_TIMEOUT] = "timeout", [TRACE_DIED] = "died",
};

const char *trace_outcome_name(enum trace_outcome o)
{
	return outcomes[o];
}

bool trace_outcome_of(const char *name, enum trace_outcome *out)
{
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		if (strcmp(outcomes[i], name) != 0)
			continue;
		*out = (enum trace_outcome)i;
		return true;
	}
	return false;
}

enum trace_outcome trace_outcome_of_exit(int64_t exit)
{
	return exit < 0 ? TRACE_DIED : exit == 0 ? TRACE_SUCCESS : exit == 1 ? TRACE_PARTIAL : TRACE_FAILED;
}

const struct trace_span *trace_find(const struct trace *t, int64_t id)
{
	for (size_t i = 0; i < t->spans.n; i++)
		if (t->spans.v[i].id == id)
			return &t->spans.v[i];
	return NULL;
}

const struct trace_attr *trace_attr(const struct trace_span *s, const char *name)
{
	for (size_t i = 0; i < s->attrs.n; i++)
		if (strcmp(s->attrs.v[i].name, name) == 0)
			return &s->attrs.v[i];
	return NULL;
}

static void put(struct trace_span *s, struct arena *a, struct trace_attr attr)
{
	for (size_t i = 0; i < s->attrs.n; i++) {
		if (strcmp(s->attrs.v[i].name, attr.name) != 0)
			continue;
		s->attrs.v[i] = attr;
		return;
	}
	*vec_add(&s->attrs, a) = attr;
}

void trace_put_text(struct trace_span *s, struct arena *a, const char *name, const char *text)
{
	if (text != NULL)
		put(s, a, (struct trace_attr){.name = name, .type = TRACE_TEXT, .text = text});
}

void trace_put_int(struct trace_span *s, struct arena *a, const char *name, int64_t number)
{
	put(s, a, (struct trace_attr){.name = name, .type = TRACE_INT, .number = number});
}

void trace_put_real(struct trace_span *s, struct arena *a, const char *name, double real)
{
	put(s, a, (struct trace_attr){.name = name, .type = TRACE_REAL, .real = real});
}

void trace_put_bool(struct trace_span *s, struct arena *a, const char *name, bool yes)
{
	put(s, a, (struct trace_attr){.name = name, .type = TRACE_BOOL, .yes = yes});
}

void trace_bury(struct trace *t, int64_t now_ms)
{
	for (size_t i = 0; i < t->spans.n; i++) {
		struct trace_span *s = &t->spans.v[i];
		if (s->ended_ms != 0)
			continue;
		s->ended_ms = now_ms > s->began_ms ? now_ms : s->began_ms;
		s->outcome = TRACE_DIED;
	}
}

const char *trace_cost(const struct trace *t, char *out)
{
	const struct trace_span *root = trace_find(t, TRACE_ROOT);
	const struct trace_attr *cost = root == NULL ? NULL : trace_attr(root, "cost.run"),
				*currency = root == NULL ? NULL : trace_attr(root, "cost.currency");

	if (cost == NULL || cost->type != TRACE_REAL || currency == NULL || currency->type != TRACE_TEXT)
		return NULL;
	(void)snprintf(out, TRACE_COST_TEXT, "about %.4f %s", cost->real, currency->text);
	return out;
}

const char *trace_span_id(const struct trace *t, int64_t id, char out[17])
{
	/* Never all zeros, which means "none" to those who read it (W3C Trace Context). */
	unsigned long long hash = str_hash(t->id, STR_HASH_INIT) ^ ((unsigned long long)id * 0x9e3779b97f4a7c15ULL);

	(void)snprintf(out, 17, "%016llx", hash == 0 ? 1 : hash);
	return out;
}
