/* A pool's data goes to another pool of the same machine, beside it, which is to take its place: what is left to be
 * done, by what both have (docs/decisions/0040).  Nothing but the move writes to the other one, so there what is
 * wrong may go; of the first nothing does. */
#ifndef PLAN_MOVE_PLAN_H
#define PLAN_MOVE_PLAN_H

#include "model/plan.h"

struct move {
	struct move_steps steps; /* in the order in which they are done */
	/* The other has every dataset, and of each the same snapshots, by GUID, with their holds: it can take the
	 * place. What is set may be otherwise: not all can be. */
	bool same;
	size_t lost; /* bookmarks of snapshots that are gone: they cannot be carried over */
};
/* Both looks are of whole pools, with all that is set (side_state.ours_too). */
void move_plan(const struct side_state *from, const struct side_state *to, struct arena *a, struct move *m);

/* What a disk of so many bytes can hold of a pool's data. */
uint64_t move_room(uint64_t disk);
/* Why it cannot be done at all, with *hint; NULL: it can. */
const char *move_refused(const struct side_state *from, uint64_t disk, struct arena *a, const char **hint);

#endif
