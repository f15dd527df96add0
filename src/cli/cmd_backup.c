/* backup: one whole run, shown to who watches, and recorded. */
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/recording.h"
#include "engine/around.h"
#include "plan/snapshot_plan.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/stop.h"

struct watching {
	struct run_listener listener;
	struct run *run;
	const struct cli *cli;
	struct recording *record;
	bool terminal; /* progress in place; otherwise lines only */
	bool line_open;
	int64_t began_ms;
	uint64_t last_bytes;
	int64_t last_ms;
	double rate;
};

static void clear_line(struct watching *w)
{
	if (w->line_open)
		(void)fputs("\r\033[K", stderr);
	w->line_open = false;
}

static void show_progress(struct watching *w, const struct run_event *ev)
{
	char bytes[NUM_TEXT], total[NUM_TEXT], rate[NUM_TEXT], left[NUM_TEXT];
	int64_t now = clock_mono_ms();

	recording_progress(w->record, ev->bytes, ev->total);
	if (!w->terminal)
		return;
	/* The first is only where it begins. */
	if (w->last_ms > 0 && now > w->last_ms) {
		double now_rate = (double)(ev->bytes - w->last_bytes) * 1000 / (double)(now - w->last_ms);
		w->rate = w->rate > 0 ? 0.7 * w->rate + 0.3 * now_rate : now_rate;
	}
	w->last_ms = now;
	w->last_bytes = ev->bytes;
	clear_line(w);
	(void)fprintf(stderr, "  %s", num_show_bytes(ev->bytes, bytes));
	if (ev->total > 0)
		(void)fprintf(stderr, " of %s", num_show_bytes(ev->total, total));
	(void)fprintf(stderr, "  %s/s", num_show_bytes((uint64_t)w->rate, rate));
	int64_t seconds =
	    ev->total > ev->bytes && w->rate >= 1 ? (int64_t)((double)(ev->total - ev->bytes) / w->rate) : 0;
	if (seconds > 0)
		(void)fprintf(stderr, "  %s left", num_show_duration(seconds * 1000, left));
	(void)fprintf(stderr, "  %.30s", ev->dataset);
	(void)fflush(stderr);
	w->line_open = true;
}

static void on_event(struct run_listener *l, const struct run_event *ev)
{
	struct watching *w = (struct watching *)(void *)l;
	AUTO(arena) struct arena a = {0};
	char line[800];

	if (ev->kind == EVENT_PROGRESS) {
		show_progress(w, ev);
		return;
	}
	const char *text = ev->text;
	if (ev->kind == EVENT_DATASET && ev->err != NULL) {
		err_line(ev->err, line, sizeof(line));
		text = arena_printf(&a, "FAILED %s", line);
	} else if (ev->kind == EVENT_DATASET) {
		text = arena_printf(&a, "%s: %zu snapshot%s arrived", ev->dataset, ev->snapshots,
				    ev->snapshots == 1 ? "" : "s");
	}
	text = arena_printf(&a, "%-8s %s", run_stage_name(ev->stage), text);
	clear_line(w);
	if (!w->cli->json)
		(void)fprintf(stderr, "%s\n", text);
	if (ev->kind == EVENT_DATASET && ev->err != NULL && ev->err->hint[0] != '\0' && !w->cli->json)
		(void)fprintf(stderr, "         hint: %s\n", ev->err->hint);
	recording_line(w->record, text);
}

/* Why the clock is not believed; without a snapshots block, only the archive's pruning asks. */
static const char *doubt_of(const struct run *r)
{
	return r->pass.doubt != NULL ? r->pass.doubt : r->archive.doubt;
}

/* What a copy takes itself, without what lies below it. */
static uint64_t own_size(const struct side_state *s, const struct dataset *d)
{
	size_t n = strlen(d->name), last = s->datasets.n;
	uint64_t size = d->used;

	for (size_t i = (size_t)(d - s->datasets.v) + 1; i < last && strncmp(s->datasets.v[i].name, d->name, n) == 0;
	     i++) {
		const char *rest = s->datasets.v[i].name + n;
		if (rest[0] == '/' && strchr(rest + 1, '/') == NULL && s->datasets.v[i].used <= size)
			size -= s->datasets.v[i].used;
	}
	return size;
}

/* What the look saw of a dataset beside its outcome. */
static void put_seen(json_t *j, const struct run *r, const char *name)
{
	AUTO(arena) struct arena a = {0};
	const struct dataset *source = side_find(&r->seen.source, name),
			     *copy = side_find(&r->seen.target, arena_printf(&a, "%s/%s", r->backup->dest, name));
	const struct point *local = source == NULL ? NULL : dataset_newest(source);

	if (local != NULL) {
		(void)json_object_set_new(j, "local", json_any(local->name));
		(void)json_object_set_new(j, "local_at", json_integer(local->creation));
	}
	if (copy != NULL)
		(void)json_object_set_new(j, "size", json_u64(own_size(&r->seen.target, copy)));
}

static void put_pool(json_t *j, const struct run *r)
{
	struct fact_pool seen;

	if (!run_pool(r, &seen))
		return;
	json_t *pool = json_object();
	(void)json_object_set_new(pool, "pool", json_any(seen.name));
	json_put_text(pool, "on", seen.on);
	/* That of this host's pools is told by who asks, as it is then. */
	json_put_text(pool, "health", seen.on == NULL ? NULL : seen.health);
	(void)json_object_set_new(pool, "used", json_u64(seen.used));
	(void)json_object_set_new(pool, "size", json_u64(seen.size));
	(void)json_object_set_new(j, "pool", pool);
}

static json_t *result_json(const struct run *r, const struct err *whole, int64_t took_ms)
{
	json_t *j = json_object(), *list = json_array();

	(void)json_object_set_new(j, "backup", json_any(r->backup->name));
	(void)json_object_set_new(j, "bytes", json_u64(r->bytes));
	(void)json_object_set_new(j, "compressed", json_boolean(r->compress.zstd));
	if (r->compress.why != NULL)
		(void)json_object_set_new(j, "compressed_why", json_any(r->compress.why));
	(void)json_object_set_new(j, "took_ms", json_integer(took_ms));
	(void)json_object_set_new(j, "snapshots_taken", json_integer((json_int_t)r->passed.taken));
	(void)json_object_set_new(j, "destroyed", json_integer((json_int_t)r->passed.pruned.destroyed));
	(void)json_object_set_new(j, "archive_destroyed", json_integer((json_int_t)r->archive_pruned.destroyed));
	if (doubt_of(r) != NULL)
		(void)json_object_set_new(j, "doubt", json_any(doubt_of(r)));
	for (size_t i = 0; i < r->outcomes.n; i++) {
		const struct outcome *o = &r->outcomes.v[i];
		json_t *d = json_object();
		(void)json_object_set_new(d, "dataset", json_any(o->dataset));
		(void)json_object_set_new(d, "proven", json_boolean(o->proven));
		(void)json_object_set_new(d, "snapshots", json_integer((json_int_t)o->snapshots));
		if (o->newest != NULL) {
			(void)json_object_set_new(d, "newest", json_any(o->newest));
			(void)json_object_set_new(d, "newest_at", json_integer(o->newest_at));
		}
		put_seen(d, r, o->dataset);
		if (!o->proven)
			(void)json_object_set_new(d, "error", json_of_err(&o->err));
		(void)json_array_append_new(list, d);
	}
	(void)json_object_set_new(j, "datasets", list);
	put_pool(j, r);
	if (whole != NULL)
		(void)json_object_set_new(j, "error", json_of_err(whole));
	return j;
}

/* What went wrong beside the datasets themselves. */
static void show_asides(const struct run *r)
{
	char line[800];

	if (doubt_of(r) != NULL)
		(void)fprintf(stderr, "dormouse: %s\nhint: %s\n", doubt_of(r), clock_hint);
	if (r->passed.hook.kind != ERR_NONE) {
		err_line(&r->passed.hook, line, sizeof(line));
		(void)fprintf(stderr, "dormouse: %s\nhint: %s\n", line, r->passed.hook.hint);
	}
	for (size_t i = 0; i < r->passed.pruned.failed.n; i++)
		(void)fprintf(stderr, "dormouse: cannot destroy %s\n", r->passed.pruned.failed.v[i]);
	for (size_t i = 0; i < r->archive_pruned.failed.n; i++)
		(void)fprintf(stderr, "dormouse: cannot destroy %s\n", r->archive_pruned.failed.v[i]);
	for (size_t i = 0; i < r->pass.notes.n; i++)
		(void)fprintf(stderr, "dormouse: %s\n", r->pass.notes.v[i]);
}

/* 0 all proven, 1 some; none: what the whole of it failed with. */
static int verdict(const struct run *r, const struct err *whole)
{
	size_t proven = 0;

	for (size_t i = 0; i < r->outcomes.n; i++)
		proven += r->outcomes.v[i].proven;
	bool clean = doubt_of(r) == NULL && r->passed.hook.kind == ERR_NONE && r->passed.pruned.failed.n == 0 &&
		     r->archive_pruned.failed.n == 0;
	if (whole == NULL && proven == r->outcomes.n)
		return clean ? EXIT_DONE : EXIT_PARTLY;
	return proven > 0 ? EXIT_PARTLY : whole == NULL ? EXIT_FAILED : err_exit_code(whole);
}

static void summary(const struct run *r, int64_t took_ms)
{
	size_t proven = 0;
	char bytes[NUM_TEXT], took[NUM_TEXT], money[TRACE_COST_TEXT];
	const char *cost = trace_cost(&r->tracer->trace, money);

	for (size_t i = 0; i < r->outcomes.n; i++)
		proven += r->outcomes.v[i].proven;
	(void)printf("%zu of %zu datasets are on %s, proven by GUID; %s in %s%s%s\n", proven, r->outcomes.n,
		     r->target.side.label, num_show_bytes(r->bytes, bytes), num_show_duration(took_ms, took),
		     cost == NULL ? "" : "; ", cost == NULL ? "" : cost);
}

/* Has no look at the target seen anything of it?  Only the machine that is started depends on it. */
static bool first_fill(struct cli *c, const struct backup *b)
{
	struct side_state last;
	struct err ignored;

	return cli_recall(c, b, &last, &ignored) == 0 &&
	       side_find(&last, arena_printf(&c->arena, "%s/%s", b->dest, b->source)) == NULL;
}

static int do_run(struct run *r, struct err *e)
{
	enum { LOCK_MS = 10 * 60 * 1000 };
	AUTO(fd) int lock = -1;

	int64_t span = r->backup->before.n == 0 ? 0 : tracer_step(r->tracer, "before");
	if (tracer_result(r->tracer, span, around_before(r, e), e) < 0 || run_sides(r, e) < 0 ||
	    (r->policy != NULL && pass_lock(r->paths, LOCK_MS, &lock, e) < 0))
		return -1;
	if (run_snapshot(r, e) < 0)
		return -1;
	fd_close(&lock);
	if (run_replicate(r, e) < 0)
		return -1;
	return run_prune(r, e);
}

/* A run that nobody knows of is a failure too. */
static int remember(struct cli *c, struct run *r, struct recording *rec, int rc, json_t *result)
{
	struct err e;

	if (recording_close(rec, r, rc, result, &e) == 0)
		return rc;
	int code = cli_fail(c, &e);
	if (rc == EXIT_DONE)
		recording_conclude(rec, r, rc = code, &e);
	recording_tell(rec, rc);
	return rc;
}

/* The user's last word: what it fails with is a failure of the run, too. */
static int finish(struct run *r, int rc, json_t *result, const struct err *whole)
{
	AUTO(buf) struct buf text = {0};
	struct err e;

	json_write(&text, result);
	buf_putc(&text, '\n');
	int64_t span = r->backup->after.n == 0 ? 0 : tracer_step(r->tracer, "after");
	if (tracer_result(r->tracer, span, around_after(r, rc, buf_text(&text), whole, &e), &e) == 0)
		return rc;
	char line[800];
	err_line(&e, line, sizeof(line));
	(void)json_object_set_new(result, "after_error", json_of_err(&e));
	(void)fprintf(stderr, "dormouse: %s\nhint: %s\n", line, e.hint);
	return rc == EXIT_DONE ? EXIT_PARTLY : rc;
}

int cmd_backup(int argc, char **argv)
{
	struct cli c;
	AUTO(recording) struct recording record = {.link = CONTROL_INIT};
	AUTO(fd) int lock = -1;
	struct err e;
	int rc = cli_begin(&c, argc, argv,
			   "usage: dormouse backup [--json] [-c FILE] [NAME]\nOne whole run: snapshots if they are "
			   "due, wakes the target, replicates, proves, lets it sleep, records.",
			   NULL, 0);

	if (rc >= 0)
		return cli_end(&c), rc;
	const struct backup *b = cli_config(&c) ? cli_backup(&c) : NULL;
	if (b == NULL)
		return cli_end(&c), EXIT_USAGE;
	if (cli_only_run(&c, b, &lock, &e) < 0 || recording_open(&record, &c, b, &e) < 0) {
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	struct watching w = {.listener = {on_event},
			     .cli = &c,
			     .record = &record,
			     .terminal = isatty(STDERR_FILENO) && !c.json,
			     .began_ms = clock_mono_ms()};
	struct run r = {.config = &c.config,
			.backup = b,
			.paths = &c.paths,
			.arena = &c.arena,
			.listener = &w.listener,
			.tracer = &record.tracer};
	w.run = &r;
	r.watched = w.terminal;
	r.recall = true;
	r.use = first_fill(&c, b) ? USE_BULK : USE_PLAIN;
	stop_catch();
	stop_at(b->timeout_ms == 0 ? 0 : clock_mono_ms() + b->timeout_ms);
	bool whole = do_run(&r, &e) == 0;
	clear_line(&w);
	run_end(&r);
	int64_t took = clock_mono_ms() - w.began_ms;
	rc = verdict(&r, whole ? NULL : &e);
	AUTO(json) json_t *result = result_json(&r, whole ? NULL : &e, took);
	rc = finish(&r, rc, result, whole ? NULL : &e);
	recording_conclude(&record, &r, rc, whole ? NULL : &e);
	rc = remember(&c, &r, &record, rc, result);
	if (!c.json)
		show_asides(&r);
	if (!whole && !c.json)
		(void)cli_fail(&c, &e);
	if (c.json)
		cli_print_json(result);
	else if (r.outcomes.n > 0)
		summary(&r, took);
	cli_end(&c);
	return rc;
}
