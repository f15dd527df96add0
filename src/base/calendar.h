/* Calendar expressions: the part of systemd's OnCalendar that people use (systemd.time(7)), and when they
 * strike.  Pure. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include "base/zone.h"

/* Bit n of a set stands for the value n (weekdays: bit 0 is Monday). */
struct calendar {
	uint64_t weekdays, months, days, hours, minutes, seconds;
	int year_from, year_to;
};

/* "*:0/15", "hourly", "daily", "daily 03:00", "Mon *-*-1..7 02:00", "Mon..Fri 18:30", "*-*-01 04:00:00", …
 * False: it is none; *why then says which part, and is a constant text. */
bool calendar_parse(struct str s, struct calendar *out, const char **why);

/* The first instant after t at which it strikes, INT64_MAX if there is none.
 *
 * One whose hours are all there (hourly, *:0/15) strikes whenever the clock shows such a time: evenly in real
 * time, also where the clock is set.  Any other strikes once a day: of an hour that is shown twice at the
 * first, and for a time that the clock leaps over right behind the leap. */
int64_t calendar_next(const struct calendar *c, const struct zone *z, int64_t t);
/* The last instant up to and with t, INT64_MIN if there is none within 40 years. */
int64_t calendar_last(const struct calendar *c, const struct zone *z, int64_t t);

#endif
