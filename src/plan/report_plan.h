/* When what could not be told is tried again. */
#ifndef PLAN_REPORT_PLAN_H
#define PLAN_REPORT_PLAN_H

#include "base/base.h"

/* After the tries-th failure in a row (from 1): ten seconds, and twice as long each time, an hour at most; or what the
 * sink asked for (0: nothing), a day at most.  A fifth more or less by a seed, so that many hosts do not come at once.
 */
int64_t report_wait_ms(int64_t tries, int64_t asked_ms, uint64_t seed);

#endif
