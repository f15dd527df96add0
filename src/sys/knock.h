/* Waiting until something answers at a port. */
#ifndef SYS_KNOCK_H
#define SYS_KNOCK_H

#include "base/err.h"

/* Blocks until a server at host (an IP address) greets with what `greeting` says, or until_ms is over (ERR_TIMEOUT).
 * If it is to say anything, connected is not enough: what forwards ports accepts before the machine behind it does.  A
 * connection that nobody answers is left waiting while others are begun, so that the first answer is noticed within 60
 * ms of being possible, not when TCP tries again (RFC 6298: after 1, 3, 7 s).  fd, which may be NULL, gets that
 * connection, non-blocking, with the greeting still to be read. */
int knock(const char *host, int64_t port, const char *greeting, int64_t until_ms, int *fd, struct err *e) MUST_CHECK;

#endif
