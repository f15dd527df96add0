/* Small things done with descriptors. */
#ifndef SYS_FDIO_H
#define SYS_FDIO_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

void fd_close(int *fd); /* closes and sets -1; -1 is fine */
void fd_auto(int *fd);
/* Does that errno say that there are no more descriptors, or no memory for one?  Then the same call may work later. */
bool fd_exhausted(int code);
/* Of one who accepts connections: without a descriptor left for one it waits at its socket, and poll would tell of it
 * at once again.  So none is taken before until_ms (monotonic). */
struct fd_pause {
	int64_t until_ms;
	bool told;
};
/* After each accept, which gave fd, or -1 and errno.  True: say that there is no descriptor left; once, until there is.
 */
bool fd_pause_after(struct fd_pause *p, int fd, int64_t now_ms);
void fd_nonblock(int fd);
void fd_block(int fd);
/* A descriptor that tells whether fd, given away and closed here, is still open in any process, without keeping it
 * open itself; -1: that cannot be told. */
int fd_shadow(int fd);
bool fd_shadowed(int shadow);
/* A pipe, both ends close-on-exec. */
int fd_pipe(int ends[2], struct err *e) MUST_CHECK;
/* Writes all of it; blocks. */
int fd_write_all(int fd, const void *bytes, size_t n, struct err *e) MUST_CHECK;
/* Reads once, up to n bytes, onto the end of b.  Returns the count, 0 at the end, -1 on an error,
 * -2 when a non-blocking descriptor has nothing now. */
int fd_read_some(int fd, struct buf *b, size_t n);
/* Writes a file so that others see the old text or the new one, whole, whatever happens.  One that is there keeps its
 * owner and mode, and where path is a link it is what that leads to; a new one has the mode. */
int fd_replace_file(const char *path, struct str text, mode_t mode, struct err *e) MUST_CHECK;
/* A whole file of at most max bytes into the arena, NUL-terminated. */
int fd_read_file(const char *path, size_t max, struct arena *a, struct str *out, struct err *e) MUST_CHECK;

#endif
