/* plan and observe: what a run would do, without doing it. */
#include <unistd.h>

#include "base/civil.h"
#include "base/num.h"
#include "cli/advising.h"
#include "cli/applying.h"
#include "engine/run.h"
#include "plan/archive_plan.h"
#include "plan/explain.h"
#include "plan/foresee.h"
#include "plan/replicate_plan.h"
#include "plan/simulate.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/plan_json.h"

static int observe(struct cli *c, struct run *r, bool do_wake, struct err *e)
{
	if (run_sides(r, e) < 0 || run_look_source(r, e) < 0)
		return -1;
	if (do_wake || r->backup->dest_target == NULL)
		return run_look_target(r, e);
	return cli_recall(c, r->backup, &r->seen.target, e);
}

static int from_file(const char *path, struct arena *a, struct observed *o, struct err *e)
{
	struct str text;

	if (fd_read_file(path, (size_t)1 << 30, a, &text, e) < 0)
		return -1;
	return observed_read(text, a, o, e);
}

/* Snapshots first; what is sent is planned as if they were there, and so on. */
static void make_plan(struct run *r)
{
	struct observed *o = &r->seen;
	struct side_state source = foresee_copy(&o->source, r->arena), target = foresee_copy(&o->target, r->arena);
	uint64_t guid = foresee_guid(&source, &target);

	run_plan_pass(r);
	foresee_snaps(&source, &r->pass.snaps, o->now, &guid, r->arena);
	foresee_prunes(&source, &r->pass.prunes);
	r->plan = (struct plan){0};
	replicate_plan(r->backup, r->policy, &source, &o->target, &o->zone, o->now, r->arena, &r->plan);
	foresee_sends(&target, &source, &r->plan, r->arena);
	if (o->target.seen)
		archive_plan(r->backup, r->policy, &source, &target, &o->zone, o->now, r->pass.doubt, r->arena,
			     &r->archive);
}

static void print_json(json_t *j)
{
	cli_print_json(j);
	json_decref(j);
}

/* "1y", "90d", "36h" */
static bool simulated_span(const char *text, int64_t *seconds)
{
	int64_t ms, years;
	struct str s = str_of(text);

	if (s.n > 1 && s.p[s.n - 1] == 'y' && num_i64((struct str){s.p, s.n - 1}, &years) && years > 0 && years <= 3) {
		*seconds = years * 365 * 86400;
		return true;
	}
	*seconds = num_duration(s, &ms) ? ms / 1000 : 0;
	return *seconds > 0 && *seconds <= 3 * 365 * 86400LL;
}

static int show_simulation(struct run *r, const char *span, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct simulation sim = {0};
	int64_t seconds;

	if (!simulated_span(span, &seconds)) {
		(void)err_set(e, ERR_USAGE, "'%s' is not a time to simulate", span);
		return err_hint(e, "like 36h, 90d or 1y, three years at most");
	}
	simulate(r->policy, r->backup, &r->seen.source, &r->seen.target, &r->seen.zone, r->seen.now, seconds, r->arena,
		 &sim);
	simulation_explain(&sim, r->backup, &r->seen.zone, &b);
	(void)fputs(buf_text(&b), stdout);
	return 0;
}

/* What apply would have to do before; of what was observed nothing is known of that. */
static void show_setup(struct cli *c, const struct works *setup)
{
	const struct work *w = setup->n == 0 ? NULL : &setup->v[0];
	char line[1200];

	if (w == NULL || (w->failure == NULL && w->steps.n == 0))
		return;
	if (w->failure == NULL) {
		(void)printf("before that, dormouse apply would do:\n");
		works_show(c, setup);
		return;
	}
	err_line(w->failure, line, sizeof(line));
	(void)printf("note: what dormouse apply would do cannot be seen: %s\n", line);
	if (w->failure->hint[0] != '\0')
		(void)printf("hint: %s\n", w->failure->hint);
}

static void show_plan(struct cli *c, struct run *r, bool looked)
{
	const char *target = r->backup->dest_target;
	AUTO(json) json_t *notes = target == NULL ? json_array() : advising_json(c, target);
	AUTO(buf) struct buf text = {0};
	struct works setup = {0};

	if (looked && target != NULL)
		works_glance(c, config_target(&c->config, target), &setup);
	if (c->json) {
		json_t *j = plan_json(&r->pass, &r->plan, &r->archive);
		(void)json_object_set(j, "notes", notes);
		(void)json_object_set_new(j, "setup", works_json(&setup));
		print_json(j);
		return;
	}
	plan_explain(&r->pass, &r->plan, &r->archive, r->backup, &r->seen.target, &text);
	(void)fputs(buf_text(&text), stdout);
	show_setup(c, &setup);
	advising_print(notes);
}

static int plan_or_observe(int argc, char **argv, const char *usage, bool only_observe)
{
	struct cli c;
	bool do_wake = false;
	const char *file = NULL, *now = NULL, *span = NULL;
	const struct cli_option own[] = {{"--wake", &do_wake, NULL},
					 {"--observed", NULL, &file},
					 {"--now", NULL, &now},
					 {"--simulate", NULL, &span}};
	struct run_listener listener = {cli_show_stage};
	struct err e;
	int rc = cli_start(&c, argc, argv, usage, own, only_observe ? 1 : ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	const struct backup *b = cli_backup(&c);
	if (b == NULL)
		return cli_end(&c), EXIT_USAGE;
	struct run r = {.config = &c.config,
			.backup = b,
			.policy = config_policy(&c.config, b->source_target),
			.paths = &c.paths,
			.arena = &c.arena,
			.listener = &listener};
	rc = file != NULL ? from_file(file, &c.arena, &r.seen, &e) : observe(&c, &r, do_wake, &e);
	run_end(&r);
	if (rc == 0 && file != NULL && strcmp(r.seen.backup, b->name) != 0) {
		rc =
		    err_set(&e, ERR_USAGE, "'%s' was observed for backup '%s', not '%s'", file, r.seen.backup, b->name);
		(void)err_hint(&e, "dormouse plan --observed %s %s", file, r.seen.backup);
	}
	if (rc == 0 && now != NULL && !civil_parse(str_of(now), &r.seen.now)) {
		rc = err_set(&e, ERR_USAGE, "'%s' is not a time", now);
		(void)err_hint(&e, "like 2026-11-23T19:00:00Z, or Unix seconds");
	}
	if (rc < 0) {
		rc = cli_fail(&c, &e);
	} else if (span != NULL) {
		rc = show_simulation(&r, span, &e) < 0 ? cli_fail(&c, &e) : EXIT_DONE;
	} else if (only_observe) {
		print_json(observed_json(&r.seen));
	} else {
		make_plan(&r);
		rc = r.plan.conflicts.n == 0 && r.pass.doubt == NULL ? EXIT_DONE : EXIT_PARTLY;
		show_plan(&c, &r, file == NULL);
	}
	cli_end(&c);
	return rc;
}

int cmd_plan(int argc, char **argv)
{
	return plan_or_observe(
	    argc, argv,
	    "usage: dormouse plan [--wake] [--simulate TIME] [--json] [NAME]\n       dormouse plan --observed FILE "
	    "[--now TIME] [--simulate TIME] [NAME]\n"
	    "Says every step that a backup would take, and why; changes nothing.  A target that sleeps is\n"
	    "taken as the last run left it, unless --wake.  With --observed (see dormouse observe) nothing is\n"
	    "looked at: the same file and time give the same plan anywhere.  --simulate 1y prints what both\n"
	    "sides would hold over that time.",
	    false);
}

int cmd_observe(int argc, char **argv)
{
	return plan_or_observe(argc, argv,
			       "usage: dormouse observe [--wake] [--json] [NAME]\n"
			       "Writes everything that a plan depends on beside the configuration, as JSON.",
			       true);
}
