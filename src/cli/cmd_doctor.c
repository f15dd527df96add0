/* doctor: can this host start every machine, and can both sides of every backup do what it asks of them? */
#include "cli/cli.h"
#include "conf/conf.h"
#include "engine/reach.h"
#include "engine/task.h"
#include "plan/examine.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "wire/host_text.h"
#include "wire/program.h"

struct visit {
	struct cli *cli;
	struct run_listener listener;
	struct findings findings;
};

static void wrong(struct visit *v, const struct err *e)
{
	struct arena *a = &v->cli->arena;
	char line[sizeof(e->what) + sizeof(e->why) + 8];

	err_line(e, line, sizeof(line));
	*vec_add(&v->findings, a) = (struct finding){FINDING_WRONG, arena_strdup(a, line), arena_strdup(a, e->hint)};
}

/* Asks a worker, as the keeper does: only that may have what the kind needs. */
static int check(struct cli *c, const struct target *t, struct err *e)
{
	AUTO(buf) struct buf block = {0};

	conf_write_target(&block, t, &provider_find(t->kind)->kind);
	struct worker_order o = {.op = "check",
				 .target = t->name,
				 .token = "",
				 .config = buf_text(&block),
				 .runtime_dir = c->paths.runtime_dir,
				 .timeout_ms = t->start_timeout_ms};
	AUTO(json) json_t *answer = task_run(c->paths.self, &o, &c->arena, NULL, e);
	return answer == NULL ? -1 : 0;
}

/* Says what this host lacks for it; NULL is this host itself. */
static bool can_start(struct visit *v, const char *target)
{
	struct arena *a = &v->cli->arena;
	const struct target *t = target == NULL ? NULL : config_target(&v->cli->config, target);
	struct err e;

	if (t == NULL)
		return true;
	if (check(v->cli, t, &e) < 0)
		return wrong(v, &e), false;
	const char *fine = arena_printf(a, "this host has what target '%s' (%s) needs", t->name, t->kind);
	*vec_add(&v->findings, a) = (struct finding){FINDING_FINE, fine, NULL};
	return true;
}

/* Asks one side; what stands in the way of that is a finding too.  Lets it go: false if it could not be asked. */
static bool ask(struct visit *v, const char *target, const char *dataset, struct reach *r, struct host *h)
{
	AUTO(buf) struct buf program = {0};
	struct arena *a = &v->cli->arena;
	struct proc_result out;
	struct err e;

	*h = (struct host){.asked = dataset};
	if (!can_start(v, target))
		return false;
	program_host(&program, dataset);
	if (reach_init(r, &v->cli->config, &v->cli->paths, target, "doctor", a, &v->listener, &e) == 0 &&
	    reach_ask(r, buf_str(&program), &out, &e) == 0 && host_parse(out.out, a, h, &e) == 0)
		return true;
	wrong(v, &e);
	return false;
}

static void examine(struct visit *v, const struct backup *b)
{
	struct arena *a = &v->cli->arena;
	struct reach source = {0}, target = {0};
	struct host here, there;

	bool seen = ask(v, b->source_target, b->source, &source, &here);
	if (seen)
		examine_source(&here, source.side.label, config_policy(&v->cli->config, b->source_target) != NULL,
			       clock_unix_s(), a, &v->findings);
	if (ask(v, b->dest_target, b->dest, &target, &there)) {
		examine_target(b, &there, target.side.label, a, &v->findings);
		if (seen)
			examine_both(b, &here, &there, target.side.label, a, &v->findings);
	}
	reach_rest(&target, &source);
}

static const char *const words[] = {[FINDING_FINE] = "ok", [FINDING_NOTE] = "note", [FINDING_WRONG] = "wrong"};

static void show(const char *what, const char *name, const struct findings *list)
{
	(void)printf("%s '%s'\n", what, name);
	for (size_t i = 0; i < list->n; i++) {
		const struct finding *f = &list->v[i];
		(void)printf("  %-6s %s\n", f->verdict == FINDING_WRONG ? "WRONG" : words[f->verdict], f->what);
		if (f->hint != NULL && f->hint[0] != '\0')
			(void)printf("         %s\n", f->hint);
	}
}

static json_t *as_json(const char *what, const char *name, const struct findings *list)
{
	json_t *j = json_object(), *all = json_array();

	for (size_t i = 0; i < list->n; i++) {
		json_t *f = json_object();
		(void)json_object_set_new(f, "verdict", json_string(words[list->v[i].verdict]));
		(void)json_object_set_new(f, "what", json_any(list->v[i].what));
		if (list->v[i].hint != NULL)
			(void)json_object_set_new(f, "hint", json_any(list->v[i].hint));
		(void)json_array_append_new(all, f);
	}
	(void)json_object_set_new(j, what, json_any(name));
	(void)json_object_set_new(j, "findings", all);
	return j;
}

/* True: nothing is wrong. */
static bool tell(const struct visit *v, const char *what, const char *name, json_t *all)
{
	bool good = true;

	for (size_t i = 0; i < v->findings.n; i++)
		good &= v->findings.v[i].verdict != FINDING_WRONG;
	if (v->cli->json)
		(void)json_array_append_new(all, as_json(what, name, &v->findings));
	else
		show(what, name, &v->findings);
	return good;
}

static bool in_a_backup(const struct config *c, const char *target)
{
	for (size_t i = 0; i < c->backups.n; i++) {
		const char *const sides[] = {c->backups.v[i].source_target, c->backups.v[i].dest_target};
		for (size_t k = 0; k < ARRAY_LEN(sides); k++)
			if (sides[k] != NULL && strcmp(sides[k], target) == 0)
				return true;
	}
	return false;
}

int cmd_doctor(int argc, char **argv)
{
	struct cli c;
	int rc =
	    cli_start(&c, argc, argv,
		      "usage: dormouse doctor [BACKUP] [--json] [-c FILE]\n"
		      "Asks whether this host has what its targets need, and both sides of a backup, or of all, "
		      "whether they can do what it asks of them: is OpenZFS there, what may the user do (and which "
		      "zfs allow is missing), do the pools fit together, is the clock right.  Wakes the machines of "
		      "backups; changes nothing.",
		      NULL, 0);

	if (rc >= 0)
		return rc;
	struct backups chosen;
	if (!cli_backups(&c, &chosen))
		return cli_end(&c), EXIT_USAGE;
	AUTO(json) json_t *all = json_array();
	bool good = true;
	for (size_t i = 0; i < c.config.targets.n && c.args.n == 0; i++) {
		const char *name = c.config.targets.v[i].name;
		struct visit v = {.cli = &c};
		if (in_a_backup(&c.config, name))
			continue;
		(void)can_start(&v, name);
		good &= tell(&v, "target", name, all);
	}
	for (size_t i = 0; i < chosen.n; i++) {
		struct visit v = {.cli = &c, .listener = {cli_show_stage}};
		examine(&v, &chosen.v[i]);
		good &= tell(&v, "backup", chosen.v[i].name, all);
	}
	if (c.json)
		cli_print_json(all);
	cli_end(&c);
	return good ? EXIT_DONE : EXIT_PARTLY;
}
