#include "cli/recording.h"

#include <unistd.h>

#include "base/civil.h"
#include "engine/bill.h"
#include "engine/deliver.h"
#include "model/run.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/token.h"
#include "wire/redact.h"
#include "wire/trace_json.h"

enum { TRIES = 3, QUICK = 20, BATCH = 200 };

static bool is_told(const struct sink *s, const struct backup *b)
{
	bool all = s->backups.n == 0;

	for (size_t i = 0; i < s->backups.n; i++)
		all |= strcmp(s->backups.v[i], b->name) == 0;
	return all;
}

/* Who is told of this backup, as a JSON list. */
static const char *sinks_of(const struct config *c, const struct backup *b, struct arena *a)
{
	AUTO(buf) struct buf text = {0};
	AUTO(json) json_t *list = json_array();

	for (size_t i = 0; i < c->sinks.n; i++) {
		const struct sink *s = &c->sinks.v[i];
		if (is_told(s, b))
			(void)json_array_append_new(list, json_any(s->name));
	}
	json_write(&text, list);
	return arena_strdup(a, buf_text(&text));
}

/* Their own, so that what is shown of them can differ from what they are. */
static struct trace_spans copy(const struct trace_spans *spans, struct arena *a)
{
	struct trace_spans out = {0};

	for (size_t i = 0; i < spans->n; i++) {
		struct trace_span s = spans->v[i];
		s.attrs = (struct trace_attrs){0};
		for (size_t k = 0; k < spans->v[i].attrs.n; k++)
			*vec_add(&s.attrs, a) = spans->v[i].attrs.v[k];
		*vec_add(&out, a) = s;
	}
	return out;
}

static void send_story(struct tracer *t, const struct trace_spans *changed)
{
	struct recording *r = (struct recording *)(void *)t;
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct err ignored;

	/* Nobody listens: the spans go to the next keeper, all of them, at the end. */
	if (control_lost(&r->link) || (changed->n == 0 && json_array_size(r->lines) == 0))
		return;
	struct trace_spans shown = copy(changed, &a);
	redact_spans(&shown, &r->secrets, &a);
	AUTO(json) json_t *j = json_object();
	(void)json_object_set(j, "lines", r->lines);
	(void)json_object_set_new(j, "spans", trace_spans_json(&shown));
	json_write(&b, j);
	struct control_request q = {.op = CONTROL_RUN_STORY, .json = buf_text(&b)};
	(void)!control_send(&r->link, &q, &ignored);
	(void)json_array_clear(r->lines);
}

/* The keeper may have died and come back: then the run goes on there, by its trace. */
static int begin(struct recording *r, struct err *e)
{
	struct arena *a = &r->cli->arena;
	struct control_request q = {.op = CONTROL_RUN_BEGIN,
				    .backup = r->backup->name,
				    .token = r->trace,
				    .json = sinks_of(&r->cli->config, r->backup, a)};
	AUTO(json) json_t *j = control_json(&r->cli->paths, &r->link, &q, a, e);

	if (j == NULL)
		return -1;
	r->trace = json_text(j, "trace", a);
	r->tracer.trace.id = r->trace == NULL ? "" : r->trace;
	return 0;
}

/* Who has started it. */
static const char *trigger(void)
{
	const char *own = getenv("DORMOUSE_TRIGGER");

	return own != NULL ? own : getenv("INVOCATION_ID") != NULL ? "systemd" : "manual";
}

int recording_open(struct recording *r, struct cli *c, const struct backup *b, struct err *e)
{
	char hash[20], token[TOKEN_TEXT];

	*r = (struct recording){.cli = c, .backup = b, .link = CONTROL_INIT, .lines = json_array()};
	r->tracer = (struct tracer){.arena = &c->arena, .send = send_story};
	config_secrets(&c->config, provider_kinds(), PROVIDERS, &c->arena, &r->secrets);
	if (begin(r, e) < 0) {
		if (e->kind != ERR_SYSTEM)
			return -1;
		/* That nothing can be recorded, a full disk say, keeps no backup from being made; the end says so. */
		control_close(&r->link);
		r->tracer.trace.id = r->trace = arena_strdup(&c->arena, token_new(token));
	}
	struct tracer *t = &r->tracer;
	(void)snprintf(hash, sizeof(hash), "%016llx",
		       (unsigned long long)str_hash(str_dup(&c->arena, c->text), STR_HASH_INIT));
	r->root = tracer_step(t, "backup.run");
	tracer_text(t, r->root, "backup", b->name);
	tracer_text(t, r->root, "tool.version", DORMOUSE_VERSION);
	tracer_text(t, r->root, "trigger", trigger());
	tracer_text(t, r->root, "config_hash", arena_strdup(&c->arena, hash));
	tracer_text(t, r->root, "source", b->source);
	tracer_text(t, r->root, "destination", b->dest);
	tracer_flush(t);
	return 0;
}

void recording_progress(struct recording *r, uint64_t bytes, uint64_t total)
{
	enum { OFTEN_MS = 1000 };
	char text[120];
	struct control_request q = {.op = CONTROL_RUN_PROGRESS, .json = text};
	int64_t now = clock_mono_ms();
	struct err ignored;

	if (now - r->told_ms < OFTEN_MS || control_lost(&r->link))
		return;
	r->told_ms = now;
	(void)snprintf(text, sizeof(text), "{\"bytes\":\"%llu\",\"total\":\"%llu\"}", (unsigned long long)bytes,
		       (unsigned long long)total);
	(void)!control_send(&r->link, &q, &ignored);
}

void recording_line(struct recording *r, const char *text)
{
	AUTO(arena) struct arena a = {0};
	int64_t now = clock_mono_ms();
	json_t *line = json_array();

	(void)json_array_append_new(line, json_integer(clock_unix_s()));
	(void)json_array_append_new(line, json_any(redact(text, &r->secrets, &a)));
	(void)json_array_append_new(r->lines, line);
	if (now - r->second_ms >= 1000) {
		r->second_ms = now;
		r->quick = 0;
	}
	/* Each is on disk at the keeper before the next; of a thousand datasets many come along at a time. */
	if (r->quick++ < QUICK || json_array_size(r->lines) >= BATCH)
		tracer_flush(&r->tracer);
}

/* The error that says most, and where it happened: the step that failed last. */
static void conclude_error(struct recording *r, const struct run *run, const struct err *whole)
{
	struct tracer *t = &r->tracer;
	const struct err *e = whole;

	for (size_t i = 0; i < run->outcomes.n && e == NULL; i++)
		if (!run->outcomes.v[i].proven)
			e = &run->outcomes.v[i].err;
	if (e == NULL && run->passed.hook.kind != ERR_NONE)
		e = &run->passed.hook;
	tracer_err(t, r->root, e);
	/* A clock that is not believed: nothing was taken or destroyed. */
	tracer_text(t, r->root, "doubt", run->pass.doubt != NULL ? run->pass.doubt : run->archive.doubt);
	for (size_t i = t->trace.spans.n; i > 1 && e != NULL; i--) {
		const struct trace_span *s = &t->trace.spans.v[i - 1];
		if (s->outcome != TRACE_FAILED && s->outcome != TRACE_TIMEOUT)
			continue;
		tracer_text(t, r->root, "error.stage", s->name);
		break;
	}
}

static void conclude_machine(struct recording *r, const struct run *run)
{
	struct tracer *t = &r->tracer;
	int64_t on_ms = 0, off_ms = 0;
	bool stopped = false;

	for (size_t i = 0; i < t->trace.spans.n; i++) {
		const struct trace_span *s = &t->trace.spans.v[i];
		if (strcmp(s->name, "machine.start") == 0 && on_ms == 0)
			on_ms = s->began_ms;
		const struct trace_attr *gone = trace_attr(s, "machine.stopped");
		if (gone != NULL) {
			stopped = gone->yes;
			off_ms = s->ended_ms;
		}
	}
	if (on_ms == 0)
		return;
	const struct target *target = run->target.target != NULL ? run->target.target : run->source.target;
	tracer_text(t, r->root, "machine.target", target == NULL ? NULL : target->name);
	tracer_text(t, r->root, "machine.kind", target == NULL ? NULL : target->kind);
	tracer_bool(t, r->root, "machine.stopped", stopped);
	tracer_int(t, r->root, "machine.start_ms", tracer_took(t, "machine.start"));
	tracer_int(t, r->root, "machine.stop_ms", tracer_took(t, "machine.stop"));
	tracer_int(t, r->root, "machine.seconds", ((off_ms > 0 ? off_ms : clock_unix_ms()) - on_ms) / 1000);
}

/* What one of its machines has cost: from its start by this run to its end, or to the run's, as if nobody else had used
 * it. */
static bool add_use(const struct recording *r, const struct reach *where, struct bill *sum)
{
	const struct trace_spans *spans = &r->tracer.trace.spans;
	struct cost_use use = {.until = clock_unix_s(), .bulk = where->use == USE_BULK};
	const struct target_kind *kind = where->target == NULL ? NULL : &provider_find(where->target->kind)->kind;
	struct bill b;

	for (size_t i = 0; i < spans->n; i++) {
		const struct trace_span *s = &spans->v[i];
		const struct trace_attr *of = trace_attr(s, "machine.target");
		if (where->target == NULL || of == NULL || strcmp(of->text, where->target->name) != 0)
			continue;
		if (use.from == 0 && strcmp(s->name, "machine.start") == 0 && s->outcome == TRACE_SUCCESS)
			use.from = s->began_ms / 1000;
		if (strcmp(s->name, "machine.stop") == 0)
			use.until = (s->ended_ms + 999) / 1000;
	}
	if (use.from == 0 || kind->cost == NULL)
		return false;
	bill_use(where->target, kind, use, r->tracer.arena, &b);
	b.unknown |= sum->list != NULL && (sum->unknown || sum->list != b.list);
	b.micros += sum->micros;
	*sum = b;
	return true;
}

static void conclude_cost(struct recording *r, const struct run *run)
{
	struct tracer *t = &r->tracer;
	struct bill sum = {0};

	bool any = add_use(r, &run->source, &sum);
	any |= add_use(r, &run->target, &sum);
	if (!any || sum.unknown)
		return;
	tracer_real(t, r->root, "cost.run", (double)sum.micros / 1e6);
	tracer_text(t, r->root, "cost.currency", sum.list->currency);
	tracer_text(t, r->root, "cost.prices", arena_printf(t->arena, "%s, %s", sum.list->date, sum.list->place));
}

/* How the place is that the copies are in, as the last look saw it. */
static void conclude_pool(struct recording *r, const struct run *run)
{
	struct fact_pool pool;

	if (!run_pool(run, &pool))
		return;
	tracer_text(&r->tracer, r->root, "pool.name", pool.name);
	tracer_text(&r->tracer, r->root, "pool.health", pool.health);
	tracer_int(&r->tracer, r->root, "pool.used_bytes", (int64_t)pool.used);
	tracer_int(&r->tracer, r->root, "pool.size_bytes", (int64_t)pool.size);
	tracer_int(&r->tracer, r->root, "pool.capacity_pct", (int64_t)((double)pool.used * 100 / (double)pool.size));
}

void recording_conclude(struct recording *r, const struct run *run, int rc, const struct err *whole)
{
	struct tracer *t = &r->tracer;
	int64_t now = clock_unix_s(), oldest = INT64_MAX, began = t->trace.spans.v[0].began_ms;
	int64_t proven = 0, snapshots = 0, firsts = 0, resumed = 0, retried = 0;
	const char *newest = NULL;

	for (size_t i = 0; i < run->outcomes.n; i++) {
		const struct outcome *o = &run->outcomes.v[i];
		proven += o->proven;
		snapshots += (int64_t)o->snapshots;
		if (o->newest == NULL || o->newest_at >= oldest)
			continue;
		oldest = o->newest_at;
		newest = o->newest;
	}
	for (size_t i = 0; i < t->trace.spans.n; i++) {
		const struct trace_span *s = &t->trace.spans.v[i];
		const struct trace_attr *first = trace_attr(s, "first"), *again = trace_attr(s, "resumed");
		firsts += first != NULL && first->yes;
		resumed += again != NULL && again->yes;
		retried += strcmp(s->name, "replicate") == 0;
	}
	int64_t took = clock_unix_ms() - began, send = tracer_took(t, "replicate");
	bool late = whole != NULL && (whole->kind == ERR_TIMEOUT || whole->kind == ERR_CANCELLED);
	enum trace_outcome outcome = late ? TRACE_TIMEOUT : rc == EXIT_BUSY ? TRACE_SKIPPED : trace_outcome_of_exit(rc);
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
	    {"exit_status", rc},
	    {"duration_ms", took},
	    {"look_ms", tracer_took(t, "look")},
	    {"send_ms", send},
	    {"datasets_total", (int64_t)run->outcomes.n},
	    {"datasets_ok", proven},
	    {"datasets_failed", (int64_t)run->outcomes.n - proven},
	    {"snaps_taken", (int64_t)run->passed.taken},
	    {"snaps_sent", snapshots},
	    {"snaps_destroyed_source", (int64_t)run->passed.pruned.destroyed},
	    {"snaps_destroyed_target", (int64_t)run->archive_pruned.destroyed},
	    {"bytes_sent", (int64_t)run->bytes},
	    {"bytes_estimated", (int64_t)run->total},
	    {"throughput_bps", send > 0 ? (int64_t)((double)run->bytes * 1000 / (double)send) : 0},
	    {"full_send_count", firsts},
	    {"retries", retried > 1 ? retried - 1 : 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		tracer_int(t, r->root, numbers[i].name, numbers[i].value);
	if (newest != NULL) {
		tracer_int(t, r->root, "rpo_lag_s", now > oldest ? now - oldest : 0);
		tracer_text(t, r->root, "newest_dst_snap", newest);
	}
	tracer_bool(t, r->root, "resumed", resumed > 0);
	tracer_bool(t, r->root, "compressed", run->compress.zstd);
	tracer_bool(t, r->root, "error", outcome != TRACE_SUCCESS);
	/* As systemd tells them (systemd.exec(5)). */
	tracer_text(t, r->root, "serviceResult", rc == EXIT_DONE ? "success" : late ? "timeout" : "exit-code");
	tracer_text(t, r->root, "exitCode", "exited");
	tracer_text(t, r->root, "exitStatus", arena_printf(t->arena, "%d", rc));
	conclude_error(r, run, whole);
	conclude_machine(r, run);
	conclude_cost(r, run);
	conclude_pool(r, run);
	tracer_end(t, r->root, outcome);
}

static int hand_over(struct recording *r, const struct run *run, int rc, const char *result, struct err *e)
{
	struct arena *a = &r->cli->arena;
	AUTO(buf) struct buf seen = {0};

	if (control_lost(&r->link)) {
		control_close(&r->link);
		if (begin(r, e) < 0)
			return -1;
		for (size_t i = 0; i < r->tracer.changed.n; i++)
			r->tracer.changed.v[i] = true;
	}
	tracer_flush(&r->tracer);
	if (run->seen.target.seen) {
		AUTO(json) json_t *side = side_json(&run->seen.target);
		json_write(&seen, side);
		struct control_request look = {
		    .op = CONTROL_RECORD, .backup = r->backup->name, .json = buf_text(&seen)};
		if (control_ask(&r->link, &look, a, NULL, e) < 0)
			return -1;
	}
	struct control_request end = {.op = CONTROL_RUN_END, .number = rc, .json = result};
	return control_ask(&r->link, &end, a, NULL, e);
}

int recording_close(struct recording *r, const struct run *run, int rc, json_t *result, struct err *e)
{
	AUTO(buf) struct buf text = {0};

	redact_json(result, &r->secrets);
	json_write(&text, result);
	for (int tries = 0; tries < TRIES; tries++) {
		if (hand_over(r, run, rc, buf_text(&text), e) == 0)
			return 0;
		if (r->link.fd >= 0)
			break;
	}
	return err_wrap(e, "cannot record the run");
}

/* --- what could not be recorded -------------------------------------------------------------------- */

static const char *log_of(const struct recording *r)
{
	AUTO(buf) struct buf b = {0};
	const json_t *line;
	size_t i;

	json_array_foreach(r->lines, i, line)
	{
		char when[CIVIL_TEXT];
		buf_printf(&b, "%.8s  %s\n", civil_show(json_integer_value(json_array_get(line, 0)), when) + 11,
			   json_string_value(json_array_get(line, 1)));
	}
	return str_dup(&r->cli->arena, buf_str(&b));
}

void recording_tell(struct recording *r, int rc)
{
	struct arena *a = &r->cli->arena;
	struct deliver d = DELIVER_INIT;
	char host[256] = "";
	struct report report = {.kind = REPORT_RUN,
				.at_ms = clock_unix_ms(),
				.backup = r->backup->name,
				.title = arena_printf(a, "backup '%s': %s", r->backup->name, run_end_text(rc)),
				.outcome = r->tracer.trace.spans.v[0].outcome,
				.trace = {r->trace, copy(&r->tracer.trace.spans, a)},
				.log = log_of(r)};

	d.courier.paths = &r->cli->paths;
	(void)gethostname(host, sizeof(host) - 1);
	report.host = host;
	redact_spans(&report.trace.spans, &r->secrets, a);
	for (size_t i = 0; i < r->cli->config.sinks.n; i++) {
		const struct sink *s = &r->cli->config.sinks.v[i];
		struct sink_answer x = {0};
		/* Metrics are of what is recorded: that the last success is long ago, they tell by themselves. */
		if (!is_told(s, r->backup) || !sink_wants(s, &report) || s->kind == SINK_PROMETHEUS)
			continue;
		if (deliver_one(&d, s, 0, &report, &(struct span_ids){0}, a, &x) && x.said != SINK_TAKEN)
			(void)fprintf(stderr, "dormouse: cannot tell %s of it: %s\n", s->name, x.why);
	}
	deliver_auto(&d);
}

void recording_auto(struct recording *r)
{
	control_close(&r->link);
	json_decref(r->lines);
}
