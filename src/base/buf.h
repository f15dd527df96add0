/* A growing text or byte buffer on the heap, always NUL-terminated; {0} is an empty one. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	char *p; /* NULL only while nothing was ever added: use buf_text */
	size_t n, cap;
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for n more bytes at the returned place; say how many were used by buf_added. */
char *buf_room(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
void buf_drop(struct buf *b, size_t n); /* the first n bytes */
const char *buf_text(const struct buf *b);
struct str buf_str(const struct buf *b);
void buf_clear(struct buf *b);	 /* empty, memory kept */
void buf_release(struct buf *b); /* memory freed */
void buf_auto(struct buf *b);

#endif
