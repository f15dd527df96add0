#include "base/arena.h"

#include <stdarg.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) unsigned char bytes[];
};

enum { CHUNK_MIN = 16 * 1024 };

void *arena_alloc(struct arena *a, size_t bytes)
{
	size_t need;
	if (__builtin_add_overflow(bytes, (size_t)15, &need))
		abort();
	need &= ~(size_t)15;
	struct arena_chunk *c = a->chunk;
	if (c == NULL || c->size - c->used < need) {
		size_t size = c == NULL ? CHUNK_MIN : c->size < ((size_t)1 << 22) ? c->size * 2 : c->size;
		if (size < need)
			size = need;
		c = calloc(1, sizeof(*c) + size);
		if (c == NULL) {
			(void)fputs("dormouse: out of memory\n", stderr);
			abort();
		}
		c->size = size;
		c->next = a->chunk;
		a->chunk = c;
	}
	void *p = c->bytes + c->used;
	c->used += need;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);
	memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	char *p = arena_alloc(a, (size_t)n + 1);
	(void)vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void arena_release(struct arena *a)
{
	for (struct arena_chunk *c = a->chunk, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	a->chunk = NULL;
}

void arena_auto(struct arena *a)
{
	arena_release(a);
}
