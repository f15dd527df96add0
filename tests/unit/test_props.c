/* Properties of the planner, over the model of ZFS: all small histories, and many random trees.
 * PROP_SEED=N repeats a random run. */
#include "check.h"

#include "plan/replicate_plan.h"
#include "zfs_model.h"

static const struct backup home = {.name = "b", .source = "tank/home", .dest_target = "x", .dest = "vault"};

struct world {
	struct side_state source, target;
};

static struct world world(void)
{
	return (struct world){{.root = "tank/home", .seen = true, .root_exists = true},
			      {.root = "vault", .seen = true, .root_exists = true}};
}

static struct plan plan_of(const struct world *w, struct arena *a)
{
	struct plan p = {0};
	replicate_plan(&home, NULL, &w->source, &w->target, &(struct zone){0}, 0, a, &p);
	return p;
}

/* Nothing that would break the next increment, or anybody's hold. */
static void check_safe(const struct world *w, const struct plan *p)
{
	for (size_t i = 0; i < p->marks.n; i++) {
		const struct mark_step *m = &p->marks.v[i];
		const struct dataset *s = side_find(&w->source, m->dataset);
		char name[64];
		(void)snprintf(name, sizeof(name), "vault/%s", m->dataset);
		const struct dataset *t = side_find(&w->target, name);
		const struct point *newest = t == NULL ? NULL : dataset_newest(t);
		for (size_t k = 0; k < s->points.n; k++) {
			const struct point *pt = &s->points.v[k];
			if (strcmp(pt->name, m->snapshot) != 0)
				continue;
			if (m->kind == MARK_RELEASE || m->kind == MARK_UNBOOKMARK)
				assert_true(newest == NULL || pt->guid != newest->guid);
		}
	}
}

/* Does the first `steps` steps of what is planned; how many there are. */
static size_t apply(struct world *w, const struct plan *p, size_t steps, struct arena *a)
{
	size_t done = 0;

	check_safe(w, p);
	for (size_t i = 0; i < p->aborts.n && done < steps; i++, done++)
		model_abort(&w->target, &p->aborts.v[i]);
	for (size_t i = 0; i < p->parents.n && done < steps; i++) {
		if (p->parents.v[i].later)
			continue;
		model_parent(&w->target, &p->parents.v[i], a);
		done++;
	}
	for (size_t i = 0; i < p->sends.n && done < steps; i++, done++)
		if (!model_send(&w->source, &w->target, &p->sends.v[i], a))
			fail_msg("ZFS would refuse to send %s@%s", p->sends.v[i].source, p->sends.v[i].to.name);
	for (size_t i = 0; i < p->marks.n && done < steps; i++, done++)
		(void)model_mark(&w->source, &p->marks.v[i], a);
	return done;
}

static size_t size_of(const struct plan *p)
{
	return p->aborts.n + p->parents.n + p->sends.n + p->marks.n;
}

/* Plans and applies until nothing is left to do; each time only up to `cut` steps, as if killed there. */
static void settle(struct world *w, size_t cut, struct arena *a)
{
	for (int round = 0; round < 100; round++) {
		struct plan p = plan_of(w, a);
		if (size_of(&p) == 0)
			return;
		(void)apply(w, &p, cut, a);
	}
	fail_msg("after 100 rounds there is still something to do");
}

static void check_same(const struct world *x, const struct world *y)
{
	assert_int_equal(x->target.datasets.n, y->target.datasets.n);
	for (size_t i = 0; i < x->target.datasets.n; i++) {
		const struct dataset *d = &x->target.datasets.v[i], *e = &y->target.datasets.v[i];
		assert_string_equal(d->name, e->name);
		assert_int_equal(d->points.n, e->points.n);
		for (size_t k = 0; k < d->points.n; k++)
			assert_int_equal(d->points.v[k].guid, e->points.v[k].guid);
	}
}

/* Which one is being checked: told when it fails. */
static uint64_t current;

static int tell_current(void **state)
{
	(void)state;
	print_message("# the last one: PROP_SEED=%llu\n", (unsigned long long)current);
	return 0;
}

/* The same from a crash after any step. */
static void check_world(struct world (*make)(struct arena *, uint64_t), uint64_t seed)
{
	AUTO(arena) struct arena a = {0};
	current = seed;
	struct world whole = make(&a, seed);
	struct plan first = plan_of(&whole, &a);

	settle(&whole, SIZE_MAX, &a);
	for (size_t cut = 1; cut <= size_of(&first); cut++) {
		struct world w = make(&a, seed);
		settle(&w, cut, &a);
		check_same(&whole, &w);
	}
	/* Everything that is not in conflict is there. */
	struct plan last = plan_of(&whole, &a);
	assert_int_equal(last.sends.n, 0);
	assert_int_equal(last.skips.n + last.conflicts.n, whole.source.datasets.n);
}

/* Number n as a history of up to 4 points on each side: every combination of snapshot, bookmark, both or
 * nothing at the source, and of snapshot or nothing at the target, and a partial receive. */
static struct world small(struct arena *a, uint64_t n)
{
	static const char *const at_source[] = {"", "@%c ", "#%c ", "@%c #%c "};
	AUTO(buf) struct buf s = {0};
	AUTO(buf) struct buf t = {0};
	struct world w = world();

	for (int i = 0; i < 4; i++, n /= 4) {
		int c = 'a' + i;
		const char *form = at_source[n % 4];
		for (; *form != '\0'; form++) {
			if (*form == '%') {
				buf_putc(&s, (char)c);
				form++;
			} else {
				buf_putc(&s, *form);
			}
		}
	}
	for (int i = 0; i < 4; i++, n /= 2)
		if (n % 2)
			buf_printf(&t, "@%c ", 'a' + i);
	int partial = (int)(n % 5);
	n /= 5;
	/* What is partly there comes after everything that is there. */
	if (partial > 0 && (t.n == 0 || t.p[t.n - 2] < 'a' + partial - 1))
		buf_printf(&t, "?%c", 'a' + partial - 1);
	model_dataset(&w.source, a, "tank/home", buf_text(&s));
	if (t.n > 0 || n % 2)
		model_dataset(&w.target, a, "vault/tank/home", buf_text(&t));
	return w;
}

static void every_small_history(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 256 * 16 * 5 * 2; n++)
		check_world(small, n);
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Makes some of the datasets clones of others: never of each other in a circle. */
static void make_clones(struct world *w, uint64_t *x, struct arena *a)
{
	size_t n = w->source.datasets.n, turn = next(x) % n;

	for (size_t i = 0; i < n; i++) {
		struct dataset *d = &w->source.datasets.v[i];
		const struct dataset *o = &w->source.datasets.v[next(x) % n];
		const struct point *snapshot = dataset_newest(o);
		size_t mine = (i + turn) % n, theirs = ((size_t)(o - w->source.datasets.v) + turn) % n;
		if (next(x) % 3 == 0 && theirs < mine && snapshot != NULL)
			d->origin = arena_printf(a, "%s@%s", o->name, snapshot->name);
	}
}

/* A tree of up to 6 datasets, each with its own history. */
static struct world tree(struct arena *a, uint64_t seed)
{
	static const char *const names[] = {"tank/home",   "tank/home/a",   "tank/home/a/b",
					    "tank/home/c", "tank/home/c d", "tank/home/e"};
	uint64_t x = seed * 2654435761u + 88172645463325252u;
	struct world w = world();

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO(buf) struct buf s = {0};
		AUTO(buf) struct buf t = {0};
		if (i > 0 && next(&x) % 4 == 0)
			continue;
		int common = (int)(next(&x) % 8);
		for (int k = 0; k < 10; k++) {
			uint64_t r = next(&x);
			if (r % 3 != 0)
				buf_printf(&s, "@%c%s ", 'a' + k, r % 7 == 0 ? "+" : "");
			if (r % 5 == 0 || (r % 3 == 0 && r % 2 == 0))
				buf_printf(&s, "%c%c ", r % 2 ? '#' : '*', 'a' + k);
			if (k <= common && r % 4 != 0)
				buf_printf(&t, "@%c ", 'a' + k);
		}
		model_dataset(&w.source, a, names[i], buf_text(&s));
		if (next(&x) % 3 != 0) {
			char name[64];
			(void)snprintf(name, sizeof(name), "vault/%s", names[i]);
			model_dataset(&w.target, a, name, buf_text(&t));
		}
	}
	make_clones(&w, &x, a);
	return w;
}

static void random_trees(void **state)
{
	const char *seed = getenv("PROP_SEED");
	uint64_t from = seed == NULL ? 1 : strtoull(seed, NULL, 10), n = seed == NULL ? 3000 : 1;

	(void)state;
	for (uint64_t i = from; i < from + n; i++)
		check_world(tree, i);
}

/* The plan does not depend on the order in which ZFS lists things. */
static void order_does_not_matter(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 200; seed++) {
		AUTO(arena) struct arena a = {0};
		struct world w = tree(&a, seed), v = tree(&a, seed);
		for (size_t i = 0; i < v.source.datasets.n / 2; i++) {
			struct dataset d = v.source.datasets.v[i];
			v.source.datasets.v[i] = v.source.datasets.v[v.source.datasets.n - 1 - i];
			v.source.datasets.v[v.source.datasets.n - 1 - i] = d;
		}
		side_sort(&v.source);
		struct plan p = plan_of(&w, &a), q = plan_of(&v, &a);
		assert_int_equal(p.sends.n, q.sends.n);
		for (size_t i = 0; i < p.sends.n; i++)
			assert_string_equal(p.sends.v[i].source, q.sends.v[i].source);
	}
}

/* 100,000 snapshots: printed, not asserted. */
static void large(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct world w = world();

	(void)state;
	for (int d = 0; d < 1000; d++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "vault/tank/home/%04d", d);
		struct dataset s = {.name = arena_strdup(&a, name + 6)}, t = {.name = arena_strdup(&a, name)};
		for (uint64_t k = 1; k <= 100; k++) {
			struct point p = {.name = arena_printf(&a, "s%d", (int)k), .guid = k, .createtxg = k};
			*vec_add(&s.points, &a) = p;
			if (k < 100)
				*vec_add(&t.points, &a) = p;
		}
		*vec_add(&w.source.datasets, &a) = s;
		*vec_add(&w.target.datasets, &a) = t;
	}
	side_sort(&w.source);
	side_sort(&w.target);
	clock_t began = clock();
	struct plan p = plan_of(&w, &a);
	print_message("# planning 100,000 snapshots: %.1f ms\n", (double)(clock() - began) * 1000 / CLOCKS_PER_SEC);
	assert_int_equal(p.sends.n, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(every_small_history, tell_current),
	    cmocka_unit_test_teardown(random_trees, tell_current),
	    cmocka_unit_test(order_does_not_matter),
	    cmocka_unit_test(large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
