/* The life of a machine as one pure step: (machine, event) → (machine, actions).  The same for every
 * provider.  Who performs the actions is daemon/machines.c. */
#ifndef PLAN_MACHINE_STEP_H
#define PLAN_MACHINE_STEP_H

#include "model/machine.h"

struct machine {
	enum machine_state state;
	unsigned waiters; /* want it, and have not got it yet */
	unsigned leases;  /* have it */
	bool adopted;	  /* found running: holders have a while to come back */
};

enum machine_event {
	MACHINE_WANTED,	  /* somebody wants it: counted as a waiter */
	MACHINE_UNWAITED, /* a waiter went away */
	MACHINE_RELEASED, /* a lease ended */
	MACHINE_DONE,	  /* what the state was doing succeeded */
	MACHINE_FAULT,	  /* it failed, or took too long */
	MACHINE_TIMER,	  /* the linger time, or the pause before another try, is over */
	MACHINE_FOUND,	  /* it runs already, says the provider, though nobody here knew */
	MACHINE_SLEEP,	  /* a person says: off, now */
};
enum { MACHINE_EVENTS = MACHINE_SLEEP + 1 };

/* What is to be done, in this order. */
enum machine_action {
	DO_CANCEL = 1 << 0,  /* end the worker that runs */
	DO_REFUSE = 1 << 1,  /* tell all waiters why not; they are waiters no more */
	DO_CUT = 1 << 2,     /* tell all leases that it is over; they are leases no more */
	DO_GRANT = 1 << 3,   /* all waiters become leases */
	DO_START = 1 << 4,   /* work: the provider's start */
	DO_PREPARE = 1 << 5, /* work: wait for the port, import pools */
	DO_DRAIN = 1 << 6,   /* work: export pools */
	DO_STOP = 1 << 7,    /* work: the provider's stop */
	DO_LINGER = 1 << 8,  /* arm the timer with the linger time (or the grace, if adopted) */
	DO_RETRY = 1 << 9,   /* arm the timer with a pause, then stop again */
};

/* Total: an event that means nothing in a state changes nothing.  Every change of state is an edge of
 * the table in the .c file, and asserted. */
unsigned machine_step(struct machine *m, enum machine_event ev);
/* May the state change so? */
bool machine_edge(enum machine_state from, enum machine_state to);
/* Is there, or may there be, a machine that costs something? */
bool machine_exists(const struct machine *m);

#endif
