/* A look at a whole host that opens only the snapshots it has not seen before: docs/decisions/0010. */
#ifndef ENGINE_HOST_LOOK_H
#define ENGINE_HOST_LOOK_H

#include "engine/reach.h"
#include "model/plan.h"

/* Looks at all pools.  Snapshots that an earlier look saw may be recalled.  Blocks. */
int host_look(struct reach *where, struct side_state *s, struct err *e) MUST_CHECK;
/* Before anything is destroyed: asks for each recalled snapshot that is to go.  1: s has changed, so plan again and
 * come back; 0: all that goes is as it was just seen; -1: *e.  Blocks. */
int host_look_confirm(struct reach *where, const struct verdicts *v, struct side_state *s, struct err *e) MUST_CHECK;
/* Writes down what the next look may recall: all but what v drops, which has gone.  That it cannot costs only time. */
void host_look_remember(struct reach *where, const struct side_state *s, const struct verdicts *v);

#endif
