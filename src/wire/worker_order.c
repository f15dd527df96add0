#include "wire/worker_order.h"

static const struct member {
	const char *name;
	size_t offset;
	bool may_lack;
} members[] = {
    {"op", offsetof(struct worker_order, op), false},
    {"target", offsetof(struct worker_order, target), false},
    {"token", offsetof(struct worker_order, token), false},
    {"config", offsetof(struct worker_order, config), false},
    {"runtime_dir", offsetof(struct worker_order, runtime_dir), false},
    {"use", offsetof(struct worker_order, use), true},
    {"facts", offsetof(struct worker_order, facts), true},
    {"wanted", offsetof(struct worker_order, wanted), true},
    {"found", offsetof(struct worker_order, found), true},
};

void worker_order_write(struct buf *b, const struct worker_order *o)
{
	AUTO(json) json_t *j = json_object();

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *text;
		memcpy(&text, (const char *)o + members[i].offset, sizeof(text));
		if (text != NULL)
			(void)json_object_set_new(j, members[i].name, json_any(text));
	}
	(void)json_object_set_new(j, "drained", json_boolean(o->drained));
	(void)json_object_set_new(j, "timeout_ms", json_integer(o->timeout_ms));
	json_write(b, j);
}

int worker_order_read(struct str text, struct arena *a, struct worker_order *o, struct err *e)
{
	AUTO(json) json_t *j = json_parse(text, "the order", e);

	if (j == NULL)
		return -1;
	*o = (struct worker_order){.drained = json_is_true(json_object_get(j, "drained")),
				   .timeout_ms = json_integer_value(json_object_get(j, "timeout_ms"))};
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *one = json_text(j, members[i].name, a);
		if (one == NULL && !members[i].may_lack)
			return err_set(e, ERR_USAGE, "a worker is started by dormouse itself, not by hand");
		memcpy((char *)o + members[i].offset, &one, sizeof(one));
	}
	return 0;
}

json_t *worker_answer(json_t *line, struct err *e)
{
	if (line == NULL || json_is_true(json_object_get(line, "ok")))
		return line;
	json_to_err(json_object_get(line, "error"), e);
	json_decref(line);
	return NULL;
}
