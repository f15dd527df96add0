/* snapshot, prune, explain: automatic snapshots without a backup. */
#include "base/num.h"
#include "cli/cli.h"
#include "engine/pass.h"
#include "engine/run.h"
#include "plan/archive_plan.h"
#include "plan/explain.h"
#include "plan/retain_plan.h"
#include "plan/snapshot_plan.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/plan_json.h"

struct doing {
	struct cli c;
	struct run_listener listener;
	struct zone zone;
	int64_t now;
	bool take, prune, dry, trust;
	json_t *results; /* --json */
	int rc;
};

static void on_stderr(struct run_listener *l, const struct run_event *ev)
{
	(void)l;
	if (ev->text != NULL)
		(void)fprintf(stderr, "%s: %s\n", run_stage_name(ev->stage), ev->text);
}

/* The worse of two exit codes: partly done is less than failed. */
static void blame(struct doing *d, int rc)
{
	if (rc > d->rc)
		d->rc = rc;
}

static void failed(struct doing *d, const struct err *e)
{
	int rc = cli_fail(&d->c, e);
	blame(d, rc);
}

static void show_pruned(struct doing *d, const char *where, const struct pruned *p)
{
	char bytes[NUM_TEXT];

	for (size_t i = 0; i < p->failed.n; i++)
		(void)fprintf(stderr, "dormouse: cannot destroy %s\n", p->failed.v[i]);
	if (p->failed.n > 0)
		blame(d, EXIT_PARTLY);
	if (p->destroyed == 0 || d->c.json)
		return;
	(void)printf("%s: %zu snapshot%s %s", where, p->destroyed, p->destroyed == 1 ? "" : "s",
		     d->dry ? "would go, " : "destroyed\n");
	if (d->dry)
		(void)printf("%s\n", num_show_bytes(p->reclaimed, bytes));
}

static void record(struct doing *d, const char *where, const struct pass *pass, const struct pruned *pruned,
		   size_t taken)
{
	if (!d->c.json)
		return;
	json_t *j = pass_json(pass);
	(void)json_object_set_new(j, "host", json_any(where));
	(void)json_object_set_new(j, "taken", json_integer((json_int_t)taken));
	(void)json_object_set_new(j, "destroyed", json_integer((json_int_t)pruned->destroyed));
	if (d->dry)
		(void)json_object_set_new(j, "reclaimed", json_u64(pruned->reclaimed));
	json_t *list = json_array();
	for (size_t i = 0; i < pruned->failed.n; i++)
		(void)json_array_append_new(list, json_any(pruned->failed.v[i]));
	(void)json_object_set_new(j, "failed", list);
	(void)json_array_append_new(d->results, j);
}

static struct pass_wish wish(const struct doing *d, const struct snapshot_policy *p)
{
	return (struct pass_wish){
	    .policy = p, .zone = &d->zone, .now = d->now, .take = d->take, .trust_clock = d->trust};
}

static void doubtful(const char *where, const char *doubt, struct err *e)
{
	(void)err_set(e, ERR_CONFLICT, "%s: %s", where, doubt);
	(void)err_hint(e, "%s", clock_hint);
}

static void tell(struct doing *d, const char *where, const struct pass *pass, const struct passed *done)
{
	for (size_t i = 0; i < pass->notes.n; i++)
		(void)fprintf(stderr, "dormouse: %s: %s\n", where, pass->notes.v[i]);
	if (pass->doubt != NULL) {
		struct err e;
		doubtful(where, pass->doubt, &e);
		failed(d, &e);
	}
	if (done->hook.kind != ERR_NONE) {
		failed(d, &done->hook);
		d->rc = EXIT_PARTLY;
	}
	for (size_t i = 0; i < done->taken && !d->c.json; i++)
		(void)printf("%s: @%s of %zu dataset%s\n", where, pass->snaps.v[i].name, pass->snaps.v[i].datasets.n,
			     pass->snaps.v[i].datasets.n == 1 ? "" : "s");
}

static void one_host(struct doing *d, const struct snapshot_policy *p)
{
	AUTO(fd) int lock = -1;
	const struct pass_wish w = wish(d, p);
	struct reach r = {.link = CONTROL_INIT};
	struct side_state seen;
	struct look host = {.where = &r, .root = "", .recall = true, .to = &seen};
	struct pass pass = {0};
	struct passed done = {0};
	struct err e;
	int rc = pass_lock(&d->c.paths, 0, &lock, &e);

	if (rc == 0)
		rc = reach_init(&r, &d->c.config, &d->c.paths, p->on, "snapshots", &d->c.arena, &d->listener, &e);
	if (rc == 0)
		rc = pass_decide(&host, &w, &pass, &e);
	if (rc == 0 && !d->prune)
		pass.prunes.n = 0;
	if (rc == 0 && d->dry) {
		AUTO(buf) struct buf b = {0};
		pass_explain(&pass, &b);
		if (!d->c.json)
			(void)fputs(buf_text(&b), stdout);
		if (d->prune)
			rc = pass_prune_dry(&r, &pass.verdicts, &done.pruned, &e);
	} else if (rc == 0) {
		rc = pass_do(&host, &w, &pass, &done, &e);
	}
	if (rc < 0)
		failed(d, &e);
	else
		tell(d, r.side.label, &pass, &done);
	if (rc == 0) {
		show_pruned(d, r.side.label, &done.pruned);
		record(d, r.side.label, &pass, &done.pruned, done.taken);
	}
	reach_rest(&r, NULL);
}

/* The archive of a backup. */
static void one_archive(struct doing *d, const struct backup *b)
{
	struct run r = {
	    .config = &d->c.config, .backup = b, .paths = &d->c.paths, .arena = &d->c.arena, .listener = &d->listener};
	struct err e;
	struct pass none = {0};

	if (!b->keep.set) {
		(void)err_set(&e, ERR_USAGE, "backup '%s' has no keep block: its archive keeps everything", b->name);
		failed(d, &e);
		return;
	}
	int rc = run_sides(&r, &e);
	if (rc == 0)
		rc = run_look(&r, &e);
	if (d->trust)
		r.seen.last_seen = CLOCK_TRUSTED;
	if (rc == 0)
		rc = d->dry ? run_prune_dry(&r, &e) : run_prune(&r, &e);
	if (rc < 0) {
		failed(d, &e);
	} else if (r.archive.doubt != NULL) {
		doubtful(r.target.side.label, r.archive.doubt, &e);
		failed(d, &e);
	} else {
		show_pruned(d, r.target.side.label, &r.archive_pruned);
		record(d, r.target.side.label, &none, &r.archive_pruned, 0);
	}
	run_end(&r);
}

static void all_hosts(struct doing *d)
{
	/* Of what a wrong clock has written, this is all that is left where nothing is pruned. */
	if (d->trust && !d->dry) {
		pass_seen(&d->c.paths, clock_unix_s());
	} else if (d->c.config.policies.n == 0) {
		struct err e;
		(void)err_set(&e, ERR_CONFIG, "the file has no snapshots block, so there is nothing to do");
		(void)err_hint(&e, "add one: snapshots { hourly = 24 … }; see dormouse(1)");
		failed(d, &e);
	}
	for (size_t i = 0; i < d->c.config.policies.n; i++)
		one_host(d, &d->c.config.policies.v[i]);
}

static int finish(struct doing *d)
{
	if (d->c.json)
		cli_print_json(d->results);
	json_decref(d->results);
	cli_end(&d->c);
	return d->rc;
}

static bool begin(struct doing *d)
{
	d->listener.tell = on_stderr;
	d->now = clock_unix_s();
	d->results = json_array();
	if (!cli_config(&d->c)) {
		d->rc = EXIT_USAGE;
		return false;
	}
	d->zone = clock_zone(d->now, &d->c.arena);
	return true;
}

int cmd_snapshot(int argc, char **argv)
{
	struct doing d = {.take = true};
	bool no_prune = false;
	struct err e;
	const struct cli_option own[] = {
	    {"--dry-run", &d.dry, NULL}, {"--no-prune", &no_prune, NULL}, {"--trust-clock", &d.trust, NULL}};
	int rc = cli_begin(&d.c, argc, argv,
			   "usage: dormouse snapshot [--dry-run] [--no-prune] [--trust-clock] [--json]\nTakes the "
			   "snapshots that are due, "
			   "and destroys what no label keeps any more.",
			   own, ARRAY_LEN(own));

	if (rc < 0 && cli_at_most(&d.c, 0, &e) < 0)
		rc = cli_fail(&d.c, &e);
	if (rc >= 0)
		return cli_end(&d.c), rc;
	d.prune = !no_prune;
	if (begin(&d))
		all_hosts(&d);
	return finish(&d);
}

int cmd_prune(int argc, char **argv)
{
	struct doing d = {.prune = true};
	const struct cli_option own[] = {{"--dry-run", &d.dry, NULL}, {"--trust-clock", &d.trust, NULL}};
	int rc = cli_begin(&d.c, argc, argv,
			   "usage: dormouse prune [--dry-run] [--trust-clock] [--json] [BACKUP]\n"
			   "Destroys the snapshots that no label keeps any more; with BACKUP, those that its archive "
			   "keeps\nno longer.  --dry-run says what would go, and "
			   "how much room that makes.",
			   own, ARRAY_LEN(own));

	if (rc >= 0)
		return cli_end(&d.c), rc;
	if (!begin(&d))
		return finish(&d);
	const struct backup *b = d.c.args.n > 0 ? cli_backup(&d.c) : NULL;
	if (b != NULL)
		one_archive(&d, b);
	else if (d.c.args.n > 0)
		d.rc = EXIT_USAGE;
	else
		all_hosts(&d);
	return finish(&d);
}

/* --- explain -------------------------------------------------------------------------------------- */

static bool explain_in(struct doing *d, const struct verdicts *v, const char *dataset, const char *snapshot)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct verdict *one = &v->v[i];
		char when[ZONE_TEXT], until[ZONE_TEXT];
		if (strcmp(one->dataset->name, dataset) != 0 || strcmp(one->point->name, snapshot) != 0)
			continue;
		int64_t end = verdict_until(one, &d->zone, d->now);
		const char *text = verdict_text(one, &d->c.arena);
		(void)printf("%s@%s, of %s\n%s, because %s.\n", dataset, snapshot,
			     zone_show(&d->zone, one->point->creation, when),
			     one->why == DROP ? "It goes with the next pass" : "It is kept", text);
		if (one->why != DROP && end != INT64_MAX)
			(void)printf("As things are it goes on %s.\n", zone_show(&d->zone, end, until));
		return true;
	}
	return false;
}

static int explain_host(struct doing *d, const char *on, const char *dataset, const char *snapshot, struct err *e)
{
	const struct snapshot_policy *p = config_policy(&d->c.config, on);
	struct reach r = {.link = CONTROL_INIT};
	struct side_state seen;
	struct look host = {.where = &r, .root = "", .recall = true, .to = &seen};
	struct pass pass = {0};

	if (p == NULL)
		return 0;
	const struct pass_wish w = wish(d, p);
	int rc = reach_init(&r, &d->c.config, &d->c.paths, on, "explain", &d->c.arena, &d->listener, e);
	if (rc == 0)
		rc = pass_decide(&host, &w, &pass, e);
	reach_rest(&r, NULL);
	if (rc == 0 && pass.doubt != NULL) {
		doubtful(r.side.label, pass.doubt, e);
		return -1;
	}
	return rc < 0 ? -1 : explain_in(d, &pass.verdicts, dataset, snapshot);
}

/* A copy, by the backup whose destination it lies in. */
static int explain_copy(struct doing *d, const char *on, const char *dataset, const char *snapshot, struct err *e)
{
	for (size_t i = 0; i < d->c.config.backups.n; i++) {
		const struct backup *b = &d->c.config.backups.v[i];
		bool here =
		    b->dest_target == on || (on != NULL && b->dest_target != NULL && strcmp(on, b->dest_target) == 0);
		const char *source = dataset + strlen(b->dest) + 1;
		if (!here || strlen(dataset) <= strlen(b->dest) || !dataset_is_under(dataset, b->dest) ||
		    !dataset_is_under(source, b->source))
			continue;
		struct run r = {.config = &d->c.config,
				.backup = b,
				.paths = &d->c.paths,
				.arena = &d->c.arena,
				.listener = &d->listener};
		struct archive archive;
		int rc = run_sides(&r, e);
		if (rc == 0)
			rc = run_look(&r, e);
		run_end(&r);
		if (rc < 0)
			return -1;
		if (!b->keep.set) {
			(void)printf(
			    "%s@%s is kept, because backup '%s' has no keep block: its archive keeps everything.\n",
			    dataset, snapshot, b->name);
			return 1;
		}
		archive_plan(b, r.policy, &r.seen.source, &r.seen.target, &d->zone, d->now, NULL, &d->c.arena,
			     &archive);
		return explain_in(d, &archive.verdicts, dataset, snapshot);
	}
	return 0;
}

int cmd_explain(int argc, char **argv)
{
	struct doing d = {.dry = true};
	struct err e;
	int rc = cli_begin(
	    &d.c, argc, argv,
	    "usage: dormouse explain [TARGET:]DATASET@SNAPSHOT\nSays why a snapshot is kept, or goes, and when.  "
	    "With a TARGET that sleeps: wakes it.",
	    NULL, 0);

	if (rc >= 0)
		return cli_end(&d.c), rc;
	if (!begin(&d))
		return finish(&d);
	struct str place = str_of(d.c.args.n == 1 ? d.c.args.v[0] : ""), snapshot = place;
	struct str dataset = str_cut(&snapshot, '@');
	size_t colon = 0;
	while (colon < dataset.n && dataset.p[colon] != ':' && dataset.p[colon] != '/')
		colon++;
	const char *on = NULL;
	if (colon < dataset.n && dataset.p[colon] == ':') {
		on = arena_strndup(&d.c.arena, dataset.p, colon);
		dataset = (struct str){dataset.p + colon + 1, dataset.n - colon - 1};
	}
	const char *name = str_dup(&d.c.arena, dataset), *snap = str_dup(&d.c.arena, snapshot);
	if (dataset.n == 0 || snapshot.n == 0) {
		(void)err_set(&e, ERR_USAGE, "name one snapshot");
		(void)err_hint(&e, "DATASET@SNAPSHOT, or TARGET:DATASET@SNAPSHOT of a target's pool");
		failed(&d, &e);
		return finish(&d);
	}
	if (on != NULL && config_target(&d.c.config, on) == NULL) {
		(void)err_set(&e, ERR_USAGE, "there is no target '%s'", on);
		(void)err_hint(&e, "dormouse machines shows which there are");
		failed(&d, &e);
		return finish(&d);
	}
	int found = explain_copy(&d, on, name, snap, &e);
	if (found == 0)
		found = explain_host(&d, on, name, snap, &e);
	if (found == 0) {
		(void)err_set(&e, ERR_MISSING, "no snapshot '%s@%s' is there that the file is about", name, snap);
		(void)err_hint(&e, "zfs list -t snapshot shows which there are");
	}
	if (found <= 0)
		failed(&d, &e);
	return finish(&d);
}
