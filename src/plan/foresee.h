/* Sides as they will be when a plan has been done, so that what comes after it can be planned too: for
 * dormouse plan, and for the simulator.  Pure. */
#ifndef PLAN_FORESEE_H
#define PLAN_FORESEE_H

#include "model/plan.h"

/* A side whose arrays are new and may be changed; names are shared. */
struct side_state foresee_copy(const struct side_state *s, struct arena *a);

/* Each changes *s, a copy, as the steps would.  GUIDs of snapshots that are not taken yet are made up from
 * *guid, which must be beyond all there are, and is counted on. */
void foresee_snaps(struct side_state *s, const struct snap_steps *steps, int64_t now, uint64_t *guid, struct arena *a);
void foresee_prunes(struct side_state *s, const struct prune_steps *steps);
void foresee_sends(struct side_state *target, const struct side_state *source, const struct plan *p, struct arena *a);
void foresee_marks(struct side_state *source, const struct mark_steps *steps, struct arena *a);

/* A number beyond the GUIDs of both sides' snapshots that is free with all that follow it up to UINT64_MAX / 2
 * of them, or, should there be none such, small and free. */
uint64_t foresee_guid(const struct side_state *a, const struct side_state *b);

#endif
