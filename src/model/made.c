#include "model/made.h"

const struct made_volume *made_volume(const struct made *m, const char *name)
{
	const struct made_volume *v = m->volumes.v;

	for (size_t i = 0; i < m->volumes.n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

uint64_t made_volume_gib(const struct made_volume *v)
{
	enum { GIB = 1 << 30 };

	return (v->size + GIB - 1) / GIB;
}
