/* In which order streams are sent.  Pure. */
#ifndef PLAN_ORDER_PLAN_H
#define PLAN_ORDER_PLAN_H

#include "model/plan.h"

/* What is new of datasets that are there, then first copies, small ones first; but a parent before what lies below
 * it, and an origin before its clones.  A dataset's own steps stay together, in the order of their snapshots. */
void sends_order(const struct side_state *source, struct send_steps *sends, struct arena *a);

#endif
