#include "engine/pass.h"

#include "base/num.h"
#include "engine/hook.h"
#include "engine/side_run.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/program.h"
#include "wire/zfs_blame.h"

static int look(struct reach *where, const char *root, bool points, const char *properties, struct side_state *s,
		struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result out;
	const char *what = *root == '\0' ? "the pools" : arena_printf(where->arena, "'%s'", root);

	program_look(&b, root, points, properties);
	for (int tries = 0;; tries++) {
		*s = (struct side_state){.root = root, .seen_at = clock_unix_s()};
		if (reach_ask(where, buf_str(&b), &out, e) < 0)
			return -1;
		if (out.out.n > 0 || out.err.n == 0) {
			if (look_parse(out.out, where->arena, s, e) == 0)
				return 0;
		} else {
			zfs_blame(out.err, e);
		}
		/* What was cut off on the way is asked again. */
		if (e->retry == RETRY_NEVER || tries == 2)
			return err_wrap(e, "cannot look at %s on %s", what, where->side.label);
	}
}

int pass_look(struct reach *where, const char *root, const char *properties, struct side_state *s, struct err *e)
{
	return look(where, root, true, properties, s, e);
}

int pass_look_datasets(struct reach *where, struct side_state *s, struct err *e)
{
	return look(where, "", false, NULL, s, e);
}

int pass_tokens(struct reach *sender, struct side_state *target, struct err *e)
{
	struct strings tokens = {0};
	AUTO(buf) struct buf b = {0};
	struct proc_result out;

	for (size_t i = 0; i < target->datasets.n; i++)
		if (target->datasets.v[i].resume.token != NULL)
			*vec_add(&tokens, sender->arena) = target->datasets.v[i].resume.token;
	if (tokens.n == 0)
		return 0;
	program_tokens(&b, &tokens);
	if (reach_ask(sender, buf_str(&b), &out, e) < 0)
		return -1;
	return tokens_parse(out.out, sender->arena, target, e);
}

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

int pass_prune(struct reach *where, const struct prune_steps *steps, bool dry, struct pruned *out, struct err *e)
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

int pass_do(struct reach *where, const struct snapshot_policy *p, const struct pass *pass, struct passed *out,
	    struct err *e)
{
	struct err failed;

	*out = (struct passed){0};
	if (pass->snaps.n > 0) {
		if (hook(where, "before_snapshot", &p->before, p->hook_timeout_ms, &out->hook) < 0) {
			out->skipped = true;
			if (p->on_failure == HOOK_ABORT)
				return *e = out->hook, -1;
			return 0;
		}
		int rc = take(where, &pass->snaps, e);
		/* What before_snapshot stopped must go on, whatever happened. */
		if (hook(where, "after_snapshot", &p->after, p->hook_timeout_ms, &failed) < 0)
			out->hook = failed;
		if (rc < 0)
			return -1;
		out->taken = pass->snaps.n;
	}
	return pass_prune(where, &pass->prunes, false, &out->pruned, e);
}
