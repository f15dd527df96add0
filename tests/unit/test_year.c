/* A year, minute by minute, in three time zones: the machine is off, asleep, or its clock is wrong at times, the
 * archive cannot be reached at others.  What both sides hold is compared, at every change, with an oracle that
 * knows nothing of the planners: it asks the C library what the clock on the wall shows. */
#include "check.h"

#include <time.h>

#include "plan/archive_plan.h"
#include "plan/replicate_plan.h"
#include "plan/snapshot_plan.h"
#include "plan/timetable.h"
#include "sys/clock.h"
#include "zfs_model.h"

enum { MINUTES = 400 * 24 * 60, MAX = 200000 };

/* --- the oracle ----------------------------------------------------------------------------------- */

struct taken {
	int64_t at;
	int label;
	bool on_source, arrived;
};

struct oracle {
	struct taken *v;
	size_t n;
	int64_t keep[LABELS], archive_keep[LABELS];
	int64_t last_run; /* of the backup */
	size_t last_sent; /* index of the newest that arrived; SIZE_MAX: none */
};

/* Does a label (or, LABELS, "daily 03:00") strike when the wall clock shows this, and a minute before it that? */
static bool strikes(int what, const struct tm *tm, const struct tm *before)
{
	bool midnight = tm->tm_hour == 0 && tm->tm_min == 0;

	switch (what) {
	case LABEL_FREQUENT:
		return tm->tm_min % 15 == 0;
	case LABEL_HOURLY:
		return tm->tm_min == 0;
	case LABEL_DAILY:
		return midnight;
	case LABEL_WEEKLY:
		return midnight && tm->tm_wday == 1;
	case LABEL_MONTHLY:
		return midnight && tm->tm_mday == 1;
	case LABEL_YEARLY:
		return midnight && tm->tm_mday == 1 && tm->tm_mon == 0;
	default:
		return tm->tm_hour == 3 && tm->tm_min == 0 && (before->tm_hour < 3 || before->tm_hour == 23);
	}
}

/* Of each minute, also those that only a wrong clock shows: when each of them last struck, in minutes. */
enum { BEFORE = 20 * 1440, AFTER = 520 * 1440, TABLE = BEFORE + MINUTES + AFTER };
static int32_t *last_strike[LABELS + 1];
static int64_t table_begin;

static void ask_the_wall(int64_t begin)
{
	struct tm tm = {0}, before;

	table_begin = begin - BEFORE * 60;
	for (int what = 0; what <= LABELS; what++)
		last_strike[what] = realloc(last_strike[what], TABLE * sizeof(int32_t));
	for (int32_t m = -1; m < TABLE; m++) {
		time_t t = (time_t)(table_begin + m * 60);
		before = tm;
		(void)localtime_r(&t, &tm);
		for (int what = 0; what <= LABELS && m >= 0; what++)
			last_strike[what][m] = strikes(what, &tm, &before) ? m : m > 0 ? last_strike[what][m - 1] : -1;
	}
}

/* Did it strike after a, up to b? */
static bool struck_between(int what, int64_t a, int64_t b)
{
	int64_t m = (b - table_begin) / 60;

	assert_true(m >= 0 && m < TABLE);
	return last_strike[what][m] >= 0 && table_begin + last_strike[what][m] * 60LL > a;
}

/* Periods as text, as a person would write them down. */
static void period_text(int label, int64_t t, char *out, size_t size)
{
	static const char *const formats[LABELS] = {"%Y %j %H", "%Y %j %H", "%Y %j", "%G %V", "%Y %m", "%Y"};
	struct tm tm;
	time_t when = (time_t)t;

	(void)localtime_r(&when, &tm);
	size_t n = strftime(out, size, formats[label], &tm);
	if (label == LABEL_FREQUENT)
		(void)snprintf(out + n, size - n, " %d", tm.tm_min / 15);
}

static int64_t newest_taken(const struct oracle *o)
{
	int64_t newest = 0;
	/* Only the newest by their making count, as ZFS orders them. */
	for (size_t i = o->n; i > 0; i--)
		if (o->v[i - 1].on_source) {
			newest = o->v[i - 1].at;
			break;
		}
	return newest;
}

static bool clock_is_odd(const struct oracle *o, int64_t now)
{
	int64_t newest = newest_taken(o);
	return newest != 0 && (now + 120 < newest || now - newest > 366LL * 86400);
}

/* Of a label, from the newest: number n, of those on the source. */
static size_t oracle_pass(struct oracle *o, int64_t now)
{
	size_t taken = 0;

	if (clock_is_odd(o, now))
		return 0;
	for (int l = LABELS; l-- > 0;) {
		int64_t last = INT64_MIN;
		for (size_t i = o->n; i > 0 && last == INT64_MIN; i--)
			if (o->v[i - 1].label == l && o->v[i - 1].on_source)
				last = o->v[i - 1].at;
		if (o->keep[l] > 0 && (last == INT64_MIN || struck_between(l, last, now))) {
			o->v[o->n++] = (struct taken){.at = now, .label = l, .on_source = true};
			taken++;
		}
	}
	for (int l = 0; l < LABELS; l++) {
		int64_t rank = 0;
		for (size_t i = o->n; i > 0; i--) {
			struct taken *t = &o->v[i - 1];
			if (t->label != l || !t->on_source)
				continue;
			/* What both sides have last stays. */
			if (++rank > o->keep[l] && i - 1 != o->last_sent)
				t->on_source = false;
		}
	}
	return taken;
}

static void oracle_send(struct oracle *o)
{
	for (size_t i = o->last_sent == SIZE_MAX ? 0 : o->last_sent + 1; i < o->n; i++) {
		if (!o->v[i].on_source)
			continue;
		o->v[i].arrived = true;
		o->last_sent = i;
	}
}

/* Which of those that arrived the archive still has: of each label's newest periods the first. */
static size_t oracle_archive(const struct oracle *o, bool *has)
{
	size_t n = 0;

	memset(has, 0, o->n);
	for (int l = 0; l < LABELS; l++) {
		int64_t periods = 0;
		char mine[40], next[40] = "";
		size_t first = SIZE_MAX;
		for (size_t i = o->n; i > 0 && o->archive_keep[l] > 0; i--) {
			if (!o->v[i - 1].arrived)
				continue;
			period_text(l, o->v[i - 1].at, mine, sizeof(mine));
			if (strcmp(mine, next) != 0) {
				if (first != SIZE_MAX)
					has[first] = true;
				first = SIZE_MAX;
				if (++periods > o->archive_keep[l])
					break;
				(void)snprintf(next, sizeof(next), "%s", mine);
			}
			first = i - 1;
		}
		if (first != SIZE_MAX)
			has[first] = true;
	}
	if (o->last_sent != SIZE_MAX)
		has[o->last_sent] = true;
	for (size_t i = 0; i < o->n; i++)
		n += has[i];
	return n;
}

/* --- the world ------------------------------------------------------------------------------------ */

struct world {
	struct arena arena;
	struct side_state source, target;
	struct snapshot_policy policy;
	struct backup backup;
	uint64_t guid;
	size_t passes, runs;
};

static struct dataset *only(struct side_state *s, const char *name)
{
	return (struct dataset *)(uintptr_t)side_find(s, name);
}

static void destroy(struct side_state *s, const struct prune_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		struct dataset *d = only(s, steps->v[i].dataset);
		for (size_t k = 0; k < steps->v[i].snapshots.n; k++) {
			for (size_t p = 0; p < d->points.n; p++) {
				struct point *pt = &d->points.v[p];
				if (pt->kind != POINT_SNAPSHOT || strcmp(pt->name, steps->v[i].snapshots.v[k]) != 0)
					continue;
				assert_int_equal(pt->userrefs, 0); /* zfs would refuse */
				memmove(pt, pt + 1, (d->points.n - p - 1) * sizeof(*pt));
				d->points.n--;
				break;
			}
		}
	}
}

static void do_pass(struct world *w, const struct zone *z, int64_t now)
{
	AUTO(arena) struct arena a = {0};
	struct pass pass;
	struct dataset *d = only(&w->source, "tank");

	pass_plan(&w->policy, &w->source, z, now, 0, &a, &pass);
	for (size_t i = 0; i < pass.snaps.n; i++) {
		for (size_t k = 0; k < d->points.n; k++)
			assert_true(strcmp(d->points.v[k].name, pass.snaps.v[i].name) != 0);
		*vec_add(&d->points, &w->arena) = (struct point){.name = arena_strdup(&w->arena, pass.snaps.v[i].name),
								 .guid = ++w->guid,
								 .createtxg = w->guid,
								 .creation = now};
	}
	destroy(&w->source, &pass.prunes);
	w->passes++;
}

static void do_run(struct world *w, const struct zone *z, int64_t now)
{
	AUTO(arena) struct arena a = {0};
	struct plan p = {0}, after = {0};
	struct archive archive;

	replicate_plan(&w->backup, &w->policy, &w->source, &w->target, z, now, &a, &p);
	assert_int_equal(p.conflicts.n, 0);
	for (size_t i = 0; i < p.sends.n; i++)
		assert_true(model_send(&w->source, &w->target, &p.sends.v[i], &w->arena));
	/* Look again: nothing is left to send, and what both have is marked. */
	replicate_plan(&w->backup, &w->policy, &w->source, &w->target, z, now, &a, &after);
	assert_int_equal(after.sends.n + after.conflicts.n, 0);
	for (size_t i = 0; i < after.marks.n; i++) {
		after.marks.v[i].bookmark =
		    after.marks.v[i].bookmark == NULL ? NULL : arena_strdup(&w->arena, after.marks.v[i].bookmark);
		assert_true(model_mark(&w->source, &after.marks.v[i], &w->arena));
	}
	archive_plan(&w->backup, &w->policy, &w->source, &w->target, z, now, NULL, &a, &archive);
	destroy(&w->target, &archive.prunes);
	/* And once more: nothing is left to do at all. */
	archive_plan(&w->backup, &w->policy, &w->source, &w->target, z, now, NULL, &a, &archive);
	assert_int_equal(archive.prunes.n, 0);
	w->runs++;
}

static size_t snapshots_of(const struct dataset *d)
{
	size_t n = 0;
	for (size_t i = 0; d != NULL && i < d->points.n; i++)
		n += d->points.v[i].kind == POINT_SNAPSHOT;
	return n;
}

/* Both in the order of their making: each by its label and the time it was taken. */
static void same(const struct dataset *d, const struct oracle *o, const bool *has, const char *where, int64_t now)
{
	size_t k = 0, have = snapshots_of(d);
	char when[CIVIL_TEXT];

	for (size_t i = 0; i < o->n; i++) {
		if (has != NULL ? !has[i] : !o->v[i].on_source)
			continue;
		while (d != NULL && k < d->points.n && d->points.v[k].kind == POINT_BOOKMARK)
			k++;
		enum label l = LABEL_NONE;
		if (d == NULL || k >= d->points.n || d->points.v[k].creation != o->v[i].at ||
		    snapshot_maker(d->points.v[k].name, &l) != MAKER_AUTO || (int)l != o->v[i].label)
			fail_msg("%s at %lld: a %s one of %s should be there; %zu are, number %zu is '%s'", where,
				 (long long)now, label_name((enum label)o->v[i].label), civil_show(o->v[i].at, when),
				 have, k, d != NULL && k < d->points.n ? d->points.v[k].name : "none");
		k++;
		have--;
	}
	if (have != 0)
		fail_msg("%s at %lld: %zu more than there should be", where, (long long)now, have);
}

/* The daemon: starts, or starts again after the machine was off, when all it knows is when a run last began. */
static void start(struct timetable *t, const struct config *c, int64_t last_run)
{
	timetable_release(t);
	timetable_load(t, c);
	for (size_t i = 0; i < t->n; i++)
		t->v[i].last = t->v[i].backup != NULL ? last_run : 0;
}

static bool begins(struct timetable *t, const struct config *c, const char *backup, int64_t now)
{
	for (size_t i = 0; i < t->n; i++) {
		struct timetable_entry *e = &t->v[i];
		if ((e->backup == NULL) != (backup == NULL) || !timetable_due(e, now))
			continue;
		timetable_begun(e, now, t);
		assert_false(timetable_due(e, now)); /* never twice at once */
		timetable_ended(t, c, e);
		return true;
	}
	return false;
}

static void year_in(const char *zone_name, uint32_t seed)
{
	struct world w = {.policy = {.min_age_ms = 0},
			  .backup = {.name = "b", .source = "tank", .dest_target = "x", .dest = "vault"}};
	struct oracle o = {.v = malloc(MAX * sizeof(struct taken)), .last_sent = SIZE_MAX};
	bool *has = malloc(MAX);
	static const int64_t keeps[LABELS] = {4, 24, 7, 4, 12, 2}, archive[LABELS] = {0, 48, 30, 12, 24, 10};
	int64_t begin, wrong = 0, was_wrong = 0, off_until = 0, wrong_until = 0, last_pass = 0, booted = 0;
	struct timetable t = {0};
	bool was_off = true;
	const char *why;

	assert_int_equal(setenv("TZ", zone_name, 1), 0);
	assert_true(civil_parse(str_of("2027-09-01T00:00:00Z"), &begin)); /* a leap day in it */
	struct zone z = clock_zone(begin, &w.arena);
	ask_the_wall(begin);
	for (int l = 0; l < LABELS; l++) {
		w.policy.takes[l] = true;
		w.policy.keep[l] = o.keep[l] = keeps[l];
		w.backup.keep.count[l] = o.archive_keep[l] = archive[l];
	}
	w.backup.keep.set = true;
	w.backup.run.kind = SCHEDULE_CALENDAR;
	assert_true(calendar_parse(str_of("daily 03:00"), &w.backup.run.calendar, &why));
	w.source = (struct side_state){.root = "tank", .seen = true, .root_exists = true};
	w.target = (struct side_state){.root = "vault", .seen = true, .root_exists = true};
	model_dataset(&w.source, &w.arena, "tank", "")->wants[LABEL_NONE] = "true";
	model_dataset(&w.target, &w.arena, "vault", "");
	struct config c = {0};
	*vec_add(&c.policies, &w.arena) = w.policy;
	*vec_add(&c.backups, &w.arena) = w.backup;
	for (int64_t m = 0; m < MINUTES; m++) {
		int64_t real = begin + m * 60;
		/* Off or suspended for up to a week, about once in a week; a wrong clock about once in two months. */
		if (real >= off_until && draw(&seed) % (7 * 1440) == 0) {
			off_until = real + 60 * (1 + draw(&seed) % (draw(&seed) % 5 == 0 ? 7 * 1440 : 600));
			was_off = draw(&seed) % 2 == 0;
		}
		if (wrong == 0 && draw(&seed) % (60 * 1440) == 0) {
			static const int64_t by[] = {-3 * 86400, 7200, -3600, 500LL * 86400, 86400 * 2, -60};
			wrong = by[draw(&seed) % ARRAY_LEN(by)];
			wrong_until = real + 60 * (10 + draw(&seed) % 600);
		} else if (wrong != 0 && real >= wrong_until) {
			wrong = 0;
		}
		if (real < off_until)
			continue;
		int64_t now = real + wrong;
		if (was_off) {
			start(&t, &c, o.last_run);
			booted = real;
			was_off = false;
		}
		bool fresh = t.wall_s == 0;
		int64_t set = timetable_look(&t, now, real - booted);
		assert_true(fresh || set == wrong - was_wrong);
		was_wrong = wrong;
		/* Told to read its file again, just when something is due. */
		bool reload = draw(&seed) % 100 == 0;
		if (reload)
			timetable_load(&t, &c);
		if (fresh || set != 0 || reload)
			timetable_plan(&t, &c, &z, now);
		/* What began by a clock that was ahead counts as begun when that is seen. */
		o.last_run = o.last_run > now ? now : o.last_run;
		last_pass = last_pass > now ? now : last_pass;
		bool pass = begins(&t, &c, NULL, now);
		assert_true(pass || !(fresh || set != 0));
		bool run = begins(&t, &c, "b", now);
		bool run_by_wall = o.last_run == 0 || struck_between(LABELS, o.last_run, now);
		if (run != run_by_wall)
			fail_msg("%s at %lld: the daily run should be %s", zone_name, (long long)now,
				 run_by_wall ? "due" : "over");
		if (pass || run)
			timetable_plan(&t, &c, &z, now);
		if (pass) {
			do_pass(&w, &z, now);
			(void)oracle_pass(&o, now);
		} else {
			/* Nothing is lost either: had it been asked, nothing would have been due. */
			for (int l = 0; l < LABELS; l++)
				assert_false(struck_between(l, last_pass, now));
		}
		last_pass = pass ? now : last_pass;
		o.last_run = run ? now : o.last_run;
		/* Now and then the archive cannot be reached. */
		if (run && !clock_is_odd(&o, now) && draw(&seed) % 6 != 0) {
			do_run(&w, &z, now);
			oracle_send(&o);
			(void)oracle_archive(&o, has);
			same(only(&w.target, "vault/tank"), &o, has, "archive", now);
		}
		if (pass || run)
			same(only(&w.source, "tank"), &o, NULL, "source", now);
	}
	print_message("# %s: %zu passes, %zu taken, %zu runs, %zu on the archive\n", zone_name, w.passes, o.n, w.runs,
		      snapshots_of(only(&w.target, "vault/tank")));
	assert_true(w.passes > 20000 && o.n > 20000 && w.runs > 200);
	timetable_release(&t);
	arena_release(&w.arena);
	free(o.v);
	free(has);
}

static void new_york(void **state)
{
	(void)state;
	year_in("America/New_York", 1);
}

static void berlin(void **state)
{
	(void)state;
	year_in("Europe/Berlin", 2);
}

static void lord_howe(void **state)
{
	(void)state;
	year_in("Australia/Lord_Howe", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(new_york),
	    cmocka_unit_test(berlin),
	    cmocka_unit_test(lord_howe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
