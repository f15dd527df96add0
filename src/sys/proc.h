/* Running programs.  No shell is involved unless argv names one. */
#ifndef SYS_PROC_H
#define SYS_PROC_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

/* What a child gets as one of its standard descriptors: an open descriptor (>= 0, which stays the
 * caller's), or one of these. */
enum { PROC_NULL = -1, PROC_PIPE = -2, PROC_INHERIT = -3 };

struct proc_spec {
	const char *const *argv; /* argv[0] is looked up in PATH unless it has a '/' */
	const char *const *env;	 /* "NAME=value" to add to ours, NULL-terminated, or NULL */
	bool bare;		 /* without ours: what is in it may be secret */
	int in, out, err;
	bool session;	 /* setsid: outlives us, not hit by our terminal's signals */
	bool tied;	 /* stays in our process group, and is killed when we die, however */
	const int *keep; /* more descriptors to hand on, as 3, 4, …; count in nkeep */
	size_t nkeep;
};

struct proc {
	pid_t pid;	  /* 0 = not running */
	int in, out, err; /* our ends of the pipes (close-on-exec), or -1 */
};

/* The words of a command, as the file has them, with the NULL that ends an argv; in the arena. */
const char *const *proc_argv(const struct strings *words, struct arena *a);

/* Starts a child in its own process group with default signals, every other descriptor closed.
 * A program that cannot be executed is an error here, not exit code 127. */
int proc_spawn(const struct proc_spec *spec, struct proc *p, struct err *e) MUST_CHECK;
/* Blocks until it ended; wait status as waitpid gives it. */
int proc_wait(struct proc *p, int *status, struct err *e) MUST_CHECK;
/* Does not block; true when it has ended. */
bool proc_ended(struct proc *p, int *status);
/* Signals the child's process group; nothing if it is not running. */
void proc_signal(const struct proc *p, int sig);
/* Closes our ends, kills (TERM, then KILL after 2 s) and reaps what still runs.  {0} is fine. */
void proc_end(struct proc *p);
/* "exit code 1", "killed by signal 15 (Terminated)" into out; returns out. */
const char *proc_status_text(int status, char *out, size_t size);

struct proc_result {
	int status;	/* wait status */
	struct str out; /* in the arena, NUL-terminated */
	struct str err; /* likewise, the last 8 KiB */
};
/* Programs that run side by side. */
enum { PROC_JOBS = 2 };
struct proc_job {
	struct proc_spec spec;	 /* of what it prints to, those that are PROC_PIPE are captured; at least one is */
	const struct str *input; /* to its stdin, if that is PROC_PIPE; or NULL */
	struct proc_result result;
	struct err err; /* ERR_NONE: it ran to its end */
};
/* Runs programs to their ends, at most PROC_JOBS; out and err are captured, at most max_out bytes of out (more is an
 * error).  timeout_ms 0 = none; when it passes those that still run are killed and their err is ERR_TIMEOUT; likewise
 * ERR_CANCELLED when this process is told to end meanwhile (sys/stop.h).  What begins after that is left to finish.  A
 * non-zero exit is not an error here: look at status.  Blocks. */
void proc_run_jobs(struct proc_job *jobs, size_t n, size_t max_out, int64_t timeout_ms, struct arena *a);
/* Likewise one: env as in proc_spec, input goes to its stdin (NULL = none). */
int proc_run(const char *const *argv, const char *const *env, const struct str *input, size_t max_out,
	     int64_t timeout_ms, struct arena *a, struct proc_result *r, struct err *e) MUST_CHECK;
/* Likewise, with a connection, which stays the caller's, as both its input and its output: r->out is empty. */
int proc_run_on(const char *const *argv, int fd, int64_t timeout_ms, struct arena *a, struct proc_result *r,
		struct err *e) MUST_CHECK;

#endif
