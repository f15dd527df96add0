#include "engine/pass.h"

#include "base/num.h"
#include "engine/hook.h"
#include "engine/side_run.h"
#include "plan/retain_plan.h"
#include "plan/snapshot_plan.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/program.h"

int pass_lock(const struct paths *p, int64_t wait_ms, int *fd, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const char *path = arena_printf(&a, "%s/snapshot.lock", p->state_dir);

	for (int64_t until = clock_mono_ms() + wait_ms;;) {
		if (paths_lock(path, "another process takes or destroys snapshots at this moment", fd, e) == 0)
			return 0;
		if (e->kind != ERR_BUSY || clock_mono_ms() >= until)
			return -1;
		clock_sleep_ms(200);
	}
}

static const char *seen_file(const struct paths *p, struct arena *a)
{
	return arena_printf(a, "%s/last-pass", p->state_dir);
}

int64_t pass_last_seen(const struct paths *p)
{
	AUTO(arena) struct arena a = {0};
	struct str text;
	struct err ignored;
	int64_t at;

	if (fd_read_file(seen_file(p, &a), 64, &a, &text, &ignored) < 0 || !num_i64(str_trim(text), &at) || at < 0)
		return 0;
	return at;
}

void pass_seen(const struct paths *p, int64_t now)
{
	AUTO(arena) struct arena a = {0};
	struct err ignored;

	(void)!fd_replace_file(seen_file(p, &a), str_of(arena_printf(&a, "%lld\n", (long long)now)), 0600, &ignored);
}

/* It runs here, whatever host the snapshots are of. */
static int hook(struct reach *where, const char *name, const struct strings *words, int64_t timeout_ms, struct err *e)
{
	if (hook_run(name, words, NULL, timeout_ms, NULL, where->arena, e) == 0)
		return 0;
	return err_hint(e, "it is '%s' in the snapshots block; on_hook_failure says what happens then", words->v[0]);
}

static int take(struct reach *where, const struct snap_steps *steps, struct err *e)
{
	AUTO(buf) struct buf b = {0};

	program_snapshot(&b, steps);
	return reach_do(where, buf_str(&b), "take snapshots", e);
}

static int prune(struct reach *where, const struct prune_steps *steps, bool dry, struct pruned *out, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result said;

	*out = (struct pruned){0};
	if (steps->n == 0)
		return 0;
	program_prune(&b, steps, dry);
	if (reach_wake(where, e) < 0 || side_run(&where->side, buf_str(&b), REACH_MS, where->arena, &said, e) < 0)
		return -1;
	return prune_parse(said.out, where->arena, out, e);
}

int pass_prune(const struct look *l, const struct prune_steps *steps, const struct verdicts *v, struct pruned *out,
	       struct err *e)
{
	int rc = prune(l->where, steps, false, out, e);

	if (rc == 0 && out->destroyed > 0 && out->failed.n == 0)
		look_forget(l, v);
	return rc;
}

int pass_prune_dry(struct reach *where, const struct verdicts *v, struct pruned *out, struct err *e)
{
	struct prune_steps each = {0};

	prune_plan_each(v, where->arena, &each);
	return prune(where, &each, true, out, e);
}

static void decide(const struct look *host, const struct pass_wish *w, struct pass *pass)
{
	struct reach *r = host->where;
	int64_t seen = w->trust_clock ? CLOCK_TRUSTED : pass_last_seen(r->paths);

	pass_plan(w->policy, host->to, w->zone, w->now, seen, r->arena, pass);
	if (w->take || pass->doubt != NULL)
		return;
	pass->snaps.n = pass->verdicts.n = pass->prunes.n = 0;
	retain_host(w->policy, host->to, &pass->snaps, w->zone, w->now, r->arena, &pass->verdicts);
	prune_plan(&pass->verdicts, r->arena, &pass->prunes);
}

int pass_confirm(struct look *l, const struct verdicts *v, struct err *e)
{
	struct point_refs some = {0};
	struct dataset_refs unlisted = {0};
	bool changed;

	/* What keeps a snapshot is that others are not there. */
	for (size_t i = 0; i < v->n; i++) {
		struct dataset *d = (struct dataset *)v->v[i].dataset;
		if (v->v[i].why == DROP && d->listed_at != 0 &&
		    (unlisted.n == 0 || unlisted.v[unlisted.n - 1].dataset != d))
			*vec_add(&unlisted, l->where->arena) = (struct dataset_ref){d};
	}
	if (unlisted.n > 0)
		return look_list(l, &unlisted, e) < 0 ? -1 : 1;
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].why == DROP && v->v[i].point->recalled)
			*vec_add(&some, l->where->arena) = (struct point_ref){v->v[i].dataset, v->v[i].point};
	if (some.n == 0)
		return 0;
	if (look_again(l, &some, 1, &changed, e) < 0)
		return -1;
	l->recall &= !changed;
	return changed && look_at(l, 1, e) < 0 ? -1 : 1;
}

int pass_decide(struct look *host, const struct pass_wish *w, struct pass *pass, struct err *e)
{
	int again = look_at(host, 1, e);

	if (again < 0)
		return -1;
	do {
		decide(host, w, pass);
		again = pass_confirm(host, &pass->verdicts, e);
	} while (again > 0);
	return again;
}

/* Prunes nothing when a snapshot could not be taken. */
static int perform(const struct look *host, const struct snapshot_policy *p, const struct pass *pass,
		   struct passed *out, struct err *e)
{
	struct reach *where = host->where;
	struct err failed;

	if (pass->snaps.n > 0) {
		if (hook(where, "before_snapshot", &p->before, p->hook_timeout_ms, &out->hook) < 0) {
			out->skipped = true;
			if (p->on_failure == HOOK_ABORT)
				return *e = out->hook, -1;
			return 0;
		}
		int64_t span = tracer_step(where->tracer, "snapshot.take");
		tracer_int(where->tracer, span, "snapshots", (int64_t)pass->snaps.n);
		int rc = tracer_result(where->tracer, span, take(where, &pass->snaps, e), e);
		/* What before_snapshot stopped must go on, whatever happened. */
		if (hook(where, "after_snapshot", &p->after, p->hook_timeout_ms, &failed) < 0)
			out->hook = failed;
		if (rc < 0)
			return -1;
		out->taken = pass->snaps.n;
	}
	int64_t span = pass->prunes.n == 0 ? 0 : tracer_step(where->tracer, "prune.source");
	int rc = pass_prune(host, &pass->prunes, &pass->verdicts, &out->pruned, e);
	tracer_int(where->tracer, span, "destroyed", (int64_t)out->pruned.destroyed);
	tracer_int(where->tracer, span, "failed", (int64_t)out->pruned.failed.n);
	return tracer_result(where->tracer, span, rc, e);
}

int pass_do(const struct look *host, const struct pass_wish *w, const struct pass *pass, struct passed *out,
	    struct err *e)
{
	*out = (struct passed){0};
	if (pass->doubt != NULL)
		return 0;
	pass_seen(host->where->paths, w->now);
	return perform(host, w->policy, pass, out, e);
}
