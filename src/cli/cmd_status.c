/* status: what the runs left behind. */
#include "base/civil.h"
#include "base/num.h"
#include "cli/cli.h"
#include "engine/look.h"
#include "plan/schedule_plan.h"
#include "sys/clock.h"

static int64_t number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

/* The sentence for one backup; the exit code that it deserves. */
static int backup_status(struct cli *c, const struct backup *b, struct buf *line, json_t **out, struct err *e)
{
	struct control_request r = {.op = CONTROL_HISTORY, .backup = b->name, .number = 100};
	AUTO(json) json_t *runs = cli_ask(c, &r, e);
	json_t *run, *d, *last = NULL, *current = NULL;
	size_t i, proven = 0, all = 0;
	int64_t oldest = INT64_MAX, now = clock_unix_s();
	char age[NUM_TEXT];

	if (runs == NULL)
		return -1;
	json_array_foreach(runs, i, run)
	{
		if (json_object_get(run, "ended") == NULL)
			current = run;
		else if (last == NULL)
			last = run;
	}
	const json_t *datasets = last == NULL ? NULL : json_object_get(json_object_get(last, "result"), "datasets");
	const char *problem = NULL, *hint = NULL;
	json_array_foreach(datasets, i, d)
	{
		all++;
		if (json_is_true(json_object_get(d, "proven"))) {
			proven++;
			oldest = number(d, "newest_at") < oldest ? number(d, "newest_at") : oldest;
		} else if (problem == NULL) {
			const json_t *x = json_object_get(d, "error");
			problem = arena_printf(&c->arena, "%s: %s", json_text(x, "what", &c->arena),
					       json_text(x, "why", &c->arena));
			hint = json_text(x, "hint", &c->arena);
		}
	}
	const json_t *whole = last == NULL ? NULL : json_object_get(json_object_get(last, "result"), "error");
	if (problem == NULL && whole != NULL) {
		problem = arena_printf(&c->arena, "%s: %s", json_text(whole, "what", &c->arena),
				       json_text(whole, "why", &c->arena));
		hint = json_text(whole, "hint", &c->arena);
	}
	*out = json_object();
	(void)json_object_set_new(*out, "backup", json_any(b->name));
	(void)json_object_set_new(*out, "datasets", json_integer((json_int_t)all));
	(void)json_object_set_new(*out, "proven", json_integer((json_int_t)proven));
	(void)json_object_set_new(*out, "running", json_boolean(current != NULL));
	if (last != NULL)
		(void)json_object_set(*out, "last", last);
	buf_printf(line, "%s: ", b->name);
	int rc = EXIT_DONE;
	if (last == NULL) {
		buf_puts(line, current != NULL ? "the first run is under way; nothing is safe yet"
					       : "never ran, so nothing is safe yet");
		if (current == NULL)
			hint = arena_printf(&c->arena, "dormouse backup %s", b->name);
		rc = EXIT_FAILED;
	} else if (number(last, "exit") == -1) {
		buf_puts(line, "the last run died on the way");
		hint = arena_printf(&c->arena, "dormouse backup %s goes on where it stopped", b->name);
		rc = EXIT_FAILED;
	} else if (all > 0 && proven == all && whole == NULL) {
		buf_printf(line, "all %zu datasets are restorable to %s ago", all,
			   num_show_duration((now - oldest) * 1000, age));
	} else if (all == 0) {
		buf_printf(line, "the last run came to no dataset, so nothing is known to be safe: %s",
			   problem == NULL ? "there is none" : problem);
		rc = EXIT_FAILED;
	} else {
		buf_printf(line, "%zu of %zu datasets are NOT safe: %s", all - proven, all,
			   problem == NULL ? "no run tells why" : problem);
		rc = proven > 0 ? EXIT_PARTLY : EXIT_FAILED;
	}
	if (last != NULL && current != NULL)
		buf_puts(line, "; a run is under way");
	buf_putc(line, '\n');
	if (hint != NULL && hint[0] != '\0')
		buf_printf(line, "hint: %s\n", hint);
	return rc;
}

/* Is the dataset of this host in a backup, or left out of one on purpose? */
static bool covered(const struct config *c, const struct dataset *d)
{
	for (size_t i = 0; i < c->backups.n; i++) {
		const struct backup *b = &c->backups.v[i];
		if ((b->source_target == NULL && dataset_is_under(d->name, b->source)) ||
		    (b->dest_target == NULL && dataset_is_under(d->name, b->dest)))
			return true;
	}
	return d->placeholder || backup_refuses(d);
}

/* Does it hold others, and hardly anything of its own? */
static bool is_container(const struct side_state *host, const struct dataset *d)
{
	for (size_t i = 0; i < host->datasets.n && d->referenced <= 256 * 1024; i++)
		if (&host->datasets.v[i] != d && dataset_is_under(host->datasets.v[i].name, d->name))
			return true;
	return false;
}

/* What nobody backs up; nothing is said where there is no ZFS. */
static void uncovered_line(struct cli *c, struct buf *line, json_t *doc)
{
	struct reach here;
	struct side_state host;
	struct err ignored;
	json_t *list = json_array();
	AUTO(buf) struct buf names = {0};
	size_t n = 0;

	(void)json_object_set_new(doc, "uncovered", list);
	if (reach_init(&here, &c->config, &c->paths, NULL, "status", &c->arena, NULL, &ignored) < 0 ||
	    look_at(&(struct look){.where = &here, .root = "", .only_datasets = true, .to = &host}, 1, &ignored) < 0)
		return;
	for (size_t i = 0; i < host.datasets.n; i++) {
		const struct dataset *d = &host.datasets.v[i];
		if (covered(&c->config, d) || is_container(&host, d))
			continue;
		(void)json_array_append_new(list, json_any(d->name));
		if (n++ < 3)
			buf_printf(&names, "%s%s", n == 1 ? "" : ", ", d->name);
	}
	if (n > 0)
		buf_printf(line, "in no backup: %s%s\n", buf_text(&names), n > 3 ? ", …" : "");
}

/* When the daemon runs it next. */
static void next_line(struct cli *c, struct buf *line, json_t *doc)
{
	int64_t now = clock_unix_s();
	struct zone z = clock_zone(now, &c->arena);
	int64_t first = policies_next(&c->config.policies, &z, now);
	json_t *list = json_array();
	char when[ZONE_TEXT];

	(void)json_object_set_new(doc, "next", list);
	if (first != INT64_MAX)
		buf_printf(line, "next snapshots: %s\n", zone_show(&z, first, when));
	for (size_t i = 0; i < c->config.backups.n; i++) {
		const struct backup *b = &c->config.backups.v[i];
		int64_t at =
		    b->run.kind == SCHEDULE_AFTER_SNAPSHOT ? first : schedule_next(&b->run, b->name, &z, now, now);
		if (at == INT64_MAX)
			continue;
		json_t *one = json_object();
		(void)json_object_set_new(one, "backup", json_any(b->name));
		(void)json_object_set_new(one, "at", json_integer(at));
		(void)json_array_append_new(list, one);
		buf_printf(line, "next %s: %s (%s)\n", b->name, zone_show(&z, at, when), b->run.text);
	}
}

static void machines_line(struct cli *c, struct buf *line, json_t *doc)
{
	struct control_request r = {.op = CONTROL_MACHINES};
	struct err ignored;
	AUTO(json) json_t *list = cli_ask(c, &r, &ignored);
	json_t *m;
	size_t i;

	for (size_t t = 0; t < c->config.targets.n; t++) {
		const char *state = "absent";
		json_array_foreach(list, i,
				   m) if (strcmp(json_text(m, "target", &c->arena), c->config.targets.v[t].name) == 0)
		    state = json_text(m, "state", &c->arena);
		buf_printf(line, "%s%s %s", t == 0 ? "" : ", ", c->config.targets.v[t].name,
			   strcmp(state, "absent") == 0	 ? "is off"
			   : strcmp(state, "ready") == 0 ? "is on"
							 : state);
	}
	if (c->config.targets.n > 0)
		buf_putc(line, '\n');
	if (list != NULL)
		(void)json_object_set(doc, "machines", list);
}

int cmd_status(int argc, char **argv)
{
	struct cli c;
	struct err e;
	AUTO(buf) struct buf text = {0};
	AUTO(json) json_t *doc = json_object();
	json_t *list = json_array();
	int rc = cli_start(
	    &c, argc, argv,
	    "usage: dormouse status [--json] [-c FILE]\nSays whether everything is safe; exits 0 only if it is.", NULL,
	    0);

	(void)json_object_set_new(doc, "backups", list);
	if (rc >= 0)
		return rc;
	if (cli_at_most(&c, 0, &e) < 0) {
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	rc = EXIT_DONE;
	for (size_t i = 0; i < c.config.backups.n; i++) {
		json_t *one = NULL;
		int code = backup_status(&c, &c.config.backups.v[i], &text, &one, &e);
		if (code < 0) {
			rc = cli_fail(&c, &e);
			return cli_end(&c), rc;
		}
		(void)json_array_append_new(list, one);
		rc = code > rc ? code : rc;
	}
	if (c.config.backups.n == 0)
		buf_puts(&text, "the file has no backup: nothing is safe\nhint: add a backup block\n");
	machines_line(&c, &text, doc);
	next_line(&c, &text, doc);
	uncovered_line(&c, &text, doc);
	if (c.json) {
		buf_clear(&text);
		json_write(&text, doc);
		buf_putc(&text, '\n');
	}
	(void)fputs(buf_text(&text), stdout);
	cli_end(&c);
	return c.config.backups.n == 0 ? EXIT_FAILED : rc;
}
