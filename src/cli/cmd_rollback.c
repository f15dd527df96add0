/* generations, rollback: what was applied before, and back to it. */
#include <errno.h>
#include <libgen.h>

#include "base/civil.h"
#include "base/num.h"
#include "cli/applying.h"
#include "conf/conf.h"
#include "engine/generation.h"
#include "sys/clock.h"
#include "sys/fdio.h"

static json_t *as_json(const struct generation *g)
{
	json_t *j = json_object(), *plan = json_array();

	(void)json_object_set_new(j, "number", json_integer(g->number));
	(void)json_object_set_new(j, "at", json_integer(g->at));
	(void)json_object_set_new(j, "done", json_boolean(g->done));
	if (g->back_to != 0)
		(void)json_object_set_new(j, "back_to", json_integer(g->back_to));
	json_put_text(j, "file", g->file);
	json_put_text(j, "copy", g->copy);
	for (size_t i = 0; i < g->plan.n; i++)
		(void)json_array_append_new(plan, json_any(g->plan.v[i]));
	(void)json_object_set_new(j, "plan", plan);
	return j;
}

static void show(const struct generation *g)
{
	char text[CIVIL_TEXT];

	(void)printf("%4lld  %s  %s\n", (long long)g->number, civil_show(g->at, text), g->file);
	if (g->back_to != 0)
		(void)printf("      back to %lld\n", (long long)g->back_to);
	for (size_t i = 0; i < g->plan.n; i++)
		(void)printf("      %s\n", g->plan.v[i]);
	if (!g->done)
		(void)printf("      not finished\n");
}

int cmd_generations(int argc, char **argv)
{
	struct cli c;
	struct generations all;
	struct err e;
	int rc =
	    cli_begin(&c, argc, argv,
		      "usage: dormouse generations [--json]\nWhat was applied and when, oldest first.  The file of "
		      "each is kept: --json says where.  Back to one: dormouse rollback.",
		      NULL, 0);

	if (rc >= 0)
		return cli_end(&c), rc;
	rc = EXIT_DONE;
	if (cli_at_most(&c, 0, &e) < 0 || generations_read(&c.paths, NULL, &c.arena, &all, &e) < 0) {
		rc = cli_fail(&c, &e);
	} else if (c.json) {
		AUTO(json) json_t *list = json_array();
		for (size_t i = 0; i < all.n; i++)
			(void)json_array_append_new(list, as_json(&all.v[i]));
		cli_print_json(list);
	} else {
		for (size_t i = 0; i < all.n; i++)
			show(&all.v[i]);
		if (all.n == 0)
			(void)printf("nothing has been applied yet\n");
	}
	cli_end(&c);
	return rc;
}

/* The one that is named; or the last one of this file that was done and says something else than it does now. */
static const struct generation *choose(struct cli *c, const struct generations *all, struct str now, struct err *e)
{
	const struct generation *last = NULL;
	uint64_t number = 0;

	if (c->args.n == 1 && !num_u64(str_of(c->args.v[0]), &number)) {
		(void)err_set(e, ERR_USAGE, "'%s' is no number", c->args.v[0]);
		(void)err_hint(e, "dormouse generations shows which there are");
		return NULL;
	}
	for (size_t i = 0; i < all->n; i++) {
		const struct generation *g = &all->v[i];
		if (c->args.n == 1 ? g->number == (int64_t)number : g->done && !generation_is(g, now, &c->arena))
			last = g;
	}
	if (last == NULL && c->args.n == 1)
		(void)err_set(e, ERR_USAGE, "there is no generation %s of '%s'", c->args.v[0], works_file(c));
	else if (last == NULL)
		(void)err_set(e, ERR_USAGE, "nothing else than what it is now has ever been applied of '%s'",
			      works_file(c));
	if (last == NULL)
		(void)err_hint(e, "dormouse generations shows what there is; -c FILE says of which file");
	return last;
}

/* One that is gone has no text, and is put back. */
static int read_now(struct cli *c, struct str *now, struct err *e)
{
	if (fd_read_file(c->paths.config, CONF_MAX, &c->arena, now, e) == 0)
		return 0;
	*now = (struct str){"", 0};
	return e->sys == ENOENT ? 0 : -1;
}

/* As what it was, with the files that it names beside the one that it was. */
static bool load(struct cli *c, const struct generation *g)
{
	const char *file = c->paths.config;

	if (setenv("DORMOUSE_CONFIG_FOLDER", dirname(arena_strdup(&c->arena, g->file)), 1) < 0)
		abort();
	c->paths.config = g->copy;
	bool good = cli_config(c);
	c->paths.config = file;
	return good;
}

/* Nothing that somebody wrote is lost by it. */
static int keep(struct cli *c, const struct generations *all, struct str now, struct err *e)
{
	struct generation g = {.at = clock_unix_s(), .file = works_file(c)};

	for (size_t i = 0; i < all->n; i++)
		if (generation_is(&all->v[i], now, &c->arena))
			return 0;
	*vec_add(&g.plan, &c->arena) = "never applied; kept by a rollback";
	return now.n == 0 ? 0 : generation_add(&c->paths, &g, now, &c->arena, e);
}

static int put_back(struct cli *c, const struct generations *all, struct str now, struct err *e)
{
	if (keep(c, all, now, e) < 0)
		return -1;
	if (fd_replace_file(c->paths.config, c->text, 0600, e) == 0)
		return 0;
	return err_hint(e,
			"whoever makes this file must put it back (on NixOS: nixos-rebuild switch --rollback); then: "
			"dormouse apply");
}

static int back(struct cli *c, const struct generations *all, const struct generation *g, struct str now, bool yes,
		bool dry)
{
	struct works works = {0};
	struct err e;
	char text[CIVIL_TEXT];

	if (works_look(c, &works, &(struct work){0}, &e) < 0)
		return cli_fail(c, &e);
	if (!c->json)
		(void)printf("%s as in generation %lld of %s\n  what differs: diff %s %s\n", c->paths.config,
			     (long long)g->number, civil_show(g->at, text), c->paths.config, g->copy);
	works_show(c, &works);
	if (!dry) {
		if (cli_agreed(yes, &e) < 0 || put_back(c, all, now, &e) < 0)
			return cli_fail(c, &e);
		int rc = works_generation(c, &works, g->number);
		if (rc != EXIT_DONE)
			return rc;
	}
	return works_partly(&works) ? EXIT_PARTLY : EXIT_DONE;
}

int cmd_rollback(int argc, char **argv)
{
	struct cli c;
	bool yes = false, dry = false;
	const struct cli_option own[] = {{"--yes", &yes, NULL}, {"--dry-run", &dry, NULL}};
	struct generations all;
	const struct generation *g = NULL;
	struct str now = {"", 0};
	struct err e;
	int rc =
	    cli_begin(&c, argc, argv,
		      "usage: dormouse rollback [N] [--dry-run] [--yes] [--json] [-c FILE]\n"
		      "Puts back the file as it was in generation N, or as it was before what it is now, and applies "
		      "it.  Shows what that does, and asks.  A daemon takes it when it is told to reload.  What it is "
		      "now is kept as a generation as well.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return cli_end(&c), rc;
	if (cli_at_most(&c, 1, &e) < 0 || read_now(&c, &now, &e) < 0 ||
	    generations_read(&c.paths, works_file(&c), &c.arena, &all, &e) < 0 ||
	    (g = choose(&c, &all, now, &e)) == NULL) {
		rc = cli_fail(&c, &e);
	} else {
		c.args.n = 0; /* all targets */
		rc = load(&c, g) ? back(&c, &all, g, now, yes, dry) : EXIT_USAGE;
	}
	cli_end(&c);
	return rc;
}
