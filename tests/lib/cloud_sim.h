/* What the parts of cloud_life share: one life, what goes wrong in it, and how the account is asked. */
#ifndef TESTS_CLOUD_SIM_H
#define TESTS_CLOUD_SIM_H

#include <stdio.h>

#include "fibers.h"
#include "people.h"
#include "wire/json.h"

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	DAY_S = 86400,
	STATED = 15 * MINUTE, /* so long after the last fault all is as it should be */
	SLACK = 30 * SECOND,  /* what a start, a drain and a stop may cost beyond the time that a machine was wanted */
	WATCHDOG = 10 * MINUTE,
	START = 2 * MINUTE,
	MANY = 128,
};

/* What may go wrong in a life. */
enum {
	LOST = 1,     /* a request is executed, and nobody hears of it */
	LATE = 2,     /* likewise, and a while after it was given up */
	CUT = 4,      /* a request never arrives */
	GARBLED = 8,  /* its answer makes no sense */
	REFUSED = 16, /* too many requests, a fault of the provider */
	NO_ROOM = 32, /* there are no machines, or those that were promised end */
	SLOW = 64,    /* answers and changes take their time */
	STALE = 128,  /* what was done is not to be seen everywhere at once */
	KILLS = 256,  /* kill -9 in the middle of a call: of a worker, of the keeper, of apply */
	DIES = 512,   /* kill -9 of the keeper at any other time */
	GUEST = 1024, /* a machine ends by itself, keeps its pools, or somebody deletes what is there */
	JUMPS = 2048, /* the wall clock is set */
	KINDS = 4096,
};

struct late {
	int64_t at; /* 0: free */
	json_t *request;
};
struct letter;
/* What goes wrong at one call, on purpose; of those that only look, nothing but HOST_DIES. */
enum strike {
	HOST_DIES, /* all of this host is killed when it has been executed */
	ITS_OWN,   /* likewise, but only whoever made it */
	ITS_ANSWER /* is lost */
};
struct wish {		  /* somebody wants the machine */
	int64_t from, to; /* to INT64_MAX: still */
};

extern struct sim {
	uint32_t seed;
	int life;
	unsigned faults;
	int64_t wall;
	bool calm, tell;
	FILE *in, *out, *err;
	const char *config;
	struct paths paths;
	struct late late[MANY];
	struct wish wishes[MANY];
	size_t nwishes;
	int64_t linger;
	int apply_code; /* of the last one; -1: it was killed, or runs */
	struct letter *letter;
	int64_t keepers; /* how many have died */
	int kill_in;	 /* so many calls from now; 0: not */
	int strike_in;	 /* likewise */
	enum strike strike;
	bool host_doomed;
	struct fiber *doomed;
	bool keeper_doomed, erases, deleted;
} sim;

/* When it begins, in milliseconds since 1970: each on a day of its own, because the journal counts the starts of the
 * last hour. */
int64_t birth(void);
/* The next number of the life's row, under n. */
uint32_t roll(uint32_t n);
bool goes_wrong(unsigned fault, uint32_t one_in);
void tell(const char *fmt, ...) PRINTF(1, 2);

/* cloud_life.c: what happens */
/* A target of which only this is the test's: what its block has more, and the volume's. */
void write_file(const char *more, const char *size, const char *in_volume);
/* An account and a host with nothing in it; faults 0: none come by themselves. */
void begin(int life);
void keeper_starts(void);
void live_until(int64_t until);
void wait_for_commands(void);
/* A command, until it has done it. */
void command_must(const char *words);
void nothing_runs(void);
/* Looks whether anything is left that must not be. */
void life_ends(void);

/* cloud_calls.c: each call of each command goes wrong once; those lives that are this part's */
void each_call(int part, int parts);

/* cloud_account.c: the clocks, the network, the account, its machines */
/* Asks the account, of a question that it frees; the answer is the caller's. */
json_t *ask(const char *what, json_t *q);
int64_t number(const json_t *j, const char *name);
const char *text(const json_t *j, const char *name);
/* A request of one who has given up waiting gets there. */
void do_late(struct late *l);

/* cloud_process.c: processes, and what a person types */
/* Is it one that has been killed, who runs now? */
bool is_dead(void);
/* Somebody types it, and it goes on by itself. */
void command(const char *words);
/* One that does, or NULL. */
struct fiber *command_running(void);
/* Of commands, to the keeper. */
void read_letter(void);

#endif
