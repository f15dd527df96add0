/* Honeycomb, by its batch endpoint: https://api-docs.honeycomb.io/api/events (POST /1/batch/{dataset}).  One event is
 * one span; the answer to 200 has a status for each. */
#include "wire/form.h"
#include "wire/sink.h"
#include "wire/trace_json.h"

enum { BODY_MAX = 1000 * 1000, TEXT_MAX = 60 * 1000 };

static json_t *event(const struct report *r, const struct trace *t, const struct trace_span *s, struct arena *a)
{
	struct trace_attrs attrs = {0};
	char id[17];

	for (size_t i = 0; i < s->attrs.n; i++) {
		struct trace_attr attr = s->attrs.v[i];
		if (attr.type == TRACE_TEXT && strlen(attr.text) > TEXT_MAX)
			attr.text = arena_strndup(a, attr.text, TEXT_MAX);
		*vec_add(&attrs, a) = attr;
	}
	json_t *j = json_object(), *data = trace_attrs_json(&attrs);
	(void)json_object_set_new(data, "name", json_any(s->name));
	(void)json_object_set_new(data, "service.name", json_string("dormouse"));
	json_put_text(data, "host.name", r->host);
	json_put_text(data, "backup", r->backup);
	if (r->run != 0)
		(void)json_object_set_new(data, "run_id", json_integer(r->run));
	(void)json_object_set_new(data, "trace.trace_id", json_any(t->id));
	(void)json_object_set_new(data, "trace.span_id", json_string(trace_span_id(t, s->id, id)));
	if (s->parent != 0)
		(void)json_object_set_new(data, "trace.parent_id", json_string(trace_span_id(t, s->parent, id)));
	(void)json_object_set_new(data, "duration_ms", json_integer(s->ended_ms - s->began_ms));
	(void)json_object_set_new(data, "outcome", json_string(trace_outcome_name(s->outcome)));
	(void)json_object_set_new(data, "error", json_boolean(s->outcome != TRACE_SUCCESS));
	(void)json_object_set_new(data, "spooled", json_boolean(r->spooled));
	if (r->spooled)
		(void)json_object_set_new(data, "reported_late_s", json_integer(r->late_s));
	if (r->lost > 0)
		(void)json_object_set_new(data, "reports_lost", json_integer(r->lost));
	(void)json_object_set_new(j, "time", json_string(sink_time(s->began_ms, a)));
	(void)json_object_set_new(j, "samplerate", json_integer(1));
	(void)json_object_set_new(j, "data", data);
	return j;
}

static bool is_left(const struct span_ids *left, int64_t id)
{
	for (size_t i = 0; i < left->n; i++)
		if (left->v[i] == id)
			return true;
	return left->n == 0;
}

/* As many events as one body may hold. */
static struct sink_request *begin(const struct sink *s, const struct sink_secrets *k, struct arena *a,
				  struct sink_requests *out)
{
	AUTO(buf) struct buf url = {0};

	buf_printf(&url, "%s/1/batch/", k->url);
	form_escape(&url, s->dataset);
	struct sink_request *q = vec_add(out, a);
	*q = (struct sink_request){.method = "POST", .url = arena_strdup(a, buf_text(&url))};
	sink_header(q, a, "content-type", "application/json");
	sink_header(q, a, "x-honeycomb-team", k->key);
	return q;
}

void honeycomb_encode(const struct sink *s, const struct sink_secrets *k, const struct report *r,
		      const struct span_ids *left, struct arena *a, struct sink_requests *out)
{
	const struct trace t = sink_trace(r, a);
	AUTO(buf) struct buf body = {0};
	struct sink_request *q = NULL;

	if (r->kind == REPORT_START)
		return;
	for (size_t i = 0; i < t.spans.n; i++) {
		const struct trace_span *span = &t.spans.v[i];
		if (!is_left(left, span->id))
			continue;
		AUTO(buf) struct buf one = {0};
		AUTO(json) json_t *j = event(r, &t, span, a);
		json_write(&one, j);
		if (q != NULL && body.n + one.n + 2 > BODY_MAX) {
			buf_putc(&body, ']');
			q->body = arena_strdup(a, buf_text(&body));
			buf_clear(&body);
			q = NULL;
		}
		if (q == NULL)
			q = begin(s, k, a, out);
		buf_putc(&body, body.n == 0 ? '[' : ',');
		buf_add(&body, one.p, one.n);
		*vec_add(&q->spans, a) = span->id;
	}
	if (q == NULL)
		return;
	buf_putc(&body, ']');
	q->body = arena_strdup(a, buf_text(&body));
}

void honeycomb_judge(const struct sink_request *q, const struct sink_reply *r, struct arena *a, struct sink_answer *out)
{
	struct err ignored;
	AUTO(json) json_t *list = json_parse(r->body, "an answer", &ignored);
	size_t refused = 0, i;
	const char *why = NULL;
	json_t *one;

	if (!json_is_array(list) || json_array_size(list) != q->spans.n) {
		(void)sink_refuse(out, "its answer is not one for each event",
				  "is the address that of Honeycomb's API?");
		return;
	}
	json_array_foreach(list, i, one)
	{
		int64_t status = json_integer_value(json_object_get(one, "status"));
		const char *error = json_text(one, "error", a);
		if (status >= 200 && status <= 299)
			continue;
		if (status == 429 || status >= 500)
			*vec_add(&out->left, a) = q->spans.v[i];
		else
			refused++;
		if (why == NULL)
			why = arena_printf(a, "%lld%s%s", (long long)status, error == NULL ? "" : ": ",
					   error == NULL ? "" : error);
	}
	if (why == NULL)
		return;
	out->why =
	    arena_printf(a, "of %zu events it does not take %zu: %.160s", q->spans.n, refused + out->left.n, why);
	if (out->left.n > 0) {
		out->said = SINK_LATER;
		out->hint = "they are sent again by themselves";
	} else {
		out->said = refused == q->spans.n ? SINK_REFUSED : SINK_TAKEN;
		out->hint = "look at the dataset's settings there";
	}
}
