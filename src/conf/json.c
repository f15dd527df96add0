/* JSON (RFC 8259) into the same values, each with its place in the file. */
#include "base/num.h"
#include "conf/reader.h"

static struct value fault(struct reader *r, const char *what)
{
	(void)reader_diag(r, reader_span(r, r->pos), "%s", what);
	r->over = true;
	return (struct value){.kind = VALUE_BAD};
}

static void space(struct reader *r)
{
	while (!reader_at_end(r) && strchr(" \t\r\n", reader_peek(r, 0)) != NULL)
		r->pos++;
}

static bool unicode(struct reader *r, struct buf *b)
{
	uint64_t hi, lo;

	if (r->pos + 6 > r->text.n || !num_hex((struct str){r->text.p + r->pos + 2, 4}, &hi))
		return false;
	r->pos += 6;
	if (hi < 0xd800 || hi > 0xdbff)
		return reader_code_point(b, (uint32_t)hi);
	if (!reader_starts(r, "\\u") || r->pos + 6 > r->text.n ||
	    !num_hex((struct str){r->text.p + r->pos + 2, 4}, &lo) || lo < 0xdc00 || lo > 0xdfff)
		return false;
	r->pos += 6;
	return reader_code_point(b, (uint32_t)(0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00)));
}

/* The text between the quotes, with escapes undone. */
static bool text(struct reader *r, struct buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	for (r->pos++; reader_peek(r, 0) != '"';) {
		char c = reader_peek(r, 0), next = reader_peek(r, 1);
		const char *k = next == '\0' ? NULL : strchr(from, next);
		if (reader_at_end(r) || (unsigned char)c < 0x20)
			return false;
		if (c != '\\') {
			buf_putc(b, c);
			r->pos++;
		} else if (next == 'u') {
			if (!unicode(r, b))
				return false;
		} else if (k != NULL) {
			buf_putc(b, to[k - from]);
			r->pos += 2;
		} else {
			return false;
		}
	}
	r->pos++;
	return true;
}

static struct value string(struct reader *r, bool template)
{
	AUTO(buf) struct buf b = {0};
	size_t from = r->pos;

	if (!text(r, &b))
		return fault(r, "this string is not one as JSON has it");
	struct span at = reader_span(r, from);
	if (template && (memmem(buf_text(&b), b.n, "${", 2) != NULL || memmem(buf_text(&b), b.n, "%{", 2) != NULL))
		return template_text(r, buf_str(&b), at);
	return (struct value){.kind = VALUE_STRING, .at = at, .text = {str_dup(r->arena, buf_str(&b)), b.n}};
}

/* Whether another one follows; if not, the closing bracket is next, or *broken. */
static bool more(struct reader *r, char close, bool *broken)
{
	space(r);
	*broken = reader_peek(r, 0) != ',' && reader_peek(r, 0) != close;
	if (reader_peek(r, 0) != ',')
		return false;
	r->pos++;
	space(r);
	return true;
}

static struct value array(struct reader *r)
{
	struct value v = {.kind = VALUE_TUPLE};
	size_t from = r->pos++;
	bool broken = false;

	space(r);
	if (reader_peek(r, 0) != ']') {
		do {
			if (!reader_room(r, v.items.n))
				return (struct value){.kind = VALUE_BAD};
			*vec_add(&v.items, r->arena) = json_read(r);
		} while (more(r, ']', &broken));
	}
	if (broken)
		return fault(r, "here a ',' or the ']' of the list is missing");
	r->pos++;
	v.at = reader_span(r, from);
	return v;
}

static bool member(struct reader *r, struct value *v)
{
	if (!reader_room(r, v->attrs.n))
		return false;
	if (reader_peek(r, 0) != '"') {
		(void)fault(r, "here a name in quotes is missing");
		return false;
	}
	struct value name = string(r, false);
	space(r);
	if (name.kind == VALUE_BAD || reader_peek(r, 0) != ':') {
		(void)fault(r, "here a ':' is missing");
		return false;
	}
	r->pos++;
	struct attr item = {name.text.p, name.at, json_read(r)};
	/* "//" is a comment, and there may be many. */
	bool comment = !r->over && strcmp(item.name, "//") == 0;
	const struct attr *twin = NULL;
	for (size_t i = 0; i < v->attrs.n && !r->over && !comment; i++)
		if (strcmp(v->attrs.v[i].name, item.name) == 0)
			twin = &v->attrs.v[i];
	if (twin != NULL)
		reader_diag(r, item.at, "'%s' stands twice in this object", item.name)->first = twin->at;
	else if (!r->over)
		*vec_add(&v->attrs, r->arena) = item;
	return !r->over;
}

static struct value object(struct reader *r)
{
	struct value v = {.kind = VALUE_OBJECT};
	size_t from = r->pos++;
	bool broken = false;

	space(r);
	if (reader_peek(r, 0) != '}') {
		do {
			if (!member(r, &v))
				return (struct value){.kind = VALUE_BAD};
		} while (more(r, '}', &broken));
	}
	if (broken)
		return fault(r, "here a ',' or the '}' of the object is missing");
	r->pos++;
	v.at = reader_span(r, from);
	return v;
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static bool is_number(const char *s)
{
	static const char digits[] = "0123456789";
	size_t n;

	s += *s == '-';
	n = strspn(s, digits);
	if (n == 0 || (n > 1 && s[0] == '0'))
		return false;
	s += n;
	if (*s == '.') {
		n = strspn(s + 1, digits);
		if (n == 0)
			return false;
		s += 1 + n;
	}
	if (*s == 'e' || *s == 'E') {
		s += s[1] == '+' || s[1] == '-' ? 2 : 1;
		n = strspn(s, digits);
		if (n == 0)
			return false;
		s += n;
	}
	return *s == '\0';
}

static struct value plain(struct reader *r)
{
	size_t from = r->pos;
	char c;

	while ((c = reader_peek(r, 0)) != '\0' && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", c) != NULL)
		r->pos++;
	struct str s = {r->text.p + from, r->pos - from};
	struct value v = {.at = reader_span(r, from), .text = {str_dup(r->arena, s), s.n}};
	if (str_eq(s, "true") || str_eq(s, "false")) {
		v.kind = VALUE_BOOL;
		v.yes = s.p[0] == 't';
	} else if (str_eq(s, "null")) {
		v.kind = VALUE_NULL;
	} else if (is_number(v.text.p)) {
		v.kind = VALUE_NUMBER;
	} else {
		r->pos = from;
		return fault(r, s.n == 0 ? "here a value is missing" : "this is no value as JSON has it");
	}
	return v;
}

struct value json_read(struct reader *r)
{
	struct value v;

	space(r);
	char c = reader_peek(r, 0);
	if (c == '"')
		return string(r, true);
	if (c != '{' && c != '[')
		return plain(r);
	if (!reader_enter(r))
		return (struct value){.kind = VALUE_BAD};
	v = c == '{' ? object(r) : array(r);
	r->depth--;
	return v;
}
