/* Measures whether what is to be sent is worth compressing on its way (plan/compress_plan.h). */
#ifndef ENGINE_COMPRESS_H
#define ENGINE_COMPRESS_H

#include "engine/reach.h"
#include "plan/compress_plan.h"

/* From one side to another, which are both there.  seen: the last look at the one that sends; limit: bytes per second
 * that may be sent, 0 = no limit.  What cannot be measured is not compressed.  Blocks. */
struct compress_verdict compress_choose(struct reach *from, struct reach *to, const struct backup *b,
					const struct side_state *seen, const struct send_steps *sends, uint64_t limit);

#endif
