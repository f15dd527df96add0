#include "model/resource.h"

static const char *const names[] = {[RESOURCE_KEY_PAIR] = "key pair", [RESOURCE_SECURITY_GROUP] = "security group",
				    [RESOURCE_FIREWALL] = "firewall", [RESOURCE_VOLUME] = "volume",
				    [RESOURCE_DATASET] = "dataset",   [RESOURCE_RECIPIENT] = "recipient",
				    [RESOURCE_TRIGGER] = "trigger",   [RESOURCE_CHECK] = "check"};

size_t resources_like(const struct resources *list, const struct resource *like, const struct resource **first)
{
	size_t n = 0;

	for (size_t i = list->n; i-- > 0;) {
		if (list->v[i].kind != like->kind || list->v[i].role != like->role ||
		    strcmp(list->v[i].name, like->name) != 0)
			continue;
		*first = &list->v[i];
		n++;
	}
	return n;
}

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

static const char *const roles[] = {[ROLE_NOW] = "now", [ROLE_NEXT] = "next", [ROLE_OLD] = "old"};

const char *resource_role_name(enum resource_role r)
{
	return roles[r];
}

bool resource_role_of(const char *name, enum resource_role *r)
{
	for (size_t i = 0; i < ARRAY_LEN(roles) && name != NULL; i++) {
		*r = (enum resource_role)i;
		if (strcmp(roles[i], name) == 0)
			return true;
	}
	return false;
}

const char *resource_title(const struct resource *r, struct arena *a)
{
	return r->name[0] == '\0' ? names[r->kind] : arena_printf(a, "%s '%s'", names[r->kind], r->name);
}
