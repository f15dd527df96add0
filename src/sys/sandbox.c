#include "sys/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#else
#error "which architecture is this for seccomp? see linux/audit.h"
#endif

int sandbox_become(int64_t uid, int64_t gid, struct err *e)
{
	if (uid < 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0 ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
		return err_sys(e, errno, "cannot become user %lld", (long long)uid);
	return 0;
}

static int limit(int what, rlim_t most, struct err *e)
{
	struct rlimit r = {most, most};

	return setrlimit(what, &r) < 0 ? err_sys(e, errno, "cannot set a limit") : 0;
}

/* All of the file system, nothing of it allowed; an older kernel has no such thing, and seccomp forbids the same. */
static void no_files(void)
{
	struct landlock_ruleset_attr all = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (fd < 0)
		return;
	(void)syscall(SYS_landlock_restrict_self, fd, 0);
	(void)close(fd);
}

#define LOAD(what)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define RETURN(how) BPF_STMT(BPF_RET | BPF_K, how)
#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), RETURN(SECCOMP_RET_ALLOW)
/* Fails, without an end of the process: what a library tries and can do without. */
#define DENY(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), RETURN(SECCOMP_RET_ERRNO | EACCES)
/* Memory, but none that can be executed: prot is the third argument (its low half, on these little-endian machines). */
#define ALLOW_DATA(name)                                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[2]),                        \
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS), \
	    RETURN(SECCOMP_RET_ALLOW)

static const struct sock_filter begin[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
};
static const struct sock_filter accepting[] = {
    ALLOW(accept4),    ALLOW(epoll_ctl),   ALLOW(epoll_pwait),
#ifdef SYS_epoll_wait
    ALLOW(epoll_wait),
#endif
    ALLOW(setsockopt), ALLOW(getsockname), ALLOW(writev),
};
static const struct sock_filter filter[] = {
    ALLOW(read),
    ALLOW(write),
    ALLOW(recvfrom),
    ALLOW(sendto),
    ALLOW(recvmsg),
    ALLOW(sendmsg),
    ALLOW(ppoll),
#ifdef SYS_poll
    ALLOW(poll),
#endif
    ALLOW(close),
    ALLOW(shutdown),
    ALLOW(fcntl),
    ALLOW(getsockopt),
    ALLOW(brk),
    ALLOW_DATA(mmap),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW_DATA(mprotect),
    ALLOW(getrandom),
    ALLOW(clock_gettime),
    ALLOW(gettimeofday),
    ALLOW(futex),
    ALLOW(getpid),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(restart_syscall),
    ALLOW(exit),
    ALLOW(exit_group),
    DENY(openat),
    DENY(newfstatat),
    DENY(ioctl),
#ifdef SYS_open
    DENY(open),
#endif
    RETURN(SECCOMP_RET_KILL_PROCESS),
};

int sandbox_lock(unsigned descriptors, size_t memory_bytes, bool accepts, struct err *e)
{
	struct sock_filter all[ARRAY_LEN(begin) + ARRAY_LEN(accepting) + ARRAY_LEN(filter)], *end = all;

	end = mempcpy(end, begin, sizeof(begin));
	if (accepts)
		end = mempcpy(end, accepting, sizeof(accepting));
	end = mempcpy(end, filter, sizeof(filter));
	struct sock_fprog program = {(unsigned short)(end - all), all};

	if (limit(RLIMIT_NOFILE, descriptors, e) < 0 || limit(RLIMIT_DATA, memory_bytes, e) < 0 ||
	    limit(RLIMIT_CORE, 0, e) < 0 || limit(RLIMIT_FSIZE, 0, e) < 0 || limit(RLIMIT_NPROC, 0, e) < 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "cannot give up privileges");
	no_files();
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0) {
		(void)err_sys(e, errno, "cannot restrict system calls");
		return err_hint(e, "the kernel needs CONFIG_SECCOMP_FILTER");
	}
	return 0;
}
