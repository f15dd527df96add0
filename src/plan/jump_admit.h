/* How many connections the jump host takes, in all and from one address: so that whoever opens a thousand keeps nobody
 * else out. */
#ifndef PLAN_JUMP_ADMIT_H
#define PLAN_JUMP_ADMIT_H

#include "base/base.h"

enum {
	JUMP_STRANGERS = 64,	    /* that have not logged in yet, of all addresses */
	JUMP_STRANGERS_OF_ONE = 16, /* of one address */
	JUMP_BURST = 60,	    /* connections of one address that may come at once, … */
	JUMP_PER_MINUTE = 120,	    /* … and each minute after that */
	JUMP_ADDRESSES = 1024,	    /* that are remembered */
	JUMP_GRACE_MS = 30000,	    /* to log in */
};

/* An address: an IPv6 network of 64 bits, or an IPv4 address, as a number of the caller's; 0 is one as well. */
struct jump_address {
	uint64_t of;
	int64_t at_ms;	/* when tokens was counted */
	int64_t tokens; /* thousandths of a connection that it may still make */
	unsigned strangers, users;
};

/* {0} is an empty one. */
struct jump_admit {
	struct jump_address known[JUMP_ADDRESSES];
	size_t n;
	unsigned strangers, users;
};

/* A connection came: NULL, and it is counted as a stranger; or why it is not taken, in a few words. */
const char *jump_admit(struct jump_admit *a, uint64_t address, unsigned max, int64_t now_ms);
/* It has logged in: counted as a user from now on. */
void jump_admit_user(struct jump_admit *a, uint64_t address);
/* It is over. */
void jump_admit_end(struct jump_admit *a, uint64_t address, bool user);

#endif
