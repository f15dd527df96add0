/* A host key for each start: made here, handed over in user data, and pinned.  By its certificate, for which the
 * target's authority stands; or where that cannot be handed over, the key itself, in the target's file of known hosts,
 * where the start's token stands behind it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "provider/cloud.h"
#include "sys/fdio.h"
#include "sys/host_key.h"
#include "wire/ssh_args.h"

enum { KNOWN_MAX = 1 << 20, SLACK_S = 3600 };

static const char *key_path(const struct provider_env *env, const struct machine_id *id)
{
	return arena_printf(env->arena, "%s/host-key-%s", env->runtime_dir, id->token);
}

/* The file with this line more, or if it is NULL, without the token's.  Workers of other machines of the target may be
 * about to do the same. */
static int pin(const struct provider_env *env, const struct target *t, const char *token, const char *line,
	       struct err *e)
{
	AUTO(buf) struct buf b = {0};
	const char *path = ssh_known_hosts_path(env->runtime_dir, t, env->arena);
	const char *lock = arena_printf(env->arena, "%s/host-keys.lock", env->runtime_dir);
	struct str old = {"", 0};
	AUTO(fd) int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_sys(e, errno, "cannot lock '%s'", lock);
	if (fd_read_file(path, KNOWN_MAX, env->arena, &old, e) < 0 && e->sys != ENOENT)
		return -1;
	size_t before = old.n;
	/* There is only one machine of a shared target. */
	while (old.n > 0 && (line == NULL || !t->shared)) {
		struct str one = str_cut(&old, '\n');
		const char *last = memrchr(one.p, ' ', one.n);
		if (last == NULL || !str_eq((struct str){last + 1, one.n - (size_t)(last + 1 - one.p)}, token))
			buf_printf(&b, "%.*s\n", (int)one.n, one.p);
	}
	buf_puts(&b, line == NULL ? "" : line);
	return line == NULL && b.n == before ? 0 : fd_replace_file(path, buf_str(&b), 0600, e);
}

static int pin_plain(const struct provider_env *env, const struct target *t, const char *token, struct str public,
		     struct err *e)
{
	struct str kind = str_cut(&public, ' '), blob = str_cut(&public, ' ');
	const char *line = arena_printf(env->arena, "%s %.*s %.*s %s\n", ssh_host_alias(t, env->arena), (int)kind.n,
					kind.p, (int)blob.n, blob.p, token);

	return pin(env, t, token, line, e);
}

int cloud_user_data(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		    enum user_data_format format, const char *given, size_t max, const char **out, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = env->arena;
	struct host_key_wish w = {
	    .path = key_path(env, id), .state_dir = env->state_dir, .target = t->name, .valid_s = 0};
	struct host_key k;

	*out = given;
	if (t->ssh.made == MADE_NONE)
		return 0;
	if (t->ssh.made == MADE_SIGNED)
		w.principals = arena_printf(a, "%s,%s", t->name, ssh_host_alias(t, a));
	if (t->max_lifetime_ms > 0)
		w.valid_s = (t->max_lifetime_ms + t->start_timeout_ms) / 1000 + SLACK_S;
	if (host_key_make(&w, a, &k, e) < 0)
		return -1;
	const struct user_data_key key = {k.private, k.public, k.certificate};
	if (user_data_compose(&b, format, given, &key, max, e) < 0)
		return -1;
	*out = str_dup(a, buf_str(&b));
	return t->ssh.made == MADE_PLAIN ? pin_plain(env, t, id->token, k.public, e) : 0;
}

void cloud_forget_key(const struct provider_env *env, const struct target *t, const struct machine_id *id)
{
	struct err ignored;

	if (*id->token == '\0')
		return;
	host_key_remove(key_path(env, id), env->arena);
	(void)!pin(env, t, id->token, NULL, &ignored);
}
