#include "wire/facts_json.h"

#include "wire/zone_json.h"

static int64_t number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

static uint64_t size_of(const json_t *j, const char *name)
{
	uint64_t v = 0;

	(void)json_get_u64(j, name, &v);
	return v;
}

static size_t natural(const json_t *j, const char *name)
{
	int64_t v = number(j, name);

	return v < 0 ? 0 : (size_t)v;
}

static struct fact_trouble trouble(const json_t *j, struct arena *a)
{
	return (struct fact_trouble){json_text(j, "kind", a), json_text(j, "what", a), json_text(j, "why", a),
				     json_text(j, "hint", a)};
}

static bool run_read(const json_t *j, bool running, struct arena *a, struct fact_run *r)
{
	*r = (struct fact_run){.id = number(j, "id"),
			       .backup = json_text(j, "backup", a),
			       .began = number(j, "began"),
			       .ended = running ? 0 : number(j, "ended"),
			       .exit = (int)number(j, "exit"),
			       .took_ms = number(j, "took_ms"),
			       .bytes = size_of(j, "bytes"),
			       .total = size_of(j, "total"),
			       .stage = json_text(j, "stage", a),
			       .datasets = natural(j, "datasets"),
			       .proven = natural(j, "proven"),
			       .trouble = trouble(json_object_get(j, "error"), a)};
	return r->backup != NULL && (running || r->ended != 0);
}

int facts_run_read(const json_t *j, struct arena *a, struct fact_run *out, struct err *e)
{
	AUTO(json) json_t *flat = facts_summary(json_object_get(j, "result"));

	(void)json_object_update(flat, (json_t *)(uintptr_t)j);
	return run_read(flat, json_object_get(j, "ended") == NULL, a, out)
		   ? 0
		   : err_set(e, ERR_CORRUPT, "the run cannot be read");
}

static bool dataset_read(const json_t *j, const char *backup, struct arena *a, struct fact_dataset *d)
{
	*d = (struct fact_dataset){.backup = backup,
				   .name = json_text(j, "dataset", a),
				   .proven = json_is_true(json_object_get(j, "proven")),
				   .newest = json_text(j, "newest", a),
				   .newest_at = number(j, "newest_at"),
				   .local = json_text(j, "local", a),
				   .local_at = number(j, "local_at"),
				   .size = size_of(j, "size"),
				   .trouble = trouble(json_object_get(j, "error"), a)};
	return d->name != NULL;
}

static const char *users(const json_t *list, struct arena *a)
{
	AUTO(buf) struct buf b = {0};
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) if (json_is_string(one))
	    buf_printf(&b, "%s%s", b.n == 0 ? "" : ", ", json_string_value(one));
	return str_dup(a, buf_str(&b));
}

static bool machine_read(const json_t *j, struct arena *a, struct fact_machine *m)
{
	*m = (struct fact_machine){.target = json_text(j, "target", a),
				   .state = json_text(j, "state", a),
				   .since = number(j, "since"),
				   .leases = number(j, "leases"),
				   .users = users(json_object_get(j, "users"), a),
				   .trouble = trouble(json_object_get(j, "error"), a)};
	return m->target != NULL && m->state != NULL;
}

static bool sink_read(const json_t *j, struct arena *a, struct fact_sink *s)
{
	const char *error = json_text(j, "error", a);

	/* A second line of it is a hint. */
	if (error != NULL)
		error = arena_strndup(a, error, strcspn(error, "\n"));

	*s = (struct fact_sink){.name = json_text(j, "sink", a),
				.good_at = number(j, "ok_ms") / 1000,
				.waiting = number(j, "waiting"),
				.error = error == NULL || error[0] == '\0' ? NULL : error};
	if (s->error != NULL)
		s->failing_at = number(j, s->waiting > 0 ? "oldest_ms" : "error_ms") / 1000;
	return s->name != NULL;
}

static bool cost_read(const json_t *j, struct arena *a, struct fact_cost *c)
{
	*c = (struct fact_cost){json_text(j, "target", a), json_text(j, "text", a), number(j, "micros"),
				json_is_true(json_object_get(j, "whole"))};
	return c->target != NULL && c->text != NULL;
}

static bool pool_read(const json_t *j, struct arena *a, struct fact_pool *p)
{
	*p = (struct fact_pool){json_text(j, "pool", a), json_text(j, "on", a), json_text(j, "health", a),
				size_of(j, "used"), size_of(j, "size")};
	return p->name != NULL;
}

static bool filter_read(const json_t *j, struct arena *a, struct fact_filter *f)
{
	*f = (struct fact_filter){json_text(j, "backup", a), json_text(j, "glob", a)};
	return f->backup != NULL && f->glob != NULL;
}

/* Every element of a list. */
#define READ_ALL(list, read_one)                                                                                       \
	json_array_foreach(json_object_get(j, list), i, one)                                                           \
	{                                                                                                              \
		if (!(read_one))                                                                                       \
			return err_set(e, ERR_CORRUPT, "number %zu of '%s' of the facts cannot be read", i + 1, list); \
	}

static int results_read(const json_t *j, struct arena *a, struct facts *out, struct err *e)
{
	const char *name;
	json_t *list, *one;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)json_object_get(j, "results"), name, list)
	{
		const char *backup = arena_strdup(a, name);
		json_array_foreach(list, i, one)
		{
			if (!dataset_read(one, backup, a, vec_add(&out->datasets, a)))
				return err_set(e, ERR_CORRUPT, "dataset %zu of '%s' of the facts cannot be read", i + 1,
					       name);
		}
	}
	return 0;
}

int facts_read(const json_t *j, struct arena *a, struct facts *out, struct err *e)
{
	json_t *one;
	size_t i;

	*out = (struct facts){.now = number(j, "now"), .runs_cut = json_is_true(json_object_get(j, "runs_cut"))};
	if (number(j, "format") != FACTS_FORMAT) {
		(void)err_set(e, ERR_CORRUPT, "these are no facts that this version can read");
		return err_hint(e, "dormouse status --facts writes them");
	}
	if (zone_json_read(json_object_get(j, "zone"), a, &out->zone, e) < 0)
		return -1;
	out->host = trouble(json_object_get(j, "host_error"), a);
	out->state = trouble(json_object_get(j, "state_error"), a);
	READ_ALL("running", run_read(one, true, a, vec_add(&out->runs, a)))
	READ_ALL("runs", run_read(one, false, a, vec_add(&out->runs, a)))
	if (results_read(j, a, out, e) < 0)
		return -1;
	READ_ALL("machines", machine_read(one, a, vec_add(&out->machines, a)))
	READ_ALL("sinks", sink_read(one, a, vec_add(&out->sinks, a)))
	READ_ALL("costs", cost_read(one, a, vec_add(&out->costs, a)))
	READ_ALL("pools", pool_read(one, a, vec_add(&out->pools, a)))
	READ_ALL("unmatched", filter_read(one, a, vec_add(&out->unmatched, a)))
	READ_ALL("uncovered", json_is_string(one) &&
				  (*vec_add(&out->uncovered, a) = arena_strdup(a, json_string_value(one))) != NULL)
	return 0;
}

json_t *facts_summary(const json_t *result)
{
	json_t *j = json_object(), *d;
	const json_t *datasets = json_object_get(result, "datasets");
	static const char *const kept[] = {"took_ms", "bytes", "error"};
	size_t i, proven = 0;

	for (i = 0; i < ARRAY_LEN(kept); i++)
		(void)json_object_set(j, kept[i], json_object_get(result, kept[i]));
	json_array_foreach(datasets, i, d) proven += json_is_true(json_object_get(d, "proven"));
	(void)json_object_set_new(j, "datasets", json_integer((json_int_t)json_array_size(datasets)));
	(void)json_object_set_new(j, "proven", json_integer((json_int_t)proven));
	return j;
}
