/* A model of ZFS for tests of the planner: datasets in a one-line notation, and what send, receive, hold
 * and bookmark do to them, refusals included. */
#ifndef TESTS_ZFS_MODEL_H
#define TESTS_ZFS_MODEL_H

#include "base/buf.h"
#include "base/civil.h"
#include "model/plan.h"

/* Adds a dataset: "@a" a snapshot, "@a+" a held one, "#a" a bookmark, "*a" a bookmark of backup 'b' by its
 * GUID, "?a" a partial receive of @a, "?" one that cannot be read.  A name's first letter is its GUID, its
 * place its txg; "~" written to since (a bookmark right behind its snapshot shares that one's). */
struct dataset *model_dataset(struct side_state *s, struct arena *a, const char *name, const char *notation);

/* Does one step of a plan to both sides, as ZFS would; false if ZFS would refuse. */
bool model_send(struct side_state *source, struct side_state *target, const struct send_step *step, struct arena *a);
bool model_mark(struct side_state *source, const struct mark_step *step, struct arena *a);
void model_parent(struct side_state *target, const struct parent_step *step, struct arena *a);
/* Those that a send makes itself, if they are not there. */
void model_parents(struct side_state *target, const struct send_step *step, struct arena *a);
void model_abort(struct side_state *target, const struct abort_step *step);

#endif
