#include "sys/clock.h"

#include <errno.h>

#include "base/civil.h"

int64_t clock_unix_s(void)
{
	const char *fake = getenv("DORMOUSE_NOW");
	int64_t now;
	struct timespec ts;

	if (fake != NULL && civil_parse(str_of(fake), &now))
		return now;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t clock_unix_ms(void)
{
	const char *fake = getenv("DORMOUSE_NOW");
	struct timespec ts;

	if (fake != NULL)
		return clock_unix_s() * 1000;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static int64_t local_offset(int64_t t)
{
	struct tm tm;
	time_t at = (time_t)t;

	return localtime_r(&at, &tm) == NULL ? 0 : tm.tm_gmtoff;
}

/* The C library knows the offset of any instant; where it changes is found by asking every day, and between
 * two days that differ by halving. */
struct zone clock_zone(int64_t now, struct arena *a)
{
	/* Snapshots are dealt by the day they were taken on, however old: ZFS is of 2005. */
	enum { DAY = 86400, YEAR = 366 * DAY, FIRST = 1104537600 };
	struct zone z = {0};

	tzset();
	int64_t t = now - YEAR < FIRST ? now - YEAR : FIRST, offset = local_offset(t);
	*vec_add(&z, a) = (struct zone_part){INT64_MIN, offset};
	for (; t < now + 3LL * YEAR; t += DAY) {
		int64_t lo = t, hi = t + DAY, next = local_offset(hi);
		if (next == offset)
			continue;
		while (hi - lo > 1) {
			int64_t mid = lo + (hi - lo) / 2;
			if (local_offset(mid) == offset)
				lo = mid;
			else
				hi = mid;
		}
		*vec_add(&z, a) = (struct zone_part){hi, next};
		offset = next;
	}
	return z;
}
