/* One channel, many streams: the source sends one stream after the other, the target receives them
 * one after the other and answers each (docs/decisions/0002); the next look proves it.  Several channels
 * run side by side. */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

#include "engine/reach.h"
#include "model/bandwidth.h"
#include "model/config.h"
#include "model/plan.h"

enum stream_state {
	STREAM_NOT_REACHED, /* an earlier one failed; plan again */
	STREAM_TAKEN,	    /* the target says that it has it */
	STREAM_FAILED,	    /* err says why */
};

struct stream_result {
	enum stream_state state;
	int64_t span; /* its "replicate.dataset", 0 = none */
	struct err err;
};

struct channels {
	struct reach *source, *target;	/* both there; their leases are kept meanwhile */
	const struct send_steps *lists; /* one for each channel, none of them empty */
	size_t n;			/* at most CHANNELS_MAX */
	struct stream_result **results; /* for each list, an element for each step: filled */
	int64_t stall_ms;		/* no byte and no answer for so long: a channel is given up (a partial receive
					 * stays); and when the process is told to end */
	const struct bandwidth *bandwidth; /* of all together, with the zone its times are of; NULL: no limit */
	const struct zone *zone;
	bool zstd; /* what is on its way is compressed */
	struct run_listener *listener;
	struct tracer *tracer; /* or NULL */
	uint64_t bytes;	       /* what went through so far, in and out */
	uint64_t total;	       /* what it will be in the end, 0 = unknown: for who listens */
};

/* Runs the channels to their end.  Blocks.  At most one stream of each is STREAM_FAILED; what could not be reached is
 * not an error.  -1 only when nothing could be begun. */
int channels_run(struct channels *c, struct err *e) MUST_CHECK;

#endif
