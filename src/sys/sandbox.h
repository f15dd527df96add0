/* Taking everything away from this process that it will not need: for one that a stranger speaks to. */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include "base/err.h"

/* Another user for good; uid -1: stays what it is. */
int sandbox_become(int64_t uid, int64_t gid, struct err *e) MUST_CHECK;
/* From now on: no more than so many descriptors and bytes of memory; no new privileges, no file (Landlock, where the
 * kernel has it), and no system call but those for memory, time and descriptors that it has or is sent (seccomp):
 * nothing is opened, connected, executed or signalled any more.  Any other call ends the process.  accepts: it may also
 * take connections where it listens already, and wait for many. */
int sandbox_lock(unsigned descriptors, size_t memory_bytes, bool accepts, struct err *e) MUST_CHECK;

#endif
