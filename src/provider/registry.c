#include "provider/registry.h"

#define KINDS(x) x(aws_ec2) x(disk) x(exec) x(forward) x(hcloud) x(libvirt) x(qemu) x(virtualbox) x(wake_on_lan)

#define OPS(name) &provider_##name,
static const struct provider_ops *const all[] = {KINDS(OPS)};
_Static_assert(ARRAY_LEN(all) == PROVIDERS, "registry.h counts them");

const struct provider_ops *provider_find(const char *kind)
{
	for (size_t i = 0; i < PROVIDERS; i++)
		if (strcmp(all[i]->kind.name, kind) == 0)
			return all[i];
	return NULL;
}

const struct target_kind *const *provider_kinds(void)
{
#define KIND(ops) &provider_##ops.kind,
	static const struct target_kind *const kinds[] = {KINDS(KIND)};
	return kinds;
}
