/* One channel, many streams: the source sends one stream after the other, the target receives them
 * one after the other and answers each with the GUID it now has (docs/decisions/0002). */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

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

struct channel {
	const struct side *source, *target;
	const struct send_step *steps;
	size_t nsteps;
	int64_t stall_ms; /* no byte and no answer for so long: give up (a partial receive stays) */
	struct run_listener *listener;
	uint64_t bytes; /* out: what went through */
};

/* Runs the channel to its end; results has one element for each step.  Blocks.  At most one stream
 * is STREAM_FAILED; what could not be reached is not an error.  -1 only when nothing could be begun. */
int channel_run(struct channel *c, struct stream_result *results, struct err *e) MUST_CHECK;

#endif
