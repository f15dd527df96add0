/* Running shell programs on a side (model/side.h). */
#ifndef ENGINE_SIDE_RUN_H
#define ENGINE_SIDE_RUN_H

#include "model/side.h"
#include "sys/proc.h"

struct side_job {
	const struct side *side;
	struct str program;
	struct proc_result said;
	struct err err; /* ERR_NONE: it ran */
};
/* Runs programs to their ends, at most PROC_JOBS side by side, and captures what they print.  Blocks.  ssh itself
 * failing (connection, login) is an error here, with a hint; any other exit code is the caller's to judge. */
void side_run_jobs(struct side_job *jobs, size_t n, int64_t timeout_ms, struct arena *a);
/* Likewise one. */
int side_run(const struct side *s, struct str program, int64_t timeout_ms, struct arena *a, struct proc_result *r,
	     struct err *e) MUST_CHECK;

/* Likewise, but what it prints goes to the descriptor out as it comes; r gets the status and the errors. */
int side_stream(const struct side *s, struct str program, int out, struct arena *a, struct proc_result *r,
		struct err *e) MUST_CHECK;

/* ssh itself may have failed, and not what it ran: -1 with e. */
int side_judge(const struct side *s, const struct proc_result *r, struct err *e) MUST_CHECK;

#endif
