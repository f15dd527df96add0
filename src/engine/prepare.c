#include "engine/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/side_run.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "wire/program.h"
#include "wire/ssh_args.h"
#include "wire/zfs_blame.h"

bool machine_door_for(const struct machine_facts *f, int64_t port, const char **host, int64_t *at)
{
	for (size_t i = 0; i < f->doors.n; i++) {
		if (f->doors.v[i].port != port)
			continue;
		*host = f->doors.v[i].host;
		*at = f->doors.v[i].at;
		return true;
	}
	*host = f->address;
	*at = port;
	/* Where a machine names its doors, these are all there are. */
	return f->address != NULL && f->doors.n == 0;
}

int machine_known_hosts(const char *runtime_dir, const struct target *t, struct arena *a, const char **path,
			struct err *e)
{
	const char *line = ssh_known_hosts_line(t, a);

	*path = NULL;
	if (line == NULL)
		return 0;
	const char *name = arena_printf(a, "%s/known_hosts-%s", runtime_dir, t->name);
	if (fd_replace_file(name, str_of(line), e) < 0)
		return -1;
	*path = name;
	return 0;
}

/* Does sshd answer there?  Connected is not enough: QEMU's forwarding accepts before the guest does. */
static bool banner(const char *host, int64_t at, int64_t patience_ms, struct arena *a)
{
	AUTO(buf) struct buf in = {0};
	int fd_value = -1;
	struct err ignored;

	(void)a;
	if (ipc_dial(host, at, &fd_value, &ignored) < 0)
		return false;
	AUTO(fd) int fd = fd_value;
	int64_t until = clock_mono_ms() + patience_ms;
	while (in.n < 4) {
		struct pollfd p = {fd, POLLIN, 0};
		int64_t wait = until - clock_mono_ms();
		if (wait <= 0 || poll(&p, 1, (int)wait) <= 0 || fd_read_some(fd, &in, 256) <= 0)
			return false;
	}
	return memcmp(in.p, "SSH-", 4) == 0;
}

/* Tries often at first, then every quarter of a second. */
static int wait_port(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		     struct err *e)
{
	const char *host;
	int64_t at, pause = 20;

	if (!machine_door_for(f, t->ssh.port, &host, &at)) {
		(void)err_set(e, ERR_CONFIG, "target '%s' has no door for port %lld", t->name, (long long)t->ssh.port);
		return err_hint(e, "the provider must forward the port that ssh.port names");
	}
	if (env->progress != NULL)
		env->progress(env, "waiting for ssh");
	while (!banner(host, at, 2000, env->arena)) {
		if (clock_mono_ms() + pause >= env->deadline_ms) {
			(void)err_set(e, ERR_TIMEOUT, "ssh on target '%s' does not answer", t->name);
			(void)err_why(e, "tried %s port %lld until start_timeout (%d s) was over", host, (long long)at,
				      (int)(t->start_timeout_ms / 1000));
			return err_hint(e,
					"look at the machine's console; if it only needs longer, raise start_timeout");
		}
		clock_sleep_ms(pause);
		pause = pause < 80 ? pause + 20 : 80;
	}
	return 0;
}

static int on_machine(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		      struct str program, struct proc_result *r, struct err *e)
{
	struct ssh_door door = {0};

	if (!machine_door_for(f, t->ssh.port, &door.host, &door.port))
		return err_set(e, ERR_CONFIG, "target '%s' has no door for ssh", t->name);
	if (machine_known_hosts(env->runtime_dir, t, env->arena, &door.known_hosts, e) < 0)
		return -1;
	struct side side = {t->name, ssh_args(t, &door, env->arena), true};
	int64_t left = env->deadline_ms - clock_mono_ms();
	return side_run(&side, program, left > 1000 ? left : 1000, env->arena, r, e);
}

static int pools(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		 void (*program)(struct buf *, const struct strings *), const char *doing, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result r = {0};

	if (t->pools.n == 0)
		return 0;
	if (env->progress != NULL)
		env->progress(env, doing);
	program(&b, &t->pools);
	if (on_machine(env, t, f, buf_str(&b), &r, e) < 0)
		return -1;
	if (r.status == 0)
		return 0;
	zfs_blame(r.err, e);
	return err_wrap(e, "%s failed on '%s'", doing, t->name);
}

int machine_prepare(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		    struct err *e)
{
	if (wait_port(env, t, f, e) < 0)
		return -1;
	return pools(env, t, f, program_import, "importing pools", e);
}

int machine_drain(const struct provider_env *env, const struct target *t, const struct machine_facts *f, struct err *e)
{
	return pools(env, t, f, program_export, "exporting pools", e);
}
