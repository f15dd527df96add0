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
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"

struct qemu_settings {
	const char *program, *kernel, *initrd, *append, *accel;
	struct strings disks, forward, args;
	uint64_t memory;
	int64_t cpus, power_off_ms;
};

#define F(member, kind, ...) \
	.name = #member, .type = kind, .offset = offsetof(struct qemu_settings, member), __VA_ARGS__
static const struct field fields[] = {
    {F(program, FIELD_STRING, .fallback = "qemu-system-x86_64", .doc = "the QEMU to run")},
    {F(kernel, FIELD_STRING, .doc = "a Linux kernel to boot directly")},
    {F(initrd, FIELD_STRING, .doc = "its initramfs")},
    {F(append, FIELD_STRING, .doc = "its command line")},
    {F(disks, FIELD_STRINGS, .doc = "disk images (raw, or *.qcow2), in order: /dev/vda and on")},
    {F(memory, FIELD_SIZE, .fallback = "1GiB", .doc = "the guest's memory")},
    {F(cpus, FIELD_INT, .fallback = "2", .doc = "the guest's processors")},
    {F(accel, FIELD_STRING, .fallback = "tcg,thread=multi", .doc = "QEMU's -accel: \"kvm\", or software")},
    {F(forward, FIELD_STRINGS, .fallback = "22", .doc = "ports of the guest that can be reached, on loopback")},
    {F(args, FIELD_STRINGS, .doc = "more arguments for QEMU")},
    {.name = "power_off_timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct qemu_settings, power_off_ms),
     .fallback = "60s",
     .doc = "how long the guest may take to power off before it is ended"},
};

static const char *qmp_path(const struct provider_env *env, const struct target *t)
{
	return arena_printf(env->arena, "%s/qemu-%s.qmp", env->runtime_dir, t->name);
}

static const char *log_path(const struct provider_env *env, const struct target *t)
{
	return arena_printf(env->arena, "%s/qemu-%s.log", env->runtime_dir, t->name);
}

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

static bool is_ours(const struct provider_env *env, const struct target *t, pid_t pid, struct guest *g)
{
	const char *name = arena_printf(env->arena, "dormouse:%s:", t->name);
	struct str text;
	struct err ignored;
	bool ours = false;

	*g = (struct guest){.pid = pid};
	if (fd_read_file(arena_printf(env->arena, "/proc/%d/cmdline", (int)pid), 1 << 20, env->arena, &text, &ignored) <
	    0)
		return false;
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
	/* Two keepers of different people, or tests, may have targets of one name. */
	return ours && str_starts(str_of(g->token), env->runtime_dir);
}

/* Calls back for each running guest of the target; returns how many. */
static int each_guest(const struct provider_env *env, const struct target *t, void (*fn)(void *, const struct guest *),
		      void *arg)
{
	DIR *proc = opendir("/proc");
	int n = 0;

	for (struct dirent *d; proc != NULL && (d = readdir(proc)) != NULL;) {
		uint64_t pid;
		struct guest g;
		if (num_u64(str_of(d->d_name), &pid) && is_ours(env, t, (pid_t)pid, &g)) {
			n++;
			fn(arg, &g);
		}
	}
	if (proc != NULL)
		(void)closedir(proc);
	return n;
}

static void keep_guest(void *arg, const struct guest *g)
{
	*(struct guest *)arg = *g;
}

static void facts_of(const struct provider_env *env, const struct guest *g, struct machine_facts *f)
{
	*f = (struct machine_facts){
	    .power = POWER_RUNNING, .id = arena_printf(env->arena, "process %d", (int)g->pid), .doors = g->doors};
}

/* --- QMP ------------------------------------------------------------------------------------------ */

/* Sends one command to the guest's monitor; best effort, the process list tells what came of it. */
static void qmp(const struct provider_env *env, const struct target *t, const char *command)
{
	AUTO(buf) struct buf in = {0};
	const char *path = qmp_path(env, t);
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
	struct proc_result r;
	const char *const argv[] = {s->program, "--version", NULL};

	if (proc_run(argv, NULL, NULL, 64 * 1024, 10000, env->arena, &r, e) < 0)
		return -1;
	if (readable("kernel", s->kernel, e) < 0 || readable("initrd", s->initrd, e) < 0)
		return -1;
	for (size_t i = 0; i < s->disks.n; i++)
		if (readable("disk", s->disks.v[i], e) < 0)
			return -1;
	return 0;
}

static int free_port(int64_t *port, struct err *e)
{
	AUTO(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return err_sys(e, errno, "cannot find a free port");
	*port = ntohs(a.sin_port);
	return 0;
}

static int network_arg(const struct provider_env *env, const struct qemu_settings *s, const char **out, struct err *e)
{
	AUTO(buf) struct buf b = {0};

	buf_puts(&b, "user,id=dormouse");
	for (size_t i = 0; i < s->forward.n; i++) {
		int64_t at = 0;
		uint64_t port;
		if (!num_u64(str_of(s->forward.v[i]), &port) || port < 1 || port > 65535) {
			(void)err_set(e, ERR_CONFIG, "'%s' in forward is not a port", s->forward.v[i]);
			return err_hint(e, "forward is a list of port numbers of the guest: [\"22\"]");
		}
		if (free_port(&at, e) < 0)
			return -1;
		buf_printf(&b, ",hostfwd=tcp:127.0.0.1:%lld-:%llu", (long long)at, (unsigned long long)port);
	}
	*out = str_dup(env->arena, buf_str(&b));
	return 0;
}

/* A comma in a value of an option is doubled (qemu(1)). */
static const char *comma(struct arena *a, const char *path)
{
	AUTO(buf) struct buf b = {0};
	for (; *path != '\0'; path++) {
		buf_putc(&b, *path);
		if (*path == ',')
			buf_putc(&b, ',');
	}
	return str_dup(a, buf_str(&b));
}

static int build_argv(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		      struct strings *v, struct err *e)
{
	const struct qemu_settings *s = t->settings;
	struct arena *a = env->arena;
	const char *network = NULL;

	if (network_arg(env, s, &network, e) < 0)
		return -1;
#define ADD(x) (*vec_add(v, a) = (x))
	ADD(s->program);
	ADD("-name"), ADD(arena_printf(a, "dormouse:%s:%s", t->name, id->token));
	ADD("-nodefaults"), ADD("-no-user-config"), ADD("-display"), ADD("none"), ADD("-no-reboot"), ADD("-daemonize");
	ADD("-qmp"), ADD(arena_printf(a, "unix:%s,server=on,wait=off", comma(a, qmp_path(env, t))));
	ADD("-serial"), ADD(arena_printf(a, "file:%s", log_path(env, t)));
	ADD("-accel"), ADD(s->accel);
	ADD("-cpu"), ADD(strncmp(s->accel, "kvm", 3) == 0 ? "host" : "max");
	ADD("-m"), ADD(arena_printf(a, "%llu", (unsigned long long)(s->memory >> 20)));
	ADD("-smp"), ADD(arena_printf(a, "%lld", (long long)s->cpus));
	ADD("-netdev"), ADD(network);
	ADD("-device"), ADD("virtio-net-pci,netdev=dormouse,romfile=");
	ADD("-device"), ADD("virtio-rng-pci");
	if (s->kernel != NULL)
		ADD("-kernel"), ADD(s->kernel);
	if (s->initrd != NULL)
		ADD("-initrd"), ADD(s->initrd);
	if (s->append != NULL)
		ADD("-append"), ADD(s->append);
	for (size_t i = 0; i < s->disks.n; i++) {
		const char *path = s->disks.v[i];
		size_t n = strlen(path);
		const char *format = n > 6 && strcmp(path + n - 6, ".qcow2") == 0 ? "qcow2" : "raw";
		ADD("-drive"), ADD(arena_printf(a, "if=none,id=disk%zu,format=%s,discard=unmap,file=%s", i, format,
						comma(a, path)));
		ADD("-device"), ADD(arena_printf(a, "virtio-blk-pci,drive=disk%zu,serial=disk%zu", i, i));
	}
	for (size_t i = 0; i < s->args.n; i++)
		ADD(s->args.v[i]);
	ADD(NULL);
#undef ADD
	return 0;
}

/* A guest's token also says whose runtime folder it belongs to. */
static struct machine_id own_id(const struct provider_env *env, const struct machine_id *id)
{
	return (struct machine_id){id->target, arena_printf(env->arena, "%s:%s", env->runtime_dir, id->token)};
}

static int qemu_start(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		      struct machine_facts *f, struct err *e)
{
	struct machine_id own = own_id(env, id);
	struct guest g = {0};
	struct strings argv = {0};
	struct proc_result r;

	if (each_guest(env, t, keep_guest, &g) > 0) {
		facts_of(env, &g, f);
		return 0;
	}
	if (build_argv(env, t, &own, &argv, e) < 0)
		return -1;
	(void)unlink(qmp_path(env, t));
	if (env->progress != NULL)
		env->progress(env, "starting the guest");
	if (proc_run(argv.v, NULL, NULL, 64 * 1024, 60000, env->arena, &r, e) < 0)
		return err_wrap(e, "cannot start the guest '%s'", t->name);
	if (r.status != 0) {
		(void)err_set(e, ERR_SYSTEM, "QEMU did not start the guest '%s'", t->name);
		struct str why = str_trim(r.err);
		(void)err_why(e, "%.*s", (int)(why.n < 400 ? why.n : 400), why.p);
		return err_hint(e, memmem(r.err.p, r.err.n, "lock", 4) != NULL
				       ? "another process uses its disk; which one: fuser -v DISK"
				       : "the target's block in the file says how it is started");
	}
	if (each_guest(env, t, keep_guest, &g) == 0) {
		(void)err_set(e, ERR_SYSTEM, "the guest '%s' ended as soon as it was started", t->name);
		return err_hint(e, "what it said: %s", log_path(env, t));
	}
	facts_of(env, &g, f);
	return 0;
}

static int qemu_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			 struct machine_facts *f, struct err *e)
{
	struct guest g = {0};

	(void)id;
	(void)e;
	*f = (struct machine_facts){.power = POWER_ABSENT};
	if (each_guest(env, t, keep_guest, &g) > 0)
		facts_of(env, &g, f);
	return 0;
}

static void signal_guest(void *arg, const struct guest *g)
{
	(void)kill(g->pid, *(const int *)arg);
}

static bool wait_gone(const struct provider_env *env, const struct target *t, int64_t ms)
{
	struct guest g;
	int64_t until = clock_mono_ms() + ms;

	while (each_guest(env, t, keep_guest, &g) > 0) {
		if (clock_mono_ms() >= until || clock_mono_ms() >= env->deadline_ms)
			return false;
		clock_sleep_ms(100);
	}
	return true;
}

static int qemu_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id, struct err *e)
{
	const struct qemu_settings *s = t->settings;
	struct guest g;
	int sig = SIGTERM;

	(void)id;
	if (each_guest(env, t, keep_guest, &g) == 0)
		return 0;
	if (env->progress != NULL)
		env->progress(env, "powering the guest off");
	qmp(env, t, "system_powerdown");
	if (wait_gone(env, t, s->power_off_ms))
		goto gone;
	if (env->progress != NULL)
		env->progress(env, "it does not go off by itself: ending it");
	(void)each_guest(env, t, signal_guest, &sig);
	if (wait_gone(env, t, 5000))
		goto gone;
	sig = SIGKILL;
	(void)each_guest(env, t, signal_guest, &sig);
	if (!wait_gone(env, t, 5000))
		return err_set(e, ERR_TIMEOUT, "the guest '%s' does not end", t->name);
gone:
	(void)unlink(qmp_path(env, t));
	return 0;
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
	const char *colon = strrchr(g->token, ':');
	struct machine_id id = {l->target->name, colon == NULL ? g->token : colon + 1};

	facts_of(l->env, g, &f);
	l->fn(l->arg, &id, &f);
}

static int qemu_list(const struct provider_env *env, const struct target *t, machine_fn *fn, void *arg, struct err *e)
{
	struct listing l = {env, t, fn, arg};

	(void)e;
	(void)each_guest(env, t, list_guest, &l);
	return 0;
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
