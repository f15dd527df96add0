/* A fixed address: always on before us, so nothing is started and nothing ends. */
#include "provider/existing.h"
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

static int forward_is_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	(void)env, (void)t, (void)e;
	return 1;
}

static int forward_address(const struct provider_env *env, const struct target *t, const char **address, struct err *e)
{
	const struct forward_settings *s = t->settings;
	return tool_address(env, s->to, address, e) < 0 ? -1 : 1;
}

static int forward_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	const char *address;
	return forward_address(env, t, &address, e) < 0 ? -1 : 0;
}

static const struct existing_ops existing = {.is_on = forward_is_on, .address = forward_address};

const struct provider_ops provider_forward = {
    .kind = {.name = "forward",
	     .doc = "a machine that is always on, at a fixed address",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct forward_settings),
	     .one = true,
	     .unchecked = true},
    .check = forward_check,
    .start = existing_start,
    .describe = existing_describe,
    .stop = existing_stop,
    .list = existing_list,
    .existing = &existing,
};
