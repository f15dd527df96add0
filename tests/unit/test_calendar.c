/* Calendar expressions against the C library's clock, minute by minute over years. */
#include "check.h"

#include <time.h>

#include "base/calendar.h"
#include "model/label.h"
#include "sys/clock.h"

static struct calendar parsed(const char *text)
{
	struct calendar c;
	const char *why;

	if (!calendar_parse(str_of(text), &c, &why))
		fail_msg("'%s': %s", text, why);
	return c;
}

static int64_t at(const char *text)
{
	int64_t t;
	assert_true(civil_parse(str_of(text), &t));
	return t;
}

static struct zone zone_of(const char *name, int64_t now, struct arena *a)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	return clock_zone(now, a);
}

/* The first of a month begins at midnight there, also of a summer long ago. */
static void long_ago(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct zone z = zone_of("Europe/Berlin", at("2026-11-25T12:00:00Z"), &a);
	static const char *const april[] = {"2025-03-31T22:00:00Z", "2019-03-31T22:00:00Z", "2006-03-31T22:00:00Z"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(april); i++) {
		int64_t t = at(april[i]);
		assert_int_equal(label_period(LABEL_MONTHLY, &z, t), zone_civil(&z, t).year * 12LL + 4);
		assert_int_equal(label_period(LABEL_MONTHLY, &z, t - 1), label_period(LABEL_MONTHLY, &z, t) - 1);
	}
}

static void reading(void **state)
{
	static const char *const bad[] = {
	    "",	       "never",	    "Foo 10:00",	"24:00",    "10:60", "*-13-01",	   "*-*-32",  "0/0:00",
	    "5..3:00", "10:00 x",   "Mon..Xyz",		"Fri..Mon", "1..",   "12",	   "*:*:*:*", "*-*-*-*",
	    "-1:00",   "10:00 Mon", "2026..2025-01-01", "daily x",  "*:0/",  "99999-01-01"};
	static const char *const same[][2] = {{"hourly", "*-*-* *:00:00"},
					      {"daily 03:00", "03:00"},
					      {"weekly", "Mon *-*-* 00:00"},
					      {"monthly", "*-*-01"},
					      {"yearly", "*-01-01"},
					      {"*:0/15", "*:0,15,30,45"},
					      {"Mon..Fri", "Monday,Tue,Wed,Thu,FRI 00:00"},
					      {"quarterly", "1,4,7,10-1 0:0"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct calendar c;
		const char *why = NULL;
		if (calendar_parse(str_of(bad[i]), &c, &why))
			fail_msg("accepted: '%s'", bad[i]);
		assert_non_null(why);
	}
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		struct calendar a = parsed(same[i][0]), b = parsed(same[i][1]);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void striking(void **state)
{
	static const struct {
		const char *zone, *expr, *after, *next;
	} t[] = {
	    {"UTC", "*:0/15", "2026-11-23T10:07:00Z", "2026-11-23T10:15:00Z"},
	    {"UTC", "*:0/15", "2026-11-23T10:15:00Z", "2026-11-23T10:30:00Z"},
	    {"UTC", "weekly", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
	    {"UTC", "Mon *-*-1..7 02:00", "2026-11-03T00:00:00Z", "2026-12-07T02:00:00Z"},
	    {"UTC", "02-29", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
	    {"UTC", "*-*-31", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"},
	    {"UTC", "2026-12-24 18:00:30", "2026-01-31T00:00:00Z", "2026-12-24T18:00:30Z"},
	    {"Europe/Berlin", "daily", "2026-11-23T10:00:00Z", "2026-11-23T23:00:00Z"},
	    /* 02:30 does not exist on the 29th of March; it is shown twice on the 25th of October. */
	    {"Europe/Berlin", "02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
	    {"Europe/Berlin", "02:30", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
	    {"Europe/Berlin", "02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
	    {"Europe/Berlin", "02:30", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
	    {"Europe/Berlin", "*:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
	    {"Europe/Berlin", "*:30", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
	    /* Half an hour, and in the other half of the year. */
	    {"Australia/Lord_Howe", "01:45", "2026-04-04T10:00:00Z", "2026-04-04T14:45:00Z"},
	    {"Australia/Lord_Howe", "01:45", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"},
	    {"Australia/Lord_Howe", "02:15", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(arena) struct arena a = {0};
		char got[CIVIL_TEXT];
		struct calendar c = parsed(t[i].expr);
		struct zone z = zone_of(t[i].zone, at(t[i].after), &a);
		int64_t next = calendar_next(&c, &z, at(t[i].after));
		if (next != at(t[i].next))
			fail_msg("%s '%s' after %s: %s, not %s", t[i].zone, t[i].expr, t[i].after,
				 civil_show(next, got), t[i].next);
		assert_int_equal(calendar_last(&c, &z, next), next);
		assert_true(calendar_last(&c, &z, next - 1) <= at(t[i].after));
	}
	struct calendar never = parsed("2020-02-30");
	assert_int_equal(calendar_next(&never, &(struct zone){0}, 0), INT64_MAX);
	assert_int_equal(calendar_last(&never, &(struct zone){0}, at("2026-01-01T00:00:00Z")), INT64_MIN);
}

/* What the clock on the wall shows, asked of the C library at each minute. */
static bool wall_shows(int64_t t, const int *hours, int minute, int weekday, int day)
{
	struct tm tm;
	time_t when = (time_t)t;

	(void)localtime_r(&when, &tm);
	bool hour = hours == NULL;
	for (size_t i = 0; hours != NULL && hours[i] >= 0; i++)
		hour |= hours[i] == tm.tm_hour;
	return hour && tm.tm_min == minute && (weekday < 0 || tm.tm_wday == weekday) && (day < 0 || tm.tm_mday == day);
}

/* Even ones: exactly at the minutes at which the wall shows it.  Others: at those, but for the second time of
 * an hour that is shown twice, and once right behind a leap that swallowed one. */
static void against_the_wall(void **state)
{
	static const char *const zones[] = {"UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
					    "Asia/Kolkata"};
	static const int one[] = {1, -1}, two[] = {2, -1}, twelve[] = {0, 12, -1};
	static const struct {
		const char *expr;
		const int *hours;
		int minute, weekday, day;
	} t[] = {{"*:45", NULL, 45, -1, -1},	{"01:45", one, 45, -1, -1},	{"02:15", two, 15, -1, -1},
		 {"Sun 02:15", two, 15, 0, -1}, {"0,12:00", twelve, 0, -1, -1}, {"*-*-29 *:00", NULL, 0, -1, 29}};
	int64_t begin = at("2027-06-01T00:00:00Z"), end = begin + 500 * 86400LL; /* a leap day in it */

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(zones); k++) {
		AUTO(arena) struct arena a = {0};
		struct zone z = zone_of(zones[k], begin, &a);
		for (size_t i = 0; i < ARRAY_LEN(t); i++) {
			struct calendar c = parsed(t[i].expr);
			int64_t next = calendar_next(&c, &z, begin - 1);
			size_t strikes = 0, odd = 0;
			for (int64_t m = begin; m < end; m += 60) {
				bool shows = wall_shows(m, t[i].hours, t[i].minute, t[i].weekday, t[i].day);
				if (next == m && shows) {
					strikes++;
				} else if (next == m) {
					/* Only right behind a leap forward. */
					assert_true(zone_offset(&z, m) > zone_offset(&z, m - 1));
					odd++;
				} else if (shows) {
					/* Only where the clock was set back in the last hour, and showed it before. */
					assert_true(t[i].hours != NULL);
					assert_true(zone_offset(&z, m) < zone_offset(&z, m - 3600));
					odd++;
				}
				if (next == m)
					next = calendar_next(&c, &z, m);
			}
			if (next < end)
				fail_msg("%s '%s' strikes between minutes", zones[k], t[i].expr);
			assert_true(strikes > 10 && odd <= 4);
			if (t[i].hours == one || t[i].hours == two)
				assert_true(t[i].weekday >= 0 || strikes + odd >= 499);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reading),
	    cmocka_unit_test(long_ago),
	    cmocka_unit_test(striking),
	    cmocka_unit_test(against_the_wall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
