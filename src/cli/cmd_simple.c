/* check, metrics, wake, sleep: one question, one answer. */
#include "base/num.h"
#include "cli/advising.h"
#include "engine/measure.h"

int cmd_check(int argc, char **argv)
{
	struct cli c;
	struct err e;
	int rc = cli_begin(
	    &c, argc, argv,
	    "usage: dormouse check [--json] [-c FILE]\nReads the configuration and says all that is wrong with "
	    "it; touches nothing.",
	    NULL, 0);

	if (rc < 0 && cli_at_most(&c, 0, &e) < 0)
		rc = cli_fail(&c, &e);
	if (rc < 0) {
		rc = cli_config(&c) ? EXIT_DONE : EXIT_USAGE;
		if (rc == EXIT_DONE && !c.json)
			(void)printf("%s: %zu target%s, %zu backup%s; nothing wrong with it\n", c.paths.config,
				     c.config.targets.n, c.config.targets.n == 1 ? "" : "s", c.config.backups.n,
				     c.config.backups.n == 1 ? "" : "s");
		AUTO(json) json_t *answer = json_object();
		json_t *notes = rc == EXIT_DONE ? advising_json(&c, NULL) : json_array();
		(void)json_object_set_new(answer, "ok", json_boolean(rc == EXIT_DONE));
		(void)json_object_set_new(answer, "notes", notes);
		if (c.json)
			cli_print_json(answer);
		else
			advising_print(notes);
	}
	cli_end(&c);
	return rc;
}

int cmd_metrics(int argc, char **argv)
{
	AUTO(control) struct control link = CONTROL_INIT;
	AUTO(buf) struct buf text = {0};
	struct cli c;
	struct err e;
	int rc =
	    cli_start(&c, argc, argv,
		      "usage: dormouse metrics [-c FILE]\nThe values that Prometheus takes, as they are now.", NULL, 0);

	if (rc >= 0)
		return rc;
	rc = EXIT_DONE;
	if (cli_at_most(&c, 0, &e) < 0 || measure_write(&c.config, &c.paths, &link, &text, &e) < 0)
		rc = cli_fail(&c, &e);
	else
		(void)fputs(buf_text(&text), stdout);
	cli_end(&c);
	return rc;
}

static void on_stderr(void *ctx, const char *text)
{
	(void)fprintf(stderr, "%s: %s\n", (const char *)ctx, text);
}

/* One target named; NULL and *rc otherwise. */
static const struct target *one_target(struct cli *c, int *rc)
{
	struct err e;
	const struct target *t;

	*rc = EXIT_USAGE;
	if (!cli_config(c))
		return NULL;
	t = c->args.n == 1 ? config_target(&c->config, c->args.v[0]) : NULL;
	if (t != NULL)
		return t;
	if (c->args.n == 1)
		(void)err_set(&e, ERR_USAGE, "there is no target '%s'", c->args.v[0]);
	else
		(void)err_set(&e, ERR_USAGE, "name one target");
	(void)err_hint(&e, "dormouse machines shows which there are");
	*rc = cli_fail(c, &e);
	return NULL;
}

static int on_target(int argc, char **argv, const char *usage, enum control_op op, const char *done)
{
	struct cli c;
	bool force = false;
	const struct cli_option own[] = {{"--force", &force, NULL}};
	struct err e;
	int rc = cli_begin(&c, argc, argv, usage, own, op == CONTROL_SLEEP);

	const struct target *t = rc < 0 ? one_target(&c, &rc) : NULL;
	if (t != NULL) {
		AUTO(control) struct control link = CONTROL_INIT;
		struct control_request r = {.op = op, .target = t->name, .force = force};
		char text[NUM_TEXT];
		rc = EXIT_DONE;
		if (control_call(&c.paths, &link, &r, &c.arena, on_stderr, (void *)(uintptr_t)t->name, NULL, &e) < 0)
			rc = cli_fail(&c, &e);
		else if (c.json)
			(void)printf("{\"target\":\"%s\",\"state\":\"%s\"}\n", t->name,
				     op == CONTROL_SLEEP ? "absent" : "ready");
		else if (op == CONTROL_LEASE)
			(void)printf("%s is on, and stays so for %s (linger) if nobody uses it\n", t->name,
				     num_show_duration(t->linger_ms, text));
		else
			(void)printf("%s is %s\n", t->name, done);
	}
	cli_end(&c);
	return rc;
}

int cmd_wake(int argc, char **argv)
{
	return on_target(
	    argc, argv,
	    "usage: dormouse wake [--json] TARGET\nStarts the machine and waits until it can be used; it goes off "
	    "after its linger time.",
	    CONTROL_LEASE, "on");
}

int cmd_sleep(int argc, char **argv)
{
	return on_target(
	    argc, argv,
	    "usage: dormouse sleep [--force] [--json] TARGET\nEnds the machine and waits until it is gone; --force "
	    "also when it is in use.",
	    CONTROL_SLEEP, "off");
}
