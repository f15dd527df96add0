#include "plan/report_plan.h"

enum { FIRST_MS = 10000, LONGEST_MS = 3600000, ASKED_MS = 24 * 3600000 };

int64_t report_wait_ms(int64_t tries, int64_t asked_ms, uint64_t seed)
{
	int64_t wait = FIRST_MS;

	for (int64_t i = 1; i < tries && wait < LONGEST_MS; i++)
		wait *= 2;
	if (wait > LONGEST_MS)
		wait = LONGEST_MS;
	if (asked_ms > wait)
		wait = asked_ms < ASKED_MS ? asked_ms : ASKED_MS;
	/* Never before the time that was asked for. */
	int64_t fifth = wait / 5, jitter = (int64_t)(seed % (uint64_t)(2 * fifth + 1)) - fifth;
	return asked_ms > 0 && jitter < 0 ? wait - jitter : wait + jitter;
}
