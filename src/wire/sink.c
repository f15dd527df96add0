#include "wire/sink.h"

#include "base/civil.h"
#include "base/num.h"
#include "wire/trace_json.h"

bool sink_wants(const struct sink *s, const struct report *r)
{
	switch (r->kind) {
	case REPORT_START:
		return s->on_start;
	case REPORT_RUN:
		return report_is_bad(r) ? s->on_failure : s->on_success;
	case REPORT_ALERT:
	case REPORT_CLEAR:
		return s->on_alert;
	case REPORT_TEST:
		break;
	}
	return true;
}

void sink_encode(const struct sink *s, const struct sink_secrets *secrets, const struct report *r,
		 const struct span_ids *left, struct arena *a, struct sink_requests *out)
{
	switch (s->kind) {
	case SINK_HONEYCOMB:
		honeycomb_encode(s, secrets, r, left, a, out);
		break;
	case SINK_OTLP:
		otlp_encode(s, secrets, r, a, out);
		break;
	case SINK_HEALTHCHECKS:
		healthchecks_encode(secrets, r, a, out);
		break;
	case SINK_UPTIME_KUMA:
		uptime_kuma_encode(secrets, r, a, out);
		break;
	case SINK_NTFY:
		ntfy_encode(secrets, r, a, out);
		break;
	case SINK_WEBHOOK:
		webhook_encode(secrets, r, a, out);
		break;
	case SINK_MAIL:
	case SINK_COMMAND:
	case SINK_PROMETHEUS:
	case SINK_JOURNALD:
		break; /* nothing of HTTP */
	}
}

void sink_judge(const struct sink *s, const struct sink_request *q, const struct sink_reply *r, struct arena *a,
		struct sink_answer *out)
{
	*out = (struct sink_answer){0};
	sink_judge_status(r, a, out);
	if (out->said != SINK_TAKEN)
		return;
	if (s->kind == SINK_HONEYCOMB)
		honeycomb_judge(q, r, a, out);
	else if (s->kind == SINK_OTLP)
		otlp_judge(r, a, out);
	else if (s->kind == SINK_HEALTHCHECKS)
		healthchecks_judge(r, a, out);
	else if (s->kind == SINK_UPTIME_KUMA)
		uptime_kuma_judge(r, a, out);
}

int sink_refuse(struct sink_answer *out, const char *why, const char *hint)
{
	out->said = SINK_REFUSED;
	out->why = why;
	out->hint = hint;
	return -1;
}

/* What it says beside its status, if that is a short text or the usual JSON. */
static const char *said(const struct sink_reply *r, struct arena *a)
{
	static const char *const names[] = {"error", "msg", "message", "detail", "title"};
	struct str text = str_trim(r->body);
	struct err ignored;

	AUTO(json) json_t *j = text.n == 0 || text.p[0] != '{' ? NULL : json_parse(text, "an answer", &ignored);
	for (size_t i = 0; i < ARRAY_LEN(names) && j != NULL; i++) {
		const char *member = json_text(j, names[i], a);
		if (member != NULL)
			text = str_of(member);
	}
	size_t bad, n = text.n < 160 ? text.n : 160;
	if (n == 0 || text.p[0] == '<' || !str_is_utf8(text, &bad))
		return "";
	char *line = arena_printf(a, ": %.*s%s", (int)n, text.p, n < text.n ? " …" : "");
	str_plain(line, "");
	return line;
}

void sink_judge_status(const struct sink_reply *r, struct arena *a, struct sink_answer *out)
{
	const char *why = arena_printf(a, "it answers %lld%s", (long long)r->status, said(r, a));

	if (r->status >= 200 && r->status <= 299)
		return;
	if (r->status == 408 || r->status == 429 || r->status >= 500) {
		out->said = SINK_LATER;
		out->why = why;
		out->wait_ms = r->retry_after_s > 0 && r->retry_after_s < 86400 ? r->retry_after_s * 1000 : 0;
		out->hint = "it is tried again by itself";
	} else if (r->status == 401 || r->status == 403) {
		(void)sink_refuse(out, why, "is its key or token still right, and allowed to do this?");
	} else if (r->status == 404 || r->status == 410) {
		(void)sink_refuse(out, why, "does what the report block names exist there?");
	} else if (r->status >= 300 && r->status <= 399) {
		(void)sink_refuse(out, why, "it is somewhere else now: give the report block the new address");
	} else {
		(void)sink_refuse(out, why, "dormouse report test shows whether it takes anything");
	}
}

const char *sink_time(int64_t ms, struct arena *a)
{
	char text[CIVIL_TEXT];
	int64_t s = ms / 1000;

	(void)civil_show(s, text);
	return arena_printf(a, "%.19s.%03dZ", text, (int)(ms - s * 1000));
}

const struct trace_attr *sink_fact(const struct report *r, const char *name)
{
	const struct trace_span *root = trace_find(&r->trace, TRACE_ROOT);
	return root == NULL ? NULL : trace_attr(root, name);
}

struct trace sink_trace(const struct report *r, struct arena *a)
{
	static const char *const names[] = {
	    [REPORT_START] = "",	   [REPORT_RUN] = "", [REPORT_ALERT] = "alert", [REPORT_CLEAR] = "alert.clear",
	    [REPORT_TEST] = "report.test",
	};
	struct trace t = r->trace;

	if (r->kind == REPORT_START || r->kind == REPORT_RUN)
		return t;
	t = (struct trace){.id = arena_printf(a, "%016llx%016llx", (unsigned long long)r->at_ms,
					      (unsigned long long)str_hash(r->title, STR_HASH_INIT))};
	struct trace_span *s = vec_add(&t.spans, a);
	*s = (struct trace_span){.id = TRACE_ROOT,
				 .name = names[r->kind],
				 .began_ms = r->at_ms,
				 .ended_ms = r->at_ms,
				 .outcome = report_is_bad(r) ? TRACE_FAILED : TRACE_SUCCESS};
	trace_put_text(s, a, "title", r->title);
	trace_put_text(s, a, "text", r->text);
	trace_put_text(s, a, "key", r->key);
	trace_put_text(s, a, "severity", r->severity);
	return t;
}

const char *sink_text(const struct report *r, struct arena *a)
{
	const struct trace_attr *error = sink_fact(r, "error.message"), *hint = sink_fact(r, "error.hint");
	const struct trace_attr *doubt = sink_fact(r, "doubt");
	const struct trace_attr *ok = sink_fact(r, "datasets_ok"), *all = sink_fact(r, "datasets_total");
	const struct trace_attr *bytes = sink_fact(r, "bytes_sent"), *took = sink_fact(r, "duration_ms");
	char size[NUM_TEXT], time[NUM_TEXT], money[TRACE_COST_TEXT];
	const char *cost = trace_cost(&r->trace, money);
	AUTO(buf) struct buf b = {0};

	if (ok != NULL && all != NULL && all->number > 0)
		buf_printf(&b, "%lld of %lld datasets proven", (long long)ok->number, (long long)all->number);
	if (bytes != NULL && took != NULL)
		buf_printf(&b, "%s%s in %s", b.n == 0 ? "" : "; ", num_show_bytes((uint64_t)bytes->number, size),
			   num_show_duration(took->number, time));
	if (cost != NULL)
		buf_printf(&b, "%s%s", b.n == 0 ? "" : "; ", cost);
	if (error != NULL && error->type == TRACE_TEXT)
		buf_printf(&b, "%s%s", b.n == 0 ? "" : "\n", error->text);
	if (hint != NULL && hint->type == TRACE_TEXT)
		buf_printf(&b, "\nhint: %s", hint->text);
	if (doubt != NULL && doubt->type == TRACE_TEXT)
		buf_printf(&b, "%s%s", b.n == 0 ? "" : "\n", doubt->text);
	if (r->text != NULL)
		buf_printf(&b, "%s%s", b.n == 0 ? "" : "\n", r->text);
	if (r->spooled)
		buf_printf(&b, "%sthis comes %s late", b.n == 0 ? "" : "\n", num_show_duration(r->late_s * 1000, time));
	if (r->lost > 0)
		buf_printf(&b, "%s%lld reports before it were given up", b.n == 0 ? "" : "\n", (long long)r->lost);
	return arena_strdup(a, buf_text(&b));
}

const char *sink_tail(const char *log, size_t max, struct arena *a)
{
	size_t n = strlen(log), bad;

	if (n <= max)
		return log;
	const char *from = log + n - max, *line = strchr(from, '\n');
	if (line != NULL && line[1] != '\0')
		return line + 1;
	/* One line that is longer than that: not in the midst of a character. */
	while (*from != '\0' && !str_is_utf8(str_of(from), &bad) && bad == 0)
		from++;
	return arena_strdup(a, from);
}

json_t *sink_json(const struct report *r)
{
	AUTO(arena) struct arena a = {0};
	json_t *j = json_object();

	(void)json_object_set_new(j, "kind", json_string(report_kind_name(r->kind)));
	(void)json_object_set_new(j, "at", json_string(sink_time(r->at_ms, &a)));
	json_put_text(j, "host", r->host);
	json_put_text(j, "backup", r->backup);
	if (r->run != 0)
		(void)json_object_set_new(j, "run", json_integer(r->run));
	json_put_text(j, "title", r->title);
	json_put_text(j, "text", sink_text(r, &a));
	json_put_text(j, "key", r->key);
	json_put_text(j, "severity", r->severity);
	if (r->kind == REPORT_RUN)
		(void)json_object_set_new(j, "outcome", json_string(trace_outcome_name(r->outcome)));
	(void)json_object_set_new(j, "spooled", json_boolean(r->spooled));
	(void)json_object_set_new(j, "reported_late_s", json_integer(r->late_s));
	(void)json_object_set_new(j, "reports_lost", json_integer(r->lost));
	if (r->kind == REPORT_RUN || r->kind == REPORT_START) {
		(void)json_object_set_new(j, "trace", json_any(r->trace.id));
		(void)json_object_set_new(j, "spans", trace_spans_json(&r->trace.spans));
	}
	return j;
}

void sink_header(struct sink_request *q, struct arena *a, const char *name, const char *value)
{
	*vec_add(&q->headers, a) = (struct http_header){name, value};
}

struct sink_request *sink_post(struct sink_requests *out, struct arena *a, const char *url, json_t *body)
{
	AUTO(buf) struct buf b = {0};

	json_write(&b, body);
	json_decref(body);
	struct sink_request *q = vec_add(out, a);
	*q = (struct sink_request){.method = "POST", .url = url, .body = arena_strdup(a, buf_text(&b))};
	sink_header(q, a, "content-type", "application/json");
	return q;
}
