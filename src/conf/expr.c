/* Expressions: literals, templates, lists, objects, and the three functions. */
#include "base/num.h"
#include "conf/reader.h"

static struct value bad(void)
{
	return (struct value){.kind = VALUE_BAD};
}

static struct value string(struct reader *r, struct str s, size_t from)
{
	return (struct value){.kind = VALUE_STRING, .at = reader_span(r, from), .text = {str_dup(r->arena, s), s.n}};
}

/* --- templates ------------------------------------------------------------------------------------ */

enum mode { QUOTED, HEREDOC, PLAIN };

struct template
{
	struct buf text;
	struct value only; /* the value, while the template is nothing but one interpolation */
	size_t parts;
	size_t indent; /* of a <<- heredoc: what is taken off each line */
	size_t end;    /* where the text ends (HEREDOC, PLAIN) */
	bool failed;
};

static bool hex_escape(struct reader *r, struct template *t, size_t digits)
{
	uint64_t c = 0;
	size_t from = r->pos;

	if (r->pos + 2 + digits > r->text.n || !num_hex((struct str){r->text.p + r->pos + 2, digits}, &c) ||
	    !reader_code_point(&t->text, (uint32_t)c)) {
		r->pos += 2;
		struct diag *g = diag_add(r->diags, reader_span(r, from), "not a Unicode escape");
		diag_hint(r->diags, g, "write \\u and four hex digits, or \\U and eight");
		t->failed = true;
		return false;
	}
	r->pos += 2 + digits;
	return true;
}

static void escape(struct reader *r, struct template *t)
{
	static const char from[] = "nrt\"\\", to[] = "\n\r\t\"\\";
	char c = reader_peek(r, 1);
	const char *k = c == '\0' ? NULL : strchr(from, c);

	t->parts += 2;
	if (c == 'u' || c == 'U') {
		(void)hex_escape(r, t, c == 'u' ? 4 : 8);
	} else if (k != NULL) {
		buf_putc(&t->text, to[k - from]);
		r->pos += 2;
	} else {
		size_t at = r->pos;
		r->pos += 2;
		struct diag *g = diag_add(r->diags, reader_span(r, at), "unknown escape in a string");
		diag_hint(r->diags, g,
			  "known are \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN; a backslash itself is \\\\");
		t->failed = true;
	}
}

static void trim_end(struct buf *b)
{
	while (b->n > 0 && strchr(" \t\r\n", b->p[b->n - 1]) != NULL)
		b->n--;
}

static void interpolation(struct reader *r, struct template *t)
{
	size_t from = r->pos;

	r->pos += 2;
	if (reader_peek(r, 0) == '~') {
		r->pos++;
		trim_end(&t->text);
	}
	if (!reader_enter(r)) {
		t->failed = true;
		return;
	}
	struct value v = expr_read(r, true);
	r->depth--;
	reader_space(r, true);
	bool trim = reader_peek(r, 0) == '~';
	r->pos += trim;
	if (v.kind == VALUE_BAD || reader_peek(r, 0) != '}') {
		if (v.kind != VALUE_BAD && !r->over) {
			struct diag *g = diag_add(r->diags, reader_span(r, from), "this ${ has no }");
			diag_hint(r->diags, g, "to have the two characters themselves, write $${");
		}
		t->failed = true;
		return;
	}
	r->pos++;
	if (trim)
		while (r->pos < t->end && !reader_at_end(r) && strchr(" \t\r\n", reader_peek(r, 0)) != NULL)
			r->pos++;
	t->only = v;
	t->parts++;
	if (v.kind == VALUE_STRING || v.kind == VALUE_NUMBER) {
		buf_add(&t->text, v.text.p, v.text.n);
	} else if (v.kind == VALUE_BOOL) {
		buf_puts(&t->text, v.yes ? "true" : "false");
	} else {
		t->parts += v.kind == VALUE_NULL;
		t->failed |= t->parts > 1;
		if (t->failed)
			(void)diag_add(r->diags, reader_span(r, from), "%s cannot be part of a text",
				       value_kind_name(v.kind));
	}
}

static void directive(struct reader *r, struct template *t)
{
	size_t from = r->pos;

	r->pos += 2;
	struct diag *g = diag_add(r->diags, reader_span(r, from),
				  "template directives (%%{ … }) are not part of this file's language");
	diag_hint(r->diags, g, "to have the two characters themselves, write %%%%{");
	t->failed = true;
}

/* True while there is something left of the template. */
static bool template_goes_on(const struct reader *r, const struct template *t, enum mode mode)
{
	if (reader_at_end(r))
		return false;
	if (mode != QUOTED)
		return r->pos < t->end;
	return reader_peek(r, 0) != '"' && reader_peek(r, 0) != '\n';
}

/* At the start of a heredoc's line: its indentation, unless the line is blank. */
static void skip_indent(struct reader *r, const struct template *t)
{
	size_t n = 0;
	while (n < t->indent && (reader_peek(r, n) == ' ' || reader_peek(r, n) == '\t'))
		n++;
	if (n == t->indent)
		r->pos += n;
}

static void template_read(struct reader *r, struct template *t, enum mode mode)
{
	if (mode == HEREDOC)
		skip_indent(r, t);
	while (template_goes_on(r, t, mode)) {
		char c = reader_peek(r, 0);
		if (reader_starts(r, "$${") || reader_starts(r, "%%{")) {
			buf_putc(&t->text, c);
			buf_putc(&t->text, '{');
			r->pos += 3;
			t->parts += 2;
		} else if (reader_starts(r, "${")) {
			interpolation(r, t);
		} else if (reader_starts(r, "%{")) {
			directive(r, t);
		} else if (c == '\\' && mode == QUOTED) {
			escape(r, t);
		} else {
			t->parts += 2;
			r->pos++;
			if (c == '\r' && reader_peek(r, 0) == '\n' && mode == HEREDOC)
				continue;
			buf_putc(&t->text, c);
			if (c == '\n' && mode == HEREDOC && r->pos < t->end)
				skip_indent(r, t);
		}
	}
}

static struct value template_value(struct reader *r, struct template *t, size_t from)
{
	struct value v = t->failed ? bad() : t->parts == 1 ? t->only : string(r, buf_str(&t->text), from);
	buf_release(&t->text);
	v.at = reader_span(r, from);
	return v;
}

static struct value quoted(struct reader *r)
{
	struct template t = {.end = r->text.n};
	size_t from = r->pos++;

	template_read(r, &t, QUOTED);
	if (reader_peek(r, 0) == '"') {
		r->pos++;
		return template_value(r, &t, from);
	}
	if (!r->over && !t.failed) {
		struct diag *g =
		    diag_add(r->diags, (struct span){from, from + 1}, "this string has no end on its line");
		diag_hint(r->diags, g, "close it with \"; for a text of several lines: <<EOF");
	}
	buf_release(&t.text);
	return bad();
}

bool expr_label(struct reader *r, const char **out)
{
	size_t from = r->pos;
	struct value v = quoted(r);

	if (v.kind == VALUE_BAD)
		return false;
	if (v.kind != VALUE_STRING || memmem(r->text.p + from, r->pos - from, "${", 2) != NULL) {
		(void)diag_add(r->diags, reader_span(r, from), "a label must be plain text");
		return false;
	}
	*out = v.text.p;
	return true;
}

struct value expr_template(struct reader *outer, struct str text, struct span at)
{
	struct reader r = *outer;
	struct template t = {.end = text.n};

	r.text = text;
	r.pos = 0;
	r.mapped = true;
	r.place = at;
	template_read(&r, &t, PLAIN);
	outer->over = r.over;
	return template_value(&r, &t, 0);
}

/* Where the heredoc's text ends and where reading goes on, by its closing line; false if none. */
static bool heredoc_end(const struct reader *r, struct str marker, size_t *end, size_t *next)
{
	for (size_t line = r->pos; line < r->text.n;) {
		size_t to = line;
		while (to < r->text.n && r->text.p[to] != '\n')
			to++;
		struct str s = str_trim((struct str){r->text.p + line, to - line});
		if (s.n == marker.n && memcmp(s.p, marker.p, s.n) == 0) {
			*end = line;
			*next = (size_t)(s.p - r->text.p) + s.n;
			return true;
		}
		line = to + 1;
	}
	return false;
}

/* The smallest indentation of the lines that are not blank (HCL native syntax, template literals). */
static size_t least_indent(struct str s)
{
	size_t least = SIZE_MAX;

	while (s.n > 0) {
		struct str line = str_cut(&s, '\n');
		size_t n = 0;
		while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
			n++;
		if (str_trim(line).n > 0 && n < least)
			least = n;
	}
	return least == SIZE_MAX ? 0 : least;
}

static struct value heredoc(struct reader *r)
{
	struct template t = {0};
	size_t from = r->pos, next;

	r->pos += 2;
	bool flush = reader_peek(r, 0) == '-';
	r->pos += flush;
	const char *name = reader_name(r);
	reader_space(r, false);
	if (name == NULL || reader_peek(r, 0) != '\n') {
		struct diag *g = diag_add(r->diags, reader_span(r, from),
					  "a heredoc begins with a marker, alone at the end of its line");
		diag_hint(r->diags, g, "<<EOF, or <<-EOF to take the indentation off");
		r->over = true; /* where it was to end nobody knows */
		return bad();
	}
	r->pos++;
	if (!heredoc_end(r, str_of(name), &t.end, &next)) {
		r->pos = from + 2;
		struct diag *g = diag_add(r->diags, reader_span(r, from), "this heredoc has no end");
		diag_hint(r->diags, g, "a line with nothing but %s ends it", name);
		r->over = true;
		return bad();
	}
	if (flush)
		t.indent = least_indent((struct str){r->text.p + r->pos, t.end - r->pos});
	if (r->pos < t.end)
		template_read(r, &t, HEREDOC);
	if (!r->over)
		r->pos = next;
	t.parts += 2; /* a heredoc is a text, also when it is nothing but one interpolation: its line has an end */
	return template_value(r, &t, from);
}

/* --- functions ------------------------------------------------------------------------------------ */

static const char *const functions[] = {"env", "file", "trimspace"};

static struct value call(struct reader *r, const char *name, size_t from, const struct value *arg)
{
	const char *why = NULL;
	struct str text;

	if (strcmp(name, "trimspace") == 0)
		return string(r, str_trim(arg->text), from);
	if (strcmp(name, "file") == 0) {
		if (r->env->file(r->env->ctx, arg->text.p, r->arena, &text, &why))
			return string(r, text, from);
		struct diag *g =
		    diag_add(r->diags, reader_span(r, from), "cannot read the file '%s': %s", arg->text.p, why);
		diag_hint(r->diags, g, "a path that does not begin with / is taken from the folder of this file");
		return bad();
	}
	const char *value = r->env->env(r->env->ctx, arg->text.p);
	if (value != NULL)
		return string(r, str_of(value), from);
	struct diag *g =
	    diag_add(r->diags, reader_span(r, from), "the environment variable '%s' is not set", arg->text.p);
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
		struct diag *g = diag_add(r->diags, reader_span(r, from), "unknown function '%s'", name);
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
	if (reader_peek(r, 0) != ')')
		arg = expr_read(r, true);
	r->depth--;
	reader_space(r, true);
	if (arg.kind == VALUE_BAD && reader_peek(r, 0) != ')')
		return bad();
	if (reader_peek(r, 0) == ',') {
		r->pos++;
		reader_space(r, true);
	}
	if (reader_peek(r, 0) != ')') {
		(void)diag_add(r->diags, reader_span(r, from), "'%s' takes one argument and a closing parenthesis",
			       name);
		return bad();
	}
	r->pos++;
	if (arg.kind == VALUE_NUMBER)
		arg.kind = VALUE_STRING;
	if (arg.kind != VALUE_STRING) {
		(void)diag_add(r->diags, reader_span(r, from), "'%s' takes one string, this is %s", name,
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
	struct value v = string(r, (struct str){r->text.p + from, r->pos - from}, from);
	v.kind = VALUE_NUMBER;
	return v;
}

static struct value tuple(struct reader *r)
{
	struct value v = {.kind = VALUE_TUPLE};
	size_t from = r->pos++;

	if (!reader_enter(r))
		return bad();
	for (;;) {
		reader_space(r, true);
		if (reader_peek(r, 0) == ']' || reader_at_end(r))
			break;
		struct value item = expr_read(r, true);
		if (item.kind == VALUE_BAD)
			return bad();
		*vec_add(&v.items, r->arena) = item;
		reader_space(r, true);
		if (reader_peek(r, 0) != ',')
			break;
		r->pos++;
	}
	r->depth--;
	if (reader_peek(r, 0) != ']') {
		if (r->over)
			return bad();
		(void)diag_add(r->diags, reader_span(r, r->pos), "here a ',' or the ']' of the list is missing");
		return bad();
	}
	r->pos++;
	v.at = reader_span(r, from);
	return v;
}

/* One 'key = value' or 'key: value' of an object; false when it was diagnosed. */
static bool object_item(struct reader *r, struct value *v)
{
	struct attr item = {0};
	size_t from = r->pos;

	if (reader_peek(r, 0) == '"') {
		if (!expr_label(r, &item.name))
			return false;
	} else if ((item.name = reader_name(r)) == NULL) {
		(void)diag_add(r->diags, reader_span(r, from), "here a name or the '}' of the object is missing");
		return false;
	}
	item.at = reader_span(r, from);
	reader_space(r, false);
	if (reader_peek(r, 0) != '=' && reader_peek(r, 0) != ':') {
		(void)diag_add(r->diags, reader_span(r, r->pos), "here a '=' is missing, after '%s'", item.name);
		return false;
	}
	r->pos++;
	item.value = expr_read(r, false);
	if (item.value.kind == VALUE_BAD)
		return false;
	for (size_t i = 0; i < v->attrs.n; i++) {
		if (strcmp(v->attrs.v[i].name, item.name) != 0)
			continue;
		diag_add(r->diags, item.at, "'%s' stands twice in this object", item.name)->first = v->attrs.v[i].at;
		return false;
	}
	*vec_add(&v->attrs, r->arena) = item;
	return true;
}

static struct value object(struct reader *r)
{
	struct value v = {.kind = VALUE_OBJECT};
	size_t from = r->pos++;

	if (!reader_enter(r))
		return bad();
	for (;;) {
		reader_space(r, true);
		if (reader_peek(r, 0) == '}' || reader_at_end(r))
			break;
		if (!reader_room(r, v.attrs.n) || !object_item(r, &v))
			return bad();
		reader_space(r, false);
		char c = reader_peek(r, 0);
		if (c == ',' || c == '\n')
			r->pos++;
		else if (c != '}')
			break;
	}
	r->depth--;
	if (reader_peek(r, 0) != '}') {
		if (!r->over)
			(void)diag_add(r->diags, reader_span(r, r->pos),
				       "here a ',' or the '}' of the object is missing");
		return bad();
	}
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
		struct diag *g = diag_add(r->diags, v.at, "'%s' is no value", name);
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
		(void)diag_add(r->diags, (struct span){from, from + 1}, "this parenthesis is not closed");
		return bad();
	}
	r->pos++;
	return v;
}

static struct value term(struct reader *r)
{
	char c = reader_peek(r, 0);
	size_t from = r->pos;

	if (c == '"')
		return quoted(r);
	if (reader_starts(r, "<<"))
		return heredoc(r);
	if (c == '[')
		return tuple(r);
	if (c == '{')
		return object(r);
	if (c == '(')
		return parenthesis(r);
	if (digit(c) || (c == '-' && digit(reader_peek(r, 1))))
		return number(r);
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80)
		return word(r);
	if (!r->over) {
		struct diag *g = diag_add(r->diags, reader_span(r, from), "here a value is missing");
		diag_hint(r->diags, g,
			  "a \"string\", a number, true, false, a [list], an {object}, or a heredoc (<<EOF)");
	}
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
	bool comment = reader_starts(r, "//") || reader_starts(r, "/*");
	if (c != '\0' && !comment && strchr("+-*/%=!<>&|?.[(", c) != NULL) {
		struct diag *g = diag_add(r->diags, (struct span){r->pos, r->pos + 1},
					  "operators are not part of this file's language");
		if (r->mapped)
			g->at = r->place;
		diag_hint(r->diags, g, "write the value itself");
		return bad();
	}
	return v;
}
