#include "base/buf.h"

#include <stdarg.h>

char *buf_room(struct buf *b, size_t n)
{
	size_t need;
	if (__builtin_add_overflow(b->n, n, &need) || __builtin_add_overflow(need, (size_t)1, &need))
		abort();
	if (need > b->cap) {
		size_t cap = b->cap < 256 ? 256 : b->cap;
		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		b->p = realloc(b->p, cap);
		if (b->p == NULL) {
			(void)fputs("dormouse: out of memory\n", stderr);
			abort();
		}
		b->cap = cap;
	}
	return b->p + b->n;
}

void buf_added(struct buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *room = buf_room(b, n);
	if (n > 0)
		memcpy(room, bytes, n);
	buf_added(b, n);
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	(void)vsnprintf(buf_room(b, (size_t)n), (size_t)n + 1, fmt, again);
	va_end(again);
	buf_added(b, (size_t)n);
}

void buf_drop(struct buf *b, size_t n)
{
	assert(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = '\0';
}

const char *buf_text(const struct buf *b)
{
	return b->p == NULL ? "" : b->p;
}

struct str buf_str(const struct buf *b)
{
	return (struct str){buf_text(b), b->n};
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

void buf_auto(struct buf *b)
{
	buf_release(b);
}
