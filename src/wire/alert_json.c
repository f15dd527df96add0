#include "wire/alert_json.h"

json_t *alert_json(const struct alert_memos *all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->n; i++) {
		const struct alert_memo *m = &all->v[i];
		json_t *j = json_object();
		json_put_text(j, "key", m->key);
		json_put_text(j, "level", health_level_name(m->level));
		json_put_text(j, "text", m->text);
		(void)json_object_set_new(j, "since", json_integer(m->since));
		(void)json_object_set_new(j, "gone", json_integer(m->gone));
		(void)json_object_set_new(j, "told", json_integer(m->told));
		json_put_text(j, "as", health_level_name(m->as));
		(void)json_array_append_new(list, j);
	}
	return list;
}

static bool level_read(const json_t *j, const char *name, enum health_level *out)
{
	const char *word = json_string_value(json_object_get(j, name));

	for (*out = HEALTH_OK; word != NULL && *out <= HEALTH_CRITICAL; *out += 1)
		if (strcmp(word, health_level_name(*out)) == 0)
			return true;
	return false;
}

int alert_read(const json_t *list, struct arena *a, struct alert_memos *out, struct err *e)
{
	json_t *j;
	size_t i;

	json_array_foreach(list, i, j)
	{
		struct alert_memo m = {.key = json_text(j, "key", a),
				       .text = json_text(j, "text", a),
				       .since = json_integer_value(json_object_get(j, "since")),
				       .gone = json_integer_value(json_object_get(j, "gone")),
				       .told = json_integer_value(json_object_get(j, "told"))};
		if (m.key == NULL || m.text == NULL || !level_read(j, "level", &m.level) || !level_read(j, "as", &m.as))
			return err_set(e, ERR_CORRUPT, "what was told of problem %zu cannot be read", i + 1);
		*vec_add(out, a) = m;
	}
	return 0;
}
