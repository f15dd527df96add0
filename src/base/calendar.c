#include "base/calendar.h"

#include "base/num.h"

enum { YEAR_MIN = 1970, YEAR_MAX = 9999 };
static const uint64_t all_hours = (1U << 24) - 1;

/* --- reading -------------------------------------------------------------------------------------- */

static const char *const weekday_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const long_names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

static bool same_word(struct str s, const char *word)
{
	if (s.n != strlen(word))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if ((c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) != word[i])
			return false;
	}
	return true;
}

static bool weekday(struct str s, uint64_t *out)
{
	for (uint64_t i = 0; i < ARRAY_LEN(weekday_names); i++) {
		*out = i;
		if (same_word(s, weekday_names[i]) || same_word(s, long_names[i]))
			return true;
	}
	return false;
}

/* The part of s up to the first mark; *more: there was one, and s is what follows it. */
static struct str cut(struct str *s, const char *mark, bool *more)
{
	const char *at = s->n == 0 ? NULL : memmem(s->p, s->n, mark, strlen(mark));
	struct str head = {s->p, at == NULL ? s->n : (size_t)(at - s->p)};

	*more = at != NULL;
	if (at != NULL)
		*s = (struct str){at + strlen(mark), s->n - head.n - strlen(mark)};
	return head;
}

static bool weekdays(struct str s, uint64_t *out)
{
	bool more, range;

	*out = 0;
	do {
		struct str one = cut(&s, ",", &more), first = cut(&one, "..", &range);
		uint64_t from, to;
		if (!weekday(first, &from) || !weekday(one, &to) || to < from)
			return false;
		for (; from <= to; from++)
			*out |= 1ULL << from;
	} while (more);
	return true;
}

/* One of a list: "*", "5", "1..7", "0/15", "8..18/2". */
static bool item(struct str s, uint64_t lo, uint64_t hi, uint64_t *out)
{
	bool steps, range;
	struct str what = cut(&s, "/", &steps);
	uint64_t from = lo, to = hi, step = 1;

	if (steps && (!num_u64(s, &step) || step == 0))
		return false;
	if (!str_eq(what, "*")) {
		struct str first = cut(&what, "..", &range);
		if (!num_u64(first, &from) || !num_u64(what, &to))
			return false;
		if (!range && steps)
			to = hi;
	}
	if (from < lo || to > hi || from > to)
		return false;
	for (; from <= to; from += step)
		*out |= 1ULL << from;
	return true;
}

static bool set(struct str s, uint64_t lo, uint64_t hi, uint64_t *out)
{
	bool more;

	*out = 0;
	do
		if (!item(cut(&s, ",", &more), lo, hi, out))
			return false;
	while (more);
	return true;
}

static bool year(struct str s, struct calendar *c)
{
	uint64_t from = YEAR_MIN, to = YEAR_MAX;

	if (!str_eq(s, "*")) {
		bool range;
		struct str first = cut(&s, "..", &range);
		if (!num_u64(first, &from) || !num_u64(s, &to))
			return false;
	}
	c->year_from = from > YEAR_MAX ? YEAR_MAX : (int)from;
	c->year_to = to > YEAR_MAX ? YEAR_MAX : (int)to;
	return from >= YEAR_MIN && from <= to && to <= YEAR_MAX;
}

/* [YEAR-]MONTH-DAY */
static bool date(struct str s, struct calendar *c)
{
	bool more, whole;
	struct str first = cut(&s, "-", &more), second = cut(&s, "-", &whole);

	if (!more)
		return false;
	if (!whole)
		return set(first, 1, 12, &c->months) && set(second, 1, 31, &c->days);
	return year(first, c) && set(second, 1, 12, &c->months) && set(s, 1, 31, &c->days);
}

/* HOUR:MINUTE[:SECOND] */
static bool clock_time(struct str s, struct calendar *c)
{
	bool more, seconds;
	struct str hour = cut(&s, ":", &more), minute = cut(&s, ":", &seconds);

	c->seconds = 1;
	return more && set(hour, 0, 23, &c->hours) && set(minute, 0, 59, &c->minutes) &&
	       (!seconds || set(s, 0, 59, &c->seconds));
}

/* systemd.time(7), "special expressions". */
static const struct {
	const char *word, *weekdays, *date, *time;
} words[] = {
    {"minutely", NULL, NULL, "*:*"},
    {"hourly", NULL, NULL, "*:00"},
    {"daily", NULL, NULL, "00:00"},
    {"weekly", "mon", NULL, "00:00"},
    {"monthly", NULL, "*-01", "00:00"},
    {"quarterly", NULL, "01/3-01", "00:00"},
    {"yearly", NULL, "01-01", "00:00"},
    {"annually", NULL, "01-01", "00:00"},
    {"semiannually", NULL, "01/6-01", "00:00"},
};

static bool word(struct str s, struct calendar *c)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!same_word(s, words[i].word))
			continue;
		return (words[i].weekdays == NULL || weekdays(str_of(words[i].weekdays), &c->weekdays)) &&
		       (words[i].date == NULL || date(str_of(words[i].date), c)) &&
		       clock_time(str_of(words[i].time), c);
	}
	return false;
}

static struct str next_word(struct str *s)
{
	*s = str_trim(*s);
	return str_cut(s, ' ');
}

bool calendar_parse(struct str s, struct calendar *out, const char **why)
{
	struct str part = next_word(&s);

	*out = (struct calendar){.weekdays = 0x7f,
				 .months = 0x1ffe,
				 .days = 0xfffffffe,
				 .hours = 1,
				 .minutes = 1,
				 .seconds = 1,
				 .year_from = YEAR_MIN,
				 .year_to = YEAR_MAX};
	*why = "it is empty";
	if (part.n == 0)
		return false;
	if (word(part, out)) {
		part = next_word(&s);
	} else {
		if ((part.p[0] >= 'a' && part.p[0] <= 'z') || (part.p[0] >= 'A' && part.p[0] <= 'Z')) {
			*why =
			    "a weekday is Mon, Tue, …, in lists (Mon,Wed) or ranges (Mon..Fri); the words are hourly, "
			    "daily, weekly, monthly, quarterly, yearly";
			if (!weekdays(part, &out->weekdays))
				return false;
			part = next_word(&s);
		}
		*why = "a date is YEAR-MONTH-DAY or MONTH-DAY, each a number, a list (1,15), a range (1..7) or *";
		if (part.n > 0 && memchr(part.p, ':', part.n) == NULL) {
			if (!date(part, out))
				return false;
			part = next_word(&s);
		}
	}
	*why = "a time is HOUR:MINUTE or HOUR:MINUTE:SECOND, each a number, a list, a range, * or START/STEP (*:0/15)";
	return (part.n == 0 || clock_time(part, out)) && next_word(&s).n == 0;
}

/* --- striking ------------------------------------------------------------------------------------- */

static bool has(uint64_t bits, int n)
{
	return (bits >> n & 1) != 0;
}

/* The first member from n on, -1 if there is none. */
static int member(uint64_t bits, int n)
{
	uint64_t rest = n > 63 ? 0 : bits >> n;
	return rest == 0 ? -1 : n + __builtin_ctzll(rest);
}

static bool day_fits(const struct calendar *c, const struct civil *d)
{
	struct civil midnight = {d->year, d->month, d->day, 0, 0, 0};
	/* 1970-01-01 was a Thursday. */
	int64_t days = civil_unix(&midnight) / 86400;

	return d->year >= c->year_from && d->year <= c->year_to && has(c->months, d->month) && has(c->days, d->day) &&
	       has(c->weekdays, (int)((days + 3) % 7));
}

/* Within a day: the first second of day from s on that fits, or -1. */
static int64_t second_of_day(const struct calendar *c, int64_t s)
{
	int h = (int)(s / 3600), m = (int)(s / 60 % 60), sec = (int)(s % 60);

	for (int hour = member(c->hours, h); hour >= 0; hour = member(c->hours, hour + 1)) {
		if (hour > h)
			m = sec = 0;
		for (int minute = member(c->minutes, m); minute >= 0; minute = member(c->minutes, minute + 1)) {
			if (hour > h || minute > m)
				sec = 0;
			int second = member(c->seconds, sec);
			if (second >= 0)
				return hour * 3600 + minute * 60 + second;
		}
		m = sec = 0;
	}
	return -1;
}

/* The first civil time from local on that fits, both as seconds as if in UTC; INT64_MAX from end on. */
static int64_t local_next(const struct calendar *c, int64_t local, int64_t end)
{
	int64_t s = local % 86400, day = local - s;

	for (; day < end; day += 86400, s = 0) {
		struct civil d = civil_of(day);
		if (d.year > c->year_to)
			return INT64_MAX;
		if (!day_fits(c, &d))
			continue;
		int64_t second = second_of_day(c, s);
		if (second >= 0)
			return day + second < end ? day + second : INT64_MAX;
	}
	return INT64_MAX;
}

enum { HORIZON = 40 };

int64_t calendar_next(const struct calendar *c, const struct zone *z, int64_t t)
{
	static const struct zone_part utc = {INT64_MIN, 0};
	const struct zone_part *parts = z->n > 0 ? z->v : &utc;
	size_t n = z->n > 0 ? z->n : 1, i = 0;
	int64_t last = t + HORIZON * 366LL * 86400;
	bool even = c->hours == all_hours;

	while (i + 1 < n && parts[i + 1].from <= t)
		i++;
	for (int64_t from = t + 1;; i++) {
		int64_t end = i + 1 < n && parts[i + 1].from < last ? parts[i + 1].from : last, o = parts[i].offset_s;
		/* What the clock showed once already, before it was set back, counts only for the even ones. */
		int64_t start = from + o, shown = i > 0 ? parts[i].from + parts[i - 1].offset_s : 0;
		if (!even && i > 0 && start < shown)
			start = shown;
		int64_t local = local_next(c, start, end + o);
		if (local != INT64_MAX)
			return local - o;
		if (i + 1 >= n || end == last)
			return INT64_MAX;
		int64_t leap = parts[i + 1].offset_s - o;
		if (!even && leap > 0 && local_next(c, end + o, end + o + leap) != INT64_MAX)
			return end;
		from = end;
	}
}

int64_t calendar_last(const struct calendar *c, const struct zone *z, int64_t t)
{
	static const int64_t back[] = {3600, 86400, 8 * 86400, 40 * 86400, 400 * 86400, HORIZON * 365LL * 86400};

	for (size_t i = 0; i < ARRAY_LEN(back); i++) {
		int64_t at = calendar_next(c, z, t - back[i] - 1);
		if (at > t)
			continue;
		for (int64_t next = at; next <= t; next = calendar_next(c, z, at))
			at = next;
		return at;
	}
	return INT64_MIN;
}
