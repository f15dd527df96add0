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

/* One job while it runs. */
struct running {
	struct proc_job *job;
	struct proc p;
	struct str left; /* of its input */
	struct buf out, err;
};

static bool goes_on(const struct running *r)
{
	return r->p.out >= 0 || r->p.err >= 0;
}

static void give(struct running *r)
{
	ssize_t w = r->left.n == 0 ? 0 : write(r->p.in, r->left.p, r->left.n);

	if (w > 0) {
		r->left.p += w;
		r->left.n -= (size_t)w;
	}
	if (r->left.n == 0 || (w < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(&r->p.in);
}

static void take(struct running *r, const struct pollfd f[3], size_t max_out)
{
	if (f[2].revents != 0)
		give(r);
	if (f[0].revents != 0 && fd_read_some(r->p.out, &r->out, 64 * 1024) <= 0)
		fd_close(&r->p.out);
	if (f[1].revents != 0 && fd_read_some(r->p.err, &r->err, 4096) <= 0)
		fd_close(&r->p.err);
	if (r->err.n > ERR_TAIL)
		buf_drop(&r->err, r->err.n - ERR_TAIL);
	if (r->out.n <= max_out)
		return;
	(void)err_set(&r->job->err, ERR_CORRUPT, "'%s' printed more than %zu bytes", r->job->spec.argv[0], max_out);
	proc_end(&r->p);
}

/* Until all have closed what they print to. */
static int capture(struct running *r, size_t n, size_t max_out, int64_t deadline, struct err *e)
{
	bool told = stop_asked();

	for (;;) {
		struct pollfd f[3 * PROC_JOBS];
		const char *name = NULL;
		for (size_t i = 0; i < n; i++) {
			f[3 * i] = (struct pollfd){r[i].p.out, POLLIN, 0};
			f[3 * i + 1] = (struct pollfd){r[i].p.err, POLLIN, 0};
			f[3 * i + 2] = (struct pollfd){r[i].p.in, POLLOUT, 0};
			if (goes_on(&r[i]))
				name = r[i].job->spec.argv[0];
		}
		if (name == NULL)
			return 0;
		int64_t wait = deadline == 0 ? -1 : deadline - clock_mono_ms();
		if (deadline != 0 && wait <= 0)
			return err_set(e, ERR_TIMEOUT, "'%s' did not finish in time", name);
		if (!told && stop_check(e) < 0)
			return -1;
		/* A signal may come right before poll: it is seen a second later. */
		int ready = poll(f, 3 * n, deadline == 0 || wait > 1000 ? 1000 : (int)wait);
		if (ready < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot wait for '%s'", name);
		for (size_t i = 0; ready > 0 && i < n; i++)
			take(&r[i], &f[3 * i], max_out);
	}
}

static void begin(struct running *r, struct proc_job *job)
{
	*r = (struct running){.job = job, .p = {.in = -1, .out = -1, .err = -1}};
	job->result = (struct proc_result){0};
	job->err.kind = ERR_NONE;
	if (job->input != NULL)
		r->left = *job->input;
	if (proc_spawn(&job->spec, &r->p, &job->err) == 0 && r->p.in >= 0)
		fd_nonblock(r->p.in);
}

static void finish(struct running *r, const struct err *cut, struct arena *a)
{
	struct proc_job *job = r->job;

	if (r->p.pid > 0 && cut != NULL && goes_on(r)) {
		job->err = *cut;
		proc_end(&r->p);
	} else if (r->p.pid > 0) {
		fd_close(&r->p.in);
		if (proc_wait(&r->p, &job->result.status, &job->err) == 0) {
			job->result.out = (struct str){str_dup(a, buf_str(&r->out)), r->out.n};
			job->result.err = (struct str){str_dup(a, buf_str(&r->err)), r->err.n};
		}
	}
	buf_release(&r->out);
	buf_release(&r->err);
}

void proc_run_jobs(struct proc_job *jobs, size_t n, size_t max_out, int64_t timeout_ms, struct arena *a)
{
	struct running running[PROC_JOBS];
	struct err e;

	assert(n <= PROC_JOBS);
	for (size_t i = 0; i < n; i++)
		begin(&running[i], &jobs[i]);
	bool cut = capture(running, n, max_out, timeout_ms == 0 ? 0 : clock_mono_ms() + timeout_ms, &e) < 0;
	for (size_t i = 0; i < n; i++)
		finish(&running[i], cut ? &e : NULL, a);
}

static int run(struct proc_job *job, size_t max_out, int64_t timeout_ms, struct arena *a, struct proc_result *r,
	       struct err *e)
{
	proc_run_jobs(job, 1, max_out, timeout_ms, a);
	*r = job->result;
	if (job->err.kind == ERR_NONE)
		return 0;
	*e = job->err;
	return -1;
}

int proc_run(const char *const *argv, const char *const *env, const struct str *input, size_t max_out,
	     int64_t timeout_ms, struct arena *a, struct proc_result *r, struct err *e)
{
	struct proc_job job = {.spec = {.argv = argv,
					.env = env,
					.in = input != NULL && input->n > 0 ? PROC_PIPE : PROC_NULL,
					.out = PROC_PIPE,
					.err = PROC_PIPE},
			       .input = input};

	return run(&job, max_out, timeout_ms, a, r, e);
}

int proc_run_on(const char *const *argv, int fd, int64_t timeout_ms, struct arena *a, struct proc_result *r,
		struct err *e)
{
	struct proc_job job = {.spec = {.argv = argv, .in = fd, .out = fd, .err = PROC_PIPE}};

	return run(&job, 0, timeout_ms, a, r, e);
}
