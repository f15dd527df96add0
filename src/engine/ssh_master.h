/* One ssh connection to a machine that all commands of a run share (ssh_config(5), ControlPath). */
#ifndef ENGINE_SSH_MASTER_H
#define ENGINE_SSH_MASTER_H

#include "sys/proc.h"

struct ssh_master {
	const char *const *argv; /* of the master; NULL: there is none */
	const char *path;	 /* of its socket */
	struct proc proc;
};

/* What of argv, made with path as control_path, becomes the master's; in the arena.  A path that is too
 * long for a socket makes no master, and every command connects by itself. */
void ssh_master_init(struct ssh_master *m, const char *const *argv, const char *path, struct arena *a);
/* Sees to it that one runs; blocks until it has logged in, or for 30 s.  If it does not come up, commands
 * connect by themselves, and tell why that fails. */
void ssh_master_keep(struct ssh_master *m);
void ssh_master_end(struct ssh_master *m);

#endif
