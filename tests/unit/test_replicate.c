/* The planner, in a one-line notation: "@a @b #b" are snapshots and bookmarks in order of their making; the
 * same letter is the same GUID on both sides. */
#include "check.h"

#include "plan/explain.h"
#include "plan/replicate_plan.h"
#include "plan/snapshot_plan.h"
#include "zfs_model.h"

static const struct backup home = {.name = "b", .source = "tank/home", .dest_target = "x", .dest = "vault"};

/* What the plan says, in one line. */
static const char *brief(const struct plan *p, struct arena *a)
{
	static const char *const conflicts[] = {"no-snapshot", "diverged", "no-common", "changed",
						"not-ours",    "type",	   "unreadable"};
	AUTO(buf) struct buf b = {0};

	for (size_t i = 0; i < p->aborts.n; i++)
		buf_puts(&b, "abort ");
	for (size_t i = 0; i < p->sends.n; i++) {
		const struct send_step *s = &p->sends.v[i];
		const char *kind = s->kind == SEND_FULL		 ? "full"
				   : s->kind == SEND_INCREMENTAL ? "-i"
				   : s->kind == SEND_RESUME	 ? "-t"
								 : "-I";
		buf_printf(&b, "%s%s%s%s @%s ", kind,
			   s->base.name == NULL		    ? ""
			   : s->base.kind == POINT_BOOKMARK ? " #"
							    : " @",
			   s->base.name == NULL ? "" : s->base.name, s->raw ? " raw" : "", s->to.name);
	}
	for (size_t i = 0; i < p->conflicts.n; i++)
		buf_printf(&b, "!%s ", conflicts[p->conflicts.v[i].kind]);
	for (size_t i = 0; i < p->skips.n; i++)
		buf_puts(&b, "current ");
	for (size_t i = 0; i < p->marks.n; i++) {
		static const char *const marks[] = {"hold", "mark", "release", "unmark"};
		const char *name = p->marks.v[i].snapshot;
		buf_printf(&b, "%s:%.1s ", marks[p->marks.v[i].kind], strncmp(name, "dormouse_", 9) == 0 ? "*" : name);
	}
	return str_dup(a, str_trim(buf_str(&b)));
}

static void check(const char *source, const char *target, const char *want)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	model_dataset(&s, &a, "tank/home", source);
	model_dataset(&t, &a, "vault/tank", "");
	if (target != NULL)
		model_dataset(&t, &a, "vault/tank/home", target);
	replicate_plan(&home, &s, &t, 0, &a, &p);
	const char *got = brief(&p, &a);
	if (strcmp(got, want) != 0)
		fail_msg("%s | %s: '%s', not '%s'", source, target == NULL ? "nothing" : target, got, want);
}

static void one_dataset(void **state)
{
	(void)state;
	check("@a", NULL, "full @a");
	check("@a @b @c", NULL, "full @a -I @a @c");
	check("@a @b", NULL, "full @a -i @a @b");
	check("#a @b", NULL, "full @b");
	check("@a", "@a", "current mark:a hold:a");
	check("@a @b", "@a", "-i @a @b mark:a hold:a");
	check("@a @b @c", "@a", "-I @a @c mark:a hold:a");
	check("#a @b", "@a", "-i #a @b");
	check("#a @b @c @d", "@a", "-i #a @b -I @b @d");
	check("#a", "@a", "!no-snapshot");
	check("@a #a @b", "@a", "-i @a @b mark:a hold:a");
	check("", NULL, "!no-snapshot");
	check("@b", "@a", "!no-common");
	check("@a @c", "@a @b", "!diverged");
	check("@a", "@a @b", "!diverged");
	check("@a @b", "", "!not-ours");
	check("@a", "@a ~", "!changed mark:a hold:a");
	/* Whether it can be received, zfs knows better: not everything that is counted as written is a change. */
	check("@a @b", "@a ~", "-i @a @b mark:a hold:a");
	check("@a @b", "@a @b", "current mark:b hold:b");
	/* The target keeps what the source has pruned. */
	check("@c @d", "@a @b @c", "-i @c @d mark:c hold:c");
}

static void marks(void **state)
{
	(void)state;
	/* '*' is our bookmark, '+' a hold. */
	check("@a+ *a @b+ *b", "@a @b", "current release:a unmark:*");
	check("@a *a @b+ *b", "@a @b", "current unmark:*");
	check("@b *b", "@b", "current hold:b");
	check("@b+ *b", "@b", "current");
	check("*a @b", "@a", "-i #dormouse_b_0000000000000061 @b");
	/* A foreign hold is nobody's business. */
	check("@a+ @b+ *b", "@a @b", "current");
}

static void resumes(void **state)
{
	(void)state;
	check("@a @b @c", "@a ?b", "-t @b -i @b @c");
	check("@a", "?a", "-t @a");
	check("@b", "?a", "abort full @b");
	check("@a @c", "@a ?b", "abort -i @a @c mark:a hold:a");
	check("@a", "?", "!unreadable");
}

static void raw_and_types(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a")->encrypted = true;
	model_dataset(&s, &a, "tank/home/v", "@a")->type = DATASET_VOLUME;
	model_dataset(&t, &a, "vault/tank/home/v", "@a");
	replicate_plan(&home, &s, &t, 0, &a, &p);
	assert_string_equal(brief(&p, &a), "full raw @a !type");
	/* The pool is there, and what lies between is made from the top. */
	assert_int_equal(p.parents.n, 1);
	assert_string_equal(p.parents.v[0].dataset, "vault/tank");
}

static void parents(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct backup b = home;
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault/x/y", .seen = true}; /* looked: not there */
	struct plan p = {0};

	(void)state;
	b.dest = "vault/x/y";
	model_dataset(&s, &a, "tank/home", "@a");
	model_dataset(&s, &a, "tank/home/sub", "@a");
	replicate_plan(&b, &s, &t, 0, &a, &p);
	assert_int_equal(p.parents.n, 3);
	assert_string_equal(p.parents.v[0].dataset, "vault/x");
	assert_string_equal(p.parents.v[2].dataset, "vault/x/y/tank");
	assert_int_equal(p.sends.n, 2);
}

/* What is new first, then first copies from small to large, a parent before what is below it. */
static void order(void **state)
{
	static const struct {
		const char *name, *points;
		uint64_t size;
	} t[] = {{"tank/home", "@a", 5},	 {"tank/home/a", "@a", 900},  {"tank/home/a/x", "@a @b", 1},
		 {"tank/home/b", "@a @b @c", 2}, {"tank/home/c", "@a", 100},  {"tank/home/d", "@a @b", 1 << 20},
		 {"tank/home/e", "@a", 0},	 {"tank/home/e/y", "@a", 50}, {"tank/home/f", "@a @b", 7}};
	static const char *const want[] = {"d", "f", "", "b", "b", "e", "e/y", "c", "a", "a/x", "a/x"};
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state to = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		model_dataset(&s, &a, t[i].name, t[i].points)->referenced = t[i].size;
	model_dataset(&to, &a, "vault/tank/home/d", "@a");
	model_dataset(&to, &a, "vault/tank/home/f", "@a ?b");
	replicate_plan(&home, &s, &to, 0, &a, &p);
	AUTO(buf) struct buf got = {0};
	AUTO(buf) struct buf all = {0};
	for (size_t i = 0; i < p.sends.n; i++)
		buf_printf(&got, "%s ", p.sends.v[i].source + strlen("tank/home"));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		buf_printf(&all, "%s%s ", *want[i] == '\0' ? "" : "/", want[i]);
	assert_string_equal(buf_text(&got), buf_text(&all));
}

static void excludes(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct backup b = home;
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	(void)state;
	*vec_add(&b.exclude, &a) = "tank/home/cache*";
	model_dataset(&s, &a, "tank/home", "@a");
	model_dataset(&s, &a, "tank/home/cache", "@a");
	model_dataset(&s, &a, "tank/home/cache/deep", "@a");
	model_dataset(&s, &a, "tank/home/keep", "@a");
	replicate_plan(&b, &s, &t, 0, &a, &p);
	assert_int_equal(p.sends.n, 2);
	assert_string_equal(p.sends.v[1].source, "tank/home/keep");
}

/* What a recorded look says must not move marks: only a fresh one is a proof. */
static void recorded_look_marks_nothing(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true, .recorded = true};
	struct plan p = {0};

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a+ *a @b");
	model_dataset(&t, &a, "vault/tank/home", "@a @b");
	replicate_plan(&home, &s, &t, 0, &a, &p);
	assert_int_equal(p.marks.n, 0);
}

static void due(void **state)
{
	static const struct {
		const char *label, *last; /* when the last one was made, or NULL */
		const char *now;
		bool due;
	} t[] = {
	    {"frequent", NULL, "2026-11-23T10:00:00Z", true},
	    {"frequent", "2026-11-23T10:00:01Z", "2026-11-23T10:14:59Z", false},
	    {"frequent", "2026-11-23T10:14:59Z", "2026-11-23T10:15:00Z", true},
	    {"hourly", "2026-11-23T10:00:00Z", "2026-11-23T10:59:59Z", false},
	    {"hourly", "2026-11-23T10:59:59Z", "2026-11-23T11:00:00Z", true},
	    {"daily", "2026-11-23T23:59:00Z", "2026-11-24T00:00:00Z", true},
	    {"weekly", "2026-11-22T23:59:00Z", "2026-11-23T00:00:00Z", true}, /* a Monday */
	    {"weekly", "2026-11-23T00:00:00Z", "2026-11-29T23:59:00Z", false},
	    {"monthly", "2026-02-01T00:00:00Z", "2026-02-28T23:00:00Z", false},
	    {"monthly", "2026-02-28T23:59:00Z", "2026-03-01T00:00:00Z", true},
	    {"yearly", "2025-12-31T23:59:00Z", "2026-01-01T00:00:00Z", true},
	    /* A clock that was set back takes none. */
	    {"hourly", "2026-11-23T10:00:00Z", "2026-11-23T08:00:00Z", false},
	};
	static const struct snapshot_label labels[] = {{"frequent", 4, 900},	   {"hourly", 1, 3600},
						       {"daily", 1, 86400},	   {"weekly", 1, 7 * 86400},
						       {"monthly", 1, 30 * 86400}, {"yearly", 1, 365 * 86400}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(arena) struct arena a = {0};
		struct config c = {0};
		struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
		struct plan p = {0};
		int64_t now, last;
		struct dataset *d = model_dataset(&s, &a, "tank/home", "");
		for (size_t k = 0; k < ARRAY_LEN(labels); k++)
			if (strcmp(labels[k].name, t[i].label) == 0)
				*vec_add(&c.snapshots, &a) = labels[k];
		assert_true(civil_parse(str_of(t[i].now), &now));
		if (t[i].last != NULL && civil_parse(str_of(t[i].last), &last))
			*vec_add(&d->points, &a) =
			    (struct point){.name = arena_printf(&a, "zfs-auto-snap_%s-2026-01-01-0000", t[i].label),
					   .guid = 1,
					   .createtxg = 1,
					   .creation = last};
		snapshot_plan(&c, &home, &s, now, &a, &p);
		if ((p.snaps.n == 1) != t[i].due)
			fail_msg("%s: last %s, now %s: due should be %d", t[i].label, t[i].last, t[i].now, t[i].due);
	}
}

static void snapshot_names(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct config c = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct plan p = {.now = 1785110706};

	(void)state;
	*vec_add(&c.snapshots, &a) = (struct snapshot_label){"hourly", 24, 3600};
	*vec_add(&c.snapshots, &a) = (struct snapshot_label){"daily", 0, 86400};
	struct dataset *d = model_dataset(&s, &a, "tank/home", "@a");
	/* Taken, though by nobody's schedule: an old one with today's name. */
	*vec_add(&d->points, &a) =
	    (struct point){.name = "zfs-auto-snap_hourly-2026-07-27-00h05U", .guid = 7, .createtxg = 9, .creation = 5};
	model_dataset(&s, &a, "tank/home/z", "@a");
	snapshot_plan(&c, &home, &s, 1785110706, &a, &p);
	assert_int_equal(p.snaps.n, 1);
	assert_string_equal(p.snaps.v[0].name, "zfs-auto-snap_hourly-2026-07-27-00h05U-2");
	assert_int_equal(p.snaps.v[0].datasets.n, 2);
	struct side_state then = snapshot_foresee(&p, &s, &a);
	assert_int_equal(then.datasets.v[0].points.n, 3);
	assert_int_equal(s.datasets.v[0].points.n, 2);
	assert_string_equal(dataset_newest(&then.datasets.v[1])->name, p.snaps.v[0].name);
}

static void explained(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf out = {0};
	struct config c = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault"};
	struct plan p = {.now = 1785110706};

	(void)state;
	*vec_add(&c.snapshots, &a) = (struct snapshot_label){"hourly", 24, 3600};
	model_dataset(&s, &a, "tank/home", "@a @b");
	snapshot_plan(&c, &home, &s, p.now, &a, &p);
	replicate_plan(&home, &s, &t, p.now, &a, &p);
	plan_explain(&p, &home, &t, &out);
	assert_non_null(strstr(buf_text(&out), "snapshot  @zfs-auto-snap_hourly-2026-07-27-00h05U of 1 dataset\n"));
	assert_non_null(strstr(buf_text(&out), "was never seen"));
	assert_non_null(strstr(buf_text(&out), "send      tank/home: all of @a\n"));
	assert_non_null(strstr(buf_text(&out), "create    vault/tank\n"));

	const char *const cases[][3] = {{"@a+ *a @b+ *b @c", "@a @b", "let go of tank/home@a"},
					{"@a", "@x", "CONFLICT  tank/home"},
					{"@a @b", "@a ?b", "the rest of @b"},
					{"@b", "?a", "give up   the partial receive"},
					{"@a+ *a", "@a", "Everything is there already"},
					{"#a @b", "@a", "#a to @b"}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct side_state from = {.root = "tank/home", .seen = true, .root_exists = true};
		struct side_state to = {.root = "vault", .seen = true, .root_exists = true};
		struct plan q = {0};
		model_dataset(&from, &a, "tank/home", cases[i][0]);
		model_dataset(&to, &a, "vault/tank", "");
		model_dataset(&to, &a, "vault/tank/home", cases[i][1]);
		replicate_plan(&home, &from, &to, 0, &a, &q);
		to.recorded = i == 1;
		buf_clear(&out);
		plan_explain(&q, &home, &to, &out);
		if (strstr(buf_text(&out), cases[i][2]) == NULL)
			fail_msg("'%s' is not in:\n%s", cases[i][2], buf_text(&out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_dataset), cmocka_unit_test(marks),
	    cmocka_unit_test(resumes),	   cmocka_unit_test(raw_and_types),
	    cmocka_unit_test(parents),	   cmocka_unit_test(order),
	    cmocka_unit_test(excludes),	   cmocka_unit_test(recorded_look_marks_nothing),
	    cmocka_unit_test(due),	   cmocka_unit_test(snapshot_names),
	    cmocka_unit_test(explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
