#include "engine/around.h"

#include "engine/hook.h"

static void set(const struct run *r, struct strings *env, const char *name, const char *value)
{
	*vec_add(env, r->arena) = arena_printf(r->arena, "%s=%s", name, value);
}

static void set_number(const struct run *r, struct strings *env, const char *name, uint64_t n)
{
	set(r, env, name, arena_printf(r->arena, "%llu", (unsigned long long)n));
}

static const char *place(const struct run *r, const char *target, const char *dataset)
{
	return target == NULL ? dataset : arena_printf(r->arena, "%s:%s", target, dataset);
}

static struct strings environment(const struct run *r)
{
	const struct backup *b = r->backup;
	struct strings env = {0};

	set(r, &env, "DORMOUSE_BACKUP", b->name);
	set(r, &env, "DORMOUSE_SOURCE", place(r, b->source_target, b->source));
	set(r, &env, "DORMOUSE_DESTINATION", place(r, b->dest_target, b->dest));
	return env;
}

int around_before(const struct run *r, struct err *e)
{
	struct strings env = environment(r);

	*vec_add(&env, r->arena) = NULL;
	if (hook_run("before", &r->backup->before, env.v, r->backup->hook_timeout_ms, NULL, r->arena, e) == 0)
		return 0;
	return err_hint(e, "it is '%s' in backup '%s'; without its success there is no run", r->backup->before.v[0],
			r->backup->name);
}

int around_after(const struct run *r, int exit_status, const char *result, const struct err *whole, struct err *e)
{
	struct strings env = environment(r);
	size_t proven = 0;
	char line[800] = "";

	for (size_t i = 0; i < r->outcomes.n; i++) {
		const struct outcome *o = &r->outcomes.v[i];
		proven += o->proven;
		if (!o->proven && line[0] == '\0')
			err_line(&o->err, line, sizeof(line));
	}
	if (whole != NULL)
		err_line(whole, line, sizeof(line));
	set(r, &env, "SERVICE_RESULT", exit_status == 0 ? "success" : "exit-code");
	set(r, &env, "EXIT_CODE", "exited");
	set_number(r, &env, "EXIT_STATUS", (uint64_t)exit_status);
	set_number(r, &env, "DORMOUSE_DATASETS", r->outcomes.n);
	set_number(r, &env, "DORMOUSE_PROVEN", proven);
	set_number(r, &env, "DORMOUSE_BYTES", r->bytes);
	set(r, &env, "DORMOUSE_ERROR", line);
	*vec_add(&env, r->arena) = NULL;
	if (hook_run("after", &r->backup->after, env.v, r->backup->hook_timeout_ms, result, r->arena, e) == 0)
		return 0;
	return err_hint(e, "it is '%s' in backup '%s'", r->backup->after.v[0], r->backup->name);
}
