#include "wire/json.h"

#include "base/num.h"

void json_auto(json_t **j)
{
	json_decref(*j);
}

json_t *json_parse(struct str text, const char *what, struct err *e)
{
	json_error_t fault;
	json_t *j = json_loadb(text.n == 0 ? "" : text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);

	if (j == NULL) {
		(void)err_set(e, ERR_CORRUPT, "cannot read %s", what);
		(void)err_why(e, "%s, line %d, column %d", fault.text, fault.line, fault.column);
	}
	return j;
}

const char *json_text(const json_t *object, const char *name, struct arena *a)
{
	const json_t *v = json_object_get(object, name);
	return json_is_string(v) ? arena_strdup(a, json_string_value(v)) : NULL;
}

json_t *json_any(const char *s)
{
	AUTO(buf) struct buf b = {0};
	size_t bad;

	buf_puts(&b, s);
	while (!str_is_utf8(buf_str(&b), &bad))
		b.p[bad] = '?';
	return json_stringn(buf_text(&b), b.n);
}

json_t *json_u64(uint64_t v)
{
	char text[32];
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return json_string(text);
}

bool json_get_u64(const json_t *object, const char *name, uint64_t *out)
{
	const json_t *v = json_object_get(object, name);
	return json_is_string(v) && num_u64(str_of(json_string_value(v)), out);
}

static void put(struct buf *b, const json_t *j, size_t flags)
{
	char *text = json_dumps(j, flags | JSON_ENCODE_ANY);
	assert(text != NULL);
	buf_puts(b, text);
	free(text);
}

void json_write(struct buf *b, const json_t *j)
{
	put(b, j, JSON_COMPACT);
}

void json_write_indented(struct buf *b, const json_t *j)
{
	put(b, j, JSON_INDENT(2));
}

json_t *json_of_err(const struct err *e)
{
	json_t *j = json_object();
	(void)json_object_set_new(j, "kind", json_string(err_kind_name(e->kind)));
	(void)json_object_set_new(j, "what", json_any(e->what));
	(void)json_object_set_new(j, "why", json_any(e->why));
	(void)json_object_set_new(j, "hint", json_any(e->hint));
	return j;
}

static const char *text_or_empty(const json_t *j, const char *name)
{
	const json_t *v = json_object_get(j, name);
	return json_is_string(v) ? json_string_value(v) : "";
}

void json_to_err(const json_t *j, struct err *e)
{
	(void)err_set(e, err_kind_of(text_or_empty(j, "kind")), "%s", text_or_empty(j, "what"));
	(void)err_why(e, "%s", text_or_empty(j, "why"));
	(void)err_hint(e, "%s", text_or_empty(j, "hint"));
}

void json_put_text(json_t *j, const char *name, const char *text)
{
	if (text != NULL)
		(void)json_object_set_new(j, name, json_any(text));
}
