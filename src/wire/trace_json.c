#include "wire/trace_json.h"

static json_t *value_json(const struct trace_attr *a)
{
	switch (a->type) {
	case TRACE_TEXT:
		return json_any(a->text);
	case TRACE_INT:
		return json_integer(a->number);
	case TRACE_REAL:
		return json_real(a->real);
	case TRACE_BOOL:
		return json_boolean(a->yes);
	}
	return NULL;
}

json_t *trace_attrs_json(const struct trace_attrs *attrs)
{
	json_t *j = json_object();

	for (size_t i = 0; i < attrs->n; i++)
		(void)json_object_set_new(j, attrs->v[i].name, value_json(&attrs->v[i]));
	return j;
}

json_t *trace_span_json(const struct trace_span *s)
{
	json_t *j = json_object();

	(void)json_object_set_new(j, "id", json_integer(s->id));
	(void)json_object_set_new(j, "parent", json_integer(s->parent));
	(void)json_object_set_new(j, "name", json_any(s->name));
	(void)json_object_set_new(j, "began_ms", json_integer(s->began_ms));
	(void)json_object_set_new(j, "ended_ms", json_integer(s->ended_ms));
	(void)json_object_set_new(j, "outcome", json_string(trace_outcome_name(s->outcome)));
	(void)json_object_set_new(j, "attrs", trace_attrs_json(&s->attrs));
	return j;
}

json_t *trace_spans_json(const struct trace_spans *spans)
{
	json_t *list = json_array();

	for (size_t i = 0; i < spans->n; i++)
		(void)json_array_append_new(list, trace_span_json(&spans->v[i]));
	return list;
}

static bool number(const json_t *j, const char *name, int64_t least, int64_t *out)
{
	const json_t *v = json_object_get(j, name);

	*out = json_integer_value(v);
	return json_is_integer(v) && *out >= least;
}

static bool attr_read(const char *name, const json_t *v, struct arena *a, struct trace_span *s)
{
	const char *own = arena_strdup(a, name);

	if (json_is_string(v))
		trace_put_text(s, a, own, arena_strdup(a, json_string_value(v)));
	else if (json_is_integer(v))
		trace_put_int(s, a, own, json_integer_value(v));
	else if (json_is_real(v))
		trace_put_real(s, a, own, json_real_value(v));
	else if (json_is_boolean(v))
		trace_put_bool(s, a, own, json_is_true(v));
	else
		return false;
	return true;
}

int trace_span_read(const json_t *j, struct arena *a, struct trace_span *s, struct err *e)
{
	const json_t *attrs = json_object_get(j, "attrs");
	const char *name;
	json_t *v;

	*s = (struct trace_span){.name = json_text(j, "name", a)};
	const char *outcome = json_text(j, "outcome", a);
	bool good = s->name != NULL && outcome != NULL && trace_outcome_of(outcome, &s->outcome) &&
		    number(j, "id", 1, &s->id) && number(j, "parent", 0, &s->parent) && s->parent < s->id &&
		    number(j, "began_ms", 0, &s->began_ms) && number(j, "ended_ms", 0, &s->ended_ms) &&
		    json_is_object(attrs);
	json_object_foreach((json_t *)(uintptr_t)attrs, name, v)
	{
		good = good && attr_read(name, v, a, s);
	}
	return good ? 0 : err_set(e, ERR_CORRUPT, "this is no span of a run");
}

int trace_spans_read(const json_t *j, struct arena *a, struct trace_spans *out, struct err *e)
{
	json_t *one;
	size_t i;

	*out = (struct trace_spans){0};
	if (!json_is_array(j))
		return err_set(e, ERR_CORRUPT, "these are no spans of a run");
	json_array_foreach(j, i, one)
	{
		struct trace_span s;
		if (trace_span_read(one, a, &s, e) < 0)
			return -1;
		*vec_add(out, a) = s;
	}
	return 0;
}
