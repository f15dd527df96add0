#include "engine/side_run.h"

#include <sys/wait.h>

#include "sys/fdio.h"
#include "wire/program.h"
#include "wire/zfs_blame.h"

enum { MAX_OUTPUT = 512 * 1024 * 1024, SSH_FAILED = 255 };

int side_judge(const struct side *s, const struct proc_result *r, struct err *e)
{
	if (s->remote && WIFSIGNALED(r->status)) {
		char how[80];
		(void)err_set(e, ERR_NET, "cannot run commands on %s", s->label);
		return err_why(e, "ssh was %s", proc_status_text(r->status, how, sizeof(how)));
	}
	if (s->remote && WIFEXITED(r->status) && WEXITSTATUS(r->status) == SSH_FAILED) {
		ssh_blame(r->err, e);
		return err_wrap(e, "cannot run commands on %s", s->label);
	}
	return 0;
}

void side_run_jobs(struct side_job *jobs, size_t n, int64_t timeout_ms, struct arena *a)
{
	struct proc_job run[PROC_JOBS];

	assert(n <= PROC_JOBS);
	for (size_t i = 0; i < n; i++)
		run[i] = (struct proc_job){
		    .spec = {.argv = side_argv(jobs[i].side, a), .in = PROC_PIPE, .out = PROC_PIPE, .err = PROC_PIPE},
		    .input = &jobs[i].program};
	proc_run_jobs(run, n, MAX_OUTPUT, timeout_ms, a);
	for (size_t i = 0; i < n; i++) {
		jobs[i].said = run[i].result;
		jobs[i].err = run[i].err;
		if (jobs[i].err.kind != ERR_NONE)
			(void)err_wrap(&jobs[i].err, "cannot run commands on %s", jobs[i].side->label);
		else
			(void)!side_judge(jobs[i].side, &jobs[i].said, &jobs[i].err);
	}
}

int side_run(const struct side *s, struct str program, int64_t timeout_ms, struct arena *a, struct proc_result *r,
	     struct err *e)
{
	struct side_job job = {.side = s, .program = program};

	side_run_jobs(&job, 1, timeout_ms, a);
	*r = job.said;
	if (job.err.kind == ERR_NONE)
		return 0;
	*e = job.err;
	return -1;
}

int side_stream(const struct side *s, struct str program, int out, struct arena *a, struct proc_result *r,
		struct err *e)
{
	struct proc_spec spec = {.argv = side_argv(s, a), .in = PROC_PIPE, .out = out, .err = PROC_PIPE};
	AUTO(buf) struct buf said = {0};
	struct proc p;

	*r = (struct proc_result){0};
	if (proc_spawn(&spec, &p, e) < 0)
		return err_wrap(e, "cannot run commands on %s", s->label);
	/* A side that went away shows in its status. */
	(void)!fd_write_all(p.in, program.p, program.n, e);
	fd_close(&p.in);
	while (fd_read_some(p.err, &said, 1 << 12) > 0)
		;
	fd_close(&p.err);
	if (proc_wait(&p, &r->status, e) < 0)
		return -1;
	r->err = (struct str){str_dup(a, buf_str(&said)), said.n};
	return side_judge(s, r, e);
}
