/* A typed growable array whose elements live in an arena:
 *	struct snap_vec VEC(struct snap);
 *	struct snap_vec v = {0};
 *	*vec_add(&v, arena) = (struct snap){…};
 *	for (size_t i = 0; i < v.n; i++) … v.v[i] … */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#define VEC(type)              \
	{                      \
		type *v;       \
		size_t n, cap; \
	}

/* Appends a zeroed element and gives its address, good until the next vec_add. */
#define vec_add(vec, a)                                                                                           \
	((vec)->n < (vec)->cap ? &(vec)->v[(vec)->n++]                                                            \
			       : ((vec)->v = vec_grow((a), (vec)->v, (vec)->n, &(vec)->cap, sizeof((vec)->v[0])), \
				  &(vec)->v[(vec)->n++]))

static inline void *vec_grow(struct arena *a, const void *old, size_t n, size_t *cap, size_t size)
{
	size_t bytes;
	*cap = *cap == 0 ? 8 : *cap * 2;
	if (__builtin_mul_overflow(*cap, size, &bytes))
		abort();
	void *p = arena_alloc(a, bytes);
	if (n > 0)
		memcpy(p, old, n * size);
	return p;
}

struct strings VEC(const char *);

static inline void strings_add_pair(struct strings *s, struct arena *a, const char *name, const char *value)
{
	*vec_add(s, a) = name;
	*vec_add(s, a) = value;
}

/* Of name, value, …: the value of the first of that name, or NULL. */
static inline const char *strings_pair(const struct strings *s, const char *name)
{
	for (size_t i = 0; i + 1 < s->n; i += 2)
		if (strcmp(s->v[i], name) == 0)
			return s->v[i + 1];
	return NULL;
}

#endif
