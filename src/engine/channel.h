/* One channel, many streams: the source sends one stream after the other, the target receives them
 * one after the other and answers each with the GUID it now has (docs/decisions/0002).  Several channels
 * run side by side. */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

#include "model/bandwidth.h"
#include "model/config.h"
#include "model/plan.h"
#include "model/run.h"
#include "model/side.h"

enum stream_state {
	STREAM_NOT_REACHED, /* an earlier one failed; plan again */
	STREAM_PROVEN,	    /* the target answered with the GUID that was meant */
	STREAM_FAILED,	    /* err says why */
};

struct stream_result {
	enum stream_state state;
	struct err err;
};

struct channels {
	const struct side *source, *target;
	const struct send_steps *lists; /* one for each channel, none of them empty */
	size_t n;			/* at most CHANNELS_MAX */
	struct stream_result **results; /* for each list, an element for each step: filled */
	int64_t stall_ms; /* no byte and no answer for so long: a channel is given up (a partial receive stays) */
	int64_t
	    deadline_ms; /* monotonic: then all are given up likewise, and when the process is told to end; 0 = none */
	const struct bandwidth *bandwidth; /* of all together, with the zone its times are of; NULL: no limit */
	const struct zone *zone;
	bool zstd; /* what is on its way is compressed */
	struct run_listener *listener;
	uint64_t bytes; /* out: what went through */
};

/* Runs the channels to their end.  Blocks.  At most one stream of each is STREAM_FAILED; what could not be reached is
 * not an error.  -1 only when nothing could be begun. */
int channels_run(struct channels *c, struct err *e) MUST_CHECK;

#endif
