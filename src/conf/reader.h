/* Internal to conf: the place in a text that is being read, shared by the parsers. */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "conf/ast.h"
#include "conf/conf.h"
#include "conf/diag.h"

enum { READER_DEPTH = 100, READER_ITEMS = 1000 };

struct reader {
	struct str text;
	size_t pos;
	struct arena *arena;
	struct diags *diags;
	const struct conf_env *env;
	size_t depth;
	bool over;   /* gave up: nothing more is read or said */
	bool mapped; /* text is not the file: every span is that of the string it came from */
	struct span place;
};

struct span reader_span(const struct reader *r, size_t from);
bool reader_at_end(const struct reader *r);
char reader_peek(const struct reader *r, size_t ahead); /* '\0' at the end */
bool reader_starts(const struct reader *r, const char *s);
/* One level deeper; false (and diagnosed, and given up) when that is too deep. */
bool reader_enter(struct reader *r);
/* Whether there may be one more beside n of them; if not: diagnosed, and given up. */
bool reader_room(struct reader *r, size_t n);
/* Skips blanks and comments, and new lines too if they mean nothing here. */
void reader_space(struct reader *r, bool newlines);
/* An identifier as HCL has it (a letter or '_', then letters, digits, '_', '-'); NULL if none. */
const char *reader_name(struct reader *r);
/* Adds a code point as UTF-8; false if there is no such. */
bool reader_code_point(struct buf *b, uint32_t c);

/* An expression and its value; newlines inside mean nothing when in parentheses or brackets. */
struct value expr_read(struct reader *r, bool newlines);
/* The text of a quoted literal without templates, for labels; the quote is next. */
bool expr_label(struct reader *r, const char **out);
/* A text as template, from a JSON string. */
struct value expr_template(struct reader *r, struct str text, struct span at);

/* Native syntax: a whole file. */
void body_read(struct reader *r, struct body *out);
/* JSON syntax: one value with its spans. */
struct value json_read(struct reader *r);

#endif
