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

static struct diag *add(struct diags *d, bool warning, struct span at, const char *what, va_list ap)
{
	if (d->n == DIAGS_MAX) {
		d->dropped += !warning;
		d->spare.what = "there is more wrong than can be shown";
		return &d->spare;
	}
	struct diag *g = vec_add(d, d->arena);
	*g = (struct diag){.at = at, .what = vformat(d->arena, what, ap), .warning = warning};
	return g;
}

struct diag *diag_add(struct diags *d, struct span at, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	struct diag *g = add(d, false, at, what, ap);
	va_end(ap);
	return g;
}

struct diag *diag_warn(struct diags *d, struct span at, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	struct diag *g = add(d, true, at, what, ap);
	va_end(ap);
	return g;
}

void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...)
{
	va_list ap;

	if (g == &d->spare)
		return;
	va_start(ap, fmt);
	g->hint = vformat(d->arena, fmt, ap);
	va_end(ap);
}

const struct diag *diags_wrong(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->v[i].warning)
			return &d->v[i];
	return d->dropped > 0 ? &d->spare : NULL;
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

#define BOM "\xef\xbb\xbf"

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void span_place(struct str text, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	/* A byte order mark is no character. */
	for (size_t i = str_starts(text, BOM) ? strlen(BOM) : 0; i < at && i < text.n; i++) {
		if (text.p[i] == '\n') {
			++*line;
			*column = 1;
		} else if (!continues(text.p[i])) {
			++*column;
		}
	}
}

enum { TAB = 8, WIDTH = 100, WHAT_HEAD = 200, WHAT_TAIL = 80 };

/* The line that at lies in. */
static struct str line_of(struct str text, size_t at)
{
	size_t from = at < text.n ? at : text.n, to = from;

	while (from > 0 && text.p[from - 1] != '\n')
		from--;
	while (to < text.n && text.p[to] != '\n')
		to++;
	to -= to > from && text.p[to - 1] == '\r';
	return (struct str){text.p + from, to - from};
}

/* The code point at p, which is well-formed UTF-8, and its length. */
static uint32_t code_point(const char *p, size_t *len)
{
	unsigned char c = (unsigned char)p[0];

	*len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t point = *len == 1 ? c : c & (0xffu >> (*len + 1));
	for (size_t i = 1; i < *len; i++)
		point = point << 6 | ((unsigned char)p[i] & 0x3f);
	return point;
}

struct range {
	uint32_t from, to;
};

static bool in(const struct range *ranges, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

/* How many columns a terminal gives to a character; -1: it is not to be sent to one. */
static int columns(uint32_t c)
{
	/* Control characters, and those that turn the direction of writing. */
	static const struct range hidden[] = {{0x00, 0x1f},	{0x7f, 0x9f},	  {0x200e, 0x200f},
					      {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}};
	static const struct range none[] = {{0x300, 0x36f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
	static const struct range two[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
					   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6},
					   {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

	if (in(hidden, ARRAY_LEN(hidden), c))
		return -1;
	if (in(none, ARRAY_LEN(none), c))
		return 0;
	return in(two, ARRAY_LEN(two), c) ? 2 : 1;
}

/* Writes what can be shown of well-formed text, and counts the columns that it takes. */
static size_t show(struct buf *out, struct str s, size_t column)
{
	size_t len;

	for (size_t i = 0; i < s.n; i += len) {
		uint32_t c = code_point(s.p + i, &len);
		int width = columns(c);
		if (c == '\t') {
			do
				buf_putc(out, ' ');
			while (++column % TAB != 0);
		} else if (width < 0) {
			buf_putc(out, '?');
			column++;
		} else {
			buf_add(out, s.p + i, len);
			column += (size_t)width;
		}
	}
	return column;
}

/* A message, which may hold anything that stands in the file: on one line, and not too long. */
static void show_what(struct buf *out, const char *what)
{
	struct str s = str_of(what), tail = s;
	size_t bad;

	if (!str_is_utf8(s, &bad))
		s.n = bad;
	if (s.n > WHAT_HEAD + WHAT_TAIL) {
		tail.p += s.n - WHAT_TAIL;
		tail.n = WHAT_TAIL;
		for (s.n = WHAT_HEAD; continues(s.p[s.n]);)
			s.n--;
		for (; continues(tail.p[0]); tail.n--)
			tail.p++;
		(void)show(out, s, 0);
		buf_puts(out, " … ");
		s = tail;
	}
	(void)show(out, s, 0);
}

static void headline(struct buf *out, const char *path, struct str text, size_t at, const char *kind, const char *what,
		     size_t *line)
{
	size_t column;

	span_place(text, at, line, &column);
	buf_printf(out, "%s:%zu:%zu: %s", path, *line, column, kind);
	show_what(out, what);
	buf_putc(out, '\n');
}

/* A part of a line with the place in it, so long that a person still sees it. */
struct view {
	struct str line;
	size_t before, marked; /* bytes in front of the place, and of it */
	bool front, back;      /* something was cut off there */
};

static struct view view_of(struct str text, struct span at)
{
	struct view v = {.line = line_of(text, at.from)};
	struct str *l = &v.line;
	size_t bad, from = at.from < text.n ? at.from : text.n;

	v.before = (size_t)(text.p + from - l->p);
	if (l->p == text.p && str_starts(*l, BOM)) {
		l->p += strlen(BOM);
		l->n -= strlen(BOM);
		v.before -= v.before < strlen(BOM) ? v.before : strlen(BOM);
	}
	if (!str_is_utf8(*l, &bad))
		l->n = bad;
	if (v.before > l->n)
		v.before = l->n;
	while (v.before > 0 && v.before < l->n && continues(l->p[v.before]))
		v.before--;
	if (v.before > WIDTH - 20) {
		size_t drop = v.before - 40;
		while (continues(l->p[drop]))
			drop++;
		l->p += drop;
		l->n -= drop;
		v.before -= drop;
		v.front = true;
	}
	v.marked = at.to > from ? at.to - from : 0;
	if (v.marked > l->n - v.before)
		v.marked = l->n - v.before;
	if (l->n > WIDTH) {
		size_t end = v.before + (v.marked < 40 ? v.marked : 40);
		l->n = end > WIDTH ? end : WIDTH;
		while (continues(l->p[l->n]))
			l->n--;
		v.back = true;
		if (v.marked > l->n - v.before)
			v.marked = l->n - v.before;
	}
	while (v.before + v.marked < l->n && continues(l->p[v.before + v.marked]))
		v.marked++;
	return v;
}

static void excerpt(struct buf *out, struct str text, struct span at, size_t line)
{
	struct view v = view_of(text, at);
	AUTO(buf) struct buf nothing = {0};

	buf_printf(out, "%5zu | %s", line, v.front ? "…" : "");
	(void)show(out, v.line, 0);
	size_t column = show(&nothing, (struct str){v.line.p, v.before}, 0);
	size_t end = show(&nothing, (struct str){v.line.p + v.before, v.marked}, column);
	buf_printf(out, "%s\n      | %s%*s", v.back ? "…" : "", v.front ? " " : "", (int)column, "");
	for (size_t i = column; i < end || i == column; i++)
		buf_putc(out, '^');
	buf_putc(out, '\n');
}

void diags_render(const struct diags *d, const char *path, struct str text, struct buf *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->v[i];
		size_t line;
		headline(out, path, text, g->at.from, g->warning ? "warning: " : "", g->what, &line);
		excerpt(out, text, g->at, line);
		if (g->first.to > 0) {
			headline(out, path, text, g->first.from, "", "it stands here already", &line);
			excerpt(out, text, g->first, line);
		}
		if (g->hint != NULL) {
			buf_puts(out, "hint: ");
			show_what(out, g->hint);
			buf_putc(out, '\n');
		}
	}
	if (d->dropped > 0)
		buf_printf(out, "%s: and %zu more\n", path, d->dropped);
}
