#include "wire/resource_json.h"

json_t *resource_json(const struct resource *r)
{
	json_t *j = json_object(), *facts = json_object();

	(void)json_object_set_new(j, "kind", json_string(resource_kind_name(r->kind)));
	json_put_text(j, "role", resource_role_name(r->role));
	json_put_text(j, "name", r->name);
	json_put_text(j, "id", r->id);
	json_put_text(j, "user", r->user);
	for (size_t i = 0; i + 1 < r->facts.n; i += 2)
		json_put_text(facts, r->facts.v[i], r->facts.v[i + 1]);
	(void)json_object_set_new(j, "facts", facts);
	return j;
}

json_t *resources_json(const struct resources *list)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++)
		(void)json_array_append_new(j, resource_json(&list->v[i]));
	return j;
}

int resource_read(const json_t *j, struct arena *a, struct resource *r, struct err *e)
{
	json_t *facts = json_object_get(j, "facts"), *value;
	const char *name;

	*r = (struct resource){
	    .name = json_text(j, "name", a), .id = json_text(j, "id", a), .user = json_text(j, "user", a)};
	if (!resource_kind_of(json_text(j, "kind", a), &r->kind) ||
	    !resource_role_of(json_text(j, "role", a), &r->role) || r->name == NULL || !json_is_object(facts))
		return err_set(e, ERR_CORRUPT, "that is not what a worker says of a target's resources");
	json_object_foreach(facts, name, value)
	{
		if (!json_is_string(value))
			continue;
		*vec_add(&r->facts, a) = arena_strdup(a, name);
		*vec_add(&r->facts, a) = arena_strdup(a, json_string_value(value));
	}
	return 0;
}

int resources_read(const json_t *j, struct arena *a, struct resources *list, struct err *e)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(j))
		return err_set(e, ERR_CORRUPT, "that is not what a worker says of a target's resources");
	json_array_foreach(j, i, one)
	{
		if (resource_read(one, a, vec_add(list, a), e) < 0)
			return -1;
	}
	return 0;
}
