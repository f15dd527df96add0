/* The promises of a jump host's session, whatever comes in whatever order: for the unit test and the fuzzer. */
#ifndef TESTS_JUMP_WALK_H
#define TESTS_JUMP_WALK_H

#include "plan/jump_session.h"

/* Clients to walk with: "me" (arch:22, nas:*), "one" (arch:22), "jump" (lazyssh's: both, all ports), "none" (nowhere).
 */
const struct jump_clients *jump_walk_clients(void);
/* What byte stands for: a message with a user, a client, a door. */
struct jump_message jump_walk_message(uint8_t byte, uint8_t more);
/* Steps, and asserts every promise. */
struct jump_walk {
	struct jump_session s;
	const struct jump_client *proven; /* whose key was proven under a name that is its own */
	bool admitted, in;		  /* the listener said yes; the log-in was accepted */
	unsigned asked, open;
};
struct jump_answer jump_walk_step(struct jump_walk *w, const struct jump_message *m);

#endif
