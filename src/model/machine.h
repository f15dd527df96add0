/* A machine that comes and goes: its states, and what a provider tells of it. */
#ifndef MODEL_MACHINE_H
#define MODEL_MACHINE_H

#include "base/vec.h"

enum machine_state {
	MACHINE_ABSENT,	   /* there is none; costs nothing */
	MACHINE_STARTING,  /* the provider was asked for it, until it has an address */
	MACHINE_PREPARING, /* has an address: wait for the port, check the host key, import the pools */
	MACHINE_READY,	   /* at least one lease */
	MACHINE_LINGERING, /* no lease; stays for a while */
	MACHINE_DRAINING,  /* export the pools */
	MACHINE_STOPPING,  /* the provider was asked to end it, until it is gone */
	MACHINE_FAILED,	   /* something went wrong; always leads through stopping */
};
enum { MACHINE_STATES = MACHINE_FAILED + 1 };

const char *machine_state_name(enum machine_state s);

/* Where a port of the machine is reached from here. */
struct machine_door {
	int64_t port;	  /* on the machine */
	const char *host; /* address to connect to */
	int64_t at;	  /* port to connect to */
};
struct machine_doors VEC(struct machine_door);

/* What a machine is started for: of some kinds another one is then. */
enum machine_use {
	USE_PLAIN,
	USE_BULK, /* much is written or read at once: a first copy, a scrub */
	USE_MOVE, /* a volume's data goes to another volume, and both are with it */
};
/* "bulk", "move"; NULL of USE_PLAIN, which any other word is. */
const char *machine_use_name(enum machine_use u);
enum machine_use machine_use_of(const char *name);

/* Which machine is meant.  The token makes a repeated start the same start (idempotency). */
struct machine_id {
	const char *target;
	const char *token;
};

/* What a provider tells of a machine. */
enum machine_power { POWER_ABSENT, POWER_STARTING, POWER_RUNNING, POWER_STOPPING };
struct machine_facts {
	enum machine_power power;
	const char *id;	     /* the provider's own name for it, for people and for stop */
	const char *address; /* every port is reached there, unless a door says otherwise */
	struct machine_doors doors;
	const char *detail; /* one line for people, may be NULL */
};

#endif
