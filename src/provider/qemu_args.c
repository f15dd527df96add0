#include "provider/qemu_args.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"

enum { KVM_TRY_MS = 5000, KVM_SAYS = 0x10 };

/* Each guest has its own; short, because a socket's path has 107 characters at most. */
const char *qemu_path(const struct provider_env *env, const struct machine_id *id, const char *what)
{
	return arena_printf(env->arena, "%s/qemu-%s-%.8s.%s", env->runtime_dir, id->target, id->token, what);
}

void qemu_tidy(const struct provider_env *env, const struct machine_id *id)
{
	const char *seed = qemu_path(env, id, "seed");

	(void)unlink(qemu_path(env, id, "qmp"));
	(void)unlink(qemu_path(env, id, "log"));
	(void)unlink(arena_printf(env->arena, "%s/user-data", seed));
	(void)unlink(arena_printf(env->arena, "%s/meta-data", seed));
	(void)rmdir(seed);
}

/* /dev/kvm may be there and its guests hang all the same: so a boot sector is tried that says so to the host and ends.
 * The answer holds until the next boot of this host. */
static bool kvm_boots(const struct provider_env *env, const char *program)
{
	static const char sector[512] = {'\xb0',	 KVM_SAYS, '\xe6', '\xf4',
					 '\xf4',	 '\xeb',   '\xfd', /* out 0xf4; hlt */
					 [510] = '\x55', '\xaa'};
	const char *known = arena_printf(env->arena, "%s/qemu-kvm", env->runtime_dir);
	const char *image = arena_printf(env->arena, "%s.img", known);
	const char *const argv[] = {program,
				    "-nodefaults",
				    "-no-user-config",
				    "-display",
				    "none",
				    "-m",
				    "16",
				    "-accel",
				    "kvm",
				    "-device",
				    "isa-debug-exit,iobase=0xf4,iosize=4",
				    "-drive",
				    arena_printf(env->arena, "if=floppy,format=raw,file=%s", image),
				    NULL};
	struct provider_env brief = *env;
	struct proc_result r;
	struct str text;
	struct err ignored;

	if (fd_read_file(known, 16, env->arena, &text, &ignored) == 0)
		return str_eq(text, "yes");
	tool_progress(env, "finding out whether KVM works here");
	if (fd_replace_file(image, (struct str){sector, sizeof(sector)}, 0600, &ignored) < 0)
		return false;
	int64_t until = clock_mono_ms() + KVM_TRY_MS;
	brief.deadline_ms = until < env->deadline_ms ? until : env->deadline_ms;
	/* isa-debug-exit makes 2 * x + 1 of it. */
	bool boots = tool_run(&brief, argv, &r, &ignored) == 0 && WIFEXITED(r.status) &&
		     WEXITSTATUS(r.status) == 2 * KVM_SAYS + 1;
	(void)unlink(image);
	(void)!fd_replace_file(known, str_of(boots ? "yes" : "no"), 0600, &ignored);
	return boots;
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

	if (s->bridge != NULL) {
		*out = arena_printf(env->arena, "bridge,id=dormouse,br=%s", s->bridge);
		return 0;
	}
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

/* A folder that the guest sees as a disk with the label that cloud-init's NoCloud looks for. */
static int seed_arg(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		    const char **drive, struct err *e)
{
	const struct qemu_settings *s = t->settings;
	struct arena *a = env->arena;
	const char *dir = qemu_path(env, id, "seed");
	/* The same as long as the disks are: for another one, cloud-init would begin anew. */
	const char *meta = arena_printf(a, "instance-id: dormouse-%s\nlocal-hostname: %s\n", t->name, t->name);

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make '%s'", dir);
	if (fd_replace_file(arena_printf(a, "%s/user-data", dir), str_of(s->user_data), 0600, e) < 0 ||
	    fd_replace_file(arena_printf(a, "%s/meta-data", dir), str_of(meta), 0600, e) < 0)
		return -1;
	*drive = arena_printf(a, "if=none,id=seed,readonly=on,driver=vvfat,label=cidata,dir=%s", comma(a, dir));
	return 0;
}

int qemu_argv(const struct provider_env *env, const struct target *t, const struct machine_id *id, struct strings *v,
	      struct err *e)
{
	const struct qemu_settings *s = t->settings;
	struct arena *a = env->arena;
	const char *network = NULL, *seed = NULL, *accel = s->accel;

	if (network_arg(env, s, &network, e) < 0 || (s->user_data != NULL && seed_arg(env, t, id, &seed, e) < 0))
		return -1;
	if (strcmp(accel, "auto") == 0)
		accel = kvm_boots(env, s->program) ? "kvm" : "tcg,thread=multi";
#define ADD(x) (*vec_add(v, a) = (x))
	ADD(s->program);
	ADD("-name"), ADD(arena_printf(a, "dormouse:%s:%s:%s", t->name, env->runtime_dir, id->token));
	ADD("-nodefaults"), ADD("-no-user-config"), ADD("-display"), ADD("none"), ADD("-no-reboot"), ADD("-daemonize");
	ADD("-qmp"), ADD(arena_printf(a, "unix:%s,server=on,wait=off", comma(a, qemu_path(env, id, "qmp"))));
	ADD("-serial"), ADD(arena_printf(a, "file:%s", qemu_path(env, id, "log")));
	ADD("-accel"), ADD(accel);
	ADD("-cpu"), ADD(strncmp(accel, "kvm", 3) == 0 ? "host" : "max");
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
		ADD("-drive"), ADD(arena_printf(a, "if=none,id=disk%zu,format=%s,discard=unmap,snapshot=%s,file=%s", i,
						format, s->snapshot ? "on" : "off", comma(a, path)));
		ADD("-device"), ADD(arena_printf(a, "virtio-blk-pci,drive=disk%zu,serial=disk%zu", i, i));
	}
	if (seed != NULL)
		ADD("-drive"), ADD(seed), ADD("-device"), ADD("virtio-blk-pci,drive=seed,serial=seed");
	for (size_t i = 0; i < s->args.n; i++)
		ADD(s->args.v[i]);
	ADD(NULL);
#undef ADD
	return 0;
}
