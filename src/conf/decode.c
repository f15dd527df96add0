#include "conf/decode.h"

#include "base/num.h"

const struct attr *body_attr(const struct body *body, const char *name)
{
	for (size_t i = 0; i < body->attrs.n; i++)
		if (strcmp(body->attrs.v[i].name, name) == 0)
			return &body->attrs.v[i];
	return NULL;
}

static const char *wanted(const struct field *f, struct arena *a)
{
	static const char *const names[] = {
	    [FIELD_STRING] = "a string",
	    [FIELD_BOOL] = "true or false",
	    [FIELD_INT] = "a whole number",
	    [FIELD_DURATION] = "a duration like \"90s\", \"2m\" or \"1h30m\"",
	    [FIELD_SIZE] = "a size like \"500GiB\", or a number of bytes",
	    [FIELD_STRINGS] = "a list of strings",
	    [FIELD_MAP] = "an object of strings, { name = \"value\" }",
	    [FIELD_OPTION] = "true or false",
	    [FIELD_PORT] = "a port, a number from 1 to 65535",
	};
	return f->words == NULL ? names[f->type] : arena_printf(a, "one of: %s", f->words);
}

/* *culprit is the item that is none. */
static bool set_strings(struct strings *out, const struct value *v, struct arena *a, const struct value **culprit)
{
	*out = (struct strings){0};
	if (v->kind != VALUE_TUPLE)
		return false;
	for (size_t i = 0; i < v->items.n; i++) {
		*culprit = &v->items.v[i];
		if ((*culprit)->kind != VALUE_STRING)
			return false;
		*vec_add(out, a) = v->items.v[i].text.p;
	}
	return true;
}

static bool set_map(struct strings *out, const struct value *v, struct arena *a, const struct value **culprit)
{
	*out = (struct strings){0};
	if (v->kind != VALUE_OBJECT)
		return false;
	for (size_t i = 0; i < v->attrs.n; i++) {
		*culprit = &v->attrs.v[i].value;
		if ((*culprit)->kind != VALUE_STRING && (*culprit)->kind != VALUE_NUMBER)
			return false;
		*vec_add(out, a) = v->attrs.v[i].name;
		*vec_add(out, a) = (*culprit)->text.p;
	}
	return true;
}

/* As HCL converts: "true" is true. */
static bool truth(const struct value *v, bool *yes)
{
	bool text = v->kind == VALUE_STRING && (str_eq(v->text, "true") || str_eq(v->text, "false"));

	*yes = text ? str_eq(v->text, "true") : v->yes;
	return text || v->kind == VALUE_BOOL;
}

static bool is_word(const char *words, struct str s)
{
	for (struct str rest = str_of(words); rest.n > 0;) {
		struct str word = str_trim(str_cut(&rest, ','));
		if (word.n == s.n && memcmp(word.p, s.p, s.n) == 0)
			return true;
	}
	return false;
}

/* Whether the value fits; if so it is set.  If not, *culprit is what does not: it, or a part of it. */
static bool set(const struct field *f, void *base, const struct value *v, struct arena *a, const struct value **culprit)
{
	char *at = (char *)base + f->offset;
	bool text = v->kind == VALUE_STRING, number = v->kind == VALUE_NUMBER, yes;
	int64_t i;

	*culprit = v;
	switch (f->type) {
	case FIELD_STRING:
		/* A number is the text that it was written as, as everywhere in HCL. */
		if (f->words != NULL && !is_word(f->words, v->text))
			return false;
		if (text || number)
			*(const char **)(void *)at = v->text.p;
		return text || number;
	case FIELD_BOOL:
		if (!truth(v, &yes))
			return false;
		*(bool *)at = yes;
		return true;
	case FIELD_OPTION:
		if (!truth(v, &yes))
			return false;
		*(enum option *)(void *)at = yes ? OPTION_YES : OPTION_NO;
		return true;
	case FIELD_PORT:
		if ((!text && !number) || !num_i64(v->text, &i) || i < 1 || i > 65535)
			return false;
		*(int64_t *)(void *)at = i;
		return true;
	case FIELD_INT:
		return (text || number) && num_i64(v->text, (int64_t *)(void *)at);
	case FIELD_DURATION:
		return text && num_duration(v->text, (int64_t *)(void *)at);
	case FIELD_SIZE:
		return (text || number) && num_size(v->text, (uint64_t *)(void *)at);
	case FIELD_STRINGS:
		return set_strings((struct strings *)(void *)at, v, a, culprit);
	case FIELD_MAP:
		return set_map((struct strings *)(void *)at, v, a, culprit);
	}
	return false;
}

static void set_fallback(const struct field *f, void *base, struct arena *a)
{
	struct value v = {.kind = f->type == FIELD_BOOL ? VALUE_BOOL : VALUE_STRING, .text = str_of(f->fallback)};

	v.yes = strcmp(f->fallback, "true") == 0;
	if (f->type == FIELD_STRINGS) {
		v.kind = VALUE_TUPLE;
		*vec_add(&v.items, a) = (struct value){.kind = VALUE_STRING, .text = str_of(f->fallback)};
	}
	const struct value *culprit;
	bool fits = set(f, base, &v, a, &culprit);
	assert(fits);
}

static void one_field(const struct body *body, const char *where, struct span at, const struct field *f, void *base,
		      struct arena *a, struct diags *d)
{
	const struct attr *attr = body_attr(body, f->name);

	if (attr == NULL || attr->value.kind == VALUE_NULL) {
		if (f->required) {
			struct diag *g = diag_add(d, at, "'%s' is missing in block '%s'", f->name, where);
			diag_hint(d, g, "%s: %s", f->name, f->doc);
		} else if (f->fallback != NULL) {
			set_fallback(f, base, a);
		}
		return;
	}
	const struct value *culprit = &attr->value;
	if (culprit->kind == VALUE_BAD || set(f, base, &attr->value, a, &culprit) || culprit->kind == VALUE_BAD)
		return;
	struct diag *g = diag_add(d, culprit->at, "'%s' must be %s", f->name, wanted(f, a));
	if (culprit->kind == VALUE_STRING)
		diag_hint(d, g, "%s: %s", f->name, f->doc);
	else
		diag_hint(d, g, "this is %s", value_kind_name(culprit->kind));
}

static const struct block_schema *find(const struct block_schema *s, const char *name)
{
	for (size_t i = 0; i < s->nblocks; i++)
		if (strcmp(s->blocks[i]->name, name) == 0)
			return s->blocks[i];
	return NULL;
}

void decode_attrs(const struct body *body, const struct block_schema *schema, struct span at,
		  const struct decode_part *parts, size_t nparts, struct arena *a, struct diags *d)
{
	const char *where = schema->name;
	struct strings names = {0};

	for (size_t p = 0; p < nparts; p++) {
		for (size_t i = 0; i < parts[p].nfields; i++) {
			one_field(body, where, at, &parts[p].fields[i], parts[p].base, a, d);
			*vec_add(&names, a) = parts[p].fields[i].name;
		}
	}
	for (size_t i = 0; i < body->attrs.n; i++) {
		const struct attr *attr = &body->attrs.v[i];
		bool known = false;
		for (size_t k = 0; k < names.n; k++)
			known |= strcmp(names.v[k], attr->name) == 0;
		if (known || attr->value.kind == VALUE_BAD)
			continue;
		const char *near = diag_nearest(attr->name, names.v, names.n);
		const struct block_schema *block = find(schema, attr->name);
		struct diag *g = diag_add(d, attr->at, "unknown attribute '%s' in %s%s%s", attr->name,
					  *where ? "block '" : "the file", where, *where ? "'" : "");
		if (block != NULL)
			diag_hint(d, g, "it is a block, without '=': %s { … }", block->label_names);
		else if (near != NULL)
			diag_hint(d, g, "did you mean '%s'?", near);
	}
}

static void unknown_block(const struct block *b, const struct block_schema *schema, struct diags *d)
{
	struct strings names = {0};
	struct diag *g = diag_add(d, b->at, "unknown block '%s'", b->type);

	for (size_t i = 0; i < schema->nfields; i++) {
		if (strcmp(schema->fields[i].name, b->type) != 0)
			continue;
		diag_hint(d, g, "it is an attribute: %s = VALUE", b->type);
		return;
	}
	for (size_t i = 0; i < schema->nblocks; i++)
		*vec_add(&names, d->arena) = schema->blocks[i]->name;
	const char *near = diag_nearest(b->type, names.v, names.n);
	if (near != NULL)
		diag_hint(d, g, "did you mean '%s'?", near);
}

void decode_check_blocks(const struct body *body, const struct block_schema *schema, struct diags *d)
{
	for (size_t i = 0; i < body->blocks.n; i++) {
		const struct block *b = &body->blocks.v[i];
		const struct block_schema *s = find(schema, b->type);
		if (s == NULL) {
			unknown_block(b, schema, d);
		} else if (b->labels.n < s->nlabels || b->labels.n > s->nlabels + s->more_labels) {
			struct diag *g = diag_add(d, b->at, "block '%s' has %zu label%s, it must have %zu", b->type,
						  b->labels.n, b->labels.n == 1 ? "" : "s", s->nlabels);
			diag_hint(d, g, "%s { … }", s->label_names);
		} else if (!s->by_label) {
			decode_check_blocks(&b->body, s, d);
		}
	}
}

/* The one of the same name among the blocks before it. */
static const struct block *twin(const struct body *body, size_t i, bool labelled)
{
	const struct block *b = &body->blocks.v[i];

	for (size_t k = 0; k < i; k++) {
		const struct block *o = &body->blocks.v[k];
		if (strcmp(o->type, b->type) != 0)
			continue;
		if (!labelled || (o->labels.n > 0 && strcmp(o->labels.v[0].text, b->labels.v[0].text) == 0))
			return o;
	}
	return NULL;
}

static void decode_block(const struct block *b, const struct field_block *f, void *base, struct arena *a,
			 struct diags *d)
{
	struct block_schema schema = {.name = f->name, .fields = f->fields, .nfields = f->nfields};
	struct decode_part part = {f->fields, f->nfields, base};

	if (f->labelled)
		*(const char **)base = b->labels.v[0].text;
	decode_attrs(&b->body, &schema, b->at, &part, 1, a, d);
	decode_blocks(&b->body, f->blocks, f->nblocks, base, a, d);
}

void decode_blocks(const struct body *body, const struct field_block *kinds, size_t nkinds, void *base, struct arena *a,
		   struct diags *d)
{
	for (size_t k = 0; k < nkinds; k++) {
		const struct field_block *f = &kinds[k];
		struct field_items *items = (struct field_items *)(void *)((char *)base + f->offset);
		size_t n = 0;
		for (size_t i = 0; i < body->blocks.n; i++)
			n += strcmp(body->blocks.v[i].type, f->name) == 0;
		*items = (struct field_items){n == 0 ? NULL : arena_alloc(a, n * f->size), 0};
		for (size_t i = 0; i < body->blocks.n; i++) {
			const struct block *b = &body->blocks.v[i];
			/* One with too many names, or without, was told of. */
			if (strcmp(b->type, f->name) != 0 || b->labels.n != f->labelled)
				continue;
			const struct block *first = f->many && !f->labelled ? NULL : twin(body, i, f->many);
			if (first != NULL)
				diag_add(d, b->at, "a second '%s' block%s%s", f->name, f->labelled ? " " : "",
					 f->labelled ? b->labels.v[0].text : "")
				    ->first = first->at;
			decode_block(b, f, (char *)items->v + items->n++ * f->size, a, d);
		}
	}
}

/* Nothing else: then their names are labels, and not attributes. */
static bool holds_objects(const struct value *v)
{
	for (size_t i = 0; i < v->attrs.n; i++)
		if (v->attrs.v[i].value.kind != VALUE_OBJECT)
			return false;
	return v->attrs.n > 0;
}

/* A block's value in JSON: labels are the names of nested objects, a list repeats the block, and null is
 * none.  False when there are too many. */
static bool json_block(const struct value *v, const struct block_schema *s, struct block b, size_t labels,
		       struct arena *a, struct diags *d, struct body *out)
{
	bool fits = true;

	if (v->kind == VALUE_BAD || v->kind == VALUE_NULL)
		return true;
	if (v->kind == VALUE_TUPLE) {
		for (size_t i = 0; i < v->items.n && fits; i++)
			fits = json_block(&v->items.v[i], s, b, labels, a, d, out);
		return fits;
	}
	if (v->kind != VALUE_OBJECT) {
		(void)diag_add(d, v->at, "'%s' is a block: here must be an object", s->name);
		return true;
	}
	if (labels == 0 && b.labels.n < s->nlabels + s->more_labels && holds_objects(v))
		labels = 1;
	if (labels == 0) {
		if (out->blocks.n == AST_ITEMS) {
			(void)diag_add(d, v->at, "more than %d entries in one place", AST_ITEMS);
			return false;
		}
		fits = decode_json_body(v, s, a, d, &b.body);
		*vec_add(&out->blocks, a) = b;
		return fits;
	}
	for (size_t i = 0; i < v->attrs.n && fits; i++) {
		struct block nested = b;
		nested.labels = (struct block_labels){0};
		for (size_t k = 0; k < b.labels.n; k++)
			*vec_add(&nested.labels, a) = b.labels.v[k];
		*vec_add(&nested.labels, a) = (struct block_label){v->attrs.v[i].name, v->attrs.v[i].at};
		nested.at = v->attrs.v[i].at;
		fits = json_block(&v->attrs.v[i].value, s, nested, labels - 1, a, d, out);
	}
	return fits;
}

bool decode_json_body(const struct value *object, const struct block_schema *schema, struct arena *a, struct diags *d,
		      struct body *out)
{
	bool fits = true;

	for (size_t i = 0; i < object->attrs.n && fits; i++) {
		const struct attr *attr = &object->attrs.v[i];
		const struct block_schema *s = find(schema, attr->name);
		/* "//" is HCL's comment in JSON. */
		if (strcmp(attr->name, "//") == 0)
			continue;
		if (s == NULL)
			*vec_add(&out->attrs, a) = *attr;
		else
			fits = json_block(&attr->value, s, (struct block){.type = s->name, .at = attr->at}, s->nlabels,
					  a, d, out);
	}
	return fits;
}
