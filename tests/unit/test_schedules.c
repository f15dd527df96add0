/* Random lives of a tree: snapshots, clones, renames, destroys, rollbacks, edits of the copy, runs that are killed
 * after any step or cut in the middle of a stream.  However it went, the next whole run puts everything right, or says
 * what it cannot.  SCHEDULE_SEED=N repeats one. */
#include "check.h"

#include "plan/replicate_plan.h"
#include "zfs_model.h"

enum { CASES = 100000, STEPS = 24, NAMES = 7 };

static const struct backup home = {.name = "b", .source = "tank/home", .dest_target = "x", .dest = "vault"};
static const char *const names[NAMES] = {"tank/home",	"tank/home/a",	 "tank/home/a/b", "tank/home/c",
					 "tank/home/d", "tank/home/d/e", "tank/home/z"};

struct life {
	struct arena arena;
	struct side_state source, target;
	uint64_t guid, x;
	bool meddled; /* with the copy, or with what both have: conflicts may be */
	size_t sends, clones, resumes, renames;
};

static uint64_t current;

static int tell_current(void **state)
{
	(void)state;
	print_message("# the last one: SCHEDULE_SEED=%llu\n", (unsigned long long)current);
	return 0;
}

static uint64_t any(struct life *l, uint64_t below)
{
	l->x ^= l->x << 13;
	l->x ^= l->x >> 7;
	l->x ^= l->x << 17;
	return l->x % below;
}

static struct dataset *at(struct side_state *s, size_t i)
{
	return &s->datasets.v[i];
}

static struct dataset *named(struct side_state *s, const char *name)
{
	return (struct dataset *)(uintptr_t)side_find(s, name);
}

static struct dataset *copy_of(struct life *l, const struct dataset *d)
{
	return named(&l->target, arena_printf(&l->arena, "vault/%s", d->name));
}

static bool has_children(const struct side_state *s, const struct dataset *d)
{
	for (size_t i = 0; i < s->datasets.n; i++)
		if (&s->datasets.v[i] != d && dataset_is_under(s->datasets.v[i].name, d->name))
			return true;
	return false;
}

static bool is_origin(const struct side_state *s, const struct dataset *d, const struct point *p, struct arena *a)
{
	const char *name = arena_printf(a, "%s@%s", d->name, p->name);

	for (size_t i = 0; i < s->datasets.n; i++)
		if (s->datasets.v[i].origin != NULL && strcmp(s->datasets.v[i].origin, name) == 0)
			return true;
	return false;
}

/* --- what people do ------------------------------------------------------------------------------- */

static void snapshot(struct life *l, struct dataset *d, const char *name)
{
	uint64_t guid = ++l->guid;

	*vec_add(&d->points, &l->arena) = (struct point){.kind = POINT_SNAPSHOT,
							 .name = arena_strdup(&l->arena, name),
							 .guid = guid,
							 .createtxg = guid,
							 .creation = (int64_t)guid};
}

static void snapshot_some(struct life *l)
{
	const char *name = arena_printf(&l->arena, "s%llu", (unsigned long long)l->guid);
	size_t only = any(l, 2 * l->source.datasets.n + 1);

	for (size_t i = 0; i < l->source.datasets.n; i++)
		if (only >= l->source.datasets.n || only == i)
			snapshot(l, at(&l->source, i), name);
}

/* Of itself, or as a clone of any snapshot. */
static void create(struct life *l)
{
	const char *name = names[any(l, NAMES)];
	char *parent = arena_strdup(&l->arena, name);

	*strrchr(parent, '/') = '\0';
	if (named(&l->source, name) != NULL || (strcmp(name, names[0]) != 0 && named(&l->source, parent) == NULL))
		return;
	/* What once had that name may still be there, as a copy of something else. */
	l->meddled |= side_find(&l->target, arena_printf(&l->arena, "vault/%s", name)) != NULL;
	const struct dataset *o = at(&l->source, any(l, l->source.datasets.n));
	const struct point *p = dataset_newest(o);
	const char *origin = p == NULL || any(l, 2) == 0 ? NULL : arena_printf(&l->arena, "%s@%s", o->name, p->name);
	struct dataset *d = model_dataset(&l->source, &l->arena, name, "");
	d->origin = origin;
	d->referenced = 1 + any(l, 1000);
}

static void drop_point(struct dataset *d, size_t i)
{
	memmove(&d->points.v[i], &d->points.v[i + 1], (d->points.n - i - 1) * sizeof(d->points.v[0]));
	d->points.n--;
}

/* What a person may destroy: not what is held, nor what a clone is of. */
static void destroy_snapshot(struct life *l)
{
	struct dataset *d = at(&l->source, any(l, l->source.datasets.n));

	if (d->points.n == 0)
		return;
	size_t i = any(l, d->points.n);
	struct point p = d->points.v[i];
	if (p.kind != POINT_SNAPSHOT || p.userrefs > 0 || is_origin(&l->source, d, &p, &l->arena))
		return;
	drop_point(d, i);
	const struct dataset *t = copy_of(l, d);
	const struct point *newest = t == NULL ? NULL : dataset_newest(t);
	/* That arrived, but the run was killed before it could be held. */
	l->meddled |= newest != NULL && newest->guid == p.guid && !dataset_has_guid(d, p.guid);
}

static void destroy_dataset(struct life *l)
{
	size_t i = any(l, l->source.datasets.n);
	struct dataset *d = at(&l->source, i);

	if (strcmp(d->name, names[0]) == 0 || has_children(&l->source, d))
		return;
	for (size_t k = 0; k < d->points.n; k++)
		if (d->points.v[k].userrefs > 0 || is_origin(&l->source, d, &d->points.v[k], &l->arena))
			return;
	memmove(d, d + 1, (l->source.datasets.n - i - 1) * sizeof(*d));
	l->source.datasets.n--;
}

static void rename_origins(struct life *l, const char *from, const char *to)
{
	for (size_t i = 0; i < l->source.datasets.n; i++) {
		struct dataset *d = at(&l->source, i);
		size_t n = strlen(from);
		if (d->origin != NULL && strncmp(d->origin, from, n) == 0 && d->origin[n] == '@')
			d->origin = arena_printf(&l->arena, "%s%s", to, d->origin + n);
	}
}

static void rename_dataset(struct life *l)
{
	struct dataset *d = at(&l->source, any(l, l->source.datasets.n));
	const char *name = names[any(l, NAMES)], *from = d->name;
	char *parent = arena_strdup(&l->arena, name);

	*strrchr(parent, '/') = '\0';
	if (strcmp(from, names[0]) == 0 || has_children(&l->source, d) || named(&l->source, name) != NULL ||
	    named(&l->source, parent) == NULL || strcmp(parent, from) == 0)
		return;
	l->meddled |= side_find(&l->target, arena_printf(&l->arena, "vault/%s", name)) != NULL;
	/* With nothing of it on the source's side to know the copy by, it is a new one. */
	d->name = arena_strdup(&l->arena, name);
	rename_origins(l, from, name);
	side_sort(&l->source);
}

static void roll_back(struct life *l)
{
	struct dataset *d = at(&l->source, any(l, l->source.datasets.n));
	const struct dataset *t = copy_of(l, d);

	for (int n = 1 + (int)any(l, 2); n > 0 && d->points.n > 1; n--) {
		const struct point *p = &d->points.v[d->points.n - 1];
		if (p->userrefs > 0 || (p->kind == POINT_SNAPSHOT && is_origin(&l->source, d, p, &l->arena)))
			return;
		l->meddled |= t != NULL && dataset_snapshot_by_guid(t, p->guid) != NULL;
		d->points.n--;
	}
}

static void meddle(struct life *l)
{
	if (l->target.datasets.n == 0)
		return;
	struct dataset *t = at(&l->target, any(l, l->target.datasets.n));
	if (t->placeholder || t->resume.token != NULL || dataset_newest(t) == NULL)
		return;
	l->meddled = true;
	if (any(l, 2) == 0)
		t->written = 4096;
	else
		snapshot(l, t, "foreign");
}

/* The archive's own clean-up, or a person's: never the newest. */
static void prune_copy(struct life *l)
{
	if (l->target.datasets.n == 0)
		return;
	struct dataset *t = at(&l->target, any(l, l->target.datasets.n));
	if (t->points.n < 2 || t->resume.token != NULL)
		return;
	drop_point(t, any(l, t->points.n - 1));
}

/* --- runs ----------------------------------------------------------------------------------------- */

static struct plan plan_of(struct life *l)
{
	struct plan p = {0};
	replicate_plan(&home, NULL, &l->source, &l->target, &(struct zone){0}, 0, &l->arena, &p);
	return p;
}

static bool parent_is_there(struct life *l, const char *name)
{
	char *parent = arena_strdup(&l->arena, name);
	*strrchr(parent, '/') = '\0';
	return strchr(parent, '/') == NULL || named(&l->target, parent) != NULL;
}

/* A dataset of the archive with all that lies below it. */
static void model_rename(struct life *l, const char *from, const char *to)
{
	for (size_t i = 0; i < l->target.datasets.n; i++) {
		struct dataset *d = at(&l->target, i);
		if (dataset_is_under(d->name, from))
			d->name = arena_printf(&l->arena, "%s%s", to, d->name + strlen(from));
	}
	side_sort(&l->target);
}

/* The stream of a step is cut in the middle: what has arrived is kept. */
static void cut(struct life *l, const struct send_step *s)
{
	struct dataset *t = named(&l->target, s->target);

	if (s->kind == SEND_RESUME)
		return;
	if (t == NULL && parent_is_there(l, s->target))
		t = model_dataset(&l->target, &l->arena, s->target, "");
	if (t != NULL)
		t->resume = (struct resume){.token = "1-token", .to_guid = s->to.guid, .raw = s->raw};
}

/* One plan, up to so many steps; true when it was done to its end, and no rename asks for another one. */
static bool run_once(struct life *l, size_t steps, bool cuts)
{
	struct plan p = plan_of(l);

	for (size_t i = 0; i < p.aborts.n; i++, steps--) {
		if (steps == 0)
			return false;
		model_abort(&l->target, &p.aborts.v[i]);
	}
	for (size_t i = 0; i < p.parents.n; i++, steps--) {
		if (steps == 0)
			return false;
		model_parent(&l->target, &p.parents.v[i], &l->arena);
	}
	for (size_t i = 0; i < p.renames.n; i++) {
		if (!parent_is_there(l, p.renames.v[i].to))
			continue;
		if (steps == 0)
			return false;
		if (named(&l->target, p.renames.v[i].to) != NULL)
			fail_msg("a rename onto '%s', which is there", p.renames.v[i].to);
		model_rename(l, p.renames.v[i].dataset, p.renames.v[i].to);
		l->renames++;
		return false;
	}
	for (size_t i = 0; i < p.sends.n; i++, steps--) {
		const struct send_step *s = &p.sends.v[i];
		if (steps == 0) {
			if (cuts)
				cut(l, s);
			return false;
		}
		if (!model_send(&l->source, &l->target, s, &l->arena))
			fail_msg("ZFS would refuse to send %s@%s", s->source, s->to.name);
		l->sends++;
		l->clones += s->kind == SEND_CLONE;
		l->resumes += s->kind == SEND_RESUME;
	}
	for (size_t i = 0; i < p.marks.n; i++, steps--) {
		if (steps == 0)
			return false;
		(void)model_mark(&l->source, &p.marks.v[i], &l->arena);
	}
	return p.renames.n == 0;
}

static void run_whole(struct life *l)
{
	for (int tries = 0; tries < 40; tries++) {
		(void)run_once(l, SIZE_MAX, false);
		struct plan p = plan_of(l);
		if (p.aborts.n + p.parents.n + p.renames.n + p.sends.n + p.marks.n == 0)
			return;
	}
	fail_msg("after 40 runs there is still something to do");
}

/* --- what must hold ------------------------------------------------------------------------------- */

static void show(const struct side_state *s)
{
	for (size_t i = 0; i < s->datasets.n; i++) {
		const struct dataset *d = &s->datasets.v[i];
		print_message("# %s%s%s%s:", d->name, d->placeholder ? " (stand-in)" : "",
			      d->origin == NULL ? "" : " of ", d->origin == NULL ? "" : d->origin);
		for (size_t k = 0; k < d->points.n; k++)
			print_message(" %c%llu%s", d->points.v[k].kind == POINT_SNAPSHOT ? '@' : '#',
				      (unsigned long long)d->points.v[k].guid, d->points.v[k].userrefs > 0 ? "+" : "");
		print_message("%s\n", d->resume.token == NULL ? "" : " ?");
	}
}

/* The copy has nothing that the source never had, in the order in which it had it; and each is there or accounted for.
 */
static void check(struct life *l)
{
	struct plan p = plan_of(l);

	assert_int_equal(p.skips.n + p.conflicts.n, l->source.datasets.n);
	for (size_t i = 0; i < p.skips.n; i++) {
		const struct dataset *s = side_find(&l->source, p.skips.v[i].source), *t = copy_of(l, s);
		const struct point *theirs = dataset_newest(t), *ours = dataset_newest(s);
		if (p.skips.v[i].newest.guid != theirs->guid || ours->guid > theirs->guid) {
			show(&l->source);
			show(&l->target);
			fail_msg("'%s' is said to be there, and is not", s->name);
		}
		for (size_t k = 1; k < t->points.n; k++)
			assert_true(t->points.v[k].guid > t->points.v[k - 1].guid);
		/* What both have last is safe from any clean-up: held, or, if somebody was faster, at least bookmarked.
		 */
		const struct point *newest = dataset_snapshot_by_guid(s, theirs->guid);
		assert_true(newest == NULL ? dataset_has_guid(s, theirs->guid) : newest->userrefs > 0);
	}
	for (size_t i = 0; i < p.conflicts.n; i++) {
		const struct conflict *c = &p.conflicts.v[i];
		assert_true(c->why[0] != '\0' && c->hint[0] != '\0');
		if (c->kind != CONFLICT_NO_SNAPSHOT && !l->meddled)
			fail_msg("nobody meddled, but '%s': %s", c->source, c->why);
	}
}

static void live(uint64_t seed, struct life *sum)
{
	struct life l = {.x = seed * 2654435761u + 88172645463325252u, .guid = 100};

	current = seed;
	l.source = (struct side_state){.root = "tank/home", .seen = true, .root_exists = true};
	l.target = (struct side_state){.root = "vault", .seen = true, .root_exists = true};
	(void)model_dataset(&l.source, &l.arena, names[0], "");
	snapshot_some(&l);
	bool gentle = seed % 2 == 0;
	for (int i = 0; i < STEPS; i++) {
		switch (any(&l, gentle ? 11 : 14)) {
		case 0:
		case 1:
			create(&l);
			break;
		case 2:
		case 3:
		case 4:
			snapshot_some(&l);
			break;
		case 5:
			destroy_snapshot(&l);
			break;
		case 6:
			rename_dataset(&l);
			break;
		case 7:
			(void)run_once(&l, any(&l, 12), false);
			break;
		case 8:
			(void)run_once(&l, any(&l, 12), true);
			break;
		case 9:
			run_whole(&l);
			check(&l);
			break;
		case 10:
			prune_copy(&l);
			break;
		case 11:
			meddle(&l);
			break;
		case 12:
			roll_back(&l);
			break;
		default:
			destroy_dataset(&l);
			break;
		}
	}
	run_whole(&l);
	check(&l);
	sum->sends += l.sends;
	sum->clones += l.clones;
	sum->resumes += l.resumes;
	sum->renames += l.renames;
	sum->meddled |= l.meddled;
	arena_release(&l.arena);
}

static void schedules(void **state)
{
	const char *seed = getenv("SCHEDULE_SEED");
	uint64_t from = seed == NULL ? 1 : strtoull(seed, NULL, 10), n = seed == NULL ? CASES : 1;
	struct life sum = {0};

	(void)state;
	for (uint64_t i = from; i < from + n; i++)
		live(i, &sum);
	print_message("# %llu lives: %zu streams, %zu of clones, %zu resumed, %zu renames followed\n",
		      (unsigned long long)n, sum.sends, sum.clones, sum.resumes, sum.renames);
	if (seed == NULL)
		assert_true(sum.clones > 1000 && sum.resumes > 1000 && sum.renames > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(schedules, tell_current)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
