#include "conf/reader.h"

struct span reader_span(const struct reader *r, size_t from)
{
	return r->mapped ? r->place : (struct span){from, r->pos > from ? r->pos : from + 1};
}

struct span reader_byte(size_t at)
{
	return (struct span){at, at + 1};
}

struct diags *reader_diags(struct reader *r)
{
	return r->over ? &r->silent : r->diags;
}

struct span reader_place(const struct reader *r, struct span at)
{
	return r->mapped ? r->place : at;
}

bool reader_at_end(const struct reader *r)
{
	return r->over || r->pos >= r->text.n;
}

char reader_peek(const struct reader *r, size_t ahead)
{
	return r->over || r->pos + ahead >= r->text.n ? '\0' : r->text.p[r->pos + ahead];
}

bool reader_starts(const struct reader *r, const char *s)
{
	return !r->over && str_starts((struct str){r->text.p + r->pos, r->text.n - r->pos}, s);
}

bool reader_enter(struct reader *r)
{
	if (r->over)
		return false;
	if (++r->depth <= READER_DEPTH)
		return true;
	struct diag *g = reader_diag(r, reader_span(r, r->pos), "nested more than %d levels deep", READER_DEPTH);
	diag_hint(r->diags, g, "no configuration needs that; is this the right file?");
	r->over = true;
	return false;
}

bool reader_room(struct reader *r, size_t n)
{
	if (n < AST_ITEMS)
		return true;
	struct diag *g = reader_diag(r, reader_span(r, r->pos), "more than %d entries in one place", AST_ITEMS);
	diag_hint(r->diags, g, "no configuration needs that; is this the right file?");
	r->over = true;
	return false;
}

static void comment(struct reader *r)
{
	size_t from = r->pos;

	r->pos += 2;
	while (!reader_at_end(r) && !reader_starts(r, "*/"))
		r->pos++;
	if (!reader_at_end(r)) {
		r->pos += 2;
		return;
	}
	r->pos = from + 2;
	struct diag *g = reader_diag(r, reader_span(r, from), "this comment has no end");
	diag_hint(r->diags, g, "close it with */");
	r->over = true;
}

void reader_space(struct reader *r, bool newlines)
{
	while (!reader_at_end(r)) {
		char c = reader_peek(r, 0);
		if (c == ' ' || c == '\t' || (c == '\r' && reader_peek(r, 1) == '\n') || (newlines && c == '\n')) {
			r->pos++;
		} else if (c == '#' || reader_starts(r, "//")) {
			while (!reader_at_end(r) && reader_peek(r, 0) != '\n')
				r->pos++;
		} else if (reader_starts(r, "/*")) {
			comment(r);
		} else {
			return;
		}
	}
}

static bool name_char(char c, bool first)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
	return letter || (!first && ((c >= '0' && c <= '9') || c == '-'));
}

const char *reader_name(struct reader *r)
{
	size_t from = r->pos;

	if (reader_at_end(r) || !name_char(reader_peek(r, 0), true))
		return NULL;
	while (!reader_at_end(r) && name_char(reader_peek(r, 0), false))
		r->pos++;
	return arena_strndup(r->arena, r->text.p + from, r->pos - from);
}

bool reader_code_point(struct buf *b, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c == 0)
		return false;
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_putc(b, (char)(0xc0 | (c >> 6)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_putc(b, (char)(0xe0 | (c >> 12)));
		buf_putc(b, (char)(0x80 | ((c >> 6) & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_putc(b, (char)(0xf0 | (c >> 18)));
		buf_putc(b, (char)(0x80 | ((c >> 12) & 0x3f)));
		buf_putc(b, (char)(0x80 | ((c >> 6) & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	}
	return true;
}

struct value reader_string(struct reader *r, struct str s, size_t from)
{
	return (struct value){.kind = VALUE_STRING, .at = reader_span(r, from), .text = {str_dup(r->arena, s), s.n}};
}

const char *value_kind_name(enum value_kind k)
{
	static const char *const names[] = {
	    [VALUE_BAD] = "nothing",	  [VALUE_NULL] = "null",       [VALUE_BOOL] = "true or false",
	    [VALUE_NUMBER] = "a number",  [VALUE_STRING] = "a string", [VALUE_TUPLE] = "a list",
	    [VALUE_OBJECT] = "an object",
	};
	return names[k];
}
