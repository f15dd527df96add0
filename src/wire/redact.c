#include "wire/redact.h"

/* One that came from a file may end with a new line. */
static struct str found_at(const char *text, const struct strings *secrets)
{
	struct str first = {NULL, 0};

	for (size_t i = 0; i < secrets->n; i++) {
		struct str s = str_trim(str_of(secrets->v[i]));
		const char *at = s.n < REDACT_LEAST ? NULL : memmem(text, strlen(text), s.p, s.n);
		if (at != NULL && (first.p == NULL || at < first.p || (at == first.p && s.n > first.n)))
			first = (struct str){at, s.n};
	}
	return first;
}

const char *redact(const char *text, const struct strings *secrets, struct arena *a)
{
	AUTO(buf) struct buf b = {0};
	struct str next;

	if (text == NULL || (next = found_at(text, secrets)).p == NULL)
		return text;
	for (; next.p != NULL; next = found_at(text, secrets)) {
		buf_add(&b, text, (size_t)(next.p - text));
		buf_puts(&b, "***");
		text = next.p + next.n;
	}
	buf_puts(&b, text);
	return arena_strdup(a, buf_text(&b));
}

void redact_spans(struct trace_spans *spans, const struct strings *secrets, struct arena *a)
{
	for (size_t i = 0; i < spans->n && secrets->n > 0; i++)
		for (size_t k = 0; k < spans->v[i].attrs.n; k++)
			spans->v[i].attrs.v[k].text = redact(spans->v[i].attrs.v[k].text, secrets, a);
}

void redact_json(json_t *j, const struct strings *secrets)
{
	AUTO(arena) struct arena a = {0};
	const char *name;
	json_t *v;
	size_t i;

	if (json_is_string(j)) {
		const char *text = json_string_value(j), *shown = redact(text, secrets, &a);
		if (shown != text)
			(void)json_string_set(j, shown);
	} else if (json_is_object(j)) {
		json_object_foreach(j, name, v) redact_json(v, secrets);
	} else if (json_is_array(j)) {
		json_array_foreach(j, i, v) redact_json(v, secrets);
	}
}
