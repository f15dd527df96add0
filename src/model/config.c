#include "model/config.h"

const struct target *config_target(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->targets.n; i++)
		if (strcmp(c->targets.v[i].name, name) == 0)
			return &c->targets.v[i];
	return NULL;
}

const struct snapshot_policy *config_policy(const struct config *c, const char *on)
{
	for (size_t i = 0; i < c->policies.n; i++) {
		const char *of = c->policies.v[i].on;
		if (of == on || (of != NULL && on != NULL && strcmp(of, on) == 0))
			return &c->policies.v[i];
	}
	return NULL;
}

const struct backup *config_backup(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->backups.n; i++)
		if (strcmp(c->backups.v[i].name, name) == 0)
			return &c->backups.v[i];
	return NULL;
}
