/* Small things done with descriptors. */
#ifndef SYS_FDIO_H
#define SYS_FDIO_H

#include "base/buf.h"
#include "base/err.h"

void fd_close(int *fd); /* closes and sets -1; -1 is fine */
void fd_auto(int *fd);
void fd_nonblock(int fd);
void fd_block(int fd);
/* A pipe, both ends close-on-exec. */
int fd_pipe(int ends[2], struct err *e) MUST_CHECK;
/* Writes all of it; blocks. */
int fd_write_all(int fd, const void *bytes, size_t n, struct err *e) MUST_CHECK;
/* Reads once, up to n bytes, onto the end of b.  Returns the count, 0 at the end, -1 on an error,
 * -2 when a non-blocking descriptor has nothing now. */
int fd_read_some(int fd, struct buf *b, size_t n);
/* Writes a file (mode 0600) so that others see the old text or the new one, whole; not on disk when it returns. */
int fd_replace_file(const char *path, struct str text, struct err *e) MUST_CHECK;
/* A whole file of at most max bytes into the arena, NUL-terminated. */
int fd_read_file(const char *path, size_t max, struct arena *a, struct str *out, struct err *e) MUST_CHECK;

#endif
