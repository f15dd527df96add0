/* A run's spans as text for a terminal of 80 columns: each a line with a bar from its beginning to its end. */
#ifndef PLAN_WATERFALL_H
#define PLAN_WATERFALL_H

#include "base/buf.h"
#include "model/trace.h"

/* now_ms: the end of what goes on.  Of very many datasets only the slowest and those that failed have a line. */
void waterfall_write(struct buf *b, const struct trace *t, int64_t now_ms);

#endif
