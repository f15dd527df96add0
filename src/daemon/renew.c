/* A secret that was replaced while a machine runs. */
#include "conf/conf.h"
#include "daemon/keeper.h"
#include "provider/registry.h"

bool host_renew(struct keeper *k, struct host *h)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct config then;
	struct diags d = {0};
	struct err ignored;
	const struct config *now = keeper_config(k, &a, &ignored);
	const struct target *t = now == NULL ? NULL : config_target(now, h->target);

	if (t == NULL || !conf_load(str_of(h->config), "", false, provider_kinds(), PROVIDERS, NULL, &a, &then, &d) ||
	    then.targets.n != 1 || strcmp(then.targets.v[0].kind, t->kind) != 0)
		return false;
	const struct target_kind *kind = &provider_find(t->kind)->kind;
	struct target renewed = then.targets.v[0];
	char *settings = arena_alloc(&a, kind->size);
	bool changed = false;
	memcpy(settings, renewed.settings, kind->size);
	renewed.settings = settings;
	for (size_t i = 0; i < kind->nfields; i++) {
		const struct field *f = &kind->fields[i];
		const char **was = (const char **)(void *)(settings + f->offset);
		if (!f->renewed)
			continue;
		const char *is = *(const char *const *)(const void *)((const char *)t->settings + f->offset);
		changed |= *was == NULL || is == NULL ? *was != is : strcmp(*was, is) != 0;
		*was = is;
	}
	if (!changed)
		return false;
	conf_write_target(&b, &renewed, kind);
	host_set_config(h, buf_text(&b));
	return true;
}
