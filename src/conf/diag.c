#include "conf/diag.h"

#include <stdarg.h>

static const char *vformat(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	assert(n >= 0);
	char *p = arena_alloc(a, (size_t)n + 1);
	(void)vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

struct diag *diag_add(struct diags *d, struct span at, const char *what, ...)
{
	va_list ap;

	if (d->n == DIAGS_MAX) {
		d->dropped++;
		return arena_new(d->arena, struct diag);
	}
	struct diag *g = vec_add(d, d->arena);
	va_start(ap, what);
	*g = (struct diag){.at = at, .what = vformat(d->arena, what, ap)};
	va_end(ap);
	return g;
}

void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g->hint = vformat(d->arena, fmt, ap);
	va_end(ap);
}

const char *diag_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t limit = strlen(word) / 3 + 1;

	for (size_t i = 0; i < n; i++) {
		size_t d = str_distance(word, names[i]);
		if (d <= limit && d < strlen(names[i])) {
			best = names[i];
			limit = d - (d > 0);
		}
	}
	return best;
}

static int by_place(const void *a, const void *b)
{
	const struct diag *x = a, *y = b;
	return x->at.from != y->at.from ? (x->at.from < y->at.from ? -1 : 1) : strcmp(x->what, y->what);
}

void diags_sort(struct diags *d)
{
	if (d->n > 1)
		qsort(d->v, d->n, sizeof(d->v[0]), by_place);
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void span_place(struct str text, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at && i < text.n; i++) {
		if (text.p[i] == '\n') {
			++*line;
			*column = 1;
		} else if (!continues(text.p[i])) {
			++*column;
		}
	}
}

enum { TAB = 8, WIDTH = 100 };

/* The line that at lies in. */
static struct str line_of(struct str text, size_t at)
{
	size_t from = at < text.n ? at : text.n, to = from;

	while (from > 0 && text.p[from - 1] != '\n')
		from--;
	while (to < text.n && text.p[to] != '\n' && text.p[to] != '\r')
		to++;
	return (struct str){text.p + from, to - from};
}

/* Writes what can be shown of a line, and counts the columns that it takes. */
static size_t show(struct buf *out, struct str s, size_t column)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '\t') {
			do
				buf_putc(out, ' ');
			while (++column % TAB != 0);
		} else if (c < 0x20 || c == 0x7f) {
			buf_putc(out, '?');
			column++;
		} else {
			buf_putc(out, s.p[i]);
			column += !continues(s.p[i]);
		}
	}
	return column;
}

static void excerpt(struct buf *out, struct str text, struct span at, size_t line)
{
	struct str l = line_of(text, at.from);
	size_t before = (size_t)(text.p + (at.from < text.n ? at.from : text.n) - l.p), marked = at.to - at.from;
	bool cut_front = before > WIDTH - 20;
	size_t bad;
	AUTO(buf) struct buf nothing = {0};

	if (before > l.n)
		before = l.n;
	if (marked > l.n - before)
		marked = l.n - before;
	/* Of a long line only the part around the place. */
	if (cut_front) {
		size_t drop = before - 40;
		while (drop < before && continues(l.p[drop]))
			drop++;
		l.p += drop;
		l.n -= drop;
		before -= drop;
	}
	if (l.n > WIDTH) {
		l.n = before + marked > WIDTH ? before + (marked < 40 ? marked : 40) : WIDTH;
		while (l.n > before && !str_is_utf8(l, &bad) && bad + 4 > l.n)
			l.n = bad;
		marked = marked > l.n - before ? l.n - before : marked;
	}
	buf_printf(out, "%5zu | %s", line, cut_front ? "…" : "");
	if (str_is_utf8(l, &bad))
		(void)show(out, l, 0);
	else
		(void)show(out, (struct str){l.p, bad}, 0);
	size_t column = show(&nothing, (struct str){l.p, before}, 0);
	size_t end = show(&nothing, (struct str){l.p + before, marked}, column);
	buf_printf(out, "\n      | %s%*s", cut_front ? " " : "", (int)column, "");
	for (size_t i = column; i < end || i == column; i++)
		buf_putc(out, '^');
	buf_putc(out, '\n');
}

void diags_render(const struct diags *d, const char *path, struct str text, struct buf *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->v[i];
		size_t line, column;
		span_place(text, g->at.from, &line, &column);
		buf_printf(out, "%s:%zu:%zu: %s\n", path, line, column, g->what);
		excerpt(out, text, g->at, line);
		if (g->first.to > 0) {
			span_place(text, g->first.from, &line, &column);
			buf_printf(out, "%s:%zu:%zu: it stands here already\n", path, line, column);
			excerpt(out, text, g->first, line);
		}
		if (g->hint != NULL)
			buf_printf(out, "hint: %s\n", g->hint);
	}
	if (d->dropped > 0)
		buf_printf(out, "%s: and %zu more\n", path, d->dropped);
}
