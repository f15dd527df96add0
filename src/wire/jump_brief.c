#include "wire/jump_brief.h"

#include "wire/json.h"

void jump_brief_write(struct buf *b, const struct jump_brief *brief)
{
	AUTO(json) json_t *j = json_object();
	json_t *clients = json_array();

	for (size_t i = 0; i < brief->clients.n; i++) {
		const struct jump_client *c = &brief->clients.v[i];
		json_t *one = json_object(), *keys = json_array(), *principals = json_array(), *doors = json_array();
		for (size_t k = 0; k < c->keys.n; k++)
			(void)json_array_append_new(keys, json_any(c->keys.v[k]));
		for (size_t k = 0; k < c->doors.n; k++)
			(void)json_array_append_new(doors, json_pack("{s:s,s:I}", "target", c->doors.v[k].target,
								     "port", (json_int_t)c->doors.v[k].port));
		(void)json_object_set_new(one, "name", json_any(c->name));
		(void)json_object_set_new(one, "plain", json_boolean(c->plain));
		json_put_text(one, "authority", c->authority);
		for (size_t k = 0; k < c->principals.n; k++)
			(void)json_array_append_new(principals, json_any(c->principals.v[k]));
		(void)json_object_set_new(one, "principals", principals);
		(void)json_object_set_new(one, "keys", keys);
		(void)json_object_set_new(one, "doors", doors);
		(void)json_array_append_new(clients, one);
	}
	(void)json_object_set_new(j, "host_key", json_any(brief->host_key));
	(void)json_object_set_new(j, "uid", json_integer(brief->uid));
	(void)json_object_set_new(j, "gid", json_integer(brief->gid));
	(void)json_object_set_new(j, "clients", clients);
	json_write(b, j);
}

static bool read_texts(const json_t *list, struct arena *a, struct strings *out)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (!json_is_string(v))
			return false;
		*vec_add(out, a) = arena_strdup(a, json_string_value(v));
	}
	return true;
}

static bool read_client(const json_t *j, struct arena *a, struct jump_client *c)
{
	const json_t *v;
	size_t i;

	c->name = json_text(j, "name", a);
	c->plain = json_is_true(json_object_get(j, "plain"));
	c->authority = json_text(j, "authority", a);
	if (!read_texts(json_object_get(j, "keys"), a, &c->keys) ||
	    !read_texts(json_object_get(j, "principals"), a, &c->principals))
		return false;
	json_array_foreach(json_object_get(j, "doors"), i, v)
	{
		const char *target = json_text(v, "target", a);
		if (target == NULL)
			return false;
		*vec_add(&c->doors, a) = (struct jump_door){target, json_integer_value(json_object_get(v, "port"))};
	}
	return c->name != NULL;
}

int jump_brief_read(struct str text, struct arena *a, struct jump_brief *brief, struct err *e)
{
	AUTO(json) json_t *j = json_parse(text, "the brief", e);
	const json_t *v;
	size_t i;

	*brief = (struct jump_brief){0};
	if (j == NULL)
		return -1;
	brief->host_key = json_text(j, "host_key", a);
	brief->uid = json_integer_value(json_object_get(j, "uid"));
	brief->gid = json_integer_value(json_object_get(j, "gid"));
	bool good = brief->host_key != NULL;
	json_array_foreach(json_object_get(j, "clients"), i, v) good &= read_client(v, a, vec_add(&brief->clients, a));
	return good ? 0 : err_set(e, ERR_USAGE, "the process of a connection is started by dormouse jump, not by hand");
}
