/* Whether what is to be sent has room where it goes.  Pure. */
#ifndef PLAN_SPACE_PLAN_H
#define PLAN_SPACE_PLAN_H

#include "model/plan.h"

/* The most that the datasets which are sent can take up, by what the look at the source says; bytes. */
uint64_t space_bound(const struct side_state *source, const struct send_steps *sends);

/* Given the sends with the length of their streams, in their order, and the bytes there are: what does not fit any more
 * when all before it has been received.  A dataset fits whole or not at all. */
struct space_lack {
	const char *source, *target;
	uint64_t needs, has; /* bytes */
};
struct space_lacks VEC(struct space_lack);
void space_plan(const struct send_steps *sends, uint64_t available, struct arena *a, struct space_lacks *out);

#endif
