#include "engine/prepare.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "engine/side_run.h"
#include "plan/move_plan.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/host_key.h"
#include "sys/knock.h"
#include "wire/program.h"
#include "wire/ssh_args.h"
#include "wire/zfs_blame.h"
#include "wire/zfs_text.h"

enum { READY_AGAIN_MS = 1000, BOOT_ID_MAX = 64 };

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

int machine_known_hosts(const char *runtime_dir, const char *state_dir, const struct target *t, struct arena *a,
			const char **path, struct err *e)
{
	const char *authority = NULL;

	*path = NULL;
	if (!ssh_pinned(t))
		return 0;
	if (t->ssh.made == MADE_SIGNED && host_authority(state_dir, t->name, a, &authority, e) < 0)
		return -1;
	const char *line = ssh_known_hosts_line(t, authority, a), *name = ssh_known_hosts_path(runtime_dir, t, a);
	if (line != NULL && fd_replace_file(name, str_of(line), 0600, e) < 0)
		return -1;
	*path = name;
	return 0;
}

/* fd: a connection to sshd, if that is what was waited for. */
static int wait_port(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		     int64_t port, int *fd, struct err *e)
{
	bool sshd = port == t->ssh.port;
	const char *host, *what = sshd ? "ssh" : arena_printf(env->arena, "port %lld", (long long)port);
	int64_t at;
	struct err why;

	if (!machine_door_for(f, port, &host, &at)) {
		(void)err_set(e, ERR_CONFIG, "target '%s' has no door for port %lld", t->name, (long long)port);
		return err_hint(e, "the provider must forward the ports that ssh.port and check_port name");
	}
	if (env->progress != NULL)
		env->progress(env, arena_printf(env->arena, "waiting for %s", what));
	if (knock(host, at, sshd ? "SSH-" : "", env->deadline_ms, sshd ? fd : NULL, &why) == 0)
		return 0;
	(void)err_set(e, ERR_TIMEOUT, "%s on target '%s' does not answer", what, t->name);
	(void)err_why(e, "tried %s port %lld until start_timeout (%d s) was over", host, (long long)at,
		      (int)(t->start_timeout_ms / 1000));
	return err_hint(e, "look at the machine's console; if it only needs longer, raise start_timeout");
}

static int64_t time_left(const struct provider_env *env)
{
	int64_t left = env->deadline_ms - clock_mono_ms();
	return left > 1000 ? left : 1000;
}

static int ssh_argv(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		    const char *const **argv, struct err *e)
{
	struct ssh_door door = {.known_hosts = env->known_hosts};

	if (!machine_door_for(f, t->ssh.port, &door.host, &door.port))
		return err_set(e, ERR_CONFIG, "target '%s' has no door for ssh", t->name);
	*argv = ssh_args(t, &door, env->arena);
	return 0;
}

/* Says more of a machine that does not show the key which was made for it. */
static bool other_key(const struct target *t, const struct machine_facts *f, const struct proc_result *r, struct err *e)
{
	if (t->ssh.made == MADE_NONE || r->err.p == NULL || strstr(r->err.p, "Host key verification failed") == NULL)
		return false;
	(void)err_set(e, ERR_DENIED, "what answers at %s is not the machine of target '%s'",
		      f->address == NULL ? "its address" : f->address, t->name);
	(void)err_why(e, "its ssh host key is not the one that was made for this start");
	(void)err_hint(
	    e, "another machine has the address, or the image does not take the key (NixOS does from 25.11 on): "
	       "user_data_format in its block");
	return true;
}

static int on_machine(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		      struct str program, struct proc_result *r, struct err *e)
{
	struct side side = {.label = t->name, .remote = true};

	if (ssh_argv(env, t, f, &side.argv, e) < 0)
		return -1;
	*r = (struct proc_result){0};
	int rc = side_run(&side, program, time_left(env), env->arena, r, e);
	return rc < 0 && other_key(t, f, r, e) ? -1 : rc;
}

static bool lets_nobody_in(const struct proc_result *r)
{
	return strstr(r->err.p, "Permission denied (") != NULL; /* says ssh, once the key was right */
}

/* Is it the machine whose key is pinned?  Asked without logging in: who only connects may have no key of ours. */
static int right_key(const struct provider_env *env, const struct target *t, const struct machine_facts *f, int fd,
		     struct err *e)
{
	struct side side = {.label = t->name, .remote = true};
	struct strings argv = {0};
	const char *const *ssh = NULL;
	struct proc_result r;

	if (ssh_argv(env, t, f, &ssh, e) < 0)
		return -1;
	assert(ssh != NULL);
	*vec_add(&argv, env->arena) = ssh[0];
	*vec_add(&argv, env->arena) = "-oPreferredAuthentications=none";
	/* Nothing said here is a secret, and against quantum computers ssh would compute ten times as long. */
	*vec_add(&argv, env->arena) = "-oKexAlgorithms=^curve25519-sha256";
	/* Over the connection that was greeted: nobody waits for sshd's next process, nor, because it sends at once
	 * (TCP_NODELAY), for 40 ms until TCP acknowledges.  Not in ssh's manual: any other answer is none. */
	*vec_add(&argv, env->arena) = "-oProxyCommand=-";
	size_t proxy = argv.n - 1;
	for (size_t i = 1; ssh[i] != NULL; i++)
		*vec_add(&argv, env->arena) = ssh[i];
	*vec_add(&argv, env->arena) = NULL;
	if (proc_run_on(argv.v, fd, time_left(env), env->arena, &r, e) == 0 && lets_nobody_in(&r))
		return 0;
	argv.v[proxy] = "-oProxyCommand=none";
	if (proc_run(argv.v, NULL, NULL, 64 * 1024, time_left(env), env->arena, &r, e) < 0)
		return -1;
	if (lets_nobody_in(&r))
		return 0;
	return other_key(t, f, &r, e) ? -1 : side_judge(&side, &r, e);
}

static int one_line(struct str text)
{
	const char *end = memchr(text.p, '\n', text.n);
	size_t n = end == NULL ? text.n : (size_t)(end - text.p);
	return (int)(n < 300 ? n : 300);
}

/* The machine's own word that it is ready. */
static int says_ready(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		      struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result r = {0};
	char how[80];
	int rc;

	if (t->ready.n == 0)
		return 0;
	if (env->progress != NULL)
		env->progress(env, "waiting until it is ready");
	program_command(&b, &t->ready);
	for (;;) {
		rc = on_machine(env, t, f, buf_str(&b), &r, e);
		if (rc == 0 && r.status == 0)
			return 0;
		if (rc < 0 && e->retry == RETRY_NEVER)
			return -1;
		if (clock_mono_ms() + READY_AGAIN_MS >= env->deadline_ms)
			break;
		clock_sleep_ms(READY_AGAIN_MS);
	}
	if (rc < 0)
		return -1;
	struct str why = str_trim(r.err);
	(void)err_set(e, ERR_TIMEOUT, "target '%s' does not get ready", t->name);
	(void)err_why(e, "'%s' ended with %s%s%.*s", t->ready.v[0], proc_status_text(r.status, how, sizeof(how)),
		      why.n > 0 ? ": " : "", one_line(why), why.p);
	return err_hint(e, "it is ready in the target's block; if it only needs longer, raise start_timeout");
}

static int pools(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		 const struct strings *names, void (*program)(struct buf *, const struct strings *), const char *doing,
		 struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result r = {0};

	if (names->n == 0)
		return 0;
	if (env->progress != NULL)
		env->progress(env, doing);
	program(&b, names);
	if (on_machine(env, t, f, buf_str(&b), &r, e) < 0)
		return -1;
	if (r.status == 0)
		return 0;
	zfs_blame(r.err, e);
	return err_wrap(e, "%s failed on '%s'", doing, t->name);
}

/* The pools of disks that apply has made. */
static int pools_on(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		    struct pool_disks *disks, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result r = {0};
	bool new = false;

	if (disks->n == 0)
		return 0;
	for (size_t i = 0; i < disks->n; i++)
		new |= disks->v[i].guid == NULL;
	if (env->progress != NULL)
		env->progress(env, new ? "making pools" : "importing pools");
	program_disks(&b, disks);
	if (on_machine(env, t, f, buf_str(&b), &r, e) < 0)
		return -1;
	if (r.status == 0)
		return disks_parse(r.out, env->arena, disks, e);
	zfs_blame(r.err, e);
	return err_wrap(e, "%s failed on '%s'", new ? "making pools" : "importing pools", t->name);
}

static int look_there(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		      const char *pool, struct side_state *s, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result r = {0};

	*s = (struct side_state){.root = pool, .ours_too = true};
	program_look(&b, pool, true, pool, false);
	return on_machine(env, t, f, buf_str(&b), &r, e) < 0 ? -1 : look_parse(r.out, env->arena, s, e);
}

/* Nobody has the machine yet, so nothing is written there: what is the same now stays the same, and a pool that has all
 * of another takes its place.  What is not is filled by who has asked for that. */
static int take_places(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		       struct pool_disks *disks, struct err *e)
{
	for (size_t i = 0; i < disks->n; i++) {
		AUTO(buf) struct buf b = {0};
		struct pool_disk *d = &disks->v[i];
		struct side_state from, to;
		struct proc_result r = {0};
		struct move m;
		if (d->becomes == NULL)
			continue;
		if (look_there(env, t, f, d->becomes, &from, e) < 0 || look_there(env, t, f, d->pool, &to, e) < 0)
			return -1;
		move_plan(&from, &to, env->arena, &m);
		if (!m.same)
			continue;
		if (env->progress != NULL)
			env->progress(env, arena_printf(env->arena, "%s has all that %s has, and takes its place",
							d->id, d->becomes));
		program_take_place(&b, d);
		if (on_machine(env, t, f, buf_str(&b), &r, e) < 0)
			return -1;
		if (r.status != 0) {
			zfs_blame(r.err, e);
			return err_wrap(e, "%s cannot take the place of '%s' on '%s'", d->id, d->becomes, t->name);
		}
		d->moved = true;
	}
	return 0;
}

/* Those that may be imported: its own, and those that are to take the place of one. */
static struct strings every_pool(const struct target *t, struct arena *a)
{
	struct strings v = {0};

	for (size_t i = 0; i < t->pools.n; i++) {
		*vec_add(&v, a) = t->pools.v[i];
		*vec_add(&v, a) = pool_next(t->pools.v[i], a);
	}
	return v;
}

int machine_feed(const struct provider_env *env, const struct target *t, const struct machine_facts *f, int64_t more_ms,
		 struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result r = {0};
	struct strings all = every_pool(t, env->arena);
	struct str boot;

	if (t->watchdog_ms == 0)
		return 0;
	if (fd_read_file("/proc/sys/kernel/random/boot_id", BOOT_ID_MAX, env->arena, &boot, e) < 0)
		return -1;
	program_watchdog(&b, str_dup(env->arena, str_trim(boot)), t->watchdog_ms + more_ms, &all);
	if (on_machine(env, t, f, buf_str(&b), &r, e) < 0)
		return err_wrap(e, "cannot tell '%s' that it is wanted: it will switch itself off", t->name);
	if (r.status == 0)
		return 0;
	struct str why = str_trim(r.err);
	(void)err_set(e, ERR_SYSTEM, "there can be no watchdog on target '%s'", t->name);
	(void)err_why(e, "%.*s", one_line(why), why.p);
	return err_hint(e, "without one: watchdog = \"0s\" in its block; then nothing ends it if this host goes away");
}

int machine_prepare(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		    struct pool_disks *disks, struct err *e)
{
	/* One that was made is looked at where sshd is waited for; elsewhere nobody said that there is one. */
	bool pinned = t->ssh.host_key != NULL || (t->ssh.made != MADE_NONE && t->check_port == t->ssh.port);
	bool logs_in = t->pools.n > 0 || t->ready.n > 0 || t->watchdog_ms > 0;
	AUTO(fd) int sshd = -1;

	if (t->local)
		return 0;
	if (t->check_port != 0 && wait_port(env, t, f, t->check_port, &sshd, e) < 0)
		return -1;
	if ((logs_in || pinned) && t->check_port != t->ssh.port && wait_port(env, t, f, t->ssh.port, &sshd, e) < 0)
		return -1;
	/* A log-in shows the key as well. */
	if (pinned && !logs_in && right_key(env, t, f, sshd, e) < 0)
		return -1;
	fd_close(&sshd);
	/* What follows may take as long as a start may. */
	if (says_ready(env, t, f, e) < 0 || machine_feed(env, t, f, t->start_timeout_ms, e) < 0 ||
	    pools_on(env, t, f, disks, e) < 0 || take_places(env, t, f, disks, e) < 0)
		return -1;
	return pools(env, t, f, &t->pools, program_import, "importing pools", e);
}

int machine_drain(const struct provider_env *env, const struct target *t, const struct machine_facts *f, struct err *e)
{
	struct strings all = every_pool(t, env->arena);

	if (t->local)
		return 0;
	return pools(env, t, f, &all, program_export, "exporting pools", e);
}
