#include "engine/side_run.h"

#include <sys/wait.h>

#include "wire/program.h"
#include "wire/zfs_text.h"

enum { MAX_OUTPUT = 512 * 1024 * 1024, SSH_FAILED = 255 };

int side_run(const struct side *s, struct str program, int64_t timeout_ms, struct arena *a, struct proc_result *r,
	     struct err *e)
{
	if (proc_run(side_argv(s, a), &program, MAX_OUTPUT, timeout_ms, a, r, e) < 0)
		return err_wrap(e, "cannot run commands on %s", s->label);
	if (s->remote && WIFSIGNALED(r->status)) {
		char how[80];
		(void)err_set(e, ERR_NET, "cannot run commands on %s", s->label);
		return err_why(e, "ssh was %s", proc_status_text(r->status, how, sizeof(how)));
	}
	if (s->remote && WIFEXITED(r->status) && WEXITSTATUS(r->status) == SSH_FAILED) {
		zfs_blame(r->err, e);
		return err_wrap(e, "cannot run commands on %s", s->label);
	}
	return 0;
}
