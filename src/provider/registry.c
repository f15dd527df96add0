#include "provider/registry.h"

static const struct provider_ops *const all[PROVIDERS] = {&provider_exec, &provider_qemu};

const struct provider_ops *provider_find(const char *kind)
{
	for (size_t i = 0; i < PROVIDERS; i++)
		if (strcmp(all[i]->kind.name, kind) == 0)
			return all[i];
	return NULL;
}

const struct target_kind *const *provider_kinds(void)
{
	static const struct target_kind *const kinds[PROVIDERS] = {&provider_exec.kind, &provider_qemu.kind};
	return kinds;
}
