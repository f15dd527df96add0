#include "engine/move.h"

#include "base/num.h"
#include "engine/look.h"
#include "engine/side_run.h"
#include "plan/move_plan.h"
#include "sys/clock.h"
#include "wire/program.h"
#include "wire/zfs_blame.h"

/* So many steps in one program: no round trip for each, and a line for people now and then. */
enum { TOGETHER = 50, TRIES = 3 };
/* Of one of them: a machine may be slow, and a dataset large. */
static const int64_t longest_ms = 14LL * 24 * 60 * 60 * 1000;

static struct look whole(struct reach *r, const char *pool, struct side_state *to)
{
	return (struct look){.where = r, .root = pool, .properties = pool, .ours_too = true, .to = to};
}

int move_fits(struct reach *r, const char *pool, uint64_t disk, struct err *e)
{
	struct side_state from;
	struct look look = whole(r, pool, &from);
	const char *hint = NULL;

	if (look_at(&look, 1, e) < 0)
		return -1;
	const char *why = move_refused(&from, disk, r->arena, &hint);
	if (why == NULL)
		return 0;
	(void)err_set(e, ERR_CONFLICT, "pool '%s' cannot go to another disk", pool);
	(void)err_why(e, "%s", why);
	return err_hint(e, "%s", hint);
}

/* Another one when anything of what is left has changed. */
static uint64_t hash_of(const struct move_steps *steps)
{
	uint64_t hash = STR_HASH_INIT;

	for (size_t i = 0; i < steps->n; i++) {
		const struct move_step *s = &steps->v[i];
		hash = str_hash(s->to, hash);
		hash = str_hash(s->send.token == NULL ? "" : s->send.token, hash);
		hash = str_hash(s->send.base.name == NULL ? "" : s->send.base.name, hash);
	}
	return hash;
}

static int do_steps(struct reach *r, const struct move_steps *steps, void (*tell)(const char *text), struct err *e)
{
	for (size_t i = 0; i < steps->n; i += TOGETHER) {
		AUTO(buf) struct buf b = {0};
		struct proc_result out = {0};
		size_t n = steps->n - i < TOGETHER ? steps->n - i : TOGETHER;
		tell(arena_printf(r->arena, "%zu of %zu steps: '%s'", i, steps->n, steps->v[i].to));
		program_move(&b, steps->v + i, n);
		if (side_run(&r->side, buf_str(&b), longest_ms, r->arena, &out, e) < 0)
			return -1;
		if (out.status == 0)
			continue;
		zfs_blame(out.err, e);
		return err_wrap(e, "cannot fill the pool of the other disk on %s", r->side.label);
	}
	return 0;
}

int move_copy(struct reach *r, const char *pool, void (*tell)(const char *text), struct err *e)
{
	struct err broken = {0};
	uint64_t before = 0;

	for (int tries = 0;;) {
		struct side_state from, to;
		struct look looks[] = {whole(r, pool, &from), whole(r, pool_next(pool, r->arena), &to)};
		struct move m;
		if (look_at(looks, ARRAY_LEN(looks), e) < 0)
			return -1;
		if (!from.root_exists || !to.root_exists) {
			tell(arena_printf(r->arena, "the pool '%s' is not on %s: it was started for something else",
					  from.root_exists ? to.root : pool, r->side.label));
			return 0;
		}
		move_plan(&from, &to, r->arena, &m);
		uint64_t left = hash_of(&m.steps);
		if (m.same && (m.steps.n == 0 || left == before)) {
			if (m.lost > 0)
				tell(arena_printf(r->arena,
						  "%zu bookmarks are of snapshots that are gone: they stay behind",
						  m.lost));
			for (size_t i = 0; i < m.steps.n; i++)
				tell(arena_printf(r->arena, "not as it was on '%s': %s", m.steps.v[i].to,
						  m.steps.v[i].property.name));
			return 0;
		}
		tries = left == before ? tries + 1 : 0;
		if (tries == TRIES) {
			if (broken.kind == ERR_NONE)
				(void)err_set(&broken, ERR_SYSTEM, "what was done for '%s' is not to be seen", pool);
			return *e = broken, -1;
		}
		before = left;
		broken.kind = ERR_NONE;
		if (do_steps(r, &m.steps, tell, &broken) == 0)
			continue;
		tell(broken.why[0] == '\0' ? broken.what : broken.why);
		clock_sleep_ms(1000 << tries);
		reach_keep(r);
	}
}
