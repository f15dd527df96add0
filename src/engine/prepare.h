/* From "it has an address" to "it can be used", and back: the port, the pools. */
#ifndef ENGINE_PREPARE_H
#define ENGINE_PREPARE_H

#include "model/config.h"
#include "port/provider.h"

/* Where a port of a machine is reached; false if it is not. */
bool machine_door_for(const struct machine_facts *f, int64_t port, const char **host, int64_t *at);

/* Waits until sshd answers with its banner, then logs in and imports the target's pools, if it has
 * any; those on disks first, of which it sets the guid.  Blocks up to env->deadline_ms. */
int machine_prepare(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		    struct pool_disks *disks, struct err *e) MUST_CHECK;
/* Tells the machine's watchdog, if it is to have one, that it is wanted for t->watchdog_ms and more_ms.  Blocks
 * likewise. */
int machine_feed(const struct provider_env *env, const struct target *t, const struct machine_facts *f, int64_t more_ms,
		 struct err *e) MUST_CHECK;
/* Exports the target's pools.  Blocks likewise. */
int machine_drain(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		  struct err *e) MUST_CHECK;
/* Writes the file that pins the target's host key, for ssh_door.known_hosts, unless that is done at the start; NULL if
 * none is pinned.  The folders are those of sys/paths.h. */
int machine_known_hosts(const char *runtime_dir, const char *state_dir, const struct target *t, struct arena *a,
			const char **path, struct err *e) MUST_CHECK;

#endif
