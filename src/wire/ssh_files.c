#include "wire/ssh_files.h"

#include "base/num.h"
#include "wire/ssh_args.h"

int ssh_jump(const char *given, struct arena *a, const char **out, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@[]:%";
	const char *bracket = strchr(given, ']'), *colon = strchr(bracket == NULL ? given : bracket, ':');
	uint64_t port = JUMP_PORT;

	if (*given == '\0' || *given == '-' || given[strspn(given, allowed)] != '\0' ||
	    (colon != NULL && (!num_u64(str_of(colon + 1), &port) || port < 1 || port > 65535))) {
		(void)err_set(e, ERR_USAGE, "'%s' is not the address of a jump host", given);
		return err_hint(e, "as in --jump backup.example.org, --jump 192.0.2.7:7922 or --jump '[2001:db8::7]'");
	}
	*out = colon != NULL ? given : arena_printf(a, "%s:%d", given, JUMP_PORT);
	return 0;
}

int ssh_jump_at(const char *listen, const char *name, struct arena *a, const char **out, struct err *e)
{
	static const char *const all[] = {":", "0.0.0.0:", "[::]:"};
	static const char *const own[] = {"localhost:", "127.", "[::1]:"};

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (!str_starts(str_of(listen), own[i]))
			continue;
		(void)err_set(e, ERR_CONFIG, "no other machine can reach the jump host at '%s'", listen);
		return err_hint(e, "listen = \":%d\" in the server block; or say what leads to it: --jump HOST[:PORT]",
				JUMP_PORT);
	}
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_starts(str_of(listen), all[i]))
			return ssh_jump(arena_printf(a, "%s%s", name, strrchr(listen, ':')), a, out, e);
	return ssh_jump(listen, a, out, e);
}

const char *ssh_jump_known(const char *jump, struct str key, struct arena *a)
{
	const char *at = strchr(jump, '@'), *place = at == NULL ? jump : at + 1, *colon = strrchr(place, ':');
	struct str host = {place, (size_t)(colon - place)};
	bool plain = strcmp(colon, ":22") == 0;

	key = str_trim(key);
	if (host.p[0] == '[') /* IPv6 */
		host = (struct str){host.p + 1, host.n - 2};
	return arena_printf(a, "%s%.*s%s%s %.*s\n", plain ? "" : "[", (int)host.n, host.p, plain ? "" : "]",
			    plain ? "" : colon, (int)key.n, key.p);
}

void ssh_host_block(struct buf *b, const struct target *t, const struct ssh_way *way)
{
	AUTO(arena) struct arena a = {0};
	bool own = t->ssh.made == MADE_PLAIN && way->jump == NULL; /* on another machine it is not known */

	buf_printf(b, "Host %s\n\tHostKeyAlias %s\n", t->name, ssh_host_alias(t, &a));
	if (ssh_pinned(t) && (own || t->ssh.made != MADE_PLAIN)) {
		const char *known = own ? ssh_known_hosts_path(way->runtime_dir, t, &a) : way->known_hosts;
		buf_puts(b, "\tStrictHostKeyChecking yes\n\tUpdateHostKeys no\n");
		if (known != NULL)
			buf_printf(b, "\tUserKnownHostsFile %s\n\tGlobalKnownHostsFile /dev/null\n",
				   ssh_word(ssh_literal(known, &a), &a));
	}
	buf_printf(b, "\tUser %s\n\tPort %lld\n", ssh_word(t->ssh.user, &a), (long long)t->ssh.port);
	if (way->jump != NULL) {
		/* Its user name tells the jump host what to start, and so what to report while one waits. */
		const char *user = strchr(way->jump, '@') == NULL ? t->name : NULL;
		buf_printf(b, "\tProxyJump %s%s%s\n", user == NULL ? "" : user, user == NULL ? "" : "@", way->jump);
	} else {
		if (t->ssh.identity_file != NULL)
			buf_printf(b, "\tIdentityFile %s\n\tIdentitiesOnly yes\n", ssh_word(t->ssh.identity_file, &a));
		buf_printf(b, "\tProxyCommand %s\n\tProxyUseFdpass yes\n",
			   ssh_proxy_command(way->self, way->config, t->name, "%p", &a));
	}
	/* A machine that vanished is noticed, and not kept on for nobody. */
	buf_puts(b, "\tServerAliveInterval 15\n\tServerAliveCountMax 4\n");
	if (way->jump == NULL && t->ssh.config != NULL)
		buf_printf(b, "\tInclude %s\n", ssh_word(t->ssh.config, &a));
}

const char *ssh_include_line(const char *path, struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	/* It is a pattern as glob(7) has it. */
	for (; *path != '\0'; path++) {
		if (strchr("*?[\\", *path) != NULL)
			buf_putc(&b, '\\');
		buf_putc(&b, *path);
	}
	return arena_printf(a, "Include %s", ssh_word(buf_text(&b), a));
}

void ssh_without_line(struct buf *b, struct str text, const char *line)
{
	while (text.n > 0) {
		const char *begin = text.p;
		struct str one = str_cut(&text, '\n');
		if (!str_eq(str_trim(one), line))
			buf_add(b, begin, (size_t)(text.p - begin));
	}
}
