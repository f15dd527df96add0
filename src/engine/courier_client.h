/* The courier (dormouse-cloud courier) as the one sees it who has requests for it. */
#ifndef ENGINE_COURIER_CLIENT_H
#define ENGINE_COURIER_CLIENT_H

#include "sys/paths.h"
#include "sys/proc.h"
#include "wire/courier.h"

struct courier_client {
	const struct paths *paths;
	struct proc proc; /* started when the first request needs it */
	struct buf in;	  /* what it has written */
};
#define COURIER_CLIENT_INIT                               \
	{                                                 \
		.proc = {.in = -1, .out = -1, .err = -1 } \
	}

/* One request, and its answer, whatever its status; in the arena.  -1: there is none, and *e has a hint.  Blocks for
 * no longer than its timeout, and a little. */
int courier_client_send(struct courier_client *c, const struct courier_order *o, struct arena *a, struct sink_reply *r,
			struct err *e) MUST_CHECK;
void courier_client_auto(struct courier_client *c); /* ends it, if it runs */

#endif
