/* How it went with each dataset of a run. */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/run.h"

/* NULL: nothing was said of it yet. */
struct outcome *outcome_find(const struct run *r, const char *dataset);
/* Makes one where there is none; good until the next is made. */
struct outcome *outcome_of(struct run *r, const char *dataset);
/* Notes that it has failed, and tells who listens. */
void outcome_fail(struct run *r, const char *dataset, const struct err *e);

#endif
