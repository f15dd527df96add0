/* Calls that block, many of them side by side in one process: each runs on a stack of its own until it waits, and goes
 * on when a simulated clock says so.  One that is killed does not wait any more, and is over at once. */
#ifndef TESTS_FIBERS_H
#define TESTS_FIBERS_H

#include <stdbool.h>
#include <stdint.h>

enum { FIBERS = 64 };

struct fiber {
	bool used, dead; /* dead: killed, and on its way to its end */
	int id;		 /* no other one ever has it */
	void (*run)(void *arg);
	void *arg;
	int64_t wake_at;      /* milliseconds; INT64_MAX: only when it is woken */
	struct fiber *parent; /* dies with it; NULL: nobody's */
	int in, out;	      /* what descriptors 0 and 1 are to it, or -1; closed when it is over */
	int locks[4];	      /* likewise */
};

/* Starts with the next fibers_run.  Ends when run returns. */
struct fiber *fiber_new(void (*run)(void *arg), void *arg, int64_t now);
/* The one that runs now; NULL: none, it is the loop around them. */
struct fiber *fiber_here(void);
/* Of the one that runs: until then, or until it is woken.  False: it has been killed, and must come to its end. */
bool fiber_wait(int64_t until);
/* By its end: what it has begun ends likewise.  Not by itself. */
void fiber_kill(struct fiber *f);
/* Lets each go on that is to by now. */
void fibers_run(int64_t now);
/* When that has something to do; INT64_MAX: never. */
int64_t fibers_next(void);
struct fiber *fiber_nth(int i);
/* NULL: it is over. */
struct fiber *fiber_find(int id);

#endif
