/* Any bytes, as native syntax and as JSON: answered, and every diagnostic can be shown. */
#include "conf/conf.h"
#include "provider/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool no_file(void *ctx, const char *path, struct arena *a, struct str *out, const char **why)
{
	(void)ctx, (void)path, (void)a;
	*out = str_of("");
	*why = "no";
	return strlen(path) % 2 == 1;
}

static const char *no_env(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'A' ? "a" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf_env env = {NULL, no_file, no_env};
	struct str text = {(const char *)data, size};

	for (int json = 0; json < 2; json++) {
		AUTO(arena) struct arena a = {0};
		AUTO(buf) struct buf b = {0};
		struct config c;
		struct diags d = {0};
		if (!conf_load(text, "f", json, provider_kinds(), PROVIDERS, &env, &a, &c, &d))
			diags_render(&d, "f", text, &b);
		else
			for (size_t i = 0; i < c.targets.n; i++)
				conf_write_target(&b, &c.targets.v[i], &provider_find(c.targets.v[i].kind)->kind);
	}
	return 0;
}
