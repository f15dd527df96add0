/* What follows from the facts, as text: for a terminal, and for Nagios.  Pure. */
#ifndef PLAN_HEALTH_TEXT_H
#define PLAN_HEALTH_TEXT_H

#include "base/buf.h"
#include "model/health.h"

/* Tables are 80 columns wide at most; sentences are broken at that width only with fold.  all: every dataset, and not
 * only those that are not safe where they are many. */
void health_text(const struct health *h, bool all, bool fold, struct buf *out);
/* One line with performance data, as monitoring plugins print it (https://nagios-plugins.org/doc/guidelines.html); the
 * exit code that goes with it. */
int health_nagios(const struct health *h, struct buf *out);

#endif
