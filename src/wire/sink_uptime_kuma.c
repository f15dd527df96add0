/* Uptime Kuma, a monitor of type Push: /api/push/TOKEN?status=up|down&msg=TEXT&ping=MS */
#include "wire/form.h"
#include "wire/sink.h"

enum { MESSAGE_BYTES = 250 };

void uptime_kuma_encode(const struct sink_secrets *k, const struct report *r, struct arena *a,
			struct sink_requests *out)
{
	const struct trace_attr *took = sink_fact(r, "duration_ms"), *error = sink_fact(r, "error.message");
	AUTO(buf) struct buf url = {0};
	AUTO(buf) struct buf query = {0};
	size_t bad;

	/* A beginning is no heartbeat; nor is a run that had to make way for something else: if it stays so, the switch
	 * notices. */
	if (r->kind == REPORT_START || r->outcome == TRACE_SKIPPED)
		return;
	char *message =
	    arena_printf(a, "%s%s%s", r->title, error == NULL ? "" : ": ", error == NULL ? "" : error->text);
	if (strlen(message) > MESSAGE_BYTES)
		message[MESSAGE_BYTES] = '\0';
	if (!str_is_utf8(str_of(message), &bad))
		message[bad] = '\0';
	form_put(&query, "status", report_is_bad(r) ? "down" : "up");
	form_put(&query, "msg", message);
	if (took != NULL && took->type == TRACE_INT)
		form_put(&query, "ping", arena_printf(a, "%lld", (long long)took->number));
	buf_printf(&url, "%s/api/push/", k->url);
	form_escape(&url, k->key);
	buf_printf(&url, "?%s", buf_text(&query));
	*vec_add(out, a) = (struct sink_request){.method = "GET", .url = arena_strdup(a, buf_text(&url)), .body = ""};
}

void uptime_kuma_judge(const struct sink_reply *r, struct arena *a, struct sink_answer *out)
{
	struct err ignored;
	AUTO(json) json_t *j = json_parse(r->body, "an answer", &ignored);
	const char *message = json_text(j, "msg", a);

	if (!json_is_true(json_object_get(j, "ok")))
		(void)sink_refuse(out,
				  message == NULL ? "it does not say that it has taken it"
						  : arena_printf(a, "it says: %.160s", message),
				  "is the monitor there of type Push, and active?");
}
