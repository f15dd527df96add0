/* Any program as provider: one request as a line of JSON on its standard input, lines of progress and
 * one answer on its standard output (dormouse-provider(7)). */
#include <poll.h>
#include <sys/wait.h>

#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"
#include "wire/machine_json.h"

enum { ANSWER_MAX = 256 * 1024 };

struct exec_settings {
	struct strings command;
};

static const struct field fields[] = {
    {.name = "command",
     .type = FIELD_STRINGS,
     .offset = offsetof(struct exec_settings, command),
     .required = true,
     .doc = "the program and its arguments; see dormouse-provider(7)"},
};

/* Reads the next line into *line; false at the end, or when the deadline has passed. */
static bool next_line(struct proc *p, struct buf *in, int64_t deadline_ms, struct arena *a, struct str *line,
		      bool *late)
{
	for (;;) {
		const char *end = in->n == 0 ? NULL : memchr(in->p, '\n', in->n);
		if (end != NULL) {
			size_t n = (size_t)(end - in->p);
			*line = (struct str){arena_strndup(a, in->p, n), n};
			buf_drop(in, n + 1);
			return true;
		}
		int64_t wait = deadline_ms - clock_mono_ms();
		struct pollfd f = {p->out, POLLIN, 0};
		*late = wait <= 0 || poll(&f, 1, (int)wait) == 0;
		if (*late || in->n > ANSWER_MAX || fd_read_some(p->out, in, 4096) <= 0)
			return false;
	}
}

static json_t *converse(const struct provider_env *env, struct proc *p, const char *name, struct err *e)
{
	AUTO(buf) struct buf in = {0};
	struct str line;
	bool late = false;

	for (;;) {
		AUTO(arena) struct arena a = {0}; /* of this line: there may be very many */
		if (!next_line(p, &in, env->deadline_ms, &a, &line, &late))
			break;
		json_t *j = json_parse(line, "what the program answered", e);
		if (j == NULL) {
			(void)err_wrap(e, "'%s' does not speak dormouse-provider(7)", name);
			return NULL;
		}
		const char *progress = json_text(j, "progress", &a);
		if (progress == NULL)
			return j;
		if (env->progress != NULL)
			env->progress(env, progress);
		json_decref(j);
	}
	(void)err_set(e, late ? ERR_TIMEOUT : ERR_CORRUPT,
		      late ? "'%s' did not answer in time" : "'%s' ended without an answer", name);
	return NULL;
}

/* One request and its answer; NULL with *e when the program failed or says so. */
static json_t *ask(const struct provider_env *env, const struct target *t, const char *op, const char *token,
		   struct err *e)
{
	const struct exec_settings *s = t->settings;
	AUTO(json) json_t *request = json_object();
	AUTO(buf) struct buf line = {0};
	struct proc p;
	int status = 0;

	if (s->command.n == 0) {
		(void)err_set(e, ERR_CONFIG, "the command of target '%s' is empty", t->name);
		return NULL;
	}
	(void)json_object_set_new(request, "op", json_string(op));
	(void)json_object_set_new(request, "target", json_any(t->name));
	(void)json_object_set_new(request, "token", json_any(token));
	(void)json_object_set_new(request, "runtime_dir", json_any(env->runtime_dir));
	json_write(&line, request);
	buf_putc(&line, '\n');
	struct proc_spec spec = {.argv = proc_argv(&s->command, env->arena),
				 .in = PROC_PIPE,
				 .out = PROC_PIPE,
				 .err = PROC_INHERIT,
				 .tied = true};
	if (proc_spawn(&spec, &p, e) < 0)
		return NULL;
	struct err ignored; /* a program that reads nothing may still answer */
	(void)!fd_write_all(p.in, line.p, line.n, &ignored);
	fd_close(&p.in);
	json_t *answer = converse(env, &p, s->command.v[0], e);
	fd_close(&p.out);
	if (answer == NULL)
		proc_end(&p);
	else if (proc_wait(&p, &status, &ignored) < 0)
		status = 0;
	if (answer == NULL || json_is_true(json_object_get(answer, "ok")))
		return answer;
	const json_t *fault = json_object_get(answer, "error");
	if (json_is_object(fault))
		json_to_err(fault, e);
	else
		(void)err_set(e, ERR_SYSTEM, "'%s' failed to %s target '%s'", s->command.v[0], op, t->name);
	json_decref(answer);
	return NULL;
}

static int exec_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	AUTO(json) json_t *j = ask(env, t, "check", "", e);
	return j == NULL ? -1 : 0;
}

static int exec_start(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		      struct machine_facts *f, struct err *e)
{
	AUTO(json) json_t *j = ask(env, t, "start", id->token, e);

	if (j == NULL || machine_facts_read(j, env->arena, f, e) < 0)
		return -1;
	if (f->power != POWER_RUNNING)
		return err_set(e, ERR_CORRUPT, "the program says that target '%s' is started, and that it does not run",
			       t->name);
	const char *token = json_text(j, "token", env->arena);
	if (token == NULL || strcmp(token, id->token) == 0)
		return 0;
	(void)err_set(e, ERR_CORRUPT, "the program has not started the machine of target '%s' that it was asked for",
		      t->name);
	(void)err_why(e, "it answers with the token '%s', and was asked for '%s'", token, id->token);
	return err_hint(e, "another token is another machine: dormouse-provider(7)");
}

static int exec_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			 struct machine_facts *f, struct err *e)
{
	AUTO(json) json_t *j = ask(env, t, "describe", id->token, e);

	return j == NULL ? -1 : machine_facts_read(j, env->arena, f, e);
}

static int exec_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id, struct err *e)
{
	AUTO(json) json_t *j = ask(env, t, "stop", id->token, e);
	return j == NULL ? -1 : 0;
}

static int exec_list(const struct provider_env *env, const struct target *t, machine_fn *fn, void *arg, struct err *e)
{
	AUTO(json) json_t *j = ask(env, t, "list", "", e);
	json_t *one;
	size_t i;

	if (j == NULL)
		return -1;
	if (!json_is_array(json_object_get(j, "machines")))
		return err_set(e, ERR_CORRUPT, "the answer to \"list\" has no \"machines\"");
	json_array_foreach(json_object_get(j, "machines"), i, one)
	{
		struct machine_facts f;
		const char *token = json_text(one, "token", env->arena);
		struct machine_id id = {t->name, token == NULL ? "" : token};
		if (machine_facts_read(one, env->arena, &f, e) < 0)
			return -1;
		if (f.power != POWER_ABSENT)
			fn(arg, &id, &f);
	}
	return 0;
}

const struct provider_ops provider_exec = {
    .kind = {.name = "exec",
	     .doc = "any program",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct exec_settings)},
    .check = exec_check,
    .start = exec_start,
    .describe = exec_describe,
    .stop = exec_stop,
    .list = exec_list,
};
