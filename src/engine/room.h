/* Whether what is to be sent fits, and room for it where it does not. */
#ifndef ENGINE_ROOM_H
#define ENGINE_ROOM_H

#include "engine/run.h"

/* Asks how long the streams will be, where they might not fit or somebody wants to know; what does not fit fails
 * before it is begun: then true, and todo is void.  The question costs a zfs send -n for each, so it is not put
 * without need. */
bool room_weigh(struct run *r, struct send_steps *todo);
/* What failed for want of space may have it from the partial receives of others, which are in front of
 * nobody: those are given up, and it is tried once more.  True when there is something to try. */
bool room_make(struct run *r);

#endif
