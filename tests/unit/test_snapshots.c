/* Which datasets are chosen, when a label is due, what it is named, and what a clock that jumped changes. */
#include "check.h"

#include "plan/schedule_plan.h"
#include "plan/snapshot_plan.h"
#include "zfs_model.h"

static const struct zone utc = {0};

static int64_t at(const char *text)
{
	int64_t t;
	assert_true(civil_parse(str_of(text), &t));
	return t;
}

static struct snapshot_policy policy_of(enum label l, int64_t keep)
{
	struct snapshot_policy p = {0};
	p.takes[l] = true;
	p.keep[l] = keep;
	return p;
}

/* Every row of the table of zfstools: general, label, chosen. */
static void properties(void **state)
{
	static const struct {
		const char *general, *label;
		bool chosen;
	} t[] = {
	    {NULL, NULL, false},      {"true", NULL, true},    {"false", NULL, false},	  {NULL, "true", true},
	    {"true", "false", false}, {"false", "true", true}, {"mysql", NULL, true},	  {"postgresql", NULL, true},
	    {"on", NULL, false},      {"1", NULL, false},      {"True", NULL, false},	  {NULL, "yes", false},
	    {"true", "on", true},     {NULL, "mysql", true},   {"mysql", "false", false}, {"", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct snapshot_policy p = policy_of(LABEL_DAILY, 7);
		struct dataset d = {.name = "tank"};
		d.wants[LABEL_NONE] = t[i].general;
		d.wants[LABEL_DAILY] = t[i].label;
		d.wants[LABEL_HOURLY] = "true";
		if (policy_selects(&p, &d, LABEL_DAILY) != t[i].chosen)
			fail_msg("general %s, label %s: should be %d", t[i].general, t[i].label, t[i].chosen);
	}
}

static void globs(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct snapshot_policy p = policy_of(LABEL_DAILY, 7);
	struct dataset d = {.name = "tank/home/me"};

	(void)state;
	*vec_add(&p.include, &a) = "tank/h*";
	assert_true(policy_selects(&p, &d, LABEL_DAILY));
	d.wants[LABEL_DAILY] = "false"; /* the file decides */
	assert_true(policy_selects(&p, &d, LABEL_DAILY));
	*vec_add(&p.exclude, &a) = "tank/*/me";
	assert_false(policy_selects(&p, &d, LABEL_DAILY));
	d.name = "tank/home/me/deep";
	assert_false(policy_selects(&p, &d, LABEL_DAILY));
	d.name = "tank/home/you";
	assert_true(policy_selects(&p, &d, LABEL_DAILY));
	d.name = "rpool";
	assert_false(policy_selects(&p, &d, LABEL_DAILY));
}

static void due(void **state)
{
	static const struct {
		enum label label;
		const char *last; /* when the last one was made, or NULL */
		const char *now;
		bool due;
	} t[] = {
	    {LABEL_FREQUENT, NULL, "2026-11-23T10:00:00Z", true},
	    {LABEL_FREQUENT, "2026-11-23T10:00:01Z", "2026-11-23T10:14:59Z", false},
	    {LABEL_FREQUENT, "2026-11-23T10:14:59Z", "2026-11-23T10:15:00Z", true},
	    {LABEL_HOURLY, "2026-11-23T10:00:00Z", "2026-11-23T10:59:59Z", false},
	    {LABEL_HOURLY, "2026-11-23T10:59:59Z", "2026-11-23T11:00:00Z", true},
	    {LABEL_DAILY, "2026-11-23T23:59:00Z", "2026-11-24T00:00:00Z", true},
	    {LABEL_WEEKLY, "2026-11-22T23:59:00Z", "2026-11-23T00:00:00Z", true}, /* a Monday */
	    {LABEL_WEEKLY, "2026-11-23T00:00:00Z", "2026-11-29T23:59:00Z", false},
	    {LABEL_MONTHLY, "2026-02-01T00:00:00Z", "2026-02-28T23:00:00Z", false},
	    {LABEL_MONTHLY, "2026-02-28T23:59:00Z", "2026-03-01T00:00:00Z", true},
	    {LABEL_YEARLY, "2025-12-31T23:59:00Z", "2026-01-01T00:00:00Z", true},
	    /* Missed for days: caught up once. */
	    {LABEL_HOURLY, "2026-11-20T10:00:00Z", "2026-11-23T10:10:00Z", true},
	    {LABEL_HOURLY, "2026-11-23T10:10:00Z", "2026-11-23T10:50:00Z", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(arena) struct arena a = {0};
		struct snapshot_policy p = policy_of(t[i].label, 4);
		struct side_state s = {.root = "", .seen = true, .root_exists = true};
		struct pass pass;
		struct dataset *d = model_dataset(&s, &a, "tank/home", "");
		d->wants[LABEL_NONE] = "true";
		if (t[i].last != NULL)
			*vec_add(&d->points, &a) = (struct point){
			    .name = arena_printf(&a, "zfs-auto-snap_%s-2026-01-01-0000", label_name(t[i].label)),
			    .guid = 1,
			    .createtxg = 1,
			    .creation = at(t[i].last)};
		pass_plan(&p, &s, &utc, at(t[i].now), 0, &a, &pass);
		assert_null(pass.doubt);
		if ((pass.snaps.n == 1) != t[i].due)
			fail_msg("%s: last %s, now %s: due should be %d", label_name(t[i].label), t[i].last, t[i].now,
				 t[i].due);
	}
}

static void names(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct snapshot_policy p = policy_of(LABEL_HOURLY, 24);
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct pass pass;

	(void)state;
	p.takes[LABEL_DAILY] = true; /* keeps none: takes none */
	struct dataset *d = model_dataset(&s, &a, "tank/home", "@a");
	/* Taken, though by nobody's schedule: an old one with today's name. */
	*vec_add(&d->points, &a) = (struct point){.name = "zfs-auto-snap_hourly-2026-07-27-00h05U",
						  .guid = 7,
						  .createtxg = 9,
						  .creation = 1785110706 - 30 * 86400};
	d->wants[LABEL_NONE] = "true";
	model_dataset(&s, &a, "tank/home/z", "@a")->wants[LABEL_HOURLY] = "true";
	model_dataset(&s, &a, "tank/no", "@a")->wants[LABEL_DAILY] = "true";
	model_dataset(&s, &a, "zeta", "")->wants[LABEL_NONE] = "true";
	pass_plan(&p, &s, &utc, 1785110706, 0, &a, &pass);
	/* An atom for each pool; its name is free in each. */
	assert_int_equal(pass.snaps.n, 2);
	assert_string_equal(pass.snaps.v[0].name, "zfs-auto-snap_hourly-2026-07-27-00h05U-2");
	assert_int_equal(pass.snaps.v[0].datasets.n, 2);
	assert_string_equal(pass.snaps.v[1].name, "zfs-auto-snap_hourly-2026-07-27-00h05U");
	assert_string_equal(pass.snaps.v[1].datasets.v[0], "zeta");
	assert_int_equal(pass.notes.n, 0);
	/* Nothing written since: none, if so wished; a first one all the same. */
	p.skip_empty = true;
	pass_plan(&p, &s, &utc, 1785110706, 0, &a, &pass);
	assert_int_equal(pass.snaps.n, 1);
	assert_string_equal(pass.snaps.v[0].datasets.v[0], "zeta");
}

static void notes(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct snapshot_policy p = policy_of(LABEL_HOURLY, 24);
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct pass pass;

	(void)state;
	model_dataset(&s, &a, "tank", "")->wants[LABEL_NONE] = "on";
	model_dataset(&s, &a, "tank/a", "")->wants[LABEL_NONE] = "on";
	model_dataset(&s, &a, "tank/b", "")->wants[LABEL_HOURLY] = "mysql";
	pass_plan(&p, &s, &utc, 1785110706, 0, &a, &pass);
	assert_int_equal(pass.notes.n, 2);
	assert_string_equal(pass.notes.v[0],
			    "com.sun:auto-snapshot is 'on' at 'tank': neither true nor false, so it says nothing");
	assert_non_null(strstr(pass.notes.v[1], "com.sun:auto-snapshot:hourly is 'mysql' at 'tank/b': taken as true"));
	*vec_add(&p.include, &a) = "tonk/*";
	pass_plan(&p, &s, &utc, 1785110706, 0, &a, &pass);
	assert_int_equal(pass.notes.n, 2);
	assert_string_equal(pass.notes.v[0], "include 'tonk/*' matches no dataset");
	assert_non_null(strstr(pass.notes.v[1], "no dataset is chosen"));
}

/* More names than one command takes: split, and said. */
static void many(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct snapshot_policy p = policy_of(LABEL_HOURLY, 24);
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct pass pass;
	char name[260];
	size_t n = 0;

	(void)state;
	*vec_add(&p.include, &a) = "tank";
	for (int i = 0; i < 9000; i++) {
		(void)snprintf(name, sizeof(name), "tank/%0200d", i);
		*vec_add(&s.datasets, &a) = (struct dataset){.name = arena_strdup(&a, name)};
	}
	side_sort(&s);
	pass_plan(&p, &s, &utc, 1785110706, 0, &a, &pass);
	assert_int_equal(pass.snaps.n, 2);
	assert_int_equal(pass.notes.n, 1);
	assert_non_null(strstr(pass.notes.v[0], "is not one atom"));
	for (size_t i = 0; i < pass.snaps.n; i++)
		n += pass.snaps.v[i].datasets.n;
	assert_int_equal(n, 9000);
}

static void clocks(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct snapshot_policy p = policy_of(LABEL_HOURLY, 1);
	struct side_state s = {.root = "", .seen = true, .root_exists = true};
	struct pass pass;
	int64_t now = at("2026-11-23T10:00:00Z");
	struct dataset *d = model_dataset(&s, &a, "tank", "");

	(void)state;
	d->wants[LABEL_NONE] = "true";
	for (int i = 0; i < 3; i++)
		*vec_add(&d->points, &a) =
		    (struct point){.name = arena_printf(&a, "zfs-auto-snap_hourly-2026-11-23-0%dh00U", i),
				   .guid = (uint64_t)i + 1,
				   .createtxg = (uint64_t)i + 1,
				   .creation = now - (3 - i) * 3600};
	pass_plan(&p, &s, &utc, now, 0, &a, &pass);
	assert_true(pass.doubt == NULL && pass.snaps.n == 1 && pass.prunes.n > 0);
	/* Set back behind the newest snapshot. */
	pass_plan(&p, &s, &utc, now - 2 * 3600, 0, &a, &pass);
	assert_true(pass.snaps.n == 0 && pass.prunes.n == 0);
	assert_non_null(strstr(pass.doubt, "set back"));
	/* Behind the last run. */
	pass_plan(&p, &s, &utc, now, now + 1000, &a, &pass);
	assert_non_null(strstr(pass.doubt, "the last run"));
	assert_true(strlen(pass.doubt) < 80 && strlen(clock_hint) < 90);
	/* Far ahead; and after half a year off it is just late. */
	pass_plan(&p, &s, &utc, now + 400LL * 86400, 0, &a, &pass);
	assert_non_null(strstr(pass.doubt, "far ahead"));
	pass_plan(&p, &s, &utc, now + 180LL * 86400, 0, &a, &pass);
	assert_null(pass.doubt);
	/* A foreign snapshot proves nothing. */
	*vec_add(&d->points, &a) = (struct point){.name = "mine", .guid = 9, .createtxg = 9, .creation = now + 99999};
	pass_plan(&p, &s, &utc, now, 0, &a, &pass);
	assert_null(pass.doubt);
}

static void makers(void **state)
{
	static const struct {
		const char *name;
		enum maker maker;
		enum label label;
	} t[] = {
	    {"zfs-auto-snap_frequent-2021-03-07-14h15", MAKER_AUTO, LABEL_FREQUENT},
	    {"zfs-auto-snap_hourly-2021-03-07-14h15U", MAKER_AUTO, LABEL_HOURLY},
	    {"zfs-auto-snap_daily-2021-03-07-1415", MAKER_AUTO, LABEL_DAILY},
	    {"zfs-auto-snap_weekly-2021-03-07-14h15U-2", MAKER_AUTO, LABEL_WEEKLY},
	    {"autosnap_2026-11-23_10:00:01_monthly", MAKER_SANOID, LABEL_MONTHLY},
	    {"autosnap_2026-11-23_10:00:01_frequently", MAKER_SANOID, LABEL_FREQUENT},
	    {"autosnap_2026-11-23_10:00:01_yearly", MAKER_SANOID, LABEL_YEARLY},
	    {"zrepl_20261123_100000_000", MAKER_ZREPL, LABEL_NONE},
	    {"zfs-auto-snap_hourly-2021-03-07", MAKER_FOREIGN, LABEL_NONE},
	    {"zfs-auto-snap_hourly-2021-03-07-14h15Ux", MAKER_FOREIGN, LABEL_NONE},
	    {"zfs-auto-snap_hourly-2021-03-07-14h15U-", MAKER_FOREIGN, LABEL_NONE},
	    {"zfs-auto-snap_minutely-2021-03-07-14h15", MAKER_FOREIGN, LABEL_NONE},
	    {"zfs-auto-snap_hourly", MAKER_FOREIGN, LABEL_NONE},
	    {"autosnap_2026-11-23_10:00:01_", MAKER_FOREIGN, LABEL_NONE},
	    {"syncoid_host_2026-11-23:10:00:01", MAKER_FOREIGN, LABEL_NONE},
	    {"before-upgrade", MAKER_FOREIGN, LABEL_NONE},
	    {"", MAKER_FOREIGN, LABEL_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		enum label l;
		enum maker m = snapshot_maker(t[i].name, &l);
		if (m != t[i].maker || l != t[i].label)
			fail_msg("'%s': maker %d label %d", t[i].name, m, l);
	}
}

static void schedules(void **state)
{
	struct schedule every = {.kind = SCHEDULE_EVERY, .every_s = 3600};
	struct schedule after = {.kind = SCHEDULE_AFTER_SNAPSHOT}, daily = {.kind = SCHEDULE_CALENDAR};
	struct snapshot_policy p = policy_of(LABEL_HOURLY, 24);
	int64_t now = at("2026-11-23T10:10:00Z");
	const char *why;

	(void)state;
	assert_int_equal(schedule_next(&every, "b", &utc, 0, now), now);
	assert_int_equal(schedule_next(&every, "b", &utc, now - 600, now), now + 3000);
	assert_true(schedule_next(&every, "b", &utc, now - 9999, now) <= now);
	/* A run in the future was one by a wrong clock: it does not hold the next one up for long. */
	assert_int_equal(schedule_next(&every, "b", &utc, now + 999999, now), now + 3600);
	assert_int_equal(schedule_next(&after, "b", &utc, 0, now), INT64_MAX);
	assert_true(calendar_parse(str_of("daily 03:00"), &daily.calendar, &why));
	assert_int_equal(schedule_next(&daily, "b", &utc, 0, now), at("2026-11-23T03:00:00Z"));
	assert_int_equal(schedule_next(&daily, "b", &utc, at("2026-11-23T03:00:00Z"), now), at("2026-11-24T03:00:00Z"));
	/* Later by up to so much, and by as much each time one asks. */
	daily.jitter_s = 600;
	int64_t b = schedule_next(&daily, "b", &utc, now, now), c = schedule_next(&daily, "c", &utc, now, now);
	int64_t strike = at("2026-11-24T03:00:00Z");
	assert_true(b >= strike && b <= strike + 600 && c >= strike && c <= strike + 600 && b != c);
	assert_int_equal(b, schedule_next(&daily, "b", &utc, now, now));
	/* A jitter longer than the way to the next strike puts off no run: nothing moves it but a run. */
	struct schedule often = {.kind = SCHEDULE_CALENDAR, .jitter_s = 3600};
	assert_true(calendar_parse(str_of("*:0/15"), &often.calendar, &why));
	assert_true(schedule_next(&often, "b", &utc, 0, now) <= now);
	int64_t due = schedule_next(&often, "b", &utc, now, now);
	assert_true(due >= now + 300 && due <= now + 300 + 3600);
	for (int64_t later = now; later < now + 86400; later += 60)
		assert_int_equal(schedule_next(&often, "b", &utc, now, later), due);
	assert_int_equal(policy_next(&p, &utc, now), at("2026-11-23T11:00:00Z"));
	p.keep[LABEL_HOURLY] = 0;
	assert_int_equal(policy_next(&p, &utc, now), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(properties), cmocka_unit_test(globs),  cmocka_unit_test(due),
	    cmocka_unit_test(names),	  cmocka_unit_test(notes),  cmocka_unit_test(many),
	    cmocka_unit_test(clocks),	  cmocka_unit_test(makers), cmocka_unit_test(schedules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
