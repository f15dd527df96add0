#include "wire/properties.h"

#include "wire/json.h"

enum { LIMIT = 8000, MARGIN = 64 };

static size_t put(json_t *j, const struct properties *p, bool of_users, size_t used)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct property *one = &p->v[i];
		/* Escaped it may be longer: what is not plain counts six times. */
		size_t size = strlen(one->name) + 6;
		for (const char *c = one->value; *c != '\0'; c++)
			size += *c < ' ' || *c > '~' || *c == '"' || *c == '\\' ? 6 : 1;
		if ((strchr(one->name, ':') != NULL) != of_users)
			continue;
		if (used + size > LIMIT - MARGIN) {
			(void)json_object_set_new(j, "dormouse:incomplete", json_string("on"));
			continue;
		}
		(void)json_object_set_new(j, one->name, json_any(one->value));
		used += size;
	}
	return used;
}

const char *properties_text(const struct properties *p, struct arena *a)
{
	AUTO(json) json_t *j = json_object();
	AUTO(buf) struct buf b = {0};

	(void)put(j, p, true, put(j, p, false, 0));
	json_write(&b, j);
	return str_dup(a, buf_str(&b));
}

int properties_parse(struct str text, struct arena *a, struct properties *p, struct err *e)
{
	AUTO(json) json_t *j = json_parse(text, PROPERTIES_NAME, e);
	const char *name;
	json_t *value;

	*p = (struct properties){0};
	if (!json_is_object(j))
		return j == NULL ? -1 : err_set(e, ERR_CORRUPT, PROPERTIES_NAME " is not an object");
	json_object_foreach(j, name, value)
	{
		const char *content = json_string_value(value);
		if (content == NULL)
			return err_set(e, ERR_CORRUPT, "'%s' in " PROPERTIES_NAME " is not a text", name);
		*vec_add(p, a) = (struct property){arena_strdup(a, name), arena_strdup(a, content)};
	}
	return 0;
}
