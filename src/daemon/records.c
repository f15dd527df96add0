/* Runs, and what they saw. */
#include <stdlib.h>

#include "daemon/keeper.h"
#include "model/run.h"
#include "sys/clock.h"
#include "sys/token.h"
#include "wire/trace_json.h"

/* What a report of a run is called. */
static const char *title(const char *backup, int64_t exit, struct arena *a)
{
	return arena_printf(a, "backup '%s'%s %s", backup, exit < 0 ? "" : ":", run_end_text(exit));
}

static int report_run(struct keeper *k, enum report_kind kind, int64_t id, int64_t exit, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct stored_runs run = {0};

	if (store_run_get(k->store, id, &a, &run, e) < 0)
		return -1;
	if (run.n == 0)
		return 0;
	AUTO(json) json_t *sinks = json_parse(str_of(run.v[0].sinks), "sinks", e);
	if (sinks == NULL)
		return -1;
	const char *backup = run.v[0].backup;
	const struct report r = {.kind = kind,
				 .at_ms = clock_unix_ms(),
				 .backup = backup,
				 .run = id,
				 .title = kind == REPORT_START ? arena_printf(&a, "backup '%s' began", backup)
							       : title(backup, exit, &a)};
	return reports_add(k, sinks, &r, e);
}

/* The run of a keeper that has gone meanwhile, or a new one; *trace is what it is known by. */
static int open_run(struct keeper *k, const struct control_request *r, int64_t *id, const char **trace, struct arena *a,
		    struct err *e)
{
	char token[TOKEN_TEXT];
	const char *sinks = r->json == NULL ? "[]" : r->json;

	*trace = r->token;
	if (r->token != NULL && (store_run_again(k->store, r->backup, r->token, id, e) < 0 || *id != 0))
		return *id == 0 ? -1 : 0;
	if (*trace == NULL)
		*trace = arena_strdup(a, token_new(token));
	if (store_run_begin(k->store, r->backup, *trace, sinks, clock_unix_s(), id, e) < 0)
		return -1;
	return report_run(k, REPORT_START, *id, 0, e);
}

static void run_begin(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	const char *trace = NULL;
	int64_t id = 0;
	struct err e;

	for (struct client *o = k->clients; o != NULL; o = o->next) {
		if (o->backup == NULL || strcmp(o->backup, r->backup) != 0)
			continue;
		(void)err_set(&e, ERR_BUSY, "backup '%s' is running already", r->backup);
		(void)err_hint(&e, "to watch it: dormouse status; it is run %lld of dormouse history",
			       (long long)o->run);
		client_fail(c, &e);
		return;
	}
	int rc = c->run != 0 ? err_set(&e, ERR_USAGE, "this connection has a run already") : store_begin(k->store, &e);
	if (rc == 0)
		rc = store_end(k->store, open_run(k, r, &id, &trace, &a, &e), &e);
	if (rc < 0) {
		client_fail(c, &e);
		return;
	}
	c->run = id;
	c->backup = strdup(r->backup);
	if (c->backup == NULL)
		abort();
	json_t *j = json_object();
	(void)json_object_set_new(j, "id", json_integer(c->run));
	(void)json_object_set_new(j, "trace", json_any(trace));
	client_answer(c, j);
	reports_look(k);
}

static int put_span(struct keeper *k, int64_t run, const struct trace_span *s, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	AUTO(json) json_t *j = trace_span_json(s);

	json_write(&b, j);
	return store_span_put(k->store, run, s->id, buf_text(&b), e);
}

static int put_spans(struct keeper *k, int64_t run, const struct trace_spans *spans, struct err *e)
{
	for (size_t i = 0; i < spans->n; i++)
		if (spans->v[i].id <= TRACE_SPANS_MAX && put_span(k, run, &spans->v[i], e) < 0)
			return -1;
	return 0;
}

static int spans_of(struct keeper *k, int64_t run, struct arena *a, struct trace_spans *out, struct err *e)
{
	struct strings texts = {0};

	if (store_spans(k->store, run, a, &texts, e) < 0)
		return -1;
	for (size_t i = 0; i < texts.n; i++) {
		struct trace_span s;
		AUTO(json) json_t *j = json_parse(str_of(texts.v[i]), "a span", e);
		if (j == NULL || trace_span_read(j, a, &s, e) < 0)
			return -1;
		*vec_add(out, a) = s;
	}
	return 0;
}

/* Ends what nobody will end any more. */
static int bury(struct keeper *k, int64_t run, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct trace t = {0};

	if (spans_of(k, run, &a, &t.spans, e) < 0)
		return -1;
	trace_bury(&t, clock_unix_ms());
	return put_spans(k, run, &t.spans, e);
}

/* exit -1: it died. */
static int over(struct keeper *k, int64_t run, int64_t exit, const char *result, struct err *e)
{
	int rc = store_begin(k->store, e);

	if (rc < 0)
		return rc;
	if (exit < 0)
		rc = bury(k, run, e);
	if (rc == 0)
		rc = store_run_end(k->store, run, clock_unix_s(), (int)exit, result, e);
	if (rc == 0)
		rc = report_run(k, REPORT_RUN, run, exit, e);
	rc = store_end(k->store, rc, e);
	reports_look(k);
	alerts_soon(k);
	return rc;
}

static bool has_client(const struct keeper *k, int64_t run)
{
	for (const struct client *c = k->clients; c != NULL; c = c->next)
		if (c->run == run)
			return true;
	return false;
}

int records_bury(struct keeper *k, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct stored_runs open = {0};

	if (store_runs_open(k->store, &a, &open, e) < 0)
		return -1;
	for (size_t i = 0; i < open.n; i++)
		if (!has_client(k, open.v[i].id) && over(k, open.v[i].id, -1, "{}", e) < 0)
			return -1;
	k->unburied = false;
	return 0;
}

static void run_end(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (c->run == 0)
		(void)err_set(&e, ERR_USAGE, "no run was begun here");
	if (c->run == 0 || over(k, c->run, r->number, r->json, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	c->run = 0;
	free(c->backup);
	c->backup = NULL;
	client_answer(c, json_object());
}

static int put_lines(struct keeper *k, int64_t run, const json_t *lines, struct err *e)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const json_t *at = json_array_get(line, 0);
		const char *text = json_string_value(json_array_get(line, 1));
		if (!json_is_integer(at) || text == NULL)
			return err_set(e, ERR_USAGE, "a run's line lacks its time or its text");
		if (store_run_event(k->store, run, json_integer_value(at), text, e) < 0)
			return -1;
	}
	return 0;
}

static int take_story(struct keeper *k, int64_t run, const char *text, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = json_parse(str_of(text), "a run's story", e);
	struct trace_spans spans;

	if (j == NULL || trace_spans_read(json_object_get(j, "spans"), &a, &spans, e) < 0 ||
	    store_begin(k->store, e) < 0)
		return -1;
	int rc = put_lines(k, run, json_object_get(j, "lines"), e);
	return store_end(k->store, rc < 0 ? rc : put_spans(k, run, &spans, e), e);
}

static void run_story(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (c->run == 0 || take_story(k, c->run, r->json, &e) < 0)
		(void)fprintf(stderr, "<4>dormouse: what a run tells of itself could not be recorded\n");
}

static json_t *run_json(const struct stored_run *r)
{
	struct err e;
	json_t *j = json_object(), *result = r->result == NULL ? NULL : json_parse(str_of(r->result), "result", &e);

	(void)json_object_set_new(j, "id", json_integer(r->id));
	(void)json_object_set_new(j, "backup", json_any(r->backup));
	(void)json_object_set_new(j, "began", json_integer(r->began));
	if (r->ended != 0) {
		(void)json_object_set_new(j, "ended", json_integer(r->ended));
		(void)json_object_set_new(j, "exit", json_integer(r->exit));
	}
	if (result != NULL)
		(void)json_object_set_new(j, "result", result);
	return j;
}

static void history(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	struct stored_runs runs = {0};
	struct err e;

	if (store_history(k->store, r->backup, r->number, &a, &runs, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < runs.n; i++)
		(void)json_array_append_new(list, run_json(&runs.v[i]));
	client_answer(c, list);
}

static void trace(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	struct stored_runs run = {0};
	struct trace t = {0};
	struct err e;

	if (store_run_get(k->store, r->number, &a, &run, &e) < 0 || spans_of(k, r->number, &a, &t.spans, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	if (run.n == 0) {
		(void)err_set(&e, ERR_MISSING, "there is no run %lld", (long long)r->number);
		(void)err_hint(&e, "dormouse history shows which there are");
		client_fail(c, &e);
		return;
	}
	json_t *j = json_object();
	(void)json_object_set_new(j, "run", run_json(&run.v[0]));
	(void)json_object_set_new(j, "trace", json_any(run.v[0].trace));
	(void)json_object_set_new(j, "spans", trace_spans_json(&t.spans));
	client_answer(c, j);
}

static void run_events(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	struct stored_events events = {0};
	struct err e;

	if (store_run_events(k->store, r->number, &a, &events, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < events.n; i++) {
		json_t *j = json_object();
		(void)json_object_set_new(j, "at", json_integer(events.v[i].at));
		(void)json_object_set_new(j, "text", json_any(events.v[i].text));
		(void)json_array_append_new(list, j);
	}
	client_answer(c, list);
}

static void recall(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	const char *json;
	int64_t at = 0;
	struct err e;

	if (store_look_get(k->store, r->backup, &a, &at, &json, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *j = json_object();
	if (json != NULL) {
		(void)json_object_set_new(j, "at", json_integer(at));
		(void)json_object_set_new(j, "json", json_any(json));
	}
	client_answer(c, j);
}

static void look_put(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (store_look_put(k->store, r->backup, clock_unix_s(), r->json, &e) < 0)
		client_fail(c, &e);
	else
		client_answer(c, json_object());
}

void client_run_over(struct keeper *k, struct client *c)
{
	struct err e;

	if (c->run == 0 || over(k, c->run, -1, "{}", &e) == 0)
		return;
	k->unburied = true;
	(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
}

void client_record(struct keeper *k, struct client *c, const struct control_request *r)
{
	static void (*const does[])(struct keeper *, struct client *, const struct control_request *) = {
	    [CONTROL_RUN_BEGIN] = run_begin, [CONTROL_RUN_STORY] = run_story, [CONTROL_RUN_END] = run_end,
	    [CONTROL_RECORD] = look_put,     [CONTROL_RECALL] = recall,	      [CONTROL_HISTORY] = history,
	    [CONTROL_RUN] = run_events,	     [CONTROL_TRACE] = trace};

	assert(r->op < ARRAY_LEN(does) && does[r->op] != NULL);
	does[r->op](k, c, r);
}
