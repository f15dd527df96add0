/* People who want machines of a keeper that runs within a test: its parts are real, but for the control socket. */
#ifndef TESTS_PEOPLE_H
#define TESTS_PEOPLE_H

#include "daemon/keeper.h"

extern struct play {
	struct keeper k;
	int64_t t;    /* milliseconds; what its clock shows is the test's own */
	int64_t mono; /* what the clock that goes on evenly shows beyond it */
	bool alive;
} play;

struct person {
	struct client c;
	int64_t since, leave; /* since: it has asked, and heard nothing; 0: it has */
	char *target, *token; /* token: of what it has */
	bool holder;
	int *heard; /* where it is noted what it has heard: 1, it has it; -1, it does not get it; may be NULL */
};

/* The test's own: something is not as it must be.  Does not return. */
void wrong(const char *what, const char *about);

char *copy(const char *text);
/* NULL is nobody. */
struct person *person_of(const struct client *c);
/* One more; it is there from now on until then, or until the keeper dies. */
struct person *person_asks(const struct control_request *r, int64_t leave, int *heard);
/* Until then; but for those of whom something waits to hear. */
void people_stay(int64_t leave);
/* When the keeper, or somebody, has something to do; until, if nobody has before. */
int64_t play_next(int64_t until);
/* One turn of keeper.c's loop. */
void play_serve(void);
/* Killed: all it has in hand goes with it. */
void play_dies(void);

#endif
