#include "wire/health_json.h"

static void put(json_t *j, const char *name, int64_t v)
{
	(void)json_object_set_new(j, name, json_integer(v));
}

/* A time; not there where it is not known, or never comes. */
static void put_at(json_t *j, const char *name, int64_t at)
{
	if (at != 0 && at != INT64_MAX)
		put(j, name, at);
}

static void put_size(json_t *j, const char *name, uint64_t v)
{
	if (v != 0)
		(void)json_object_set_new(j, name, json_u64(v));
}

static void put_trouble(json_t *j, const struct fact_trouble *t)
{
	if (t->what == NULL)
		return;
	json_t *e = json_object();
	json_put_text(e, "kind", t->kind);
	json_put_text(e, "what", t->what);
	json_put_text(e, "why", t->why);
	json_put_text(e, "hint", t->hint);
	(void)json_object_set_new(j, "error", e);
}

static void put_level(json_t *j, enum health_level l)
{
	json_put_text(j, "level", health_level_name(l));
}

/* NULL: nothing. */
static void put_run(json_t *j, const char *name, const struct fact_run *r)
{
	if (r == NULL)
		return;
	json_t *run = json_object();
	put(run, "id", r->id);
	put(run, "began", r->began);
	put_size(run, "bytes", r->bytes);
	if (r->ended == 0) {
		json_put_text(run, "stage", r->stage);
		put_size(run, "total", r->total);
	} else {
		put(run, "ended", r->ended);
		put(run, "exit", r->exit);
		put(run, "took_ms", r->took_ms);
		put_trouble(run, &r->trouble);
	}
	(void)json_object_set_new(j, name, run);
}

static json_t *backup_json(const struct backup_health *b)
{
	json_t *j = json_object();

	json_put_text(j, "backup", b->backup->name);
	put_level(j, b->level);
	json_put_text(j, "text", b->text);
	put(j, "datasets", (int64_t)b->datasets);
	put(j, "proven", (int64_t)b->proven);
	put_at(j, "restorable_to", b->oldest);
	(void)json_object_set_new(j, "running", json_boolean(b->running != NULL));
	put_run(j, "run", b->running);
	put_run(j, "last", b->last);
	put_run(j, "good", b->good);
	put_at(j, "next", b->next_at);
	put_at(j, "late_at", b->late_at);
	put_size(j, "size", b->size);
	return j;
}

static json_t *dataset_json(const struct health *h, const struct dataset_health *d)
{
	json_t *j = json_object();

	json_put_text(j, "backup", d->fact->backup);
	(void)json_object_set_new(j, "dataset", json_any(d->fact->name));
	put_level(j, d->level);
	json_put_text(j, "word", d->word);
	json_put_text(j, "newest", d->fact->newest);
	put_at(j, "newest_at", d->fact->newest_at);
	if (d->fact->newest_at != 0)
		put(j, "lag_s", h->facts->now - d->fact->newest_at);
	json_put_text(j, "local", d->fact->local);
	put_at(j, "local_at", d->fact->local_at);
	put_size(j, "size", d->fact->size);
	put_trouble(j, &d->fact->trouble);
	return j;
}

static json_t *problem_json(const struct problem *p)
{
	json_t *j = json_object();

	json_put_text(j, "key", p->key);
	put_level(j, p->level);
	json_put_text(j, "subject", p->subject);
	json_put_text(j, "text", p->text);
	json_put_text(j, "hint", p->hint);
	return j;
}

static json_t *machine_json(const struct health *h, const struct fact_machine *m)
{
	json_t *j = json_object();

	json_put_text(j, "target", m->target);
	json_put_text(j, "state", m->state);
	put_at(j, "since", m->since);
	put(j, "leases", m->leases);
	json_put_text(j, "users", m->users);
	put_trouble(j, &m->trouble);
	for (size_t i = 0; i < h->facts->costs.n; i++)
		if (strcmp(h->facts->costs.v[i].target, m->target) == 0)
			json_put_text(j, "a_month", h->facts->costs.v[i].text);
	return j;
}

static json_t *sink_json(const struct fact_sink *s)
{
	json_t *j = json_object();

	json_put_text(j, "sink", s->name);
	put_at(j, "good_at", s->good_at);
	put_at(j, "failing_at", s->failing_at);
	put(j, "waiting", s->waiting);
	json_put_text(j, "error", s->error);
	return j;
}

static json_t *pool_json(const struct fact_pool *p)
{
	json_t *j = json_object();

	json_put_text(j, "pool", p->name);
	json_put_text(j, "on", p->on);
	json_put_text(j, "health", p->health);
	put_size(j, "used", p->used);
	put_size(j, "size", p->size);
	return j;
}

static json_t *filter_json(const struct fact_filter *f)
{
	json_t *j = json_object();

	json_put_text(j, "backup", f->backup);
	json_put_text(j, "glob", f->glob);
	return j;
}

/* A list of each in vec, made by one. */
#define PUT_LIST(name, vec, one)                                \
	do {                                                    \
		json_t *list = json_array();                    \
		for (size_t i = 0; i < (vec).n; i++)            \
			(void)json_array_append_new(list, one); \
		(void)json_object_set_new(j, name, list);       \
	} while (0)

json_t *health_json(const struct health *h)
{
	json_t *j = json_object();

	put(j, "format", HEALTH_FORMAT);
	put(j, "now", h->facts->now);
	put_level(j, h->level);
	json_put_text(j, "verdict", h->verdict);
	json_put_text(j, "hint", h->hint);
	PUT_LIST("problems", h->problems, problem_json(&h->problems.v[i]));
	PUT_LIST("backups", h->backups, backup_json(&h->backups.v[i]));
	PUT_LIST("datasets", h->datasets, dataset_json(h, &h->datasets.v[i]));
	PUT_LIST("machines", h->facts->machines, machine_json(h, &h->facts->machines.v[i]));
	PUT_LIST("sinks", h->facts->sinks, sink_json(&h->facts->sinks.v[i]));
	PUT_LIST("pools", h->facts->pools, pool_json(&h->facts->pools.v[i]));
	PUT_LIST("uncovered", h->facts->uncovered, json_any(h->facts->uncovered.v[i]));
	PUT_LIST("unmatched", h->facts->unmatched, filter_json(&h->facts->unmatched.v[i]));
	put_at(j, "next_snapshots", h->next_snapshots);
	return j;
}
