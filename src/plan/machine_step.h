/* The life of a machine as one pure step: (machine, event, now) → (machine, actions).  The same for every
 * provider.  Who performs the actions is daemon/hosts.c.  All times are milliseconds of one clock that also
 * goes on while the host is suspended; 0 means none. */
#ifndef PLAN_MACHINE_STEP_H
#define PLAN_MACHINE_STEP_H

#include "model/machine.h"

/* What the file says of it. */
struct machine_rules {
	int64_t start_ms, drain_ms, stop_ms; /* how long each work may take; start_ms also for preparing */
	int64_t linger_ms, grace_ms;	     /* grace: how long holders of a found one have to come back */
	int64_t doubt_ms;		     /* how long a start that was broken off may still come up */
	int64_t lifetime_ms;		     /* from its start, used or not; 0 = no limit */
	int64_t feed_ms;		     /* how often its watchdog is told that it is wanted; 0 = it has none */
	int64_t starts_per_hour;	     /* so many at once, and so many in each hour after; 0 = no limit */
};

struct machine {
	enum machine_state state;
	unsigned waiters;    /* want it, and have not got it yet */
	unsigned leases;     /* have it */
	bool adopted;	     /* found running: holders have a while to come back */
	bool unsure;	     /* another one may run: a start waits for a look that says no */
	bool broken;	     /* its start was broken off, so it may still come up after it was stopped: */
	int64_t doubt_until; /* so long the provider is asked often */
	int64_t work_until, timer_at, feed_at, expires_at;
};

/* What became of the starts so far, of all machines of a target. */
struct machine_past {
	unsigned failures;   /* in a row */
	int64_t pause_until; /* after the last of them */
	int64_t paid_until;  /* the start limit: when all starts so far will have been earned */
};

enum machine_event {
	MACHINE_WANTED,	   /* somebody wants it, and machine_refuses said nothing against it: a waiter */
	MACHINE_UNWAITED,  /* a waiter went away */
	MACHINE_RELEASED,  /* a lease ended */
	MACHINE_DONE,	   /* what the state was doing succeeded */
	MACHINE_FAULT,	   /* it failed, or took too long */
	MACHINE_TIMER,	   /* the linger time, or the pause before another try, is over */
	MACHINE_HUNGRY,	   /* its watchdog is to be told that it is wanted */
	MACHINE_EXPIRED,   /* it has been on for as long as it may */
	MACHINE_FOUND,	   /* it runs already, says the provider, though nobody here knew */
	MACHINE_NOT_FOUND, /* the first look is over: none runs, or it cannot be seen */
	MACHINE_STRAY,	   /* one runs that should not: end it */
	MACHINE_UNSURE,	   /* one runs that should not: no start before it is gone, which NOT_FOUND tells */
	MACHINE_LOST,	   /* it is gone, says the provider, and nobody here ended it */
	MACHINE_SLEEP,	   /* a person says: off, now */
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
	DO_FEED = 1 << 8,    /* work: tell the watchdog */
};

/* Total: an event that means nothing in a state changes nothing.  Every change of state is an edge of
 * the table in the .c file, and asserted. */
unsigned machine_step(struct machine *m, struct machine_past *past, const struct machine_rules *r,
		      enum machine_event ev, int64_t now);
/* Has time alone brought something about (MACHINE_FAULT: the work took too long)? */
bool machine_due(const struct machine *m, int64_t now, enum machine_event *ev);
/* When to ask that again; INT64_MAX: time brings nothing about. */
int64_t machine_next(const struct machine *m);
/* Is somebody who wants it now refused at once, and until when?  PAUSE: after failures, not for who insists (a run, a
 * person at a terminal); LIMIT: started too often. */
enum machine_refusal { REFUSE_NOT, REFUSE_PAUSE, REFUSE_LIMIT };
enum machine_refusal machine_refuses(const struct machine *m, const struct machine_past *past,
				     const struct machine_rules *r, bool insisted, int64_t now, int64_t *until);
/* A start that a keeper before this one has made, and how it went; oldest first. */
void machine_recall(struct machine_past *past, const struct machine_rules *r, int64_t at, bool failed);
/* One that a keeper before this one has started so long ago, before MACHINE_FOUND; the clock that says so may have
 * jumped. */
void machine_remember(struct machine *m, const struct machine_rules *r, int64_t age_ms, int64_t now);
/* It has been ended, and may come up after all: for a while it is asked often whether it did. */
void machine_doubt(struct machine *m, const struct machine_rules *r, int64_t now);
/* May the state change so? */
bool machine_edge(enum machine_state from, enum machine_state to);
/* Can it be used: in a state in which who wants it has it or gets it at once? */
bool machine_is_up(enum machine_state s);
/* Is there, or may there be, a machine that costs something? */
bool machine_exists(const struct machine *m);

#endif
