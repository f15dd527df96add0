/* Texts: quoted strings, heredocs, and the templates that both may be. */
#include "base/num.h"
#include "conf/reader.h"

enum mode { QUOTED, HEREDOC, PLAIN };

struct template
{
	struct buf text;
	size_t literal;	   /* where in text the newest literal part begins */
	struct value only; /* of the first interpolation */
	struct value odd;  /* of an interpolation that is no text; VALUE_BAD = there was none */
	size_t parts;	   /* interpolations */
	size_t indent;	   /* of a <<- heredoc: what is taken off each line */
	bool mixed;	   /* there is text beside interpolations */
	bool failed;
};

/* --- parts ---------------------------------------------------------------------------------------- */

static void hex_escape(struct reader *r, struct template *t, size_t digits)
{
	uint64_t c = 0;
	size_t from = r->pos;

	if (r->pos + 2 + digits <= r->text.n && num_hex((struct str){r->text.p + r->pos + 2, digits}, &c) &&
	    reader_code_point(&t->text, (uint32_t)c)) {
		r->pos += 2 + digits;
		return;
	}
	r->pos += 2;
	struct diag *g = reader_diag(r, reader_span(r, from), "not a Unicode escape");
	diag_hint(r->diags, g, "write \\u and four hex digits, or \\U and eight");
	t->failed = true;
}

static void escape(struct reader *r, struct template *t)
{
	static const char from[] = "nrt\"\\", to[] = "\n\r\t\"\\";
	size_t at = r->pos;
	char c = reader_peek(r, 1);
	const char *k = c == '\0' ? NULL : strchr(from, c);

	t->mixed = true;
	if (c == 'u' || c == 'U') {
		hex_escape(r, t, c == 'u' ? 4 : 8);
	} else if (k != NULL) {
		buf_putc(&t->text, to[k - from]);
		r->pos += 2;
	} else if (c == '\0' || c == '\n' || (c == '\r' && reader_peek(r, 2) == '\n')) {
		r->pos++; /* the string ends here, and that is its fault */
	} else {
		for (r->pos += 2; ((unsigned char)reader_peek(r, 0) & 0xc0) == 0x80;)
			r->pos++;
		struct diag *g = reader_diag(r, reader_span(r, at), "unknown escape in a string");
		diag_hint(r->diags, g,
			  "known are \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN; a backslash itself is \\\\");
		t->failed = true;
	}
}

static bool blank(const struct reader *r, const char *blanks)
{
	return !reader_at_end(r) && strchr(blanks, reader_peek(r, 0)) != NULL;
}

/* The value between ${ and }, and whether blanks behind it are to go; VALUE_BAD when diagnosed. */
static struct value interpolated(struct reader *r, size_t from, bool *trim)
{
	struct value v = {.kind = VALUE_BAD};

	if (!reader_enter(r))
		return v;
	v = expr_read(r, true);
	r->depth--;
	reader_space(r, true);
	*trim = reader_peek(r, 0) == '~';
	r->pos += *trim;
	if (v.kind != VALUE_BAD && reader_peek(r, 0) != '}') {
		struct diag *g = reader_diag(r, reader_span(r, from), "this ${ has no }");
		diag_hint(r->diags, g, "to have the two characters themselves, write $${");
		v.kind = VALUE_BAD;
	}
	r->pos += v.kind != VALUE_BAD;
	v.at = reader_span(r, from);
	return v;
}

static void interpolation(struct reader *r, struct template *t, enum mode mode)
{
	size_t from = r->pos;
	bool trim = false;

	r->pos += 2;
	if (reader_peek(r, 0) == '~') {
		r->pos++;
		while (t->text.n > t->literal && strchr(" \t\r\n", t->text.p[t->text.n - 1]) != NULL)
			t->text.n--;
	}
	struct value v = interpolated(r, from, &trim);
	if (v.kind == VALUE_BAD) {
		t->failed = true;
		return;
	}
	while (trim && blank(r, mode == QUOTED ? " \t" : " \t\r\n"))
		r->pos++;
	if (t->parts++ == 0)
		t->only = v;
	if (v.kind == VALUE_STRING || v.kind == VALUE_NUMBER)
		buf_add(&t->text, v.text.p, v.text.n);
	else if (v.kind == VALUE_BOOL)
		buf_puts(&t->text, v.yes ? "true" : "false");
	else if (t->odd.kind == VALUE_BAD)
		t->odd = v;
	t->literal = t->text.n;
}

static void directive(struct reader *r, struct template *t)
{
	size_t from = r->pos;

	r->pos += 2;
	struct diag *g =
	    reader_diag(r, reader_span(r, from), "template directives (%%{ … }) are not part of this file's language");
	diag_hint(r->diags, g, "to have the two characters themselves, write %%%%{");
	t->failed = true;
}

/* --- the whole ------------------------------------------------------------------------------------ */

/* At the start of a heredoc's line: its indentation.  A blank line stays as it is, as in HCL's own
 * implementation. */
static void skip_indent(struct reader *r, const struct template *t)
{
	size_t n = 0;
	while (reader_peek(r, n) == ' ' || reader_peek(r, n) == '\t')
		n++;
	char c = reader_peek(r, n);
	if (c != '\0' && c != '\n' && c != '\r')
		r->pos += n < t->indent ? n : t->indent;
}

static void template_read(struct reader *r, struct template *t, enum mode mode)
{
	if (mode == HEREDOC)
		skip_indent(r, t);
	while (!reader_at_end(r)) {
		char c = reader_peek(r, 0);
		if (mode == QUOTED && (c == '"' || c == '\n'))
			return;
		if (reader_starts(r, "$${") || reader_starts(r, "%%{")) {
			buf_putc(&t->text, c);
			buf_putc(&t->text, '{');
			r->pos += 3;
			t->mixed = true;
		} else if (reader_starts(r, "${")) {
			interpolation(r, t, mode);
		} else if (reader_starts(r, "%{")) {
			directive(r, t);
		} else if (c == '\\' && mode == QUOTED) {
			escape(r, t);
		} else {
			t->mixed = true;
			r->pos++;
			if (c == '\r' && reader_peek(r, 0) == '\n' && mode == HEREDOC)
				continue;
			buf_putc(&t->text, c);
			if (c == '\n' && mode == HEREDOC)
				skip_indent(r, t);
		}
	}
}

/* Of nothing but one interpolation it is that value, of whatever kind; else it is a text. */
static struct value template_value(struct reader *r, struct template *t, size_t from)
{
	struct value v = t->only;

	if (t->odd.kind != VALUE_BAD && (t->mixed || t->parts > 1)) {
		if (!t->failed)
			(void)reader_diag(r, t->odd.at, "%s cannot be part of a text", value_kind_name(t->odd.kind));
		t->failed = true;
	}
	if (t->failed || r->over)
		v = (struct value){.kind = VALUE_BAD};
	else if (t->mixed || t->parts != 1)
		v = reader_string(r, buf_str(&t->text), from);
	buf_release(&t->text);
	v.at = reader_span(r, from);
	return v;
}

struct value template_quoted(struct reader *r)
{
	struct template t = {0};
	size_t from = r->pos++;

	template_read(r, &t, QUOTED);
	if (reader_peek(r, 0) == '"') {
		r->pos++;
		return template_value(r, &t, from);
	}
	if (!t.failed) {
		struct diag *g = reader_diag(r, reader_byte(from), "this string has no end on its line");
		diag_hint(r->diags, g, "close it with \"; for a text of several lines: <<EOF");
	}
	buf_release(&t.text);
	return (struct value){.kind = VALUE_BAD};
}

bool template_label(struct reader *r, const char **out)
{
	size_t from = r->pos;
	struct value v = template_quoted(r);

	if (v.kind == VALUE_BAD)
		return false;
	if (v.kind != VALUE_STRING || memmem(r->text.p + from, r->pos - from, "${", 2) != NULL) {
		(void)reader_diag(r, reader_span(r, from), "a label must be plain text");
		return false;
	}
	*out = v.text.p;
	return true;
}

struct value template_text(struct reader *outer, struct str text, struct span at)
{
	struct reader r = *outer;
	struct template t = {0};

	r.text = text;
	r.pos = 0;
	r.mapped = true;
	r.place = at;
	template_read(&r, &t, PLAIN);
	outer->over = r.over;
	outer->loaded = r.loaded;
	return template_value(&r, &t, 0);
}

/* --- heredocs ------------------------------------------------------------------------------------- */

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

/* Reads the line that begins one; NULL if it is none. */
static const char *heredoc_begin(struct reader *r, bool *flush)
{
	r->pos += 2;
	*flush = reader_peek(r, 0) == '-';
	r->pos += *flush;
	const char *name = reader_name(r);
	while (reader_peek(r, 0) == ' ' || reader_peek(r, 0) == '\t' || reader_peek(r, 0) == '\r')
		r->pos++;
	if (name == NULL || reader_peek(r, 0) != '\n')
		return NULL;
	r->pos++;
	return name;
}

struct value template_heredoc(struct reader *r)
{
	/* It is a text, also when it is nothing but one interpolation: its line has an end. */
	struct template t = {.mixed = true};
	size_t from = r->pos, end, next, all = r->text.n;
	bool flush;
	const char *name = heredoc_begin(r, &flush);

	if (name == NULL) {
		struct diag *g = reader_diag(r, reader_span(r, from),
					     "a heredoc begins with a marker, alone at the end of its line");
		diag_hint(r->diags, g, "<<EOF, or <<-EOF to take the indentation off");
		r->over = true; /* where it was to end nobody knows */
		return (struct value){.kind = VALUE_BAD};
	}
	if (!heredoc_end(r, str_of(name), &end, &next)) {
		r->pos = from + 2;
		struct diag *g = reader_diag(r, reader_span(r, from), "this heredoc has no end");
		diag_hint(r->diags, g, "a line with nothing but %s ends it", name);
		r->over = true;
		return (struct value){.kind = VALUE_BAD};
	}
	if (flush)
		t.indent = least_indent((struct str){r->text.p + r->pos, end - r->pos});
	/* What is opened in its text must be closed there. */
	r->text.n = end;
	template_read(r, &t, HEREDOC);
	r->text.n = all;
	r->pos = next;
	return template_value(r, &t, from);
}

bool template_skip_heredoc(struct reader *r)
{
	size_t from = r->pos, end, next;
	bool flush;
	const char *name = heredoc_begin(r, &flush);

	if (name != NULL && heredoc_end(r, str_of(name), &end, &next)) {
		r->pos = next;
		return true;
	}
	r->pos = from;
	return false;
}
