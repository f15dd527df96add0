/* The control socket: a stream socket in the file system, and descriptors sent over it. */
#ifndef SYS_IPC_H
#define SYS_IPC_H

#include "base/buf.h"
#include "base/err.h"

/* A listening socket of mode 0600 at path; what was there is replaced. */
int ipc_listen(const char *path, int *fd, struct err *e) MUST_CHECK;
/* ERR_MISSING when nobody listens there.  Blocks only as long as the listener's backlog is full. */
int ipc_connect(const char *path, int *fd, struct err *e) MUST_CHECK;
/* Sends bytes and, if pass >= 0, a descriptor with the first of them.  Returns what was sent, -1 on an
 * error, -2 when a non-blocking socket is full. */
int ipc_send(int fd, const void *bytes, size_t n, int pass);
/* Reads once onto the end of b; a descriptor that came along is put into *passed (close-on-exec), which
 * must be -1 before.  As fd_read_some. */
int ipc_receive(int fd, struct buf *b, int *passed);
/* A TCP connection: -1 with e, or a non-blocking descriptor whose connect may still be under way. */
int ipc_dial(const char *host, int64_t port, int *fd, struct err *e) MUST_CHECK;

#endif
