/* healthchecks.io, or one's own: https://healthchecks.io/docs/http_api/ */
#include "wire/sink.h"

enum { BODY_BYTES = 10000, BODY_MOST = 100000 };

/* A trace's id as the UUID that pairs a start with its end. */
static const char *rid(const char *id, struct arena *a)
{
	return strlen(id) < 32 ? NULL
			       : arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16, id + 20);
}

static const char *event_of(const struct report *r)
{
	switch (r->kind) {
	case REPORT_START:
		return "/start";
	case REPORT_RUN:
		/* One that had to make way for something else is no failure yet: if it stays so, the switch notices. */
		return r->outcome == TRACE_SUCCESS ? "" : r->outcome == TRACE_SKIPPED ? "/log" : "/fail";
	case REPORT_ALERT:
	case REPORT_CLEAR:
	case REPORT_TEST:
		break;
	}
	return "/log";
}

void healthchecks_encode(const struct sink_secrets *k, const struct report *r, struct arena *a,
			 struct sink_requests *out)
{
	size_t limit = k->memo <= 0 ? BODY_BYTES : k->memo > BODY_MOST ? BODY_MOST : (size_t)k->memo;
	const char *text = sink_text(r, a), *id = r->trace.id == NULL ? NULL : rid(r->trace.id, a);
	AUTO(buf) struct buf url = {0};
	AUTO(buf) struct buf body = {0};

	buf_printf(&url, "%s/%s%s", k->url, k->key, event_of(r));
	if (id != NULL)
		buf_printf(&url, "?rid=%s", id);
	/* By a slug, a check that is not there yet is made. */
	if (strchr(k->key, '/') != NULL)
		buf_printf(&url, "%screate=1", id == NULL ? "?" : "&");
	buf_printf(&body, "%s%s%s\n", r->title, text[0] == '\0' ? "" : "\n", text);
	if (r->log != NULL && body.n + 1 < limit)
		buf_printf(&body, "\n%s", sink_tail(r->log, limit - body.n - 1, a));
	struct sink_request *q = vec_add(out, a);
	*q = (struct sink_request){.method = "POST",
				   .url = arena_strdup(a, buf_text(&url)),
				   .body = arena_strndup(a, buf_text(&body), body.n < limit ? body.n : limit)};
	sink_header(q, a, "content-type", "text/plain; charset=utf-8");
}

void healthchecks_judge(const struct sink_reply *r, struct arena *a, struct sink_answer *out)
{
	out->memo = r->body_limit > 0 ? r->body_limit : 0;
	/* By UUID it answers 200 even then. */
	if (memmem(r->body.p, r->body.n, "not found", 9) != NULL) {
		(void)sink_refuse(out, "it has no such check", "look at the check's address there");
	} else if (memmem(r->body.p, r->body.n, "rate limited", 12) != NULL) {
		out->said = SINK_LATER;
		out->why = arena_strdup(a, "it was told too often within a minute");
	}
}
