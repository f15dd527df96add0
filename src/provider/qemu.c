/* A QEMU guest on this host.  The guest is a process of its own, known by its name and token on its
 * command line: so it is found again whatever was forgotten. */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "provider/qemu_args.h"
#include "provider/registry.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"

enum { PRESS_MS = 5000, SIGNAL_MS = 5000 };

#define F(member, kind, ...) \
	.name = #member, .type = kind, .offset = offsetof(struct qemu_settings, member), __VA_ARGS__
static const struct field fields[] = {
    {F(program, FIELD_STRING, .fallback = "qemu-system-x86_64", .doc = "the QEMU to run")},
    {F(kernel, FIELD_STRING, .doc = "a Linux kernel to boot directly")},
    {F(initrd, FIELD_STRING, .doc = "its initramfs")},
    {F(append, FIELD_STRING, .doc = "its command line")},
    {F(disks, FIELD_STRINGS, .doc = "disk images (raw, or *.qcow2), in order: /dev/vda and on")},
    {F(snapshot, FIELD_BOOL, .doc = "whether what it writes to them is thrown away when it ends")},
    {F(memory, FIELD_SIZE, .fallback = "1GiB", .doc = "the guest's memory")},
    {F(cpus, FIELD_INT, .fallback = "2", .doc = "the guest's processors")},
    {F(accel, FIELD_STRING, .fallback = "auto",
       .doc = "QEMU's -accel; auto: KVM if a guest boots with it, or software")},
    {F(forward, FIELD_STRINGS, .fallback = "22", .doc = "ports of the guest that can be reached, on loopback")},
    {F(bridge, FIELD_STRING, .doc = "the bridge of this host that it is connected to, in place of forward")},
    {F(addr, FIELD_STRING, .doc = "its name or address there")},
    {F(user_data, FIELD_STRING, .doc = "what cloud-init in the guest reads")},
    {F(args, FIELD_STRINGS, .doc = "more arguments for QEMU")},
    {.name = "power_off_timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct qemu_settings, power_off_ms),
     .fallback = "60s",
     .doc = "how long the guest may take to power off before it is ended"},
};

/* --- finding guests by their command lines -------------------------------------------------------- */

struct guest {
	pid_t pid;
	const char *token;
	struct machine_doors doors;
};

/* "hostfwd=tcp:127.0.0.1:40022-:22" within -netdev. */
static void read_doors(struct str arg, struct arena *a, struct machine_doors *doors)
{
	while (arg.n > 0) {
		struct str part = str_cut(&arg, ',');
		uint64_t at, port;
		if (!str_starts(part, "hostfwd=tcp:127.0.0.1:"))
			continue;
		part = (struct str){part.p + 22, part.n - 22};
		if (num_u64(str_cut(&part, '-'), &at) && part.n > 1 &&
		    num_u64((struct str){part.p + 1, part.n - 1}, &port))
			*vec_add(doors, a) = (struct machine_door){(int64_t)port, "127.0.0.1", (int64_t)at};
	}
}

/* 1: it is one of ours, 0: it is none, or has gone; -1: that cannot be seen. */
static int is_ours(const struct provider_env *env, const struct target *t, pid_t pid, struct guest *g, struct err *e)
{
	/* Two keepers of different people, or tests, may have targets of one name. */
	const char *name = arena_printf(env->arena, "dormouse:%s:%s:", t->name, env->runtime_dir);
	struct str text;
	bool ours = false;

	*g = (struct guest){.pid = pid};
	if (fd_read_file(arena_printf(env->arena, "/proc/%d/cmdline", (int)pid), 1 << 20, env->arena, &text, e) < 0)
		return fd_exhausted(e->sys) ? -1 : 0;
	bool name_next = false;
	while (text.n > 0) {
		struct str arg = str_cut(&text, '\0');
		if (name_next && str_starts(arg, name)) {
			ours = true;
			g->token = arena_strndup(env->arena, arg.p + strlen(name), arg.n - strlen(name));
		}
		if (str_starts(arg, "user,id=dormouse"))
			read_doors(arg, env->arena, &g->doors);
		name_next = str_eq(arg, "-name");
	}
	return ours;
}

/* Calls back for each running guest of the target, or the one of that token; returns how many.  -1: nobody knows. */
static int each_guest(const struct provider_env *env, const struct target *t, const char *token,
		      void (*fn)(void *, const struct guest *), void *arg, struct err *e)
{
	DIR *proc = opendir("/proc");
	bool ourselves = false;
	int n = 0, is = 0;

	if (proc == NULL)
		return err_sys(e, errno, "cannot see which guests of target '%s' run", t->name);
	for (struct dirent *d; is >= 0 && (d = readdir(proc)) != NULL;) {
		uint64_t pid;
		struct guest g;
		if (!num_u64(str_of(d->d_name), &pid))
			continue;
		ourselves |= pid == (uint64_t)getpid();
		is = is_ours(env, t, (pid_t)pid, &g, e);
		if (is <= 0 || (token != NULL && strcmp(token, g.token) != 0))
			continue;
		n++;
		fn(arg, &g);
	}
	(void)closedir(proc);
	if (is < 0)
		return err_wrap(e, "cannot see which guests of target '%s' run", t->name);
	if (ourselves)
		return n;
	(void)err_set(e, ERR_SYSTEM, "cannot see which guests of target '%s' run", t->name);
	return err_hint(e, "/proc must be mounted: mount -t proc proc /proc");
}

static void keep_guest(void *arg, const struct guest *g)
{
	*(struct guest *)arg = *g;
}

static int facts_of(const struct provider_env *env, const struct target *t, const struct guest *g,
		    struct machine_facts *f, struct err *e)
{
	const struct qemu_settings *s = t->settings;

	*f = (struct machine_facts){
	    .power = POWER_RUNNING, .id = arena_printf(env->arena, "process %d", (int)g->pid), .doors = g->doors};
	return s->bridge == NULL ? 0 : tool_address(env, s->addr, &f->address, e);
}

/* --- QMP ------------------------------------------------------------------------------------------ */

/* Sends one command to the guest's monitor; best effort, the process list tells what came of it. */
static void qmp(const struct provider_env *env, const struct machine_id *id, const char *command)
{
	AUTO(buf) struct buf in = {0};
	const char *path = qemu_path(env, id, "qmp");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err ignored;
	struct timeval patience = {.tv_sec = 2};

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, strlen(path));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return;
	/* One after the other, each with its answer: what is still under way when we hang up may be lost. */
	const char *const lines[] = {"{\"execute\":\"qmp_capabilities\"}\n",
				     arena_printf(env->arena, "{\"execute\":\"%s\"}\n", command)};
	(void)fd_read_some(fd, &in, 4096);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		buf_clear(&in);
		if (fd_write_all(fd, lines[i], strlen(lines[i]), &ignored) < 0)
			return;
		while (strstr(buf_text(&in), "\"return\"") == NULL)
			if (fd_read_some(fd, &in, 4096) <= 0)
				return;
	}
}

/* --- the provider --------------------------------------------------------------------------------- */

static int readable(const char *what, const char *path, struct err *e)
{
	if (path == NULL || access(path, R_OK) == 0)
		return 0;
	return err_sys(e, errno, "cannot read the %s '%s'", what, path);
}

static int qemu_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct qemu_settings *s = t->settings;

	if (tool_have(env, s->program, "QEMU: apt install qemu-system-x86", e) < 0)
		return -1;
	if (readable("kernel", s->kernel, e) < 0 || readable("initrd", s->initrd, e) < 0)
		return -1;
	for (size_t i = 0; i < s->disks.n; i++)
		if (readable("disk", s->disks.v[i], e) < 0)
			return -1;
	if (s->bridge != NULL && s->addr == NULL) {
		(void)err_set(e, ERR_CONFIG, "nobody knows the address of target '%s' on its bridge", t->name);
		return err_hint(e, "say it: addr = \"NAME\"");
	}
	if (!t->shared && s->disks.n > 0 && !s->snapshot) {
		(void)err_set(e, ERR_CONFIG, "guests of target '%s' would write to the same disks", t->name);
		return err_hint(e, "with shared = false there may be several: snapshot = true keeps them apart");
	}
	return 0;
}

static int qemu_start(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		      struct machine_facts *f, struct err *e)
{
	const struct qemu_settings *s = t->settings;
	struct guest g = {0};
	struct strings argv = {0};
	struct proc_result r;

	int n = each_guest(env, t, id->token, keep_guest, &g, e);
	if (n != 0)
		return n < 0 ? -1 : facts_of(env, t, &g, f, e);
	if (qemu_argv(env, t, id, &argv, e) < 0)
		return -1;
	(void)unlink(qemu_path(env, id, "qmp"));
	tool_progress(env, "starting the guest");
	if (proc_run(argv.v, NULL, NULL, 64 * 1024, 60000, env->arena, &r, e) < 0)
		return err_wrap(e, "cannot start the guest '%s'", t->name);
	if (r.status != 0) {
		(void)err_set(e, ERR_SYSTEM, "QEMU did not start the guest '%s'", t->name);
		struct str why = str_trim(r.err);
		(void)err_why(e, "%.*s", (int)(why.n < 400 ? why.n : 400), why.p);
		if (memmem(r.err.p, r.err.n, "bridge helper", 13) != NULL)
			return err_hint(
			    e, "is there a bridge '%s'?  QEMU may use it once /etc/qemu/bridge.conf has: allow %s",
			    s->bridge, s->bridge);
		return err_hint(e, memmem(r.err.p, r.err.n, "lock", 4) != NULL
				       ? "another process uses its disk; which one: fuser -v DISK"
				       : "the target's block in the file says how it is started");
	}
	n = each_guest(env, t, id->token, keep_guest, &g, e);
	if (n != 0)
		return n < 0 ? -1 : facts_of(env, t, &g, f, e);
	(void)err_set(e, ERR_SYSTEM, "the guest '%s' ended as soon as it was started", t->name);
	return err_hint(e, "what it said: %s", qemu_path(env, id, "log"));
}

static int qemu_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			 struct machine_facts *f, struct err *e)
{
	struct guest g = {0};

	*f = (struct machine_facts){.power = POWER_ABSENT};
	int n = each_guest(env, t, id->token, keep_guest, &g, e);
	return n > 0 ? facts_of(env, t, &g, f, e) : n;
}

static void signal_guest(void *arg, const struct guest *g)
{
	(void)kill(g->pid, *(const int *)arg);
}

struct ending {
	const struct provider_env *env;
	const struct target *target;
	const struct machine_id *id;
	int64_t press_ms; /* when its power button is pressed */
};

/* The button again and again: a guest that still boots does not heed it. */
static int is_gone(void *arg, struct err *e)
{
	struct ending *g = arg;
	struct guest ignored;
	int64_t now = clock_mono_ms();
	int n = each_guest(g->env, g->target, g->id->token, keep_guest, &ignored, e);

	if (n > 0 && now >= g->press_ms) {
		qmp(g->env, g->id, "system_powerdown");
		g->press_ms = now + PRESS_MS;
	}
	return n < 0 ? -1 : n == 0;
}

static int qemu_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id, struct err *e)
{
	const struct qemu_settings *s = t->settings;
	struct ending guest = {env, t, id, INT64_MAX};
	static const int signals[] = {SIGTERM, SIGKILL};

	int gone = is_gone(&guest, e);
	if (gone != 0)
		return gone < 0 ? -1 : 0;
	tool_progress(env, "powering the guest off");
	guest.press_ms = 0;
	gone = tool_wait(env, s->power_off_ms, is_gone, &guest, e);
	guest.press_ms = INT64_MAX;
	if (gone == 0)
		tool_progress(env, "it does not go off by itself: ending it");
	for (size_t i = 0; i < ARRAY_LEN(signals) && gone == 0; i++) {
		int sig = signals[i];
		gone = each_guest(env, t, id->token, signal_guest, &sig, e) < 0
			   ? -1
			   : tool_wait(env, SIGNAL_MS, is_gone, &guest, e);
	}
	if (gone == 0)
		return err_set(e, ERR_TIMEOUT, "the guest '%s' does not end", t->name);
	if (gone > 0)
		qemu_tidy(env, id);
	return gone < 0 ? -1 : 0;
}

struct listing {
	const struct provider_env *env;
	const struct target *target;
	machine_fn *fn;
	void *arg;
};

static void list_guest(void *arg, const struct guest *g)
{
	struct listing *l = arg;
	struct machine_facts f;
	struct machine_id id = {l->target->name, g->token};

	struct err ignored; /* that it has no address now does not make it go away */
	(void)!facts_of(l->env, l->target, g, &f, &ignored);
	l->fn(l->arg, &id, &f);
}

static int qemu_list(const struct provider_env *env, const struct target *t, machine_fn *fn, void *arg, struct err *e)
{
	struct listing l = {env, t, fn, arg};

	return each_guest(env, t, NULL, list_guest, &l, e) < 0 ? -1 : 0;
}

const struct provider_ops provider_qemu = {
    .kind = {.name = "qemu",
	     .doc = "a QEMU guest on this host",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct qemu_settings)},
    .check = qemu_check,
    .start = qemu_start,
    .describe = qemu_describe,
    .stop = qemu_stop,
    .list = qemu_list,
};
