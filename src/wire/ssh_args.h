/* The command line of ssh(1) for a target, as a pure function. */
#ifndef WIRE_SSH_ARGS_H
#define WIRE_SSH_ARGS_H

#include "model/config.h"

struct ssh_door {
	const char *known_hosts; /* file with the line of the pinned key, or NULL */
	/* Either straight to an address … */
	const char *host;
	int64_t port;
	/* … or through the keeper: "dormouse connect --fdpass TARGET:PORT" as ssh's ProxyCommand. */
	const char *proxy_command;
	const char *control_path; /* share one connection through this socket, or NULL */
};

/* argv, NULL-terminated, in the arena, up to and with the host; a command may be put behind it. */
const char *const *ssh_args(const struct target *t, const struct ssh_door *door, struct arena *a);
/* One word of ssh_config(5) that stands for s; '%' keeps its meaning there. */
const char *ssh_word(const char *s, struct arena *a);
/* Without that meaning. */
const char *ssh_literal(const char *s, struct arena *a);
/* What stands behind ProxyCommand: ssh expands '%' in it and hands it to a shell. */
const char *ssh_proxy_command(const char *self, const char *config, const char *target, const char *port,
			      struct arena *a);
/* The name of its key in known_hosts; of a pinned one, a name that no host can have, because ssh reads what stands
 * before an '@' as a user. */
const char *ssh_host_alias(const struct target *t, struct arena *a);
/* Is its key pinned: by the file, or because it is made for each start? */
bool ssh_pinned(const struct target *t);
/* The known_hosts line that pins the target's key; authority: the public key that signs those that are made.  NULL if
 * none is configured, or if it is another one for each start. */
const char *ssh_known_hosts_line(const struct target *t, const char *authority, struct arena *a);
/* The file with that line; or with one for each machine of the target, written when it is started. */
const char *ssh_known_hosts_path(const char *runtime_dir, const struct target *t, struct arena *a);

#endif
