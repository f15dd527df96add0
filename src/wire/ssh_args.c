#include "wire/ssh_args.h"

static void option(struct strings *v, struct arena *a, const char *text)
{
	*vec_add(v, a) = "-o";
	*vec_add(v, a) = text;
}

const char *ssh_known_hosts_line(const struct target *t, struct arena *a)
{
	return t->ssh.host_key == NULL ? NULL : arena_printf(a, "dormouse-%s %s\n", t->name, t->ssh.host_key);
}

const char *const *ssh_args(const struct target *t, const struct ssh_door *door, struct arena *a)
{
	struct strings v = {0};

	*vec_add(&v, a) = t->ssh.program == NULL ? "ssh" : t->ssh.program;
	*vec_add(&v, a) = "-T";
	if (t->ssh.config != NULL) {
		*vec_add(&v, a) = "-F";
		*vec_add(&v, a) = t->ssh.config;
	}
	option(&v, a, "BatchMode=yes");
	option(&v, a, "StrictHostKeyChecking=yes");
	option(&v, a, "ServerAliveInterval=15");
	option(&v, a, "ServerAliveCountMax=4");
	option(&v, a, "ConnectTimeout=30");
	option(&v, a, "LogLevel=ERROR");
	option(&v, a, arena_printf(a, "User=%s", t->ssh.user));
	if (t->ssh.identity_file != NULL) {
		option(&v, a, arena_printf(a, "IdentityFile=\"%s\"", t->ssh.identity_file));
		option(&v, a, "IdentitiesOnly=yes");
	}
	if (t->ssh.host_key != NULL && door->known_hosts != NULL) {
		option(&v, a, arena_printf(a, "HostKeyAlias=dormouse-%s", t->name));
		option(&v, a, arena_printf(a, "UserKnownHostsFile=\"%s\"", door->known_hosts));
		option(&v, a, "GlobalKnownHostsFile=/dev/null");
	} else {
		option(&v, a, arena_printf(a, "HostKeyAlias=%s", t->name));
	}
	if (door->proxy_command != NULL) {
		option(&v, a, arena_printf(a, "ProxyCommand=%s", door->proxy_command));
		option(&v, a, "ProxyUseFdpass=yes");
	} else {
		option(&v, a, "ProxyCommand=none");
		option(&v, a, arena_printf(a, "Port=%lld", (long long)door->port));
		option(&v, a, arena_printf(a, "HostName=%s", door->host));
	}
	option(&v, a,
	       door->control_path == NULL ? "ControlPath=none" : arena_printf(a, "ControlPath=%s", door->control_path));
	option(&v, a, "ControlMaster=no");
	/* Everything is an option, so that this may be a name like any other. */
	*vec_add(&v, a) = "--";
	*vec_add(&v, a) = t->name;
	*vec_add(&v, a) = NULL;
	return v.v;
}
