/* OpenTelemetry by OTLP/HTTP, in its JSON form: https://opentelemetry.io/docs/specs/otlp (ids in hexadecimal, 64-bit
 * numbers as text, enums as numbers). */
#include "base/num.h"
#include "wire/sink.h"

enum { KIND_INTERNAL = 1, STATUS_OK = 1, STATUS_ERROR = 2 };

static json_t *number(int64_t n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", (long long)n);
	return json_string(text);
}

static json_t *nano(int64_t ms)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "%lld000000", (long long)ms);
	return json_string(text);
}

static void put(json_t *list, const char *key, const char *type, json_t *value)
{
	json_t *j = json_object(), *v = json_object();

	(void)json_object_set_new(v, type, value);
	(void)json_object_set_new(j, "key", json_any(key));
	(void)json_object_set_new(j, "value", v);
	(void)json_array_append_new(list, j);
}

static void put_text(json_t *list, const char *key, const char *text)
{
	if (text != NULL)
		put(list, key, "stringValue", json_any(text));
}

static void put_attrs(json_t *list, const struct trace_attrs *attrs)
{
	for (size_t i = 0; i < attrs->n; i++) {
		const struct trace_attr *a = &attrs->v[i];
		switch (a->type) {
		case TRACE_TEXT:
			put_text(list, a->name, a->text);
			break;
		case TRACE_INT:
			put(list, a->name, "intValue", number(a->number));
			break;
		case TRACE_REAL:
			put(list, a->name, "doubleValue", json_real(a->real));
			break;
		case TRACE_BOOL:
			put(list, a->name, "boolValue", json_boolean(a->yes));
			break;
		}
	}
}

static json_t *span_json(const struct report *r, const struct trace *t, const struct trace_span *s)
{
	json_t *j = json_object(), *attrs = json_array(), *status = json_object();
	const struct trace_attr *error = trace_attr(s, "error.message");
	bool bad = s->outcome != TRACE_SUCCESS;
	char id[17];

	(void)json_object_set_new(j, "traceId", json_any(t->id));
	(void)json_object_set_new(j, "spanId", json_string(trace_span_id(t, s->id, id)));
	if (s->parent != 0)
		(void)json_object_set_new(j, "parentSpanId", json_string(trace_span_id(t, s->parent, id)));
	(void)json_object_set_new(j, "name", json_any(s->name));
	(void)json_object_set_new(j, "kind", json_integer(KIND_INTERNAL));
	(void)json_object_set_new(j, "startTimeUnixNano", nano(s->began_ms));
	(void)json_object_set_new(j, "endTimeUnixNano", nano(s->ended_ms));
	put_attrs(attrs, &s->attrs);
	put_text(attrs, "outcome", trace_outcome_name(s->outcome));
	if (r->run != 0)
		put(attrs, "run_id", "intValue", number(r->run));
	if (s->id == TRACE_ROOT) {
		put(attrs, "spooled", "boolValue", json_boolean(r->spooled));
		put(attrs, "reported_late_s", "intValue", number(r->late_s));
		put(attrs, "reports_lost", "intValue", number(r->lost));
	}
	(void)json_object_set_new(j, "attributes", attrs);
	(void)json_object_set_new(status, "code", json_integer(bad ? STATUS_ERROR : STATUS_OK));
	if (bad && error != NULL && error->type == TRACE_TEXT)
		(void)json_object_set_new(status, "message", json_any(error->text));
	(void)json_object_set_new(j, "status", status);
	return j;
}

/* {"resource…":[{"resource":…,"scope…":[{"scope":…,LIST:[…]}]}]} */
static json_t *envelope(const struct sink *s, const struct report *r, const char *resources, const char *scopes,
			const char *name, json_t *list)
{
	json_t *all = json_object(), *per_resource = json_object(), *resource = json_object(), *attrs = json_array();
	json_t *per_scope = json_object(), *scope = json_object(), *of_resource = json_array(), *top = json_array();

	put_text(attrs, "service.name", s->service);
	put_text(attrs, "service.version", DORMOUSE_VERSION);
	put_text(attrs, "host.name", r->host);
	(void)json_object_set_new(resource, "attributes", attrs);
	(void)json_object_set_new(scope, "name", json_string("dormouse"));
	(void)json_object_set_new(scope, "version", json_string(DORMOUSE_VERSION));
	(void)json_object_set_new(per_scope, "scope", scope);
	(void)json_object_set_new(per_scope, name, list);
	(void)json_array_append_new(of_resource, per_scope);
	(void)json_object_set_new(per_resource, "resource", resource);
	(void)json_object_set_new(per_resource, scopes, of_resource);
	(void)json_array_append_new(top, per_resource);
	(void)json_object_set_new(all, resources, top);
	return all;
}

static void gauge(json_t *list, const struct report *r, const char *name, const char *unit, int64_t value)
{
	json_t *metric = json_object(), *data = json_object(), *points = json_array(), *point = json_object();
	json_t *attrs = json_array();

	put_text(attrs, "backup", r->backup);
	(void)json_object_set_new(point, "attributes", attrs);
	(void)json_object_set_new(point, "timeUnixNano", nano(r->at_ms));
	(void)json_object_set_new(point, "asInt", number(value));
	(void)json_array_append_new(points, point);
	(void)json_object_set_new(data, "dataPoints", points);
	(void)json_object_set_new(metric, "name", json_string(name));
	(void)json_object_set_new(metric, "unit", json_string(unit));
	(void)json_object_set_new(metric, "gauge", data);
	(void)json_array_append_new(list, metric);
}

static json_t *metrics(const struct report *r)
{
	static const struct {
		const char *fact, *name, *unit;
	} facts[] = {
	    {"duration_ms", "dormouse.run.duration", "ms"},
	    {"bytes_sent", "dormouse.run.bytes_sent", "By"},
	    {"datasets_total", "dormouse.run.datasets", "{dataset}"},
	    {"datasets_failed", "dormouse.run.datasets_failed", "{dataset}"},
	    {"rpo_lag_s", "dormouse.rpo_lag", "s"},
	};
	json_t *list = json_array();

	gauge(list, r, "dormouse.last_run", "s", r->at_ms / 1000);
	if (r->outcome == TRACE_SUCCESS)
		gauge(list, r, "dormouse.last_success", "s", r->at_ms / 1000);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		const struct trace_attr *fact = sink_fact(r, facts[i].fact);
		if (fact != NULL && fact->type == TRACE_INT)
			gauge(list, r, facts[i].name, facts[i].unit, fact->number);
	}
	return list;
}

static void post(const struct sink *s, const struct sink_secrets *k, const char *path, json_t *body, struct arena *a,
		 struct sink_requests *out)
{
	struct sink_request *q = sink_post(out, a, arena_printf(a, "%s%s", k->url, path), body);

	if (k->key != NULL)
		sink_header(q, a, "authorization", arena_printf(a, "Bearer %s", k->key));
	for (size_t i = 0; i + 1 < s->headers.n; i += 2)
		sink_header(q, a, s->headers.v[i], s->headers.v[i + 1]);
}

void otlp_encode(const struct sink *s, const struct sink_secrets *k, const struct report *r, struct arena *a,
		 struct sink_requests *out)
{
	const struct trace t = sink_trace(r, a);
	json_t *spans = json_array();

	for (size_t i = 0; i < t.spans.n; i++)
		if (t.spans.v[i].ended_ms != 0)
			(void)json_array_append_new(spans, span_json(r, &t, &t.spans.v[i]));
	if (json_array_size(spans) == 0 || r->kind == REPORT_START) {
		json_decref(spans);
		return;
	}
	post(s, k, "/v1/traces", envelope(s, r, "resourceSpans", "scopeSpans", "spans", spans), a, out);
	if (r->kind == REPORT_RUN)
		post(s, k, "/v1/metrics", envelope(s, r, "resourceMetrics", "scopeMetrics", "metrics", metrics(r)), a,
		     out);
}

/* A number as OTLP has it, or as those write it who do not. */
static int64_t rejected(const json_t *partial, const char *name)
{
	const json_t *v = json_object_get(partial, name);
	int64_t n = json_integer_value(v);

	return json_is_string(v) && !num_i64(str_of(json_string_value(v)), &n) ? 1 : n;
}

void otlp_judge(const struct sink_reply *r, struct arena *a, struct sink_answer *out)
{
	struct err ignored;
	AUTO(json) json_t *j = r->body.n == 0 ? NULL : json_parse(r->body, "an answer", &ignored);
	const json_t *partial = json_object_get(j, "partialSuccess");
	int64_t n = rejected(partial, "rejectedSpans") + rejected(partial, "rejectedDataPoints");
	const char *message = json_text(partial, "errorMessage", a);

	if (n == 0)
		return;
	/* The rest is taken, and this must not be sent again, says the specification. */
	out->why = arena_printf(a, "it does not take %lld of what it was sent%s%.160s", (long long)n,
				message == NULL ? "" : ": ", message == NULL ? "" : message);
	out->hint = "the collector's log may say more";
}
