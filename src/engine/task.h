/* A worker as the one sees it who starts it: a process that is given one order and answers it (wire/worker_order.h). */
#ifndef ENGINE_TASK_H
#define ENGINE_TASK_H

#include "base/buf.h"
#include "base/err.h"
#include "sys/proc.h"
#include "wire/worker_order.h"

struct task {
	const char *op; /* what it does; NULL: none runs */
	struct proc proc;
	struct buf in;
};
#define TASK_INIT                                         \
	{                                                 \
		.proc = {.in = -1, .out = -1, .err = -1 } \
	}

/* self: the program. */
int task_begin(struct task *t, const char *self, const struct worker_order *o, struct err *e) MUST_CHECK;
/* What it has written by now.  GOES_ON: nothing more; PROGRESS: a line for people, in *text; SETTLED: the target's
 * block from now on, in *text; ANSWERED: *answer is the caller's, or NULL with e for a failure, and the task has ended;
 * DIED: likewise, e says so. */
enum task_said { TASK_GOES_ON, TASK_PROGRESS, TASK_SETTLED, TASK_ANSWERED };
enum task_said task_hear(struct task *t, struct arena *a, const char **text, json_t **answer, struct err *e);
/* All of it at once: blocks until the answer, which is the caller's; NULL: it failed.  tell, which may be NULL, gets
 * the lines for people. */
json_t *task_run(const char *self, const struct worker_order *o, struct arena *a, void (*tell)(const char *text),
		 struct err *e);
/* Kills it, if it runs. */
void task_end(struct task *t);
void task_release(struct task *t);

#endif
