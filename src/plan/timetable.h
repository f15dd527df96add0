/* The daemon's timetable: what runs by the clock, and when each is to begin.  Pure: both clocks are given. */
#ifndef PLAN_TIMETABLE_H
#define PLAN_TIMETABLE_H

#include "model/config.h"

struct timetable_entry {
	const char *backup;   /* NULL: the snapshot pass */
	int64_t last, at;     /* when it last began (0 = never), and when it is to begin; Unix seconds */
	bool wanted, retired; /* at once; no longer in the file, goes when it has ended */
	void *run;	      /* the caller's: what runs now, or NULL */
};

struct timetable {
	struct timetable_entry *v;
	size_t n, cap;
	struct arena arena;
	int64_t wall_s, mono_s; /* both clocks when they were last looked at; 0, 0: never */
};

/* Frees everything but the runs. */
void timetable_release(struct timetable *t);

/* Takes a file over: what is no longer in it is retired, what is new has never begun. */
void timetable_load(struct timetable *t, const struct config *c);

/* Looks at both clocks (Unix seconds; seconds of a clock that goes on evenly, also while the machine is suspended)
 * and says by how many seconds the first was set meanwhile: 0 if it was not, or by less than a minute.  Whoever gets
 * anything else plans anew; the snapshot pass is wanted then. */
int64_t timetable_look(struct timetable *t, int64_t wall_s, int64_t mono_s);

/* When each is to begin, by this file. */
void timetable_plan(struct timetable *t, const struct config *c, const struct zone *z, int64_t wall_s);

/* What becomes due while it still runs is due when it has ended. */
bool timetable_due(const struct timetable_entry *e, int64_t wall_s);
void timetable_begun(struct timetable_entry *e, int64_t wall_s, void *run);
/* It ended; after the snapshot pass, backups that wait for it are wanted. */
void timetable_ended(struct timetable *t, const struct config *c, struct timetable_entry *e);

/* How long nothing needs to be looked at, in milliseconds; -1: nothing runs by the clock. */
int64_t timetable_wait(const struct timetable *t, int64_t wall_s);

#endif
