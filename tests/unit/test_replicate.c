/* The planner, in a one-line notation: "@a @b #b" are snapshots and bookmarks in order of their making; the
 * same letter is the same GUID on both sides. */
#include "check.h"

#include "plan/deal_plan.h"
#include "plan/explain.h"
#include "plan/foresee.h"
#include "plan/lean_plan.h"
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

/* As it is recalled: names, GUIDs and order, and no hold. */
static struct side_state recalled(const struct side_state *s, struct arena *a)
{
	struct side_state copy = foresee_copy(s, a);

	for (size_t i = 0; i < copy.datasets.n; i++)
		for (size_t k = 0; k < copy.datasets.v[i].points.n; k++) {
			struct point *p = &copy.datasets.v[i].points.v[k];
			p->recalled = p->kind == POINT_SNAPSHOT;
			p->userrefs = 0;
		}
	return copy;
}

static void ask(const struct side_state *real, struct side_state *s, const struct point_refs *refs)
{
	for (size_t i = 0; i < refs->n; i++) {
		size_t d = (size_t)(refs->v[i].dataset - s->datasets.v);
		size_t k = (size_t)(refs->v[i].point - refs->v[i].dataset->points.v);
		assert_true(s->datasets.v[d].points.v[k].recalled);
		s->datasets.v[d].points.v[k] = real->datasets.v[d].points.v[k];
	}
}

/* The plan of what is recalled, once all that it leans on has been asked for. */
static const char *leaning_plan(const struct side_state *source, const struct side_state *target, struct arena *a)
{
	struct side_state s = recalled(source, a), t = recalled(target, a);

	for (int rounds = 0; rounds < 4; rounds++) {
		struct point_refs here = {0}, there = {0};
		struct plan p = {0};
		replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, a, &p);
		plan_leans_on(&home, &p, &s, &t, a, &here, &there);
		if (here.n + there.n == 0)
			return brief(&p, a);
		ask(source, &s, &here);
		ask(target, &t, &there);
	}
	fail_msg("it asks again and again");
	return NULL;
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
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	const char *got = brief(&p, &a);
	if (strcmp(got, want) != 0)
		fail_msg("%s | %s: '%s', not '%s'", source, target == NULL ? "nothing" : target, got, want);
	got = leaning_plan(&s, &t, &a);
	if (strcmp(got, want) != 0)
		fail_msg("%s | %s, recalled: '%s', not '%s'", source, target == NULL ? "nothing" : target, got, want);
}

/* Only what counts is asked for. */
static void leans(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct point_refs here = {0}, there = {0};
	struct plan p = {0};

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a @b *b @c @d");
	model_dataset(&t, &a, "vault/tank", "");
	model_dataset(&t, &a, "vault/tank/home", "@a @b @c");
	struct side_state rs = recalled(&s, &a), rt = recalled(&t, &a);
	replicate_plan(&home, NULL, &rs, &rt, &(struct zone){0}, 0, &a, &p);
	plan_leans_on(&home, &p, &rs, &rt, &a, &here, &there);
	assert_int_equal(here.n, 3);
	assert_string_equal(here.v[0].point->name, "b");
	assert_string_equal(here.v[1].point->name, "c");
	assert_string_equal(here.v[2].point->name, "d");
	assert_int_equal(there.n, 1);
	assert_string_equal(there.v[0].point->name, "c");
	assert_string_equal(there.v[0].dataset->name, "vault/tank/home");
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
	/* Without its snapshot what has arrived is worth nothing: no clean-up may take it away. */
	check("@a @b @c", "@a ?b", "-t @b -i @b @c mark:b hold:b");
	check("@a *b @b+ @c", "@a ?b", "-t @b -i @b @c");
	check("@a", "?a", "-t @a mark:a hold:a");
	/* Given up, or arrived, and gone on from: it is let go. */
	check("*a @a+ *b @b+ @c", "@a", "-I @a @c release:b unmark:*");
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
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	assert_string_equal(brief(&p, &a), "full raw @a !type");
	/* The pool is there, and what lies between is made from the top. */
	assert_int_equal(p.parents.n, 1);
	assert_string_equal(p.parents.v[0].dataset, "vault/tank");
	/* A copy goes on as it began: raw with its source's key, or a copy's; in the clear with one of the target's. */
	s.datasets.n = t.datasets.n = 0;
	p = (struct plan){0};
	model_dataset(&s, &a, "tank/home", "@a @b")->encrypted = true;
	model_dataset(&s, &a, "tank/home/v", "@a @b")->encrypted = true;
	model_dataset(&s, &a, "tank/home/w", "@a @b")->encrypted = true;
	static const char *const roots[] = {"vault/tank/home", "vault/tank/home", "vault/tank"};
	for (size_t i = 0; i < 3; i++) {
		const char *name = arena_printf(&a, "vault/%s", s.datasets.v[i].name);
		struct dataset *d = model_dataset(&t, &a, name, "@a");
		d->encrypted = true;
		d->key_root = roots[i];
	}
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	assert_int_equal(p.sends.n, 3);
	assert_true(p.sends.v[0].raw && p.sends.v[1].raw && !p.sends.v[2].raw);
}

/* Encrypted and not, in one tree, and on an archive with a key of its own. */
static void mixed_encryption(void **state)
{
	static const struct {
		const char *name;
		bool encrypted;
		const char *points;
		const char *want[3]; /* into a clear destination, an encrypted one, one that nobody can see */
	} t[] = {
	    {"tank/home", false, "@a", {"", "keyed", "keyed"}},
	    {"tank/home/s", true, "@b", {"raw", "raw", "raw"}},
	    {"tank/home/s/none", true, "", {"open", "open", "open"}},
	    {"tank/home/s/none/p", false, "@c", {"open", "open", "open"}},
	    {"tank/home/s/p", false, "@d", {"open", "open", "open"}},
	    {"tank/home/s/p/q", true, "@e", {"raw", "raw", "raw"}},
	    {"tank/home/t", true, "", {"", "", ""}},
	    {"tank/home/t/p", false, "@f", {"", "keyed", "keyed"}},
	};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		AUTO(arena) struct arena a = {0};
		struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
		struct side_state to = {.root = "vault/x", .seen = true, .root_exists = k < 2};
		struct backup b = home;
		struct plan p = {0};
		b.dest = "vault/x";
		for (size_t i = 0; i < ARRAY_LEN(t); i++)
			model_dataset(&s, &a, t[i].name, t[i].points)->encrypted = t[i].encrypted;
		struct dataset *dest = k < 2 ? model_dataset(&to, &a, "vault/x", "") : NULL;
		if (k == 1) {
			dest->encrypted = true;
			dest->key_root = dest->name;
		}
		replicate_plan(&b, NULL, &s, &to, &(struct zone){0}, 0, &a, &p);
		for (size_t i = 0; i < ARRAY_LEN(t); i++) {
			const char *target = arena_printf(&a, "vault/x/%s", t[i].name), *got = "nothing";
			for (size_t n = 0; n < p.sends.n; n++)
				if (strcmp(p.sends.v[n].target, target) == 0)
					got = p.sends.v[n].raw	   ? "raw"
					      : p.sends.v[n].open  ? "open"
					      : p.sends.v[n].keyed ? "keyed"
								   : "";
			for (size_t n = 0; n < p.parents.n; n++)
				if (strcmp(p.parents.v[n].dataset, target) == 0)
					got = p.parents.v[n].open ? "open" : "";
			if (strcmp(got, t[i].want[k]) != 0)
				fail_msg("%s, %zu: '%s', not '%s'", t[i].name, k, got, t[i].want[k]);
		}
	}
}

/* What has arrived in part below a raw copy, and is given up, begins anew as it began. */
static void open_again(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a")->encrypted = true;
	model_dataset(&s, &a, "tank/home/p", "@b");
	model_dataset(&t, &a, "vault/tank", "");
	model_dataset(&t, &a, "vault/tank/home", "@a")->encrypted = true;
	model_dataset(&t, &a, "vault/tank/home/p", "?x");
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	p.marks.n = 0;
	assert_string_equal(brief(&p, &a), "abort full @b current");
	assert_true(p.sends.v[0].open && !p.sends.v[0].keyed);
}

/* The clone of what was once received in the clear: raw does not fit that. */
static void encrypted_clones(void **state)
{
	(void)state;
	for (int raw = 0; raw < 2; raw++) {
		AUTO(arena) struct arena a = {0};
		struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
		struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
		struct plan p = {0};
		model_dataset(&s, &a, "tank/home", "@a")->encrypted = true;
		model_dataset(&t, &a, "vault/tank", "");
		model_dataset(&t, &a, "vault/tank/home", "@a")->encrypted = raw;
		struct dataset *clone = model_dataset(&s, &a, "tank/home/c", "@b");
		clone->encrypted = true;
		clone->origin = "tank/home@a";
		replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
		assert_int_equal(p.sends.n, 1);
		assert_int_equal(p.sends.v[0].kind, raw ? SEND_CLONE : SEND_FULL);
		assert_true(p.sends.v[0].raw);
	}
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
	replicate_plan(&b, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	assert_int_equal(p.parents.n, 3);
	assert_string_equal(p.parents.v[0].dataset, "vault/x");
	assert_string_equal(p.parents.v[2].dataset, "vault/x/y/tank");
	assert_int_equal(p.sends.n, 2);
}

/* What has nothing to send, between two first copies: it is made when the upper one is there, and in its channel. */
static void parents_between(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct backup b = home;
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};
	struct send_steps lists[2];

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a")->referenced = 1 << 30;
	model_dataset(&s, &a, "tank/home/empty", "")->referenced = 5;
	model_dataset(&s, &a, "tank/home/empty/x", "@b")->referenced = 5;
	model_dataset(&s, &a, "tank/home/off", "@c")->chosen = "off";
	model_dataset(&s, &a, "tank/home/off/deep", "@d")->chosen = "off";
	model_dataset(&s, &a, "tank/home/off/deep/y", "@e")->referenced = 7;
	for (int clones = 0; clones < 2; clones++) {
		p = (struct plan){0};
		replicate_plan(&b, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
		assert_int_equal(p.parents.n, 4);
		assert_string_equal(p.parents.v[0].dataset, "vault/tank");
		assert_false(p.parents.v[0].later);
		for (size_t i = 1; i < 4; i++)
			assert_true(p.parents.v[i].later);
		assert_string_equal(p.sends.v[0].source, "tank/home");
		for (size_t i = 1; i < p.sends.n; i++) {
			const struct send_step *step = &p.sends.v[i];
			bool deep = strcmp(step->source, "tank/home/off/deep/y") == 0;
			assert_int_equal(step->parents.n, deep ? 2 : strcmp(step->source, "tank/home/z") != 0);
			if (deep)
				assert_string_equal(step->parents.v[0].dataset, "vault/tank/home/off");
		}
		assert_int_equal(sends_deal(&p.sends, 2, lists, &a), 1);
		/* With a clone the order is another. */
		model_dataset(&s, &a, "tank/home/z", "@f")->origin = "tank/home/empty/x@b";
	}
	/* Half of it is no place for anything. */
	model_dataset(&t, &a, "vault/tank", "");
	model_dataset(&t, &a, "vault/tank/home", "?a");
	p = (struct plan){0};
	replicate_plan(&b, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	assert_int_equal(p.parents.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(p.parents.v[i].later);
	assert_int_equal(p.sends.v[0].kind, SEND_RESUME);
	assert_int_equal(sends_deal(&p.sends, 2, lists, &a), 1);
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
	replicate_plan(&home, NULL, &s, &to, &(struct zone){0}, 0, &a, &p);
	AUTO(buf) struct buf got = {0};
	AUTO(buf) struct buf all = {0};
	for (size_t i = 0; i < p.sends.n; i++)
		buf_printf(&got, "%s ", p.sends.v[i].source + strlen("tank/home"));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		buf_printf(&all, "%s%s ", *want[i] == '\0' ? "" : "/", want[i]);
	assert_string_equal(buf_text(&got), buf_text(&all));
}

/* A dataset that has another name now is followed, not sent again; one that only looks so is not. */
/* One dataset with a backup of its own. */
static void check_choice(const struct backup *b, const char *source, const char *target, int64_t step, const char *want)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	model_dataset(&t, &a, "vault/tank", "");
	struct dataset *d = model_dataset(&s, &a, "tank/home", source);
	struct dataset *copy = target == NULL ? NULL : model_dataset(&t, &a, "vault/tank/home", target);
	for (size_t i = 0; i < d->points.n; i++)
		d->points.v[i].creation = (int64_t)(i + 1) * step;
	for (size_t i = 0; copy != NULL && i < copy->points.n; i++)
		copy->points.v[i].creation = (int64_t)(i + 1) * step;
	replicate_plan(b, NULL, &s, &t, &(struct zone){0}, 100 * step, &a, &p);
	p.marks.n = 0;
	const char *got = brief(&p, &a);
	if (strcmp(got, want) != 0)
		fail_msg("%s | %s: '%s', not '%s'", source, target == NULL ? "nothing" : target, got, want);
}

/* The names of what is sent, without what stands before them. */
static void check_taken(const struct backup *b, const struct side_state *source, const char *want)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf got = {0};
	struct side_state empty = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	replicate_plan(b, NULL, source, &empty, &(struct zone){0}, 60, &a, &p);
	for (size_t i = 0; i < source->datasets.n; i++)
		for (size_t k = 0; k < p.sends.n; k++)
			if (strcmp(p.sends.v[k].source, source->datasets.v[i].name) == 0)
				buf_printf(&got, "%s ", source->datasets.v[i].name);
	for (size_t i = 0; i < p.parents.n; i++)
		buf_printf(&got, "(%s) ", p.parents.v[i].dataset);
	assert_string_equal(buf_text(&got), want);
}

static void chosen_datasets(void **state)
{
	static const char *some[] = {"tank/home/*/in"};
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank", .seen = true, .root_exists = true};
	struct backup b = home;

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a");
	model_dataset(&s, &a, "tank/home/a", "@b")->chosen = "off";
	model_dataset(&s, &a, "tank/home/a/in", "@c")->chosen = "on";
	model_dataset(&s, &a, "tank/home/b", "@d");
	check_taken(&b, &s, "tank/home tank/home/a/in tank/home/b (vault/tank) (vault/tank/home/a) ");
	b.by_property = true;
	check_taken(&b, &s, "tank/home/a/in (vault/tank) (vault/tank/home) (vault/tank/home/a) ");
	/* A word that nobody knows chooses: better one too many than one too few. */
	((struct dataset *)(uintptr_t)side_find(&s, "tank/home/b"))->chosen = "yse";
	check_taken(&b, &s, "tank/home/a/in tank/home/b (vault/tank) (vault/tank/home) (vault/tank/home/a) ");
	b = home;
	b.include = (struct strings){.v = some, .n = 1};
	check_taken(&b, &s, "tank/home/a/in (vault/tank) (vault/tank/home) (vault/tank/home/a) ");
}

static void chosen_snapshots(void **state)
{
	static const char *glob[] = {"*x", "tmp*"};
	struct backup b = home;

	(void)state;
	b.first_copy = FIRST_NEWEST;
	check_choice(&b, "@a @b @c", NULL, 60, "full @c");
	check_choice(&b, "@a @b @c @d", "@b", 60, "-I @b @d");
	b = home;
	b.exclude_snapshots = (struct strings){.v = glob, .n = 2};
	/* No stream reaches over what is left out. */
	check_choice(&b, "@a @bx @c @d", NULL, 60, "full @a -i @a @c -i @c @d");
	check_choice(&b, "@a @b @c @dx @e @f @g", "@a", 60, "-I @a @c -i @c @e -I @e @g");
	check_choice(&b, "@a @bx @cx", "@a", 60, "current");
	check_choice(&b, "@ax", NULL, 60, "!no-snapshot");
	check_choice(&b, "@ax @b #a", "@ax", 60, "-i @ax @b");
	/* With nothing to send, a change over there is still seen: see plan_existing. */
	b = home;
	b.keep = (struct keep){.set = true, .count = {[LABEL_DAILY] = 2}};
	/* Six-hourly ones, of which the archive keeps the first of each of two days, and the newest.  Their names are
	 * ones that it may destroy. */
	static const char zfs_auto[] = "@zfs-auto-snap_hourly-2026-01-01-0%dh00U ";
	AUTO(buf) struct buf names = {0};
	for (int i = 0; i < 8; i++)
		buf_printf(&names, zfs_auto, i);
	check_choice(&b, buf_text(&names), NULL, 21600,
		     "full @zfs-auto-snap_hourly-2026-01-01-03h00U "
		     "-i @zfs-auto-snap_hourly-2026-01-01-03h00U @zfs-auto-snap_hourly-2026-01-01-07h00U");
	/* What others made is never destroyed there, so it is sent. */
	check_choice(&b, "@a @b @c @d @e @f @g @h", "@a", 21600, "-I @a @h");
}

static void renames(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a");
	model_dataset(&s, &a, "tank/home/new", "@b @c");
	model_dataset(&s, &a, "tank/home/deep/er", "#d @e");
	model_dataset(&s, &a, "tank/home/deep", "@x");
	model_dataset(&s, &a, "tank/home/other", "@f");
	model_dataset(&s, &a, "tank/home/kept", "@g");
	model_dataset(&t, &a, "vault/tank", "");
	model_dataset(&t, &a, "vault/tank/home", "@a");
	model_dataset(&t, &a, "vault/tank/home/old", "@b");
	model_dataset(&t, &a, "vault/tank/home/flat", "@d");
	model_dataset(&t, &a, "vault/tank/home/kept", "@f @g"); /* its source is there */
	model_dataset(&t, &a, "vault/else/home", "@f");		/* of another source */
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	assert_int_equal(p.renames.n, 2);
	assert_string_equal(p.renames.v[0].dataset, "vault/tank/home/flat");
	assert_string_equal(p.renames.v[0].to, "vault/tank/home/deep/er");
	assert_string_equal(p.renames.v[1].dataset, "vault/tank/home/old");
	assert_string_equal(p.renames.v[1].to, "vault/tank/home/new");
	/* What it comes to lie in is sent first; nothing stands in for that. */
	assert_int_equal(p.sends.n, 2);
	assert_string_equal(p.sends.v[0].source, "tank/home/deep");
	assert_string_equal(p.sends.v[1].source, "tank/home/other");
	assert_int_equal(p.parents.n, 0);
}

/* What a person has set aside stays there; what went along comes back below its new copy. */
static void set_aside(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank/home", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct plan p = {0};

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a")->encrypted = true;
	model_dataset(&s, &a, "tank/home/x", "@b");
	model_dataset(&s, &a, "tank/home/y", "@c @d")->encrypted = true;
	model_dataset(&s, &a, "tank/home/y/z", "@e");
	model_dataset(&t, &a, "vault/tank", "");
	model_dataset(&t, &a, "vault/tank/home-kept-20270102030405", "@a ~");
	model_dataset(&t, &a, "vault/tank/home-kept-20270102030405/x", "@b");
	model_dataset(&t, &a, "vault/tank/home/y-kept-20270102030405", "@c ~");
	model_dataset(&t, &a, "vault/tank/home/y-kept-20270102030405/z", "@e");
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	assert_int_equal(p.renames.n, 2);
	assert_string_equal(p.renames.v[0].to, "vault/tank/home/x");
	assert_string_equal(p.renames.v[1].to, "vault/tank/home/y/z");
	assert_string_equal(brief(&p, &a), "full raw @a full raw @c -i @c raw @d");
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
	replicate_plan(&b, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
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
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, 0, &a, &p);
	assert_int_equal(p.marks.n, 0);
}

static void explained(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf out = {0};
	struct snapshot_policy policy = {.takes[LABEL_HOURLY] = true, .keep[LABEL_HOURLY] = 24};
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault"};
	struct pass pass;
	struct plan p = {.now = 1785110706};
	struct archive archive = {0};

	(void)state;
	model_dataset(&s, &a, "tank/home", "@a @b")->wants[LABEL_NONE] = "true";
	pass_plan(&policy, &s, &(struct zone){0}, p.now, 0, &a, &pass);
	replicate_plan(&home, NULL, &s, &t, &(struct zone){0}, p.now, &a, &p);
	plan_explain(&pass, &p, &archive, &home, &t, &out);
	assert_non_null(strstr(buf_text(&out), "snapshot  @zfs-auto-snap_hourly-2026-07-27-00h05U of 1 dataset\n"));
	assert_non_null(strstr(buf_text(&out), "was never seen"));
	assert_non_null(strstr(buf_text(&out), "send      tank/home: all of @a\n"));
	assert_non_null(strstr(buf_text(&out), "create    vault/tank\n"));

	const char *const cases[][3] = {{"@a+ *a @b+ *b @c", "@a @b", "let go of tank/home@a"},
					{"@a", "@x", "CONFLICT  tank/home"},
					{"@a @b", "@a ?b", "the rest of @b"},
					{"@b", "?a", "give up   the partial receive"},
					{"@a+ *a", "@a", "Everything is there already"},
					{"", "@a", "No dataset is chosen"},
					{"#a @b", "@a", "#a to @b"}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct side_state from = {.root = "tank/home", .seen = true, .root_exists = true};
		struct side_state to = {.root = "vault", .seen = true, .root_exists = true};
		struct plan q = {0};
		model_dataset(&from, &a, "tank/home", cases[i][0])->chosen = cases[i][0][0] == '\0' ? "off" : NULL;
		model_dataset(&to, &a, "vault/tank", "");
		model_dataset(&to, &a, "vault/tank/home", cases[i][1]);
		replicate_plan(&home, NULL, &from, &to, &(struct zone){0}, 0, &a, &q);
		to.recorded = i == 1;
		buf_clear(&out);
		plan_explain(&(struct pass){0}, &q, &archive, &home, &to, &out);
		if (strstr(buf_text(&out), cases[i][2]) == NULL)
			fail_msg("'%s' is not in:\n%s", cases[i][2], buf_text(&out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_dataset),	cmocka_unit_test(marks),
	    cmocka_unit_test(resumes),		cmocka_unit_test(raw_and_types),
	    cmocka_unit_test(mixed_encryption), cmocka_unit_test(open_again),
	    cmocka_unit_test(encrypted_clones), cmocka_unit_test(parents),
	    cmocka_unit_test(parents_between),	cmocka_unit_test(order),
	    cmocka_unit_test(chosen_datasets),	cmocka_unit_test(chosen_snapshots),
	    cmocka_unit_test(renames),		cmocka_unit_test(set_aside),
	    cmocka_unit_test(excludes),		cmocka_unit_test(recorded_look_marks_nothing),
	    cmocka_unit_test(explained),	cmocka_unit_test(leans),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
