/* Telling one sink one report: encodes it (wire/sink.h), has it carried there, and says what became of it. */
#ifndef ENGINE_DELIVER_H
#define ENGINE_DELIVER_H

#include "engine/courier_client.h"

struct deliver {
	const char *metrics; /* what a prometheus sink gets */
	struct courier_client courier;
};
#define DELIVER_INIT                           \
	{                                      \
		.courier = COURIER_CLIENT_INIT \
	}

/* Never fails: what went wrong is the answer.  left: as in sink_encode; memo: what the sink's last answer left.  False:
 * there was nothing to say to it.  Blocks for no longer than the sink's timeout, for each request that it takes. */
bool deliver_one(struct deliver *d, const struct sink *s, int64_t memo, const struct report *r,
		 const struct span_ids *left, struct arena *a, struct sink_answer *out);
void deliver_auto(struct deliver *d);

#endif
