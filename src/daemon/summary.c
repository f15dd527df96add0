/* All runs in short, for who judges them: status, alerts, the page. */
#include <stdlib.h>

#include "daemon/keeper.h"
#include "drivers/store_summary.h"
#include "wire/facts_json.h"

enum { RUNS_MAX = 50000 };

void client_run_progress(struct client *c, const struct control_request *r)
{
	free(c->progress);
	c->progress = strdup(r->json);
	if (c->progress == NULL)
		abort();
}

/* One that is under way, with how far it is. */
static json_t *running_json(struct keeper *k, const struct stored_summary *s)
{
	struct err e;
	json_t *j = NULL;

	for (const struct client *c = k->clients; c != NULL && j == NULL; c = c->next)
		if (c->run == s->id && c->progress != NULL)
			j = json_parse(str_of(c->progress), "progress", &e);
	if (!json_is_object(j)) {
		json_decref(j);
		j = json_object();
	}
	json_put_text(j, "stage", s->stage);
	return j;
}

static json_t *made(struct keeper *k, const struct stored_summary *s, bool works)
{
	AUTO(buf) struct buf b = {0};
	struct err e;
	AUTO(json) json_t *result = s->result == NULL ? json_object() : json_parse(str_of(s->result), "result", &e);
	json_t *j = facts_summary(result);

	json_write(&b, j);
	if (works && store_summary_put(k->store, s->id, buf_text(&b), &e) < 0)
		(void)fprintf(stderr, "<4>dormouse: %s: %s\n", e.what, e.why);
	return j;
}

static json_t *one(struct keeper *k, const struct stored_summary *s, bool works)
{
	struct err e;
	json_t *j = s->ended == 0     ? running_json(k, s)
		    : s->json != NULL ? json_parse(str_of(s->json), "summary", &e)
				      : made(k, s, works);

	j = j == NULL ? json_object() : j;
	(void)json_object_set_new(j, "id", json_integer(s->id));
	json_put_text(j, "backup", s->backup);
	(void)json_object_set_new(j, "began", json_integer(s->began));
	if (s->ended != 0) {
		(void)json_object_set_new(j, "ended", json_integer(s->ended));
		(void)json_object_set_new(j, "exit", json_integer(s->exit));
	}
	return j;
}

/* Of each backup that there are runs of: its datasets, and the place on the target that they are in. */
static int results(struct keeper *k, const json_t *runs, json_t *out, struct arena *a, struct err *e)
{
	json_t *run, *results = json_object(), *pools = json_array();
	const char *text;
	size_t i;

	(void)json_object_set_new(out, "results", results);
	(void)json_object_set_new(out, "pools", pools);
	json_array_foreach(runs, i, run)
	{
		const char *backup = json_text(run, "backup", a);
		if (json_object_get(results, backup) != NULL)
			continue;
		if (store_last_result(k->store, backup, a, &text, e) < 0)
			return -1;
		AUTO(json) json_t *result = text == NULL ? NULL : json_parse(str_of(text), "result", e);
		json_t *datasets = json_object_get(result, "datasets");
		(void)json_object_set_new(results, backup, datasets == NULL ? json_array() : json_incref(datasets));
		if (json_is_object(json_object_get(result, "pool")))
			(void)json_array_append(pools, json_object_get(result, "pool"));
	}
	return 0;
}

void client_summary(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = json_object();
	json_t *runs = json_array(), *running = json_array();
	struct stored_summaries all = {0};
	int64_t limit = r->number < 1 ? 1 : r->number > RUNS_MAX ? RUNS_MAX : r->number;
	struct err e, broken;
	bool works = store_works(k->store, &broken) == 0;

	if (works && k->unburied && records_bury(k, &broken) < 0)
		works = false;
	if (!works)
		(void)json_object_set_new(j, "state_error", json_of_err(&broken));
	(void)json_object_set_new(j, "runs", runs);
	(void)json_object_set_new(j, "running", running);
	int rc = store_summaries(k->store, r->backup, limit, &a, &all, &e);
	if (rc == 0 && works)
		rc = store_begin(k->store, &e);
	if (rc == 0) {
		for (size_t i = 0; i < all.n; i++)
			(void)json_array_append_new(all.v[i].ended == 0 ? running : runs, one(k, &all.v[i], works));
		rc = results(k, runs, j, &a, &e);
		rc = works ? store_end(k->store, rc, &e) : rc;
	}
	if (rc < 0) {
		client_fail(c, &e);
		return;
	}
	(void)json_object_set_new(j, "runs_cut", json_boolean((int64_t)all.n == limit));
	client_answer(c, json_incref(j));
}
