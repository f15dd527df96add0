/* How fast a backup may send, by the time of day. */
#ifndef MODEL_BANDWIDTH_H
#define MODEL_BANDWIDTH_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"
#include "base/zone.h"

enum { BANDWIDTH_LEAST = 1024 }; /* less would not even keep a connection alive */

struct bandwidth_window {
	int from_min, to_min; /* minutes of the local day, [from, to); from > to: over midnight; both 0: always */
	uint64_t rate;	      /* bytes per second; 0 = no limit */
};
struct bandwidth VEC(struct bandwidth_window);

/* "20MB/s", or parts with commas between them, of which each but one names its time: "20MB/s, 08:00-18:00 2MB/s".  A
 * rate may be "unlimited".  False: *why says what is wrong. */
bool bandwidth_parse(struct str text, struct arena *a, struct bandwidth *out, const char **why);
/* What holds at an instant: the last window it lies in, else the one that names no time; 0 = no limit. */
uint64_t bandwidth_at(const struct bandwidth *b, const struct zone *z, int64_t now);

#endif
