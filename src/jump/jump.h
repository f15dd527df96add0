/* The jump host: what main() calls. */
#ifndef JUMP_JUMP_H
#define JUMP_JUMP_H

#include "base/err.h"
#include "model/config.h"
#include "sys/paths.h"

/* The listener: takes connections until it is told to end; each is served by a process of its own.  On SIGHUP, and, if
 * kept, when the daemon that keeps it dies, it closes its standard output, takes no more, and ends with the last one.
 * Returns an exit code.  The configuration must have a server block. */
int jump_listen(const struct paths *paths, const struct config *config, bool kept);
/* One connection, as its own process: the brief on standard input, the connection as descriptor 3, the listener as 4.
 */
int jump_session_run(void);

#endif
