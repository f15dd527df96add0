#include "engine/watch.h"

#include <unistd.h>

#include "engine/secret.h"
#include "plan/watch_plan.h"
#include "sys/clock.h"
#include "wire/redact.h"

int watch_lock(const struct watching *w, int *lock, struct err *e)
{
	const char *name = w->sink->name;

	return paths_lock(arena_printf(w->arena, "%s/report-%s.lock", w->courier.paths->state_dir, name),
			  arena_printf(w->arena, "report '%s' is being set up already", name), lock, e);
}

void watch_end(struct watching *w)
{
	courier_client_auto(&w->courier);
	w->courier.in = (struct buf){0};
}

const char *watch_host(const struct watching *w)
{
	char host[256] = "";

	(void)gethostname(host, sizeof(host) - 1);
	return arena_strdup(w->arena, host);
}

struct watches watch_wanted(const struct watching *w)
{
	int64_t now = clock_unix_s();
	struct zone zone = clock_zone(now, w->arena);
	struct watches all = {0};

	watch_plan(w->config, w->sink, &zone, now, w->arena, &all);
	return all;
}

/* --- requests -------------------------------------------------------------------------------------- */

/* Without what must not be shown, which the other end may have said again. */
static int shown(const struct watching *w, struct err *e)
{
	struct err was = *e;
	struct strings secrets = w->hidden;

	sink_secrets(w->sink, w->arena, &secrets);
	(void)err_set(e, was.kind, "%s", redact(was.what, &secrets, w->arena));
	(void)err_why(e, "%s", redact(was.why, &secrets, w->arena));
	return err_hint(e, "%s", redact(was.hint, &secrets, w->arena));
}

static int refused(const struct watch_call *call, const struct sink_reply *reply, struct arena *a, struct err *e)
{
	struct sink_answer said = {0};
	bool unknown = reply->status == 404 || reply->status == 410;

	sink_judge_status(reply, a, &said);
	(void)err_set(e,
		      said.said == SINK_LATER ? ERR_NET
		      : unknown		      ? ERR_MISSING
					      : ERR_DENIED,
		      "cannot %s", call->doing);
	(void)err_why(e, "%s", said.why);
	if (said.said == SINK_LATER)
		return err_hint(e, "dormouse apply does what is left");
	return err_hint(e, "%s", call->hint != NULL && reply->status != 401 ? call->hint : said.hint);
}

static int send_it(struct watching *w, const struct watch_call *call, struct str *answer, struct err *e)
{
	struct sink_request q = {.method = call->method,
				 .url = arena_printf(w->arena, "%s%s", w->url, call->path),
				 .body = call->body == NULL ? "" : call->body};
	struct sink_reply reply;

	sink_header(&q, w->arena, w->sink->kind == SINK_HONEYCOMB ? "x-honeycomb-team" : "x-api-key", w->key);
	if (call->body != NULL)
		sink_header(&q, w->arena, "content-type", "application/json");
	const struct courier_order o = {.request = q,
					.timeout_ms = w->sink->timeout_ms,
					.once = strcmp(call->method, "POST") == 0,
					.allow_http = w->sink->allow_http,
					.ca_file = w->sink->ca_file};
	if (courier_client_send(&w->courier, &o, w->arena, &reply, e) < 0) {
		(void)err_wrap(e, "cannot %s", call->doing);
		return e->hint[0] != '\0' ? -1 : err_hint(e, "dormouse apply does what is left");
	}
	if (reply.status < 200 || reply.status > 299)
		return refused(call, &reply, w->arena, e);
	if (answer != NULL)
		*answer = reply.body;
	return 0;
}

int watch_send(struct watching *w, const struct watch_call *call, struct str *answer, struct err *e)
{
	return send_it(w, call, answer, e) < 0 ? shown(w, e) : 0;
}

/* --- by kind --------------------------------------------------------------------------------------- */

static int begin(struct watching *w, struct err *e)
{
	bool honeycomb = w->sink->kind == SINK_HONEYCOMB;
	const char *url = honeycomb ? w->sink->url.text : w->sink->setup_url;
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	w->url = arena_strndup(w->arena, url, n);
	if (w->key != NULL)
		return 0;
	if (secret_read(&w->sink->setup_key, honeycomb ? "config_key" : "api_key", w->arena, &w->key, e) < 0)
		return err_wrap(e, "cannot set up report '%s'", w->sink->name);
	*vec_add(&w->hidden, w->arena) = w->key;
	return 0;
}

int watch_survey(struct watching *w, struct resources *wanted, struct resources *found, struct err *e)
{
	if (begin(w, e) < 0)
		return -1;
	return w->sink->kind == SINK_HONEYCOMB ? watch_honeycomb_survey(w, wanted, found, e)
					       : watch_healthchecks_survey(w, wanted, found, e);
}

int watch_do(struct watching *w, const struct setup_step *step, struct err *e)
{
	return w->sink->kind == SINK_HONEYCOMB ? watch_honeycomb_do(w, step, e) : watch_healthchecks_do(w, step, e);
}
