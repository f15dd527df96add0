#include "model/resource.h"

static const char *const names[] = {
    [RESOURCE_KEY_PAIR] = "key pair", [RESOURCE_SECURITY_GROUP] = "security group", [RESOURCE_VOLUME] = "volume"};

const char *resource_kind_name(enum resource_kind k)
{
	return names[k];
}

bool resource_kind_of(const char *name, enum resource_kind *k)
{
	for (*k = 0; *k < RESOURCE_KINDS; (*k)++)
		if (name != NULL && strcmp(names[*k], name) == 0)
			return true;
	return false;
}

const char *resource_title(const struct resource *r, struct arena *a)
{
	return r->name[0] == '\0' ? names[r->kind] : arena_printf(a, "%s '%s'", names[r->kind], r->name);
}
