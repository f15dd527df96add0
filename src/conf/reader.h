/* Internal to conf: the place in a text that is being read, shared by the parsers. */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "conf/ast.h"
#include "conf/conf.h"
#include "conf/diag.h"

enum {
	READER_DEPTH = 100,
	READER_LOAD = 4 * CONF_MAX, /* what file() and env() may bring in, in all */
};

struct reader {
	struct str text;
	size_t pos;
	struct arena *arena;
	struct diags *diags;
	struct diags silent; /* full: what is said when it is over */
	const struct conf_env *env;
	size_t depth;
	size_t loaded; /* bytes that file() and env() brought in */
	bool over;     /* gave up: nothing more is read or said */
	bool mapped;   /* text is not the file: every span is that of the string it came from */
	struct span place;
};

struct span reader_span(const struct reader *r, size_t from); /* up to pos, one byte at least */
struct span reader_byte(size_t at);
/* diag_add; a spare one that nobody will see when it is over. */
#define reader_diag(r, at, ...) diag_add(reader_diags(r), reader_place(r, at), __VA_ARGS__)
struct diags *reader_diags(struct reader *r);
struct span reader_place(const struct reader *r, struct span at);
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
struct value reader_string(struct reader *r, struct str s, size_t from);

/* An expression and its value; newlines inside mean nothing when in parentheses or brackets. */
struct value expr_read(struct reader *r, bool newlines);

/* A quoted string; the quote is next. */
struct value template_quoted(struct reader *r);
/* A heredoc; << is next. */
struct value template_heredoc(struct reader *r);
/* Moves behind a heredoc without reading it; false if it is none, or has no end. */
bool template_skip_heredoc(struct reader *r);
/* The text of a quoted literal without interpolation, for labels; the quote is next. */
bool template_label(struct reader *r, const char **out);
/* A text as template, from a JSON string. */
struct value template_text(struct reader *r, struct str text, struct span at);

/* Native syntax: a whole file. */
void body_read(struct reader *r, struct body *out);
/* JSON syntax: one value with its spans. */
struct value json_read(struct reader *r);

#endif
