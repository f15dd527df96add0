/* Random lives of a tree: snapshots, clones, renames, destroys, rollbacks, edits of the copy, runs that are killed
 * after any step or cut in the middle of a stream.  However it went, the next whole run puts everything right, or says
 * what it cannot.  SCHEDULE_SEED=N repeats one; with SCHEDULE_TRACE=FILE it is written down, for real pools to do the
 * same (tests/zfs/test_model.py): a step on each line, its words between tabs, and what both sides have after it. */
#include "check.h"

#include "plan/foresee.h"
#include "plan/mark_plan.h"
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
static FILE *trace; /* or NULL */

static void tell(const char *fmt, ...) PRINTF(1, 2);
static void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (trace != NULL)
		(void)vfprintf(trace, fmt, ap);
	va_end(ap);
}

static void tell_side(const char *name, const struct side_state *s)
{
	tell("side\t%s\n", name);
	for (size_t i = 0; i < s->datasets.n; i++) {
		const struct dataset *d = &s->datasets.v[i];
		tell("dataset\t%s\t%s\t%s\t%llu\t%s\n", d->name, d->origin == NULL ? "-" : d->origin,
		     d->placeholder ? "stand-in" : "-", (unsigned long long)d->resume.to_guid,
		     d->written > 0 ? "written" : "-");
		for (size_t k = 0; k < d->points.n; k++)
			tell("point\t%s%c%s\t%llu\t%llu\n", d->name, d->points.v[k].kind == POINT_SNAPSHOT ? '@' : '#',
			     d->points.v[k].name, (unsigned long long)d->points.v[k].guid,
			     (unsigned long long)d->points.v[k].userrefs);
	}
}

static void tell_step(const char *word, const struct send_step *s)
{
	static const char *const kinds[] = {"full", "clone", "incremental", "intermediate", "resume"};
	bool based = s->kind == SEND_INCREMENTAL || s->kind == SEND_INTERMEDIATE;

	tell("%s\t%s\t%s@%s\t%s\t", word, kinds[s->kind], s->source, s->to.name, s->target);
	if (based)
		tell("%s%c%s", s->source, s->base.kind == POINT_SNAPSHOT ? '@' : '#', s->base.name);
	else
		tell("%s", s->kind == SEND_CLONE ? s->origin : "-");
	tell("\t%s\t%s\n", s->kind == SEND_CLONE ? s->target_origin : "-", s->replaces ? "replaces" : "-");
}

static void tell_mark(const struct mark_step *m, const char *tag)
{
	static const char *const kinds[] = {"hold", "bookmark", "release", "unbookmark"};

	tell("%s\t%s%c%s\t%s\n", kinds[m->kind], m->dataset, m->kind == MARK_UNBOOKMARK ? '#' : '@', m->snapshot,
	     m->kind == MARK_BOOKMARK ? m->bookmark : tag);
}

static void tell_state(const struct life *l)
{
	tell_side("source", &l->source);
	tell_side("target", &l->target);
	tell("end\n");
}

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

	tell("snapshot");
	for (size_t i = 0; i < l->source.datasets.n; i++)
		if (only >= l->source.datasets.n || only == i) {
			snapshot(l, at(&l->source, i), name);
			tell("\t%s@%s", at(&l->source, i)->name, name);
		}
	tell("\n");
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
	tell("create\t%s\t%s\n", name, origin == NULL ? "-" : origin);
	struct dataset *d = model_dataset(&l->source, &l->arena, name, "");
	d->origin = origin;
	d->referenced = 1 + any(l, 1000);
}

static void drop_point(struct dataset *d, size_t i)
{
	memmove(&d->points.v[i], &d->points.v[i + 1], (d->points.n - i - 1) * sizeof(d->points.v[0]));
	d->points.n--;
}

/* Does the copy end with something that its source knows no longer?  It arrived, but the run was killed before it could
 * be held and bookmarked. */
static bool was_faster(struct life *l, const struct dataset *d)
{
	const struct dataset *t = copy_of(l, d);
	const struct point *newest = t == NULL ? NULL : dataset_newest(t);

	return newest != NULL && !dataset_has_guid(d, newest->guid);
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
	tell("destroy\t%s@%s\n", d->name, p.name);
	drop_point(d, i);
	l->meddled |= was_faster(l, d);
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
	tell("destroy\t%s\n", d->name);
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
	tell("rename\t%s\t%s\n", from, name);
	/* With nothing of it on the source's side to know the copy by, it is a new one. */
	d->name = arena_strdup(&l->arena, name);
	rename_origins(l, from, name);
	side_sort(&l->source);
}

/* To an earlier snapshot: what is newer goes, bookmarks as well.  ZFS refuses where one of them is held, or has clones.
 */
static void roll_back(struct life *l)
{
	struct dataset *d = at(&l->source, any(l, l->source.datasets.n));
	const struct dataset *t = copy_of(l, d);
	size_t last = d->points.n, back = 1 + any(l, 2);

	for (size_t i = d->points.n; i > 0 && back > 0; i--)
		if (d->points.v[i - 1].kind == POINT_SNAPSHOT && i < last) {
			last = i;
			back--;
		}
	if (back > 0)
		return;
	for (size_t i = last; i < d->points.n; i++) {
		const struct point *p = &d->points.v[i];
		if (p->userrefs > 0 || (p->kind == POINT_SNAPSHOT && is_origin(&l->source, d, p, &l->arena)))
			return;
	}
	tell("rollback\t%s@%s\n", d->name, d->points.v[last - 1].name);
	for (; d->points.n > last; d->points.n--)
		l->meddled |= t != NULL && dataset_snapshot_by_guid(t, d->points.v[d->points.n - 1].guid) != NULL;
}

/* The snapshots up to the origin go over to the clone, with their holds and bookmarks. */
static void promote(struct life *l)
{
	struct dataset *d = at(&l->source, any(l, l->source.datasets.n)), *o;
	struct points moved = {0}, left = {0};

	if (d->origin == NULL)
		return;
	char *name = arena_strdup(&l->arena, d->origin), *mark = strchr(name, '@');
	*mark = '\0';
	o = named(&l->source, name);
	const struct point *last = dataset_snapshot_by_name(o, mark + 1);
	for (size_t i = 0; i < o->points.n; i++) {
		const struct point *p = &o->points.v[i];
		bool goes = p->createtxg <= last->createtxg;
		if (goes && p->kind == POINT_SNAPSHOT && dataset_snapshot_by_name(d, p->name) != NULL)
			return;
		*vec_add(goes ? &moved : &left, &l->arena) = *p;
	}
	tell("promote\t%s\n", d->name);
	for (size_t i = 0; i < l->source.datasets.n; i++) {
		struct dataset *c = at(&l->source, i);
		const char *of = c->origin == NULL ? NULL : strchr(c->origin, '@');
		if (of == NULL || c == d || strncmp(c->origin, name, strlen(name)) != 0 ||
		    c->origin + strlen(name) != of)
			continue;
		for (size_t k = 0; k < moved.n; k++)
			if (strcmp(moved.v[k].name, of + 1) == 0)
				c->origin = arena_printf(&l->arena, "%s%s", d->name, of);
	}
	const char *was = o->origin;
	o->origin = arena_printf(&l->arena, "%s@%s", d->name, mark + 1);
	d->origin = was;
	o->points = left;
	for (size_t i = 0; i < d->points.n; i++)
		*vec_add(&moved, &l->arena) = d->points.v[i];
	d->points = moved;
	l->meddled |= was_faster(l, o);
	side_sort(&l->source);
}

static void meddle(struct life *l)
{
	if (l->target.datasets.n == 0)
		return;
	struct dataset *t = at(&l->target, any(l, l->target.datasets.n));
	if (t->placeholder || t->resume.token != NULL || dataset_newest(t) == NULL)
		return;
	l->meddled = true;
	if (any(l, 2) == 0) {
		tell("write\t%s\n", t->name);
		t->written = 4096;
	} else {
		const char *name = arena_printf(&l->arena, "foreign%llu", (unsigned long long)l->guid);
		tell("snapshot\t%s@%s\n", t->name, name);
		snapshot(l, t, name);
		t->written = 0;
	}
}

/* The archive's own clean-up, or a person's: never the newest. */
static void prune_copy(struct life *l)
{
	if (l->target.datasets.n == 0)
		return;
	struct dataset *t = at(&l->target, any(l, l->target.datasets.n));
	if (t->points.n < 2 || t->resume.token != NULL)
		return;
	size_t i = any(l, t->points.n - 1);
	if (is_origin(&l->target, t, &t->points.v[i], &l->arena))
		return;
	tell("destroy\t%s@%s\n", t->name, t->points.v[i].name);
	drop_point(t, i);
}

/* A stream that makes no sense: where the model refuses it, ZFS must, or change nothing. */
static void try_nonsense(struct life *l)
{
	const struct dataset *s = at(&l->source, any(l, l->source.datasets.n));
	const struct dataset *t = copy_of(l, s);
	struct side_state copy = foresee_copy(&l->target, &l->arena);

	if (t == NULL || t->placeholder || t->resume.token != NULL || s->points.n == 0)
		return;
	const struct point *to = &s->points.v[any(l, s->points.n)], *base = &s->points.v[any(l, s->points.n)];
	struct send_step step = {.kind = any(l, 3) == 0	  ? SEND_FULL
					 : any(l, 2) == 0 ? SEND_INCREMENTAL
							  : SEND_INTERMEDIATE,
				 .source = s->name,
				 .target = t->name,
				 .to = *to,
				 .base = *base};
	if (to->kind == POINT_SNAPSHOT && !model_send(&l->source, &copy, &step, &l->arena))
		tell_step("nonsense", &step);
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
	tell("rename\t%s\t%s\n", from, to);
	for (size_t i = 0; i < l->target.datasets.n; i++) {
		struct dataset *d = at(&l->target, i);
		if (dataset_is_under(d->name, from))
			d->name = arena_printf(&l->arena, "%s%s", to, d->name + strlen(from));
		if (d->origin != NULL && dataset_is_under(d->origin, from))
			d->origin = arena_printf(&l->arena, "%s%s", to, d->origin + strlen(from));
	}
	side_sort(&l->target);
}

static void make_parents(struct life *l, const struct send_step *s)
{
	for (size_t i = 0; i < s->parents.n; i++)
		if (named(&l->target, s->parents.v[i].dataset) == NULL)
			tell("parent\t%s\n", s->parents.v[i].dataset);
	model_parents(&l->target, s, &l->arena);
}

static void must_send(struct life *l, const struct send_step *s)
{
	make_parents(l, s);
	tell_step("send", s);
	if (!model_send(&l->source, &l->target, s, &l->arena))
		fail_msg("ZFS would refuse to send %s@%s", s->source, s->to.name);
}

/* The stream of a step is cut in the middle: what has arrived is kept, whole snapshots and a part of the next. */
static void cut(struct life *l, const struct send_step *s)
{
	const struct dataset *from = named(&l->source, s->source);
	struct send_step one = *s;

	if (s->kind == SEND_RESUME)
		return;
	for (size_t i = 0; s->kind == SEND_INTERMEDIATE && i < from->points.n; i++) {
		const struct point *p = &from->points.v[i];
		if (p->kind != POINT_SNAPSHOT || p->createtxg <= one.base.createtxg || p->createtxg > s->to.createtxg)
			continue;
		one.kind = SEND_INCREMENTAL;
		one.to = *p;
		if (p->guid == s->to.guid || any(l, 2) == 0)
			break;
		must_send(l, &one);
		one.base = *p;
	}
	make_parents(l, s);
	tell_step("cut", &one);
	struct dataset *t = named(&l->target, s->target);
	if (t == NULL && parent_is_there(l, s->target))
		t = model_dataset(&l->target, &l->arena, s->target, "");
	if (t != NULL)
		t->resume = (struct resume){.token = "1-token", .to_guid = one.to.guid, .raw = one.raw};
	if (t != NULL && one.kind == SEND_CLONE)
		t->origin = one.target_origin;
}

/* One plan, up to so many steps; true when it was done to its end, and no rename asks for another one. */
static bool run_once(struct life *l, size_t steps, bool cuts)
{
	struct plan p = plan_of(l);

	for (size_t i = 0; i < p.aborts.n; i++, steps--) {
		if (steps == 0)
			return false;
		tell("abort\t%s\n", p.aborts.v[i].dataset);
		model_abort(&l->target, &p.aborts.v[i]);
	}
	for (size_t i = 0; i < p.parents.n; i++, steps--) {
		if (steps == 0)
			return false;
		if (p.parents.v[i].later)
			continue;
		tell("parent\t%s\n", p.parents.v[i].dataset);
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
		must_send(l, s);
		l->sends++;
		l->clones += s->kind == SEND_CLONE;
		l->resumes += s->kind == SEND_RESUME;
	}
	for (size_t i = 0; i < p.marks.n; i++, steps--) {
		if (steps == 0)
			return false;
		tell_mark(&p.marks.v[i], backup_tag(&home, &l->arena));
		assert_true(model_mark(&l->source, &p.marks.v[i], &l->arena));
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

static bool has_bookmark(const struct side_state *s, uint64_t guid)
{
	for (size_t i = 0; i < s->datasets.n; i++)
		for (size_t k = 0; k < s->datasets.v[i].points.n; k++)
			if (s->datasets.v[i].points.v[k].guid == guid &&
			    s->datasets.v[i].points.v[k].kind == POINT_BOOKMARK)
				return true;
	return false;
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
		/* And what else is held can be found, and let go, by a bookmark. */
		for (size_t k = 0; k < s->points.n; k++)
			if (s->points.v[k].userrefs > 0 && !has_bookmark(&l->source, s->points.v[k].guid))
				fail_msg("'%s@%s' is held for ever", s->name, s->points.v[k].name);
	}
	for (size_t i = 0; i < p.conflicts.n; i++) {
		const struct conflict *c = &p.conflicts.v[i];
		assert_true(c->why[0] != '\0' && c->hint[0] != '\0');
		if (c->kind != CONFLICT_NO_SNAPSHOT && !l->meddled)
			fail_msg("nobody meddled, but '%s': %s", c->source, c->why);
	}
}

static void whole_and_check(struct life *l)
{
	FILE *was = trace;

	trace = NULL; /* a real one does it in its own way */
	run_whole(l);
	check(l);
	size_t conflicts = plan_of(l).conflicts.n;
	trace = was;
	tell("run\t%s\n", conflicts == 0 ? "whole" : conflicts < l->source.datasets.n ? "partly" : "failed");
}

static void live(uint64_t seed, struct life *sum)
{
	struct life l = {.x = seed * 2654435761u + 88172645463325252u, .guid = 100};

	current = seed;
	l.source = (struct side_state){.root = "tank/home", .seen = true, .root_exists = true};
	l.target = (struct side_state){.root = "vault", .seen = true, .root_exists = true};
	tell("create\t%s\t-\n", names[0]);
	(void)model_dataset(&l.source, &l.arena, names[0], "");
	snapshot_some(&l);
	bool gentle = seed % 2 == 0;
	for (int i = 0; i < STEPS; i++) {
		switch (any(&l, gentle ? 13 : 16)) {
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
			whole_and_check(&l);
			break;
		case 10:
			prune_copy(&l);
			break;
		case 11:
			promote(&l);
			break;
		case 12:
			try_nonsense(&l);
			break;
		case 13:
			meddle(&l);
			break;
		case 14:
			roll_back(&l);
			break;
		default:
			destroy_dataset(&l);
			break;
		}
		tell_state(&l);
	}
	whole_and_check(&l);
	tell_state(&l);
	sum->sends += l.sends;
	sum->clones += l.clones;
	sum->resumes += l.resumes;
	sum->renames += l.renames;
	sum->meddled |= l.meddled;
	arena_release(&l.arena);
}

static void schedules(void **state)
{
	const char *seed = getenv("SCHEDULE_SEED"), *path = getenv("SCHEDULE_TRACE");
	uint64_t from = seed == NULL ? 1 : strtoull(seed, NULL, 10), n = seed == NULL ? CASES : 1;
	struct life sum = {0};

	(void)state;
	if (path != NULL)
		assert_non_null(trace = fopen(path, "we"));
	for (uint64_t i = from; i < from + n; i++)
		live(i, &sum);
	if (trace != NULL)
		assert_int_equal(fclose(trace), 0);
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
