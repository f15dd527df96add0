/* A fixed address: nothing is started, nothing ends. */
#include "provider/registry.h"
#include "provider/tool.h"

struct forward_settings {
	const char *to;
};

static const struct field fields[] = {
    {.name = "to",
     .type = FIELD_STRING,
     .offset = offsetof(struct forward_settings, to),
     .required = true,
     .doc = "the name or address that every port is reached at"},
};

static int forward_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	(void)env, (void)t, (void)e;
	return 0;
}

static int forward_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			    struct machine_facts *f, struct err *e)
{
	const struct forward_settings *s = t->settings;

	(void)id;
	*f = (struct machine_facts){.power = POWER_RUNNING, .id = s->to};
	return tool_address(env, s->to, &f->address, e);
}

static int forward_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			struct err *e)
{
	(void)env, (void)t, (void)id, (void)e;
	return 0;
}

static int forward_list(const struct provider_env *env, const struct target *t, machine_fn *fn, void *arg,
			struct err *e)
{
	(void)env, (void)t, (void)fn, (void)arg, (void)e;
	return 0;
}

const struct provider_ops provider_forward = {
    .kind = {.name = "forward",
	     .doc = "a machine that is always on, at a fixed address",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct forward_settings),
	     .one = true,
	     .unchecked = true},
    .check = forward_check,
    .start = forward_describe,
    .describe = forward_describe,
    .stop = forward_stop,
    .list = forward_list,
};
