#include "engine/task.h"

#include <string.h>
#include <sys/wait.h>

#include "sys/fdio.h"

int task_begin(struct task *t, const char *self, const struct worker_order *o, struct err *e)
{
	const char *const argv[] = {self, "worker", o->op, o->target, NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_PIPE, .out = PROC_PIPE, .err = PROC_INHERIT};
	AUTO(buf) struct buf b = {0};
	struct err ignored;

	worker_order_write(&b, o);
	if (proc_spawn(&spec, &t->proc, e) < 0)
		return -1;
	t->op = o->op;
	/* An order fits into a pipe; a worker that is gone already is noticed by its end. */
	(void)!fd_write_all(t->proc.in, b.p, b.n, &ignored);
	fd_close(&t->proc.in);
	fd_nonblock(t->proc.out);
	return 0;
}

void task_end(struct task *t)
{
	proc_end(&t->proc);
	fd_close(&t->proc.out);
	fd_close(&t->proc.in);
	t->op = NULL;
	buf_clear(&t->in);
}

void task_release(struct task *t)
{
	task_end(t);
	buf_release(&t->in);
}

/* The next whole line, as JSON; false: there is none. */
static bool next_line(struct task *t, json_t **j, struct err *e)
{
	const char *end = t->in.n == 0 ? NULL : memchr(t->in.p, '\n', t->in.n);

	if (end == NULL)
		return false;
	size_t len = (size_t)(end - t->in.p);
	*j = json_parse((struct str){t->in.p, len}, "what the worker says", e);
	buf_drop(&t->in, len + 1);
	return true;
}

/* Its answer was the last that it does. */
static enum task_said answered(struct task *t, json_t *j, json_t **answer, struct err *e)
{
	*answer = worker_answer(j, e);
	(void)waitpid(t->proc.pid, NULL, 0);
	t->proc.pid = 0;
	task_end(t);
	return TASK_ANSWERED;
}

enum task_said task_hear(struct task *t, struct arena *a, const char **text, json_t **answer, struct err *e)
{
	json_t *j;
	int n = fd_read_some(t->proc.out, &t->in, 64 * 1024);

	*answer = NULL;
	if (next_line(t, &j, e)) {
		const char *config = json_text(j, "config", a);
		*text = config != NULL ? config : json_text(j, "progress", a);
		if (*text == NULL)
			return answered(t, j, answer, e);
		json_decref(j);
		return config != NULL ? TASK_SETTLED : TASK_PROGRESS;
	}
	if (n != 0 && n != -1)
		return TASK_GOES_ON;
	(void)err_set(e, ERR_SYSTEM, "the worker ended in the middle of its work (%s)", t->op);
	(void)err_hint(e, "what it wrote to standard error, or to the keeper's log, may say why");
	task_end(t);
	return TASK_ANSWERED;
}

json_t *task_run(const char *self, const struct worker_order *o, struct arena *a, void (*tell)(const char *text),
		 struct err *e)
{
	struct task t = TASK_INIT;
	json_t *answer = NULL;
	const char *text;

	if (task_begin(&t, self, o, e) < 0) {
		task_release(&t);
		return NULL;
	}
	fd_block(t.proc.out);
	for (enum task_said said = TASK_GOES_ON; said != TASK_ANSWERED;) {
		said = task_hear(&t, a, &text, &answer, e);
		if (said == TASK_PROGRESS && tell != NULL)
			tell(text);
	}
	task_release(&t);
	return answer;
}
