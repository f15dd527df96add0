/* What is kept and what goes, on both sides, and in how few commands. */
#include "check.h"

#include "plan/archive_plan.h"
#include "plan/explain.h"
#include "plan/foresee.h"
#include "plan/retain_plan.h"
#include "plan/snapshot_plan.h"
#include "zfs_model.h"

static const struct zone utc = {0};
enum { HOUR = 3600, DAY = 24 * HOUR };
#define NOW 1785110400 /* 2026-07-27T00:00:00Z, a Monday */

static struct point *add(struct dataset *d, struct arena *a, const char *name, int64_t creation)
{
	struct point *p = vec_add(&d->points, a);
	*p = (struct point){
	    .name = arena_strdup(a, name), .guid = d->points.n, .createtxg = d->points.n, .creation = creation};
	return p;
}

/* n automatic ones of a label, each so long after the one before, the last at end. */
static void series(struct dataset *d, struct arena *a, enum label l, int n, int64_t step, int64_t end)
{
	for (int i = n - 1; i >= 0; i--) {
		struct civil c = civil_of(end - i * step);
		add(d, a,
		    arena_printf(a, "zfs-auto-snap_%s-%04d-%02d-%02d-%02dh%02dU", label_name(l), c.year, c.month, c.day,
				 c.hour, c.minute),
		    end - i * step);
	}
}

static size_t count(const struct verdicts *v, enum verdict_why why)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		n += v->v[i].why == why;
	return n;
}

static const struct verdict *of(const struct verdicts *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->v[i].point->name, name) == 0)
			return &v->v[i];
	return NULL;
}

static void host(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct snapshot_policy p = {0};
	struct snap_steps snaps = {0};
	struct verdicts v = {0};

	(void)state;
	p.takes[LABEL_HOURLY] = p.takes[LABEL_DAILY] = true;
	p.keep[LABEL_HOURLY] = 3;
	struct dataset *d = model_dataset(&s, &a, "tank", "");
	d->wants[LABEL_NONE] = "true";
	series(d, &a, LABEL_HOURLY, 6, HOUR, NOW);
	series(d, &a, LABEL_DAILY, 2, DAY, NOW);      /* kept 0: all go */
	series(d, &a, LABEL_WEEKLY, 2, 7 * DAY, NOW); /* not in the policy */
	add(d, &a, "by hand", NOW - 99 * DAY);
	add(d, &a, "autosnap_2026-07-26_10:00:01_hourly", NOW - 99 * DAY);
	retain_host(&p, &s, &snaps, &utc, NOW, &a, &v);
	assert_int_equal(v.n, 12);
	assert_int_equal(count(&v, KEEP_LABEL), 3);
	assert_int_equal(count(&v, DROP), 5);
	assert_int_equal(count(&v, KEEP_FOREIGN), 2);
	assert_int_equal(count(&v, KEEP_UNSELECTED), 2);
	/* It goes when its label has moved on; when somebody holds it, nobody knows. */
	struct verdict last = *of(&v, "zfs-auto-snap_hourly-2026-07-27-00h00U");
	assert_int_equal(last.why, KEEP_LABEL);
	assert_int_equal(verdict_until(&last, &utc, NOW), NOW + 3 * HOUR);
	assert_null(strstr(verdict_text(&last, &a), "held"));
	struct point held = *last.point;
	held.userrefs = 1;
	last.point = &held;
	assert_int_equal(verdict_until(&last, &utc, NOW), INT64_MAX);
	assert_non_null(strstr(verdict_text(&last, &a), "held"));
	/* One is about to be taken: it counts. */
	struct snap_step step = {.label = LABEL_HOURLY};
	*vec_add(&step.datasets, &a) = "tank";
	*vec_add(&snaps, &a) = step;
	v = (struct verdicts){0};
	retain_host(&p, &s, &snaps, &utc, NOW, &a, &v);
	assert_int_equal(count(&v, KEEP_LABEL), 2);
	/* Adopted, it counts as an hourly one: the newest, by its place and not by its name or time. */
	p.sanoid = true;
	v = (struct verdicts){0};
	retain_host(&p, &s, &(struct snap_steps){0}, &utc, NOW, &a, &v);
	assert_int_equal(of(&v, "autosnap_2026-07-26_10:00:01_hourly")->why, KEEP_LABEL);
	assert_int_equal(count(&v, DROP), 6);
}

static void protection(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct snapshot_policy p = {.min_age_ms = 2 * HOUR * 1000LL};
	struct verdicts v = {0};

	(void)state;
	p.takes[LABEL_HOURLY] = true;
	struct dataset *d = model_dataset(&s, &a, "tank", "");
	d->wants[LABEL_NONE] = "true";
	series(d, &a, LABEL_HOURLY, 8, HOUR, NOW);
	d->points.v[1].userrefs = 1;
	struct point mark = d->points.v[3];
	mark.kind = POINT_BOOKMARK;
	mark.name = "dormouse_b_0000000000000004";
	*vec_add(&d->points, &a) = mark;
	mark = d->points.v[5];
	mark.kind = POINT_BOOKMARK;
	mark.name = "mine";
	*vec_add(&d->points, &a) = mark;
	const char *origin = d->points.v[2].name;
	model_dataset(&s, &a, "tank/clone", "")->origin = arena_printf(&a, "tank@%s", origin);
	side_sort(&s);
	retain_host(&p, &s, &(struct snap_steps){0}, &utc, NOW, &a, &v);
	assert_int_equal(count(&v, KEEP_HELD), 1);
	assert_int_equal(count(&v, KEEP_COMMON), 1);
	assert_int_equal(count(&v, KEEP_ORIGIN), 1);
	assert_int_equal(of(&v, origin)->why, KEEP_ORIGIN);
	assert_int_equal(count(&v, KEEP_YOUNG), 2);
	assert_int_equal(count(&v, DROP), 3);
	for (size_t i = 0; i < v.n; i++)
		assert_true(strlen(verdict_text(&v.v[i], &a)) > 10);
}

/* What zrepl made has no label: the first of each period stays. */
static void adopted_without_label(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct snapshot_policy p = {.zrepl = true};
	struct verdicts v = {0};

	(void)state;
	p.takes[LABEL_HOURLY] = p.takes[LABEL_DAILY] = true;
	p.keep[LABEL_HOURLY] = 5;
	p.keep[LABEL_DAILY] = 3;
	struct dataset *d = model_dataset(&s, &a, "tank", "");
	d->wants[LABEL_NONE] = "true";
	for (int64_t t = NOW - 10 * DAY; t <= NOW + 9 * HOUR; t += 600) {
		struct civil c = civil_of(t);
		add(d, &a,
		    arena_printf(&a, "zrepl_%04d%02d%02d_%02d%02d00_000", c.year, c.month, c.day, c.hour, c.minute), t);
	}
	retain_host(&p, &s, &(struct snap_steps){0}, &utc, NOW + 9 * HOUR, &a, &v);
	assert_int_equal(count(&v, KEEP_PERIOD), 8);
	assert_int_equal(of(&v, "zrepl_20260727_090000_000")->why, KEEP_PERIOD);
	assert_int_equal(of(&v, "zrepl_20260727_050000_000")->why, KEEP_PERIOD);
	assert_int_equal(of(&v, "zrepl_20260727_050000_000")->rank, 5);
	assert_int_equal(of(&v, "zrepl_20260727_040000_000")->why, DROP);
	assert_int_equal(of(&v, "zrepl_20260725_000000_000")->why, KEEP_PERIOD);
	assert_int_equal(of(&v, "zrepl_20260724_000000_000")->why, DROP);
	p.zrepl = false;
	v = (struct verdicts){0};
	retain_host(&p, &s, &(struct snap_steps){0}, &utc, NOW, &a, &v);
	assert_int_equal(count(&v, KEEP_FOREIGN), v.n);
	/* They age: newer ones of ours take their places, one for one. */
	p.zrepl = true;
	series(d, &a, LABEL_HOURLY, 3, HOUR, NOW + 12 * HOUR);
	v = (struct verdicts){0};
	retain_host(&p, &s, &(struct snap_steps){0}, &utc, NOW + 12 * HOUR, &a, &v);
	assert_int_equal(of(&v, "zrepl_20260727_080000_000")->rank, 5);
	assert_int_equal(of(&v, "zrepl_20260727_070000_000")->why, DROP);
	assert_int_equal(count(&v, KEEP_LABEL), 3);
	assert_int_equal(count(&v, KEEP_PERIOD), 2 + 3);
	series(d, &a, LABEL_HOURLY, 5, HOUR, NOW + 20 * DAY);
	series(d, &a, LABEL_DAILY, 3, DAY, NOW + 20 * DAY);
	v = (struct verdicts){0};
	retain_host(&p, &s, &(struct snap_steps){0}, &utc, NOW + 20 * DAY, &a, &v);
	assert_int_equal(count(&v, KEEP_LABEL), 5 + 3);
	assert_int_equal(count(&v, KEEP_PERIOD), 0);
}

static struct backup backup_of(void)
{
	struct backup b = {.name = "b", .source = "tank", .dest_target = "x", .dest = "vault"};
	b.keep.set = true;
	b.keep.count[LABEL_DAILY] = 2;
	b.keep.count[LABEL_MONTHLY] = 3;
	return b;
}

static void archive(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct backup b = backup_of();
	struct archive out;

	(void)state;
	/* The copy holds four months of hourly ones; the source only the newest. */
	struct dataset *copy = model_dataset(&t, &a, "vault/tank", "");
	series(copy, &a, LABEL_HOURLY, 120 * 24, HOUR, NOW + 5 * HOUR);
	add(copy, &a, "by hand", NOW + 6 * HOUR);
	series(copy, &a, LABEL_HOURLY, 1, HOUR, NOW + 7 * HOUR);
	struct dataset *d = model_dataset(&s, &a, "tank", "");
	*vec_add(&d->points, &a) = *dataset_newest(copy);
	archive_plan(&b, NULL, &s, &t, &utc, NOW + 8 * HOUR, NULL, &a, &out);
	/* Two days, three months, the newest, and what was made by hand. */
	assert_int_equal(count(&out.verdicts, KEEP_PERIOD), 5);
	assert_int_equal(of(&out.verdicts, "zfs-auto-snap_hourly-2026-07-27-00h00U")->label, LABEL_DAILY);
	assert_int_equal(of(&out.verdicts, "zfs-auto-snap_hourly-2026-07-26-00h00U")->rank, 2);
	assert_int_equal(of(&out.verdicts, "zfs-auto-snap_hourly-2026-05-01-00h00U")->rank, 3);
	assert_int_equal(count(&out.verdicts, KEEP_COMMON), 1);
	assert_int_equal(count(&out.verdicts, KEEP_FOREIGN), 1);
	assert_int_equal(count(&out.verdicts, DROP), 120 * 24 + 2 - 7);
	/* within, from the newest. */
	b.keep.within_ms = 3 * HOUR * 1000LL;
	archive_plan(&b, NULL, &s, &t, &utc, NOW + 8 * HOUR, NULL, &a, &out);
	assert_int_equal(count(&out.verdicts, KEEP_WITHIN), 1);
	/* In conflict: frozen. */
	d->points.v[0].guid = 999999;
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_int_equal(count(&out.verdicts, KEEP_FROZEN), out.verdicts.n);
	assert_int_equal(out.prunes.n, 0);
	/* A clock in doubt, and no keep block: nothing at all. */
	archive_plan(&b, NULL, &s, &t, &utc, NOW, "why", &a, &out);
	assert_int_equal(out.verdicts.n, 0);
	b.keep.set = false;
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_int_equal(out.verdicts.n, 0);
}

static const struct tidy_step *tidy_of(const struct archive *out, const char *dataset)
{
	for (size_t i = 0; i < out->tidies.n; i++)
		if (strcmp(out->tidies.v[i].dataset, dataset) == 0)
			return &out->tidies.v[i];
	return NULL;
}

static void gone(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct backup b = backup_of();
	struct archive out;

	(void)state;
	model_dataset(&s, &a, "tank", "@a");
	model_dataset(&s, &a, "tank/back", "@a");
	model_dataset(&t, &a, "vault/tank", "@a");
	model_dataset(&t, &a, "vault/tank/back", "@a")->gone_since = NOW - DAY;
	model_dataset(&t, &a, "vault/tank/new", "@a");
	struct dataset *old = model_dataset(&t, &a, "vault/tank/old", "");
	series(old, &a, LABEL_DAILY, 3, DAY, NOW - 200 * DAY);
	old->gone_since = NOW - 91 * DAY;
	old->gone_seen = NOW - 2 * DAY;
	struct dataset *foreign = model_dataset(&t, &a, "vault/tank/foreign", "@x");
	foreign->gone_since = NOW - 91 * DAY;
	foreign->gone_seen = NOW - 2 * DAY;
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_int_equal(out.tidies.n, 2);
	assert_int_equal(tidy_of(&out, "vault/tank/back")->kind, TIDY_BACK);
	assert_int_equal(tidy_of(&out, "vault/tank/new")->kind, TIDY_GONE);
	b.keep.forget_ms = 90LL * DAY * 1000;
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_int_equal(out.tidies.n, 3);
	assert_int_equal(tidy_of(&out, "vault/tank/old")->kind, TIDY_FORGET);
	old = (struct dataset *)(uintptr_t)side_find(&t, "vault/tank/old");
	old->points.v[0].userrefs = 1;
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_null(tidy_of(&out, "vault/tank/old"));
	old->open = true;
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_int_equal(tidy_of(&out, "vault/tank/old")->kind, TIDY_CLOSE);
	old->open = false;
	old->points.v[0].userrefs = 0;
	model_dataset(&t, &a, "vault/clone", "")->origin = arena_printf(
	    &a, "vault/tank/old@%s", ((const struct dataset *)side_find(&t, "vault/tank/old"))->points.v[1].name);
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_null(tidy_of(&out, "vault/tank/old"));
	/* What a person has set aside is that person's. */
	struct dataset *aside = model_dataset(&t, &a, "vault/tank/back-kept-20270102030405", "");
	series(aside, &a, LABEL_HOURLY, 100, HOUR, NOW - 200 * DAY);
	aside->gone_since = NOW - 91 * DAY;
	aside->gone_seen = NOW - 2 * DAY;
	aside->open = true;
	archive_plan(&b, NULL, &s, &t, &utc, NOW, NULL, &a, &out);
	assert_null(tidy_of(&out, aside->name));
	assert_int_equal(count(&out.verdicts, KEEP_FROZEN), 100);
}

/* Looks until it is forgotten, so many seconds apart; when that is.  A clock leaps at the time leap by so much. */
static int64_t forgotten_at(int64_t every, int64_t leap, int64_t by, size_t *notes)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "tank", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct backup b = backup_of();

	b.keep.forget_ms = 88LL * DAY * 1000;
	model_dataset(&s, &a, "tank", "@a");
	series(model_dataset(&t, &a, "vault/tank/old", ""), &a, LABEL_DAILY, 3, DAY, NOW - 200 * DAY);
	*notes = 0;
	for (int64_t at = 0; at < 2000 * DAY; at += every) {
		struct dataset *old = &t.datasets.v[0];
		struct archive out;
		archive_plan(&b, NULL, &s, &t, &utc, NOW + at + (at >= leap ? by : 0), NULL, &a, &out);
		const struct tidy_step *step = tidy_of(&out, old->name);
		if (step == NULL)
			continue;
		if (step->kind == TIDY_FORGET)
			return at;
		old->gone_since = step->since;
		old->gone_seen = step->at;
		(*notes)++;
	}
	return INT64_MAX;
}

static void forgotten_by_looks(void **state)
{
	size_t notes;

	(void)state;
	/* To the hour, and few notes. */
	assert_int_equal(forgotten_at(HOUR, 0, 0, &notes), 88 * DAY);
	assert_int_equal(notes, 8);
	/* A clock that leaps takes no more than a quarter of it, whenever and however far. */
	for (int64_t leap = DAY; leap < 88 * DAY; leap += 3 * DAY) {
		assert_true(forgotten_at(HOUR, leap, 100 * DAY, &notes) >= 66 * DAY);
		assert_true(forgotten_at(HOUR, leap, 10 * DAY, &notes) >= 78 * DAY);
		/* One set back takes nothing, and what was seen by a clock far ahead does not hold it up for ever. */
		int64_t back = forgotten_at(HOUR, leap, -100 * DAY, &notes);
		assert_true(back >= 88 * DAY && back <= 100 * DAY);
	}
	/* Seldom on: by the fifth look. */
	assert_int_equal(forgotten_at(100 * DAY, 0, 0, &notes), 400 * DAY);
	assert_int_equal(forgotten_at(7 * DAY, 0, 0, &notes), 91 * DAY);
}

/* "place[+]: a,b; …" of the steps. */
static const char *steps_text(const struct prune_steps *p, struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	for (size_t i = 0; i < p->n; i++) {
		buf_printf(&b, "%s%s%s:", i == 0 ? "" : " ", p->v[i].dataset, p->v[i].below ? "+" : "");
		for (size_t k = 0; k < p->v[i].snapshots.n; k++)
			buf_printf(&b, "%s%s", k == 0 ? "" : ",", p->v[i].snapshots.v[k]);
	}
	return str_dup(a, buf_str(&b));
}

static void few_commands(void **state)
{
	/* "dataset: snapshots", a '-' before those that go. */
	static const struct {
		const char *tree[5][2], *want;
	} t[] = {
	    {{{"p", "-a -b c"}, {"p/x", "-a -b c"}, {"p/y", "-a -b c"}}, "p+:a,b"},
	    {{{"p", "-a -b c"}, {"p/x", "-a b c"}}, "p+:a p:b"},
	    {{{"p", "-b -a c"}, {"p/x", "-a b c"}}, "p:b p+:a"},
	    {{{"p", "c"}, {"p/x", "-a"}, {"p/x/1", "-a"}, {"p/z", "a"}}, "p/x+:a"},
	    {{{"p/x", "-a"}, {"p/xy", "-a"}}, "p+:a"},
	    {{{"p/x", "-a"}, {"p/x y", "a"}, {"p/x/2", "-a"}}, "p/x+:a"},
	    {{{"p", "-a"}, {"q", "-a"}}, "p:a q:a"},
	    {{{"p", "-a"}, {"p/x", "a"}, {"p/y", "-a"}}, "p:a p/y:a"},
	    {{{"p", "a"}}, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(arena) struct arena a = {0};
		struct verdicts v = {0};
		struct prune_steps out = {0};
		struct dataset datasets[5] = {0};
		for (size_t k = 0; k < 5 && t[i].tree[k][0] != NULL; k++) {
			struct str rest = str_of(t[i].tree[k][1]);
			datasets[k].name = t[i].tree[k][0];
			while (rest.n > 0) {
				struct str word = str_cut(&rest, ' ');
				bool goes = word.p[0] == '-';
				struct point *p = arena_alloc(&a, sizeof(*p));
				p->name = arena_strndup(&a, word.p + goes, word.n - goes);
				*vec_add(&v, &a) = (struct verdict){
				    .dataset = &datasets[k], .point = p, .why = goes ? DROP : KEEP_LABEL};
			}
		}
		prune_plan(&v, &a, &out);
		const char *got = steps_text(&out, &a);
		if (strcmp(got, t[i].want) != 0)
			fail_msg("case %zu: '%s', not '%s'", i, got, t[i].want);
		/* Counted, each dataset has one step. */
		struct prune_steps each = {0};
		prune_plan_each(&v, &a, &each);
		size_t drops = 0, names = 0;
		for (size_t k = 0; k < v.n; k++)
			drops += v.v[k].why == DROP;
		for (size_t k = 0; k < each.n; k++) {
			names += each.v[k].snapshots.n;
			assert_true(!each.v[k].below && (k == 0 || each.v[k].dataset != each.v[k - 1].dataset));
		}
		assert_int_equal(names, drops);
	}
}

/* Random hosts: nothing that must stay is ever dropped, what is dropped is dropped once, and afterwards there is
 * nothing left to drop; the order in which datasets come changes nothing. */
static void random_hosts(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		AUTO(arena) struct arena a = {0};
		uint32_t s = seed;
		struct side_state host = {.root = "", .seen = true, .root_exists = true};
		struct snapshot_policy p = {.sanoid = draw(&s) % 2,
					    .min_age_ms = (int64_t)(draw(&s) % 3) * HOUR * 1000};
		struct pass pass, again;
		size_t datasets = 1 + draw(&s) % 5, dropped = 0, destroyed = 0;
		for (enum label l = LABEL_FREQUENT; l < LABELS; l++) {
			p.takes[l] = draw(&s) % 3 > 0;
			p.keep[l] = draw(&s) % 4;
		}
		for (size_t i = 0; i < datasets; i++) {
			struct dataset *d = model_dataset(&host, &a, arena_printf(&a, "p%u/%zu", draw(&s) % 2, i), "");
			d->wants[LABEL_NONE] = draw(&s) % 4 > 0 ? "true" : "false";
			for (enum label l = LABEL_FREQUENT; l < LABELS; l++)
				series(d, &a, l, (int)(draw(&s) % 6), HOUR * (1 + (int64_t)l), NOW - HOUR / 2);
			add(d, &a, "by hand", NOW - HOUR);
			add(d, &a, "autosnap_2026-07-26_10:00:01_hourly", NOW - 2 * HOUR);
			for (size_t k = 0; k < d->points.n; k++)
				d->points.v[k].userrefs = draw(&s) % 5 == 0;
		}
		pass_plan(&p, &host, &utc, NOW, 0, &a, &pass);
		assert_null(pass.doubt);
		for (size_t i = 0; i < pass.verdicts.n; i++) {
			const struct verdict *v = &pass.verdicts.v[i];
			enum label l;
			if (v->why != DROP)
				continue;
			dropped++;
			enum maker m = snapshot_maker(v->point->name, &l);
			assert_int_equal(v->point->userrefs, 0);
			assert_true(m == MAKER_AUTO || (m == MAKER_SANOID && p.sanoid));
			assert_true(p.takes[l] && policy_selects(&p, v->dataset, l));
			assert_true((NOW - v->point->creation) * 1000 >= p.min_age_ms);
			/* At least keep newer ones of its label are there, with that which is taken now. */
			int64_t newer = p.keep[l] > 0;
			for (const struct point *q = v->point + 1; q < v->dataset->points.v + v->dataset->points.n;
			     q++) {
				enum label of_q;
				enum maker by = snapshot_maker(q->name, &of_q);
				newer += of_q == l && (by == MAKER_AUTO || (by == MAKER_SANOID && p.sanoid));
			}
			assert_true(newer >= p.keep[l]);
		}
		struct side_state after = foresee_copy(&host, &a);
		uint64_t guid = 1 << 20;
		for (size_t i = 0; i < after.datasets.n; i++)
			destroyed += after.datasets.v[i].points.n;
		foresee_prunes(&after, &pass.prunes);
		for (size_t i = 0; i < after.datasets.n; i++)
			destroyed -= after.datasets.v[i].points.n;
		assert_int_equal(destroyed, dropped);
		foresee_snaps(&after, &pass.snaps, NOW, &guid, &a);
		pass_plan(&p, &after, &utc, NOW, 0, &a, &again);
		assert_int_equal(again.snaps.n + again.prunes.n, 0);
		/* Turned round, sorted again: the same. */
		struct side_state turned = foresee_copy(&host, &a);
		for (size_t i = 0; i < host.datasets.n; i++)
			turned.datasets.v[i] = host.datasets.v[host.datasets.n - 1 - i];
		side_sort(&turned);
		pass_plan(&p, &turned, &utc, NOW, 0, &a, &again);
		assert_string_equal(steps_text(&again.prunes, &a), steps_text(&pass.prunes, &a));
	}
}

/* A year in the simulator: as many as the policies say. */
static void simulator(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf text = {0};
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct side_state t = {.root = "vault", .seen = true, .root_exists = true};
	struct snapshot_policy p = {0};
	struct backup b = backup_of();
	struct simulation sim = {0};

	(void)state;
	p.takes[LABEL_HOURLY] = p.takes[LABEL_MONTHLY] = true;
	p.keep[LABEL_HOURLY] = 24;
	p.keep[LABEL_MONTHLY] = 3;
	model_dataset(&s, &a, "tank", "")->wants[LABEL_NONE] = "true";
	simulate(&p, &b, &s, &t, &utc, NOW, 365LL * DAY, &a, &sim);
	assert_true(sim.n > 10);
	const struct simulated *first = &sim.v[0], *day = &sim.v[2], *end = &sim.v[sim.n - 1];
	assert_int_equal(first->source[LABEL_HOURLY], 0);
	assert_int_equal(day->source[LABEL_HOURLY], 24);
	assert_int_equal(end->at, NOW + 365LL * DAY);
	assert_int_equal(end->source[LABEL_HOURLY], 24);
	assert_int_equal(end->source[LABEL_MONTHLY], 3);
	/* Two days, three months, the newest. */
	size_t held = end->archive[LABEL_HOURLY] + end->archive[LABEL_MONTHLY];
	assert_true(held >= 5 && held <= 6);
	simulation_explain(&sim, &b, &utc, &text);
	assert_non_null(strstr(buf_text(&text), "2026-07-27 00:00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(host),	    cmocka_unit_test(protection),   cmocka_unit_test(adopted_without_label),
	    cmocka_unit_test(archive),	    cmocka_unit_test(gone),	    cmocka_unit_test(forgotten_by_looks),
	    cmocka_unit_test(few_commands), cmocka_unit_test(random_hosts), cmocka_unit_test(simulator),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
