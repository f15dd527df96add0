/* A time zone as a value: where its offset from UTC changes.  No clock and no environment is read; who makes
 * one is sys/clock. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/civil.h"
#include "base/vec.h"

/* From this instant on local time is UTC + offset_s. */
struct zone_part {
	int64_t from; /* Unix seconds; INT64_MIN in the first one */
	int64_t offset_s;
};
/* Sorted; no parts at all means UTC. */
struct zone VEC(struct zone_part);

int64_t zone_offset(const struct zone *z, int64_t t);
/* The civil time that clocks there show at t. */
struct civil zone_civil(const struct zone *z, int64_t t);
/* "2026-11-23 19:04 +01:00" into out (ZONE_TEXT bytes); returns out. */
enum { ZONE_TEXT = 48 };
const char *zone_show(const struct zone *z, int64_t t, char *out);

#endif
