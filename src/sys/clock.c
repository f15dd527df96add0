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
