/* Memory for values: allocated one after the other, freed at once.  One arena per unit of work;
 * nothing in it outlives it.  Out of memory is fatal (inputs are bounded). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* newest first; NULL = empty, so {0} is a valid arena */
};

/* Zeroed, aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t bytes);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/* Frees all of it; the arena may be used again. */
void arena_release(struct arena *a);
void arena_auto(struct arena *a);

#endif
