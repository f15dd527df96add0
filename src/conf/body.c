/* Native syntax: attributes and blocks. */
#include "conf/reader.h"

/* How far behind a fault its end is looked for, so that many faults do not make it slow; those beyond
 * DIAGS_MAX, which nobody will see, are only to be counted. */
static size_t window(const struct reader *r)
{
	size_t size = r->diags->n < DIAGS_MAX ? 64 * 1024 : 64, left = r->text.n - r->pos;
	return left < size ? left : size;
}

/* Brackets in strings and comments mean nothing: moves behind one of these, if one is next. */
static bool skip_text(struct reader *r)
{
	char c = reader_peek(r, 0);

	if (c == '"') {
		for (r->pos++; !reader_at_end(r) && reader_peek(r, 0) != '"' && reader_peek(r, 0) != '\n'; r->pos++)
			r->pos += reader_peek(r, 0) == '\\' && reader_peek(r, 1) != '\n' && reader_peek(r, 1) != '\0';
		r->pos += reader_peek(r, 0) == '"';
		return true;
	}
	if (c == '#' || reader_starts(r, "//")) {
		while (!reader_at_end(r) && reader_peek(r, 0) != '\n')
			r->pos++;
		return true;
	}
	return reader_starts(r, "<<") && template_skip_heredoc(r);
}

/* Whether what was opened since from is closed again; then on to the end of the line where it is. */
static bool balanced(struct reader *r, size_t from, size_t fault)
{
	static const char opening[] = "{[(", closing[] = "}])";
	char expected[READER_DEPTH];
	size_t open = 0;

	r->pos = from;
	while (!reader_at_end(r)) {
		if (skip_text(r))
			continue;
		char c = reader_peek(r, 0);
		if (strchr(opening, c) != NULL) {
			if (open == READER_DEPTH)
				return false;
			expected[open++] = closing[strchr(opening, c) - opening];
		} else if (open > 0 && strchr(closing, c) != NULL) {
			if (c != expected[--open])
				return false;
		} else if (open == 0 && r->pos >= fault && (c == '\n' || c == '}')) {
			return true;
		} else if (reader_starts(r, "<<")) {
			return false; /* a heredoc without an end */
		}
		r->pos++;
	}
	return open == 0;
}

/* After a fault in what began at from: on to the end of the line that lies outside all brackets which
 * were opened since; or, if one is not closed, of the line of the fault. */
static void resync(struct reader *r, size_t from)
{
	size_t fault = r->pos, all = r->text.n;

	if (r->over)
		return;
	r->text.n = fault + window(r);
	bool found = balanced(r, from, fault) && (r->pos < r->text.n || r->text.n == all);
	r->text.n = all;
	if (found)
		return;
	r->pos = fault;
	while (!reader_at_end(r) && reader_peek(r, 0) != '\n' && reader_peek(r, 0) != '}')
		r->pos++;
}

/* What ends an attribute or a block. */
static void line_end(struct reader *r, const char *what, const char *name)
{
	reader_space(r, false);
	if (reader_at_end(r) || reader_peek(r, 0) == '\n' || reader_peek(r, 0) == '}')
		return;
	struct diag *g =
	    reader_diag(r, reader_span(r, r->pos), "here a new line is missing, after %s '%s'", what, name);
	if (reader_peek(r, 0) == ',')
		diag_hint(r->diags, g, "attributes of a block are parted by new lines, without commas");
	resync(r, r->pos);
}

static void attribute(struct reader *r, struct body *body, const char *name, struct span at)
{
	r->pos++;
	reader_space(r, false);
	/* A heredoc's text is no code: after one it goes on behind it. */
	bool heredoc = reader_starts(r, "<<");
	size_t from = r->pos;
	struct value v = expr_read(r, false);
	if (v.kind == VALUE_BAD)
		resync(r, heredoc ? r->pos : from);
	struct attr *twin = NULL;
	for (size_t i = 0; i < body->attrs.n; i++)
		if (strcmp(body->attrs.v[i].name, name) == 0)
			twin = &body->attrs.v[i];
	if (twin != NULL) {
		struct diag *g = reader_diag(r, at, "'%s' stands here twice", name);
		g->first = twin->at;
		diag_hint(r->diags, g, "keep one of them");
	} else {
		*vec_add(&body->attrs, r->arena) = (struct attr){name, at, v};
	}
	if (v.kind != VALUE_BAD)
		line_end(r, "the value of", name);
}

static void items(struct reader *r, struct body *body, bool top);

/* The labels; false when one was diagnosed. */
static bool labels(struct reader *r, struct block_labels *out)
{
	for (;;) {
		struct block_label l = {0};
		reader_space(r, false);
		size_t from = r->pos;
		if (!reader_room(r, out->n))
			return false;
		if (reader_peek(r, 0) == '"') {
			if (!template_label(r, &l.text))
				return false;
		} else if ((l.text = reader_name(r)) == NULL) {
			return true;
		}
		l.at = reader_span(r, from);
		if (l.text[0] == '\0') {
			(void)reader_diag(r, l.at, "a label may not be empty");
			return false;
		}
		*vec_add(out, r->arena) = l;
	}
}

/* Behind the brace that opens the block, or false: there is none, which is a fault unless broken says
 * that one was found already. */
static bool opening_brace(struct reader *r, const char *type, struct span at, bool broken)
{
	size_t fault = r->pos;

	if (broken) {
		/* The block of a wrong label is read all the same, if its line ends as one that opens a block. */
		size_t end = fault, far = fault + (r->over ? 0 : window(r));
		while (end < far && r->text.p[end] != '\n')
			end++;
		while (end > at.from && strchr(" \t\r", r->text.p[end - 1]) != NULL)
			end--;
		if (!r->over && r->text.p[end - 1] == '{' && strchr("$%", r->text.p[end - 2]) == NULL) {
			r->pos = end;
			return true;
		}
		resync(r, fault);
		return false;
	}
	if (reader_peek(r, 0) != '{') {
		reader_space(r, true);
		if (fault != r->pos && reader_peek(r, 0) == '{') {
			(void)reader_diag(r, reader_byte(r->pos), "this '{' must stand on the line of '%s'", type);
		} else {
			r->pos = fault;
			struct diag *g = reader_diag(r, at, "after '%s' neither '=' nor '{' follows", type);
			diag_hint(r->diags, g, "an attribute is written %s = VALUE, a block %s { … }", type, type);
			resync(r, r->pos);
			return false;
		}
	}
	r->pos++;
	return true;
}

static void block(struct reader *r, struct body *body, const char *type, struct span at)
{
	struct block b = {.type = type, .at = at};
	bool broken = !labels(r, &b.labels);

	if (!opening_brace(r, type, at, broken))
		return;
	size_t brace = r->pos - 1;
	if (!reader_enter(r))
		return;
	items(r, &b.body, false);
	r->depth--;
	if (reader_peek(r, 0) != '}') {
		struct diag *g = reader_diag(r, reader_byte(brace), "the block '%s' is not closed", type);
		diag_hint(r->diags, g, "a } is missing, perhaps further down");
		r->over = true;
		return;
	}
	r->pos++;
	if (!broken)
		*vec_add(&body->blocks, r->arena) = b;
	line_end(r, "the block", type);
}

static void items(struct reader *r, struct body *body, bool top)
{
	for (;;) {
		reader_space(r, true);
		if (reader_at_end(r) || (!top && reader_peek(r, 0) == '}'))
			return;
		if (!reader_room(r, body->attrs.n + body->blocks.n))
			return;
		size_t from = r->pos;
		const char *name = reader_name(r);
		if (name == NULL) {
			char c = reader_peek(r, 0);
			r->pos++;
			struct diag *g = reader_diag(r, reader_span(r, from),
						     c == '}' ? "this '}' closes nothing"
							      : "here the name of an attribute or a block is missing");
			if (c == '"')
				diag_hint(r->diags, g, "names stand without quotes");
			if (c != '}')
				resync(r, from + (c != '"'));
			if (top && reader_peek(r, 0) == '}' && c != '}')
				r->pos++;
			continue;
		}
		struct span at = reader_span(r, from);
		reader_space(r, false);
		if (reader_peek(r, 0) == '=')
			attribute(r, body, name, at);
		else
			block(r, body, name, at);
	}
}

void body_read(struct reader *r, struct body *out)
{
	items(r, out, true);
}
