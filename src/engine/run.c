#include "engine/run.h"

#include "base/num.h"
#include "plan/archive_plan.h"
#include "plan/lean_plan.h"
#include "plan/retain_plan.h"
#include "plan/snapshot_plan.h"
#include "sys/clock.h"
#include "wire/program.h"

/* --- telling --------------------------------------------------------------------------------------- */

void run_tell(struct run *r, struct run_event ev)
{
	if (r->listener != NULL)
		r->listener->tell(r->listener, &ev);
}

void run_stage(struct run *r, enum run_stage s, const char *text)
{
	run_tell(r, (struct run_event){.kind = EVENT_STAGE, .stage = s, .text = text});
}

void run_note(struct run *r, const char *text)
{
	run_tell(r, (struct run_event){.kind = EVENT_NOTE, .stage = STAGE_SEND, .text = text});
}

/* --- sides ----------------------------------------------------------------------------------------- */

int run_sides(struct run *r, struct err *e)
{
	const struct backup *b = r->backup;

	r->seen.backup = b->name;
	r->seen.now = clock_unix_s();
	r->seen.zone = clock_zone(r->seen.now, r->arena);
	r->seen.last_seen = pass_last_seen(r->paths);
	r->policy = config_policy(r->config, b->source_target);
	if (reach_init(&r->source, r->config, r->paths, b->source_target, b->name, r->arena, r->listener, e) < 0)
		return -1;
	if (reach_init(&r->target, r->config, r->paths, b->dest_target, b->name, r->arena, r->listener, e) < 0)
		return -1;
	r->target.use = r->use;
	r->source.tracer = r->target.tracer = r->tracer;
	return 0;
}

static struct look at_source(struct run *r)
{
	return (struct look){.where = &r->source,
			     .root = r->backup->source,
			     .properties = r->backup->source,
			     .recall = r->recall,
			     .to = &r->seen.source};
}

static struct look at_target(struct run *r)
{
	return (struct look){.where = &r->target,
			     .root = r->backup->dest,
			     .pool = true,
			     .recall = r->recall,
			     .brief = r->recall,
			     .sent = &r->plan.sends,
			     .sender = &r->seen.source,
			     .to = &r->seen.target};
}

static int check_source(const struct run *r, struct err *e)
{
	if (side_find(&r->seen.source, r->backup->source) != NULL)
		return 0;
	(void)err_set(e, ERR_MISSING, "the source '%s' is not there on %s", r->backup->source, r->source.side.label);
	return err_hint(e, "is the pool imported, and the name right? zfs list shows what there is");
}

int run_look_source(struct run *r, struct err *e)
{
	/* A policy is about all pools of the host. */
	struct look source = at_source(r);

	if (r->policy != NULL)
		source.root = "";
	return look_at(&source, 1, e) < 0 ? -1 : check_source(r, e);
}

int run_look_target(struct run *r, struct err *e)
{
	const struct look target = at_target(r);

	if (look_at(&target, 1, e) < 0)
		return -1;
	return look_tokens(&r->source, &r->seen.target, e);
}

static int look_at_both(struct run *r, struct err *e)
{
	enum { SOON_MS = 300 };
	const struct look looks[] = {at_source(r), at_target(r)};
	bool source = r->stale || !r->seen.source.seen, asleep = reach_asleep(&r->target, SOON_MS);

	bool both = source && !asleep;
	if (source && (look_at(looks, both ? 2 : 1, e) < 0 || check_source(r, e) < 0))
		return -1;
	if (asleep) {
		if (reach_wake(&r->target, e) < 0)
			return -1;
		run_stage(r, STAGE_LOOK, arena_printf(r->arena, "what is on %s", r->target.side.label));
	}
	if ((!both && look_at(&looks[1], 1, e) < 0) || look_tokens(&r->source, &r->seen.target, e) < 0)
		return -1;
	r->stale = false;
	return 0;
}

int run_look(struct run *r, struct err *e)
{
	int64_t span = tracer_step(r->tracer, "look");

	return tracer_result(r->tracer, span, look_at_both(r, e), e);
}

int run_confirm(struct run *r, struct err *e)
{
	const struct look looks[] = {at_source(r), at_target(r)};
	struct point_refs some[LOOKS] = {0};
	bool changed;

	plan_leans_on(r->backup, &r->plan, &r->seen.source, &r->seen.target, r->arena, &some[0], &some[1]);
	if (some[0].n + some[1].n == 0)
		return 0;
	if (look_again(looks, some, 2, &changed, e) < 0)
		return -1;
	/* Then nothing is believed that an earlier look saw. */
	r->recall &= !changed;
	r->stale |= changed;
	return 1;
}

void run_plan_pass(struct run *r)
{
	r->pass = (struct pass){.now = r->seen.now};
	if (r->policy != NULL)
		pass_plan(r->policy, &r->seen.source, &r->seen.zone, r->seen.now, r->seen.last_seen, r->arena,
			  &r->pass);
}

int run_snapshot(struct run *r, struct err *e)
{
	const struct pass_wish w = {.policy = r->policy, .zone = &r->seen.zone, .now = r->seen.now, .take = true};
	struct side_state seen;
	struct look host = {.where = &r->source, .root = "", .recall = r->recall, .to = &seen};

	if (r->policy == NULL)
		return 0;
	int64_t span = tracer_step(r->tracer, "look");
	if (tracer_result(r->tracer, span, pass_decide(&host, &w, &r->pass, e), e) < 0)
		return -1;
	/* It starts while snapshots are taken. */
	if (backup_takes_any(r->backup, &seen))
		reach_begin(&r->target);
	if (r->pass.doubt != NULL)
		run_stage(r, STAGE_SNAPSHOT, r->pass.doubt);
	for (size_t i = 0; i < r->pass.snaps.n; i++)
		run_stage(r, STAGE_SNAPSHOT,
			  arena_printf(r->arena, "@%s of %zu datasets", r->pass.snaps.v[i].name,
				       r->pass.snaps.v[i].datasets.n));
	if (pass_do(&host, &w, &r->pass, &r->passed, e) < 0)
		return -1;
	if (r->passed.pruned.destroyed > 0)
		run_stage(
		    r, STAGE_PRUNE,
		    arena_printf(r->arena, "%zu snapshots on %s", r->passed.pruned.destroyed, r->source.side.label));
	return 0;
}

/* --- the archive ----------------------------------------------------------------------------------- */

static void plan_archive(struct run *r)
{
	int64_t now = clock_unix_s();
	const struct dataset *root = side_find(&r->seen.source, r->backup->source);
	const struct point *newest = root == NULL ? NULL : dataset_newest(root);

	const char *doubt =
	    clock_doubt(now, newest == NULL ? 0 : newest->creation, r->seen.last_seen, &r->seen.zone, r->arena);
	archive_plan(r->backup, r->policy, &r->seen.source, &r->seen.target, &r->seen.zone, now, doubt, r->arena,
		     &r->archive);
}

static int prune_archive(struct run *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct look target = at_target(r);
	int again;

	do {
		plan_archive(r);
		again = pass_confirm(&target, &r->archive.verdicts, e);
	} while (again > 0);
	if (again < 0)
		return -1;
	if (r->archive.doubt == NULL)
		pass_seen(r->paths, r->seen.now);
	if (r->archive.tidies.n > 0) {
		program_tidy(&b, &r->archive.tidies);
		if (reach_do(&r->target, buf_str(&b), "put the archive in order", e) < 0)
			return -1;
	}
	if (r->archive.prunes.n == 0)
		return 0;
	run_stage(r, STAGE_PRUNE, arena_printf(r->arena, "what '%s' keeps no longer", r->backup->name));
	return pass_prune(&target, &r->archive.prunes, &r->archive.verdicts, &r->archive_pruned, e);
}

int run_prune(struct run *r, struct err *e)
{
	int64_t span = tracer_step(r->tracer, "prune.target");
	int rc = prune_archive(r, e);

	tracer_int(r->tracer, span, "destroyed", (int64_t)r->archive_pruned.destroyed);
	tracer_int(r->tracer, span, "failed", (int64_t)r->archive_pruned.failed.n);
	return tracer_result(r->tracer, span, rc, e);
}

int run_prune_dry(struct run *r, struct err *e)
{
	plan_archive(r);
	return pass_prune_dry(&r->target, &r->archive.verdicts, &r->archive_pruned, e);
}

bool run_pool(const struct run *r, struct fact_pool *out)
{
	const struct dataset *top = side_find(&r->seen.target, r->backup->dest);

	if (top == NULL || top->available == 0)
		return false;
	*out = (struct fact_pool){top->name, r->backup->dest_target, r->seen.target.pool_health, top->used,
				  top->used + top->available};
	return true;
}

void run_end(struct run *r)
{
	reach_rest(&r->source, &r->target);
}
