#include "engine/survey.h"

#include "engine/bill.h"
#include "engine/side_run.h"
#include "plan/cost_plan.h"
#include "plan/coverage_plan.h"
#include "sys/clock.h"
#include "wire/program.h"
#include "wire/zfs_text.h"
#include "wire/zone_json.h"

enum { HOST_MS = 10 * 1000, AGAIN_MS = 60 * 1000 };

/* --- this host ----------------------------------------------------------------------------------------------- */

static json_t *pool_json(struct str line)
{
	struct str name = str_cut(&line, '\t'), health = str_cut(&line, '\t'), used = str_cut(&line, '\t');
	json_t *j = json_object();

	(void)json_object_set_new(j, "pool", json_stringn(name.p, name.n));
	(void)json_object_set_new(j, "health", json_stringn(health.p, health.n));
	(void)json_object_set_new(j, "used", json_stringn(used.p, used.n));
	(void)json_object_set_new(j, "size", json_stringn(line.p, line.n));
	return j;
}

static json_t *pools_json(struct str text)
{
	json_t *list = json_array();

	for (struct str line; text.n > 0;) {
		line = str_cut(&text, '\n');
		if (line.n > 0)
			(void)json_array_append_new(list, pool_json(line));
	}
	return list;
}

static void put_coverage(const struct survey *s, const struct side_state *host, struct arena *a, json_t *j)
{
	struct strings uncovered = {0};
	struct fact_filters unmatched = {0};
	json_t *names = json_array(), *globs = json_array();

	coverage_plan(s->config, host, a, &uncovered, &unmatched);
	for (size_t i = 0; i < uncovered.n; i++)
		(void)json_array_append_new(names, json_any(uncovered.v[i]));
	for (size_t i = 0; i < unmatched.n; i++) {
		json_t *one = json_object();
		json_put_text(one, "backup", unmatched.v[i].backup);
		json_put_text(one, "glob", unmatched.v[i].glob);
		(void)json_array_append_new(globs, one);
	}
	(void)json_object_set_new(j, "uncovered", names);
	(void)json_object_set_new(j, "unmatched", globs);
}

/* Nothing is said of a host without ZFS; of one whose ZFS does not answer, that. */
static json_t *ask_host(const struct survey *s)
{
	static const char *const shell[] = {"/bin/sh", "-c", NULL};
	static const struct side here = {.label = "this host", .argv = shell};
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf datasets = {0};
	AUTO(buf) struct buf pools = {0};
	struct side_state host = {.root = ""};
	struct err ignored;
	json_t *j = json_object();

	program_look(&datasets, "", false, NULL, false);
	program_pools(&pools);
	struct side_job jobs[] = {{.side = &here, .program = buf_str(&datasets)},
				  {.side = &here, .program = buf_str(&pools)}};
	side_run_jobs(jobs, ARRAY_LEN(jobs), HOST_MS, &a);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		if (jobs[i].err.kind == ERR_TIMEOUT)
			(void)json_object_set_new(j, "host_error", json_of_err(&jobs[i].err));
	if (jobs[0].err.kind == ERR_NONE && jobs[0].said.out.n > 0 &&
	    look_parse(jobs[0].said.out, &a, &host, &ignored) == 0)
		put_coverage(s, &host, &a, j);
	if (jobs[1].err.kind == ERR_NONE && jobs[1].said.status == 0)
		(void)json_object_set_new(j, "pools", pools_json(jobs[1].said.out));
	return j;
}

/* --- the keeper ---------------------------------------------------------------------------------------------- */

static int put_costs(const struct survey *s, struct control *link, struct arena *a, json_t *j, struct err *e)
{
	json_t *costs = json_array();

	(void)json_object_set_new(j, "costs", costs);
	for (size_t i = 0; i < s->config->targets.n; i++) {
		const struct target *t = &s->config->targets.v[i];
		for (size_t k = 0; k < s->nkinds; k++) {
			struct bill b;
			char text[MONEY_TEXT];
			if (strcmp(s->kinds[k]->name, t->kind) != 0 || s->kinds[k]->cost == NULL)
				continue;
			if (bill_make(s->paths, link, t, s->kinds[k], s->kinds[k]->prices, a, &b, e) < 0)
				return -1;
			json_t *one = json_object();
			json_put_text(one, "target", t->name);
			json_put_text(one, "text", money_show(b.list, b.micros, text));
			(void)json_object_set_new(one, "micros", json_integer(b.micros));
			(void)json_object_set_new(one, "whole", json_boolean(!b.unknown && b.unseen == 0));
			(void)json_array_append_new(costs, one);
		}
	}
	return 0;
}

static int from_keeper(const struct survey *s, struct arena *a, json_t *j, struct err *e)
{
	AUTO(control) struct control link = CONTROL_INIT;
	const struct {
		const char *name;
		enum control_op op;
	} lists[] = {{"machines", CONTROL_MACHINES}, {"sinks", CONTROL_SINKS}};
	struct control_request runs = {.op = CONTROL_SUMMARY, .number = s->runs};
	AUTO(json) json_t *summary = control_json(s->paths, &link, &runs, a, e);

	if (summary == NULL || json_object_update(j, summary) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct control_request r = {.op = lists[i].op};
		json_t *list = control_json(s->paths, &link, &r, a, e);
		if (list == NULL)
			return -1;
		(void)json_object_set_new(j, lists[i].name, list);
	}
	return put_costs(s, &link, a, j, e);
}

json_t *survey_take(struct survey *s, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	json_t *j = json_object();
	int64_t now = clock_unix_s();
	struct zone z = clock_zone(now, &a);

	(void)json_object_set_new(j, "format", json_integer(FACTS_FORMAT));
	(void)json_object_set_new(j, "now", json_integer(now));
	(void)json_object_set_new(j, "zone", zone_json(&z));
	if (from_keeper(s, &a, j, e) < 0) {
		json_decref(j);
		return NULL;
	}
	if (s->host == NULL || clock_mono_ms() - s->host_ms > AGAIN_MS) {
		json_decref(s->host);
		s->host = ask_host(s);
		s->host_ms = clock_mono_ms();
	}
	/* Pools are known from both. */
	json_t *pools = json_object_get(j, "pools");
	(void)json_array_extend(pools, json_object_get(s->host, "pools"));
	json_incref(pools);
	(void)json_object_update(j, s->host);
	(void)json_object_set_new(j, "pools", pools);
	return j;
}

void survey_release(struct survey *s)
{
	json_decref(s->host);
	s->host = NULL;
}
