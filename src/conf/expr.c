/* Expressions: literals, lists, objects, and the three functions. */
#include "conf/reader.h"

static struct value bad(void)
{
	return (struct value){.kind = VALUE_BAD};
}

/* --- functions ------------------------------------------------------------------------------------ */

static const char *const functions[] = {"env", "file", "trimspace"};

/* What came from outside has to be as the file itself has to be. */
static struct value loaded(struct reader *r, struct str text, size_t from, const char *what, const char *name)
{
	size_t wrong = 0;
	const char *nul = text.n == 0 ? NULL : memchr(text.p, '\0', text.n);

	r->loaded += text.n < READER_LOAD ? text.n : READER_LOAD + 1;
	if (r->loaded > READER_LOAD) {
		struct diag *g =
		    reader_diag(r, reader_span(r, from), "file() and env() bring in more than %d bytes", READER_LOAD);
		diag_hint(r->diags, g, "is '%s' the right one?", name);
		r->over = true;
		return bad();
	}
	if (str_is_utf8(text, &wrong) && nul == NULL)
		return reader_string(r, text, from);
	if (nul != NULL)
		wrong = (size_t)(nul - text.p);
	(void)reader_diag(r, reader_span(r, from), "%s '%s' is not a text: byte 0x%02x at offset %zu", what, name,
			  (unsigned char)text.p[wrong], wrong);
	return bad();
}

static struct value call(struct reader *r, const char *name, size_t from, const struct value *arg)
{
	const char *why = "there are no files here";
	struct str text;

	if (strcmp(name, "trimspace") == 0)
		return reader_string(r, str_trim(arg->text), from);
	if (strcmp(name, "file") == 0) {
		if (r->env != NULL && r->env->file(r->env->ctx, arg->text.p, r->arena, &text, &why))
			return loaded(r, text, from, "the file", arg->text.p);
		struct diag *g =
		    reader_diag(r, reader_span(r, from), "cannot read the file '%s': %s", arg->text.p, why);
		diag_hint(r->diags, g, "a path that does not begin with / is taken from the folder of this file");
		return bad();
	}
	const char *value = r->env == NULL ? NULL : r->env->env(r->env->ctx, arg->text.p);
	if (value != NULL)
		return loaded(r, str_of(value), from, "the environment variable", arg->text.p);
	struct diag *g = reader_diag(r, reader_span(r, from), "the environment variable '%s' is not set", arg->text.p);
	diag_hint(r->diags, g, "set it, or write the value here");
	return bad();
}

static struct value function(struct reader *r, const char *name, size_t from)
{
	bool known = false;
	struct value arg = bad();

	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		known |= strcmp(name, functions[i]) == 0;
	if (!known) {
		const char *near = diag_nearest(name, functions, ARRAY_LEN(functions));
		struct diag *g = reader_diag(r, reader_span(r, from), "unknown function '%s'", name);
		if (near != NULL)
			diag_hint(r->diags, g, "did you mean '%s'?", near);
		else
			diag_hint(r->diags, g, "there are env, file and trimspace");
		return bad();
	}
	r->pos++;
	if (!reader_enter(r))
		return bad();
	reader_space(r, true);
	bool none = reader_peek(r, 0) == ')';
	if (!none)
		arg = expr_read(r, true);
	r->depth--;
	if (!none && arg.kind == VALUE_BAD)
		return bad();
	reader_space(r, true);
	if (reader_peek(r, 0) == ',') {
		r->pos++;
		reader_space(r, true);
	}
	if (reader_peek(r, 0) != ')') {
		(void)reader_diag(r, reader_span(r, from), "'%s' takes one argument and a closing parenthesis", name);
		return bad();
	}
	r->pos++;
	if (arg.kind == VALUE_NUMBER)
		arg.kind = VALUE_STRING;
	if (arg.kind != VALUE_STRING) {
		(void)reader_diag(r, reader_span(r, from), "'%s' takes one string, this is %s", name,
				  value_kind_name(arg.kind));
		return bad();
	}
	return call(r, name, from, &arg);
}

/* --- the rest ------------------------------------------------------------------------------------- */

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct value number(struct reader *r)
{
	size_t from = r->pos;

	r->pos += reader_peek(r, 0) == '-';
	while (digit(reader_peek(r, 0)))
		r->pos++;
	if (reader_peek(r, 0) == '.' && digit(reader_peek(r, 1))) {
		r->pos++;
		while (digit(reader_peek(r, 0)))
			r->pos++;
	}
	char e = reader_peek(r, 0), next = reader_peek(r, 1);
	if ((e == 'e' || e == 'E') && (digit(next) || ((next == '+' || next == '-') && digit(reader_peek(r, 2))))) {
		r->pos += 2;
		while (digit(reader_peek(r, 0)))
			r->pos++;
	}
	struct value v = reader_string(r, (struct str){r->text.p + from, r->pos - from}, from);
	v.kind = VALUE_NUMBER;
	return v;
}

static bool tuple_items(struct reader *r, struct value *v)
{
	for (;;) {
		reader_space(r, true);
		if (reader_peek(r, 0) == ']' || reader_at_end(r))
			break;
		if (!reader_room(r, v->items.n))
			return false;
		struct value item = expr_read(r, true);
		if (item.kind == VALUE_BAD)
			return false;
		*vec_add(&v->items, r->arena) = item;
		reader_space(r, true);
		if (reader_peek(r, 0) != ',')
			break;
		r->pos++;
	}
	if (reader_peek(r, 0) != ']')
		(void)reader_diag(r, reader_span(r, r->pos), "here a ',' or the ']' of the list is missing");
	return reader_peek(r, 0) == ']';
}

static void no_for(struct reader *r, struct span at)
{
	struct diag *g = reader_diag(r, at, "'for' is not part of this file's language");
	diag_hint(r->diags, g, "write out what it would make");
}

static struct value term(struct reader *r);

/* A name, or an expression that is a text; NULL when it was diagnosed. */
static const char *object_key(struct reader *r)
{
	size_t from = r->pos;
	char c = reader_peek(r, 0);

	if (c == '"' || c == '(' || digit(c)) {
		struct value v = term(r);
		if (v.kind != VALUE_BAD && v.kind != VALUE_STRING && v.kind != VALUE_NUMBER)
			(void)reader_diag(r, reader_span(r, from), "the name of an object's member must be a text");
		return v.kind == VALUE_STRING || v.kind == VALUE_NUMBER ? v.text.p : NULL;
	}
	const char *name = reader_name(r);
	if (name == NULL)
		(void)reader_diag(r, reader_span(r, from), "here a name or the '}' of the object is missing");
	return name;
}

/* One 'key = value' or 'key: value' of an object; false when it was diagnosed. */
static bool object_item(struct reader *r, struct value *v)
{
	struct attr item = {0};
	size_t from = r->pos;

	item.name = object_key(r);
	if (item.name == NULL)
		return false;
	item.at = reader_span(r, from);
	reader_space(r, false);
	if (reader_peek(r, 0) != '=' && reader_peek(r, 0) != ':') {
		if (strcmp(item.name, "for") == 0)
			no_for(r, item.at);
		else
			(void)reader_diag(r, reader_span(r, r->pos), "here a '=' is missing, after '%s'", item.name);
		return false;
	}
	r->pos++;
	item.value = expr_read(r, false);
	if (item.value.kind == VALUE_BAD)
		return false;
	for (size_t i = 0; i < v->attrs.n; i++) {
		if (strcmp(v->attrs.v[i].name, item.name) != 0)
			continue;
		reader_diag(r, item.at, "'%s' stands twice in this object", item.name)->first = v->attrs.v[i].at;
		return false;
	}
	*vec_add(&v->attrs, r->arena) = item;
	return true;
}

static bool object_items(struct reader *r, struct value *v)
{
	for (;;) {
		reader_space(r, true);
		if (reader_peek(r, 0) == '}' || reader_at_end(r))
			break;
		if (!reader_room(r, v->attrs.n) || !object_item(r, v))
			return false;
		reader_space(r, false);
		char c = reader_peek(r, 0);
		if (c == ',' || c == '\n')
			r->pos++;
		else if (c != '}')
			break;
	}
	if (reader_peek(r, 0) != '}')
		(void)reader_diag(r, reader_span(r, r->pos), "here a ',' or the '}' of the object is missing");
	return reader_peek(r, 0) == '}';
}

static struct value collection(struct reader *r, enum value_kind kind)
{
	struct value v = {.kind = kind};
	size_t from = r->pos++;

	if (!reader_enter(r))
		return bad();
	bool whole = kind == VALUE_TUPLE ? tuple_items(r, &v) : object_items(r, &v);
	r->depth--;
	if (!whole)
		return bad();
	r->pos++;
	v.at = reader_span(r, from);
	return v;
}

static struct value word(struct reader *r)
{
	size_t from = r->pos;
	const char *name = reader_name(r);
	struct value v = {.kind = VALUE_BOOL};

	if (reader_peek(r, 0) == '(')
		return function(r, name, from);
	v.at = reader_span(r, from);
	if (strcmp(name, "null") == 0)
		v.kind = VALUE_NULL;
	else if (strcmp(name, "true") == 0)
		v.yes = true;
	else if (strcmp(name, "false") != 0) {
		if (strcmp(name, "for") == 0) {
			no_for(r, v.at);
			return bad();
		}
		struct diag *g = reader_diag(r, v.at, "'%s' is no value", name);
		/* The quotes of word processors: U+2018 to U+201F. */
		if ((unsigned char)name[0] == 0xe2 && (unsigned char)name[1] == 0x80 &&
		    (unsigned char)name[2] >= 0x98 && (unsigned char)name[2] <= 0x9f)
			diag_hint(r->diags, g, "a text stands in plain quotes: \"…\"");
		else
			diag_hint(r->diags, g, "there are no variables here; if it is a text, put it into \"quotes\"");
		return bad();
	}
	return v;
}

static struct value parenthesis(struct reader *r)
{
	size_t from = r->pos++;

	if (!reader_enter(r))
		return bad();
	struct value v = expr_read(r, true);
	r->depth--;
	reader_space(r, true);
	if (v.kind == VALUE_BAD)
		return v;
	if (reader_peek(r, 0) != ')') {
		(void)reader_diag(r, reader_byte(from), "this parenthesis is not closed");
		return bad();
	}
	r->pos++;
	return v;
}

static void no_operator(struct reader *r)
{
	const char *what = reader_peek(r, 0) == '?' ? "conditionals (a ? b : c)" : "operators";
	struct diag *g = reader_diag(r, reader_byte(r->pos), "%s are not part of this file's language", what);
	diag_hint(r->diags, g, "write the value itself");
}

static struct value term(struct reader *r)
{
	char c = reader_peek(r, 0);
	size_t from = r->pos;

	if (c == '"')
		return template_quoted(r);
	if (reader_starts(r, "<<"))
		return template_heredoc(r);
	if (c == '[')
		return collection(r, VALUE_TUPLE);
	if (c == '{')
		return collection(r, VALUE_OBJECT);
	if (c == '(')
		return parenthesis(r);
	if (digit(c) || (c == '-' && digit(reader_peek(r, 1))))
		return number(r);
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80)
		return word(r);
	if (c == '!' || c == '-') {
		no_operator(r);
		return bad();
	}
	struct diag *g = reader_diag(r, reader_span(r, from), "here a value is missing");
	diag_hint(r->diags, g, "a \"string\", a number, true, false, a [list], an {object}, or a heredoc (<<EOF)");
	return bad();
}

struct value expr_read(struct reader *r, bool newlines)
{
	reader_space(r, newlines);
	struct value v = term(r);
	if (v.kind == VALUE_BAD)
		return v;
	reader_space(r, newlines);
	char c = reader_peek(r, 0);
	if (c != '\0' && strchr("+-*/%=!<>&|?.[(", c) != NULL) {
		no_operator(r);
		return bad();
	}
	return v;
}
