#include "sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/stop.h"

/* In the child: no allocation, no stdio, _exit on any failure with errno sent up. */
static void child_fail(int report)
{
	int code = errno;
	(void)!write(report, &code, sizeof(code));
	_exit(127);
}

static void child_stdio(int want, int pipe_end, int fd, int report)
{
	int from = want >= 0 ? want : want == PROC_PIPE ? pipe_end : -1;

	if (want == PROC_INHERIT)
		return;
	if (want == PROC_NULL)
		from = open("/dev/null", O_RDWR);
	if (from < 0 || dup2(from, fd) < 0)
		child_fail(report);
}

/* Moves a descriptor out of the way of the numbers that the child is to have. */
static int child_high(int fd, int report)
{
	if (fd < 0)
		return fd;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 64);
	if (high < 0)
		child_fail(report);
	return high;
}

__attribute__((noreturn)) static void child(const struct proc_spec *spec, char *const *env, const int ends[3],
					    int report)
{
	int want[3] = {spec->in, spec->out, spec->err}, end[3], keep[16];
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	if (spec->session)
		(void)setsid();
	else if (spec->tied)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	else
		(void)setpgid(0, 0);
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);

	report = child_high(report, report);
	for (int i = 0; i < 3; i++) {
		end[i] = want[i] == PROC_PIPE ? child_high(ends[i], report) : -1;
		want[i] = child_high(want[i], report);
	}
	for (size_t i = 0; i < spec->nkeep; i++)
		keep[i] = child_high(spec->keep[i], report);
	for (int i = 0; i < 3; i++)
		child_stdio(want[i], end[i], i, report);
	for (size_t i = 0; i < spec->nkeep; i++)
		if (dup2(keep[i], 3 + (int)i) < 0)
			child_fail(report);
	/* Ours are close-on-exec already; this is for what a library may have opened. */
	(void)close_range(3 + (unsigned)spec->nkeep, ~0U, CLOSE_RANGE_CLOEXEC);
	environ = (char **)(uintptr_t)env;
	(void)execvp(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
	child_fail(report);
	_exit(127);
}

static char **build_env(const char *const *more, bool bare, struct arena *a)
{
	struct {
		char **v;
		size_t n, cap;
	} env = {0};

	for (char **old = environ; *old != NULL && !bare; old++)
		*vec_add(&env, a) = *old;
	for (; more != NULL && *more != NULL; more++) {
		const char *eq = strchr(*more, '=');
		assert(eq != NULL);
		size_t n = (size_t)(eq - *more) + 1, i = 0;
		while (i < env.n && strncmp(env.v[i], *more, n) != 0)
			i++;
		char **slot = i < env.n ? &env.v[i] : vec_add(&env, a);
		*slot = arena_strdup(a, *more);
	}
	*vec_add(&env, a) = NULL;
	return env.v;
}

int proc_spawn(const struct proc_spec *spec, struct proc *p, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errs[2] = {-1, -1}, report[2] = {-1, -1};
	int rc = -1;

	*p = (struct proc){.in = -1, .out = -1, .err = -1};
	assert(spec->nkeep <= 16);
	if (fd_pipe(report, e) < 0 || (spec->in == PROC_PIPE && fd_pipe(in, e) < 0) ||
	    (spec->out == PROC_PIPE && fd_pipe(out, e) < 0) || (spec->err == PROC_PIPE && fd_pipe(errs, e) < 0))
		goto out;
	char **env = build_env(spec->env, spec->bare, &a);
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child(spec, env, (const int[3]){in[0], out[1], errs[1]}, report[1]);
	if (pid < 0) {
		(void)err_sys(e, errno, "cannot start '%s'", spec->argv[0]);
		goto out;
	}
	if (!spec->tied)
		(void)setpgid(pid, pid); /* both sides do it, so that proc_signal cannot come too early */
	fd_close(&report[1]);
	int code = 0;
	ssize_t got;
	do
		got = read(report[0], &code, sizeof(code));
	while (got < 0 && errno == EINTR);
	if (got == sizeof(code)) {
		(void)waitpid(pid, NULL, 0);
		(void)err_sys(e, code, "cannot run '%s'", spec->argv[0]);
		if (code == ENOENT)
			(void)err_hint(e, "install it, or put its folder into PATH");
		goto out;
	}
	*p = (struct proc){pid, in[1], out[0], errs[0]};
	in[1] = out[0] = errs[0] = -1;
	rc = 0;
out:
	for (int i = 0; i < 2; i++) {
		fd_close(&report[i]);
		fd_close(&in[i]);
		fd_close(&out[i]);
		fd_close(&errs[i]);
	}
	return rc;
}

int proc_wait(struct proc *p, int *status, struct err *e)
{
	while (waitpid(p->pid, status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for process %d", (int)p->pid);
	p->pid = 0;
	return 0;
}

bool proc_ended(struct proc *p, int *status)
{
	if (p->pid == 0 || waitpid(p->pid, status, WNOHANG) != p->pid)
		return false;
	p->pid = 0;
	return true;
}

void proc_signal(const struct proc *p, int sig)
{
	/* A tied child has no group of its own. */
	if (p->pid > 0 && kill(-p->pid, sig) < 0)
		(void)kill(p->pid, sig);
}

void proc_end(struct proc *p)
{
	int status;

	if (p->pid > 0) {
		fd_close(&p->in);
		fd_close(&p->out);
		fd_close(&p->err);
		proc_signal(p, SIGTERM);
		for (int i = 0; i < 200 && !proc_ended(p, &status); i++)
			clock_sleep_ms(10);
		if (p->pid > 0) {
			proc_signal(p, SIGKILL);
			(void)waitpid(p->pid, &status, 0);
		}
		*p = (struct proc){.in = -1, .out = -1, .err = -1};
	}
}

const char *const *proc_argv(const struct strings *words, struct arena *a)
{
	struct strings argv = {0};

	for (size_t i = 0; i < words->n; i++)
		*vec_add(&argv, a) = words->v[i];
	*vec_add(&argv, a) = NULL;
	return argv.v;
}

const char *proc_status_text(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, size, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(out, size, "exit code %d", WEXITSTATUS(status));
	return out;
}

enum { ERR_TAIL = 8 * 1024 };

static int capture(struct proc *p, const struct str *input, size_t max_out, int64_t deadline, struct buf *out,
		   struct buf *errs, const char *name, struct err *e)
{
	struct str left = input != NULL ? *input : (struct str){0};
	bool told = stop_asked();

	if (p->in >= 0)
		fd_nonblock(p->in);
	while (p->out >= 0 || p->err >= 0) {
		struct pollfd f[3] = {{p->out, POLLIN, 0}, {p->err, POLLIN, 0}, {p->in, POLLOUT, 0}};
		int64_t wait = deadline == 0 ? -1 : deadline - clock_mono_ms();
		if (deadline != 0 && wait <= 0)
			return err_set(e, ERR_TIMEOUT, "'%s' did not finish in time", name);
		if (!told && stop_check(e) < 0)
			return -1;
		/* A signal may come right before poll: it is seen a second later. */
		int n = poll(f, 3, deadline == 0 || wait > 1000 ? 1000 : (int)wait);
		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot wait for '%s'", name);
		if (n <= 0)
			continue;
		if (f[2].revents != 0) {
			ssize_t w = left.n == 0 ? 0 : write(p->in, left.p, left.n);
			if (w > 0) {
				left.p += w;
				left.n -= (size_t)w;
			}
			if (left.n == 0 || (w < 0 && errno != EAGAIN && errno != EINTR))
				fd_close(&p->in);
		}
		if (f[0].revents != 0 && fd_read_some(p->out, out, 64 * 1024) <= 0)
			fd_close(&p->out);
		if (f[1].revents != 0 && fd_read_some(p->err, errs, 4096) <= 0)
			fd_close(&p->err);
		if (errs->n > ERR_TAIL)
			buf_drop(errs, errs->n - ERR_TAIL);
		if (out->n > max_out)
			return err_set(e, ERR_CORRUPT, "'%s' printed more than %zu bytes", name, max_out);
	}
	return 0;
}

static int run(const struct proc_spec *spec, const struct str *input, size_t max_out, int64_t timeout_ms,
	       struct arena *a, struct proc_result *r, struct err *e)
{
	AUTO(buf) struct buf out = {0};
	AUTO(buf) struct buf errs = {0};
	struct proc p;

	*r = (struct proc_result){0};
	if (proc_spawn(spec, &p, e) < 0)
		return -1;
	int64_t deadline = timeout_ms == 0 ? 0 : clock_mono_ms() + timeout_ms;
	if (capture(&p, input, max_out, deadline, &out, &errs, spec->argv[0], e) < 0) {
		proc_end(&p);
		return -1;
	}
	fd_close(&p.in);
	if (proc_wait(&p, &r->status, e) < 0)
		return -1;
	r->out = (struct str){str_dup(a, buf_str(&out)), out.n};
	r->err = (struct str){str_dup(a, buf_str(&errs)), errs.n};
	return 0;
}

int proc_run(const char *const *argv, const char *const *env, const struct str *input, size_t max_out,
	     int64_t timeout_ms, struct arena *a, struct proc_result *r, struct err *e)
{
	struct proc_spec spec = {.argv = argv,
				 .env = env,
				 .in = input != NULL && input->n > 0 ? PROC_PIPE : PROC_NULL,
				 .out = PROC_PIPE,
				 .err = PROC_PIPE};

	return run(&spec, input, max_out, timeout_ms, a, r, e);
}

int proc_run_on(const char *const *argv, int fd, int64_t timeout_ms, struct arena *a, struct proc_result *r,
		struct err *e)
{
	struct proc_spec spec = {.argv = argv, .in = fd, .out = fd, .err = PROC_PIPE};

	return run(&spec, NULL, 0, timeout_ms, a, r, e);
}
