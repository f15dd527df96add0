/* A pool's data goes to the pool that is to take its place, on one machine: done as plan/move_plan.h says. */
#ifndef ENGINE_MOVE_H
#define ENGINE_MOVE_H

#include "engine/reach.h"

/* Can a disk of so many bytes take it at all?  ERR_FULL with the numbers, or ERR_CONFLICT.  Blocks. */
int move_fits(struct reach *r, const char *pool, uint64_t disk, struct err *e) MUST_CHECK;
/* Looks, plans and does until the other pool has all of it; what was cut is gone on with.  Blocks, for as long as the
 * machine takes for its bytes; tell gets lines for people.  Where the other pool is not to be seen nothing is done: the
 * machine was started for something else. */
int move_copy(struct reach *r, const char *pool, void (*tell)(const char *text), struct err *e) MUST_CHECK;

#endif
