#include "cli/advising.h"

#include "provider/registry.h"

json_t *advising_json(struct cli *c, const char *target)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->config.targets.n; i++) {
		const struct target *t = &c->config.targets.v[i];
		const struct target_kind *kind = &provider_find(t->kind)->kind;
		struct advices all = {0};
		if (kind->advise == NULL || (target != NULL && strcmp(target, t->name) != 0))
			continue;
		kind->advise(t->settings, &c->arena, &all);
		for (size_t k = 0; k < all.n; k++) {
			json_t *one = json_object();
			json_put_text(one, "target", t->name);
			json_put_text(one, "what", all.v[k].what);
			json_put_text(one, "hint", all.v[k].hint);
			(void)json_array_append_new(list, one);
		}
	}
	return list;
}

void advising_print(const json_t *advices)
{
	const json_t *one;
	size_t i;

	json_array_foreach(advices, i, one)(void)
	    printf("note: target '%s': %s\nhint: %s\n", json_string_value(json_object_get(one, "target")),
		   json_string_value(json_object_get(one, "what")), json_string_value(json_object_get(one, "hint")));
}
