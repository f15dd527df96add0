/* Runs, and what they saw. */
#include <stdlib.h>

#include "daemon/keeper.h"
#include "sys/clock.h"
#include "wire/json.h"

static void run_begin(struct keeper *k, struct client *c, const struct control_request *r)
{
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
	if (c->run != 0 || store_run_begin(k->store, r->backup, clock_unix_s(), &c->run, &e) < 0) {
		if (c->run != 0)
			(void)err_set(&e, ERR_USAGE, "this connection has a run already");
		client_fail(c, &e);
		return;
	}
	c->backup = strdup(r->backup);
	if (c->backup == NULL)
		abort();
	json_t *j = json_object();
	(void)json_object_set_new(j, "id", json_integer(c->run));
	client_answer(c, j);
}

static void run_end(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (c->run == 0)
		(void)err_set(&e, ERR_USAGE, "no run was begun here");
	if (c->run == 0 || store_run_end(k->store, c->run, clock_unix_s(), (int)r->number, r->json, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	c->run = 0;
	free(c->backup);
	c->backup = NULL;
	client_answer(c, json_object());
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

static void run_event(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (c->run == 0 || store_run_event(k->store, c->run, clock_unix_s(), r->text, &e) < 0)
		(void)fprintf(stderr, "<4>dormouse: an event of a run could not be recorded\n");
}

void client_run_over(struct keeper *k, struct client *c)
{
	struct err e;

	if (c->run != 0 && store_run_end(k->store, c->run, clock_unix_s(), -1, "{}", &e) < 0)
		(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
}

void client_record(struct keeper *k, struct client *c, const struct control_request *r)
{
	static void (*const does[])(struct keeper *, struct client *, const struct control_request *) = {
	    [CONTROL_RUN_BEGIN] = run_begin, [CONTROL_RUN_EVENT] = run_event, [CONTROL_RUN_END] = run_end,
	    [CONTROL_RECORD] = look_put,     [CONTROL_RECALL] = recall,	      [CONTROL_HISTORY] = history,
	    [CONTROL_RUN] = run_events};

	assert(r->op < ARRAY_LEN(does) && does[r->op] != NULL);
	does[r->op](k, c, r);
}
