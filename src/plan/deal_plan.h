/* Which streams share a channel.  Pure. */
#ifndef PLAN_DEAL_PLAN_H
#define PLAN_DEAL_PLAN_H

#include "model/plan.h"

/* Deals sends out to at most limit lists, about equally long in bytes; lists has room for limit.  How many were filled:
 * as many as it is worth, at least one unless there is nothing to send.  In each list the order stays; a first copy is
 * in the list of what it lies below and of what it is a clone of, if that is sent, too; a dataset's own steps stay
 * together.  So one big dataset has a channel of its own. */
size_t sends_deal(const struct send_steps *sends, size_t limit, struct send_steps *lists, struct arena *a);

#endif
