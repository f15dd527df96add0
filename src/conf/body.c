/* Native syntax: attributes and blocks. */
#include "conf/reader.h"

/* After a fault in what began at from: on to the next line that lies outside all brackets which were
 * opened since. */
static void resync(struct reader *r, size_t from)
{
	static const char opening[] = "{[(", closing[] = "}])";
	char expected[READER_DEPTH];
	size_t open = 0, fault = r->pos;

	r->pos = from;
	while (!reader_at_end(r)) {
		char c = reader_peek(r, 0);
		if (c == '"') {
			/* Brackets in strings mean nothing. */
			for (r->pos++; !reader_at_end(r) && reader_peek(r, 0) != '"' && reader_peek(r, 0) != '\n';
			     r->pos++)
				r->pos += reader_peek(r, 0) == '\\';
			if (reader_peek(r, 0) == '\n')
				continue;
		} else if (strchr(opening, c) != NULL && open < READER_DEPTH) {
			expected[open++] = closing[strchr(opening, c) - opening];
		} else if (open > 0 && strchr(closing, c) != NULL) {
			if (c != expected[--open]) {
				open = 1;
				break;
			}
		} else if (open == 0 && r->pos >= fault && (c == '\n' || c == '}')) {
			return;
		}
		r->pos++;
	}
	if (r->over || open == 0)
		return;
	/* Something was opened and never closed: the fault is all that is known. */
	r->pos = fault;
	while (!reader_at_end(r) && reader_peek(r, 0) != '\n' && reader_peek(r, 0) != '}')
		r->pos++;
}

static void attribute(struct reader *r, struct body *body, const char *name, struct span at)
{
	r->pos++;
	reader_space(r, false);
	/* A heredoc's text is no code: after one it goes on behind it. */
	bool heredoc = reader_starts(r, "<<");
	size_t from = r->pos;
	struct value v = expr_read(r, false);
	if (v.kind == VALUE_BAD) {
		if (!r->over)
			resync(r, heredoc ? r->pos : from);
		return;
	}
	struct attr *twin = NULL;
	for (size_t i = 0; i < body->attrs.n; i++)
		if (strcmp(body->attrs.v[i].name, name) == 0)
			twin = &body->attrs.v[i];
	if (twin != NULL) {
		struct diag *g = diag_add(r->diags, at, "'%s' stands here twice", name);
		g->first = twin->at;
		diag_hint(r->diags, g, "keep one of them");
	} else {
		*vec_add(&body->attrs, r->arena) = (struct attr){name, at, v};
	}
	reader_space(r, false);
	if (!reader_at_end(r) && reader_peek(r, 0) != '\n' && reader_peek(r, 0) != '}') {
		(void)diag_add(r->diags, reader_span(r, r->pos), "here a new line is missing, after the value of '%s'",
			       name);
		resync(r, r->pos);
	}
}

static void items(struct reader *r, struct body *body, bool top);

static void block(struct reader *r, struct body *body, const char *type, struct span at)
{
	struct block b = {.type = type, .at = at};

	for (;;) {
		struct label l = {0};
		size_t from;
		reader_space(r, false);
		from = r->pos;
		if (reader_peek(r, 0) == '"') {
			if (!expr_label(r, &l.text)) {
				resync(r, r->pos);
				return;
			}
		} else if ((l.text = reader_name(r)) == NULL) {
			break;
		}
		l.at = reader_span(r, from);
		if (l.text[0] == '\0') {
			(void)diag_add(r->diags, l.at, "a label may not be empty");
			resync(r, r->pos);
			return;
		}
		*vec_add(&b.labels, r->arena) = l;
	}
	if (reader_peek(r, 0) != '{') {
		if (r->over)
			return;
		struct diag *g = diag_add(r->diags, at, "after '%s' neither '=' nor '{' follows", type);
		diag_hint(r->diags, g, "an attribute is written %s = VALUE, a block %s { … }", type, type);
		resync(r, r->pos);
		return;
	}
	size_t brace = r->pos++;
	if (!reader_enter(r))
		return;
	items(r, &b.body, false);
	r->depth--;
	if (reader_peek(r, 0) != '}') {
		if (!r->over) {
			struct diag *g =
			    diag_add(r->diags, (struct span){brace, brace + 1}, "the block '%s' is not closed", type);
			diag_hint(r->diags, g, "a } is missing, perhaps further down");
			r->over = true;
		}
		return;
	}
	b.body.end = (struct span){r->pos, r->pos + 1};
	r->pos++;
	*vec_add(&body->blocks, r->arena) = b;
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
			bool brace = reader_peek(r, 0) == '}';
			r->pos++;
			struct diag *g = diag_add(r->diags, reader_span(r, from),
						  brace ? "this '}' closes nothing"
							: "here the name of an attribute or a block is missing");
			if (reader_starts(r, "\"") || reader_peek(r, 0) == '"')
				diag_hint(r->diags, g, "names of attributes stand without quotes");
			if (!brace)
				resync(r, r->pos);
			if (top && reader_peek(r, 0) == '}' && !brace)
				r->pos++;
			continue;
		}
		struct span at = reader_span(r, from);
		reader_space(r, false);
		if (reader_peek(r, 0) == '=')
			attribute(r, body, name, at);
		else
			block(r, body, name, at);
		if (top && reader_peek(r, 0) == '}' && !r->over) {
			/* What follows a fault on its line. */
			(void)diag_add(r->diags, reader_span(r, r->pos), "this '}' closes nothing");
			r->pos++;
		}
	}
}

void body_read(struct reader *r, struct body *out)
{
	items(r, out, true);
	out->end = (struct span){r->text.n, r->text.n};
}
