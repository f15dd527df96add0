#include "engine/run.h"

#include "base/num.h"
#include "plan/archive_plan.h"
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
	return reach_init(&r->target, r->config, r->paths, b->dest_target, b->name, r->arena, r->listener, e);
}

int run_look_source(struct run *r, struct err *e)
{
	/* A policy is about all pools of the host; after its pass, only the source matters. */
	bool all = r->policy != NULL && !r->seen.source.seen;

	if (pass_look(&r->source, all ? "" : r->backup->source, r->backup->source, &r->seen.source, e) < 0)
		return -1;
	if (side_find(&r->seen.source, r->backup->source) != NULL)
		return 0;
	(void)err_set(e, ERR_MISSING, "the source '%s' is not there on %s", r->backup->source, r->source.side.label);
	return err_hint(e, "is the pool imported, and the name right? zfs list shows what there is");
}

int run_look_target(struct run *r, struct err *e)
{
	if (pass_look(&r->target, r->backup->dest, NULL, &r->seen.target, e) < 0)
		return -1;
	return pass_tokens(&r->source, &r->seen.target, e);
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
	run_plan_pass(r);
	if (r->pass.doubt != NULL) {
		run_stage(r, STAGE_SNAPSHOT, r->pass.doubt);
		return 0;
	}
	if (r->policy != NULL)
		pass_seen(r->paths, r->seen.now);
	for (size_t i = 0; i < r->pass.snaps.n; i++)
		run_stage(r, STAGE_SNAPSHOT,
			  arena_printf(r->arena, "@%s of %zu datasets", r->pass.snaps.v[i].name,
				       r->pass.snaps.v[i].datasets.n));
	if (r->policy != NULL && pass_do(&r->source, r->policy, &r->pass, &r->passed, e) < 0)
		return -1;
	if (r->passed.pruned.destroyed > 0)
		run_stage(
		    r, STAGE_PRUNE,
		    arena_printf(r->arena, "%zu snapshots on %s", r->passed.pruned.destroyed, r->source.side.label));
	return r->passed.taken + r->passed.pruned.destroyed > 0 ? run_look_source(r, e) : 0;
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

int run_prune(struct run *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};

	plan_archive(r);
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
	return pass_prune(&r->target, &r->archive.prunes, false, &r->archive_pruned, e);
}

int run_prune_dry(struct run *r, struct err *e)
{
	struct prune_steps each = {0};

	plan_archive(r);
	prune_plan_each(&r->archive.verdicts, r->arena, &each);
	return pass_prune(&r->target, &each, true, &r->archive_pruned, e);
}

void run_end(struct run *r)
{
	reach_rest(&r->source, &r->target);
}
