#include "conf/conf.h"

#include "conf/load.h"
#include "conf/reader.h"
#include "conf/schema.h"

static bool readable(struct str text, struct diags *d)
{
	size_t bad;

	if (text.n > CONF_MAX) {
		struct diag *g = diag_add(d, (struct span){0, 1}, "the file is %zu bytes long, at most %d are read",
					  text.n, CONF_MAX);
		diag_hint(d, g, "is this the right file?");
		return false;
	}
	if (!str_is_utf8(text, &bad)) {
		struct diag *g = diag_add(d, (struct span){bad, bad + 1}, "byte 0x%02x at offset %zu is not UTF-8",
					  (unsigned char)text.p[bad], bad);
		diag_hint(d, g, "save the file as UTF-8");
		return false;
	}
	const char *nul = text.n == 0 ? NULL : memchr(text.p, '\0', text.n);
	if (nul != NULL) {
		bad = (size_t)(nul - text.p);
		(void)diag_add(d, (struct span){bad, bad + 1}, "a NUL byte at offset %zu", bad);
		return false;
	}
	return true;
}

/* One object, or a list of objects that stand for one after the other. */
static void json_file(struct reader *r, const struct block_schema *schema, struct body *root)
{
	struct value v = json_read(r), *each = v.kind == VALUE_TUPLE ? v.items.v : &v;
	size_t n = v.kind == VALUE_TUPLE ? v.items.n : 1;

	while (!reader_at_end(r) && strchr(" \t\r\n", reader_peek(r, 0)) != NULL)
		r->pos++;
	if (!r->over && !reader_at_end(r)) {
		(void)reader_diag(r, reader_span(r, r->pos), "after the file's JSON object something follows");
		r->over = true;
	}
	for (size_t i = 0; i < n && !r->over; i++) {
		if (each[i].kind != VALUE_OBJECT)
			(void)reader_diag(r, each[i].at, "the file must be one JSON object");
		else if (!decode_json_body(&each[i], schema, r->arena, r->diags, root))
			r->over = true;
	}
}

bool conf_load(struct str text, const char *path, bool json, const struct target_kind *const *kinds, size_t nkinds,
	       const struct conf_env *env, struct arena *a, struct config *out, struct diags *d)
{
	struct reader r = {.text = text, .arena = a, .diags = d, .silent = {.n = DIAGS_MAX}, .env = env};
	struct body root = {0};

	*out = (struct config){.path = path};
	d->arena = a;
	if (!readable(text, d))
		return false;
	if (str_starts(text, "\xef\xbb\xbf"))
		r.pos = 3;
	if (json)
		json_file(&r, schema_root(kinds, nkinds, a), &root);
	else
		body_read(&r, &root);
	/* After giving up in the middle, what is missing is no news. */
	if (!r.over)
		load_root(&root, kinds, nkinds, a, d, out);
	diags_sort(d);
	return diags_wrong(d) == NULL;
}
