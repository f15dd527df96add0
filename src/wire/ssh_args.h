/* The command line of ssh(1) for a target, as a pure function. */
#ifndef WIRE_SSH_ARGS_H
#define WIRE_SSH_ARGS_H

#include "model/config.h"

struct ssh_door {
	const char *known_hosts; /* file with the pinned key under "dormouse-<target>", or NULL */
	/* Either straight to an address … */
	const char *host;
	int64_t port;
	/* … or through the keeper: "dormouse connect --fdpass TARGET:PORT" as ssh's ProxyCommand. */
	const char *proxy_command;
	const char *control_path; /* share one connection through this socket, or NULL */
};

/* argv, NULL-terminated, in the arena, up to and with the host; a command may be put behind it. */
const char *const *ssh_args(const struct target *t, const struct ssh_door *door, struct arena *a);
/* The known_hosts line that pins the target's key; NULL if none is configured. */
const char *ssh_known_hosts_line(const struct target *t, struct arena *a);

#endif
