#include "wire/ssh_args.h"

#include "wire/shell.h"

static void option(struct strings *v, struct arena *a, const char *text)
{
	*vec_add(v, a) = "-o";
	*vec_add(v, a) = text;
}

const char *ssh_word(const char *s, struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	buf_putc(&b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_putc(&b, '\\');
		buf_putc(&b, *s);
	}
	buf_putc(&b, '"');
	return str_dup(a, buf_str(&b));
}

const char *ssh_literal(const char *s, struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	for (; *s != '\0'; s++)
		buf_puts(&b, *s == '%' ? "%%" : (const char[]){*s, '\0'});
	return str_dup(a, buf_str(&b));
}

const char *ssh_proxy_command(const char *self, const char *config, const char *target, const char *port,
			      struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	shquote(&b, self);
	buf_puts(&b, " connect --fdpass -c ");
	shquote(&b, config);
	return arena_printf(a, "%s %s:%s", ssh_literal(buf_text(&b), a), target, port);
}

bool ssh_pinned(const struct target *t)
{
	return t->ssh.host_key != NULL || t->ssh.made != MADE_NONE;
}

const char *ssh_host_alias(const struct target *t, struct arena *a)
{
	return ssh_pinned(t) ? arena_printf(a, "%s@dormouse", t->name) : t->name;
}

const char *ssh_known_hosts_line(const struct target *t, const char *authority, struct arena *a)
{
	if (t->ssh.host_key != NULL)
		return arena_printf(a, "%s %s\n", ssh_host_alias(t, a), t->ssh.host_key);
	if (t->ssh.made != MADE_SIGNED)
		return NULL;
	return arena_printf(a, "@cert-authority %s %s\n", ssh_host_alias(t, a), authority);
}

const char *ssh_known_hosts_path(const char *runtime_dir, const struct target *t, struct arena *a)
{
	return arena_printf(a, "%s/known_hosts-%s", runtime_dir, t->name);
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
	option(&v, a, arena_printf(a, "User=%s", ssh_word(t->ssh.user, a)));
	if (t->ssh.identity_file != NULL) {
		option(&v, a, arena_printf(a, "IdentityFile=%s", ssh_word(t->ssh.identity_file, a)));
		option(&v, a, "IdentitiesOnly=yes");
	}
	option(&v, a, arena_printf(a, "HostKeyAlias=%s", ssh_host_alias(t, a)));
	if (ssh_pinned(t) && door->known_hosts != NULL) {
		option(&v, a, arena_printf(a, "UserKnownHostsFile=%s", ssh_word(ssh_literal(door->known_hosts, a), a)));
		option(&v, a, "GlobalKnownHostsFile=/dev/null");
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
