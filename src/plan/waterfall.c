#include "plan/waterfall.h"

#include "base/num.h"

enum { NAME = 28, BAR = 30, MANY = 30, DEEP = 4 };

struct drawing {
	struct buf *out;
	const struct trace *t;
	int64_t from_ms, to_ms, now_ms;
	int64_t least_ms; /* datasets that took less have no line */
	size_t hidden;
};

static int64_t end_of(const struct drawing *d, const struct trace_span *s)
{
	return s->ended_ms != 0 ? s->ended_ms : d->now_ms > s->began_ms ? d->now_ms : s->began_ms;
}

static bool is_dataset(const struct trace_span *s)
{
	return strcmp(s->name, "replicate.dataset") == 0;
}

/* What it is about says more than what it is called. */
static const char *label(const struct trace_span *s)
{
	const struct trace_attr *about = trace_attr(s, is_dataset(s) ? "dataset" : "text");

	if (about == NULL)
		about = trace_attr(s, "machine.target");
	return about == NULL || about->type != TRACE_TEXT || s->id == TRACE_ROOT ? s->name : about->text;
}

/* At most so many characters, the end of it if it has more. */
static const char *shortened(const char *text, size_t max, struct arena *a)
{
	size_t n = 0;

	for (const char *c = text; *c != '\0'; c++)
		n += ((unsigned char)*c & 0xc0) != 0x80;
	if (n <= max)
		return arena_printf(a, "%s%*s", text, (int)(max - n), "");
	for (size_t skip = n - max + 2; skip > 0 || ((unsigned char)*text & 0xc0) == 0x80; text++)
		skip -= ((unsigned char)*text & 0xc0) != 0x80;
	return arena_printf(a, "..%s", text);
}

static size_t column(const struct drawing *d, int64_t at)
{
	int64_t all = d->to_ms - d->from_ms, in = at < d->from_ms ? 0 : at > d->to_ms ? all : at - d->from_ms;
	return all <= 0 ? 0 : (size_t)((double)in * BAR / (double)all);
}

static void line(struct drawing *d, const struct trace_span *s, size_t depth)
{
	AUTO(arena) struct arena a = {0};
	size_t indent = 2 * (depth < DEEP ? depth : DEEP);
	size_t from = column(d, s->began_ms), to = column(d, end_of(d, s));
	char bar[BAR + 1], took[NUM_TEXT];

	/* However short, it is seen. */
	from = from < BAR ? from : BAR - 1;
	to = to > from ? to : from + 1;
	for (size_t i = 0; i < BAR; i++)
		bar[i] = i >= from && i < to ? (s->outcome == TRACE_SUCCESS   ? '='
						: s->outcome == TRACE_RUNNING ? '>'
									      : 'x')
					     : ' ';
	bar[BAR] = '\0';
	buf_printf(d->out, "%*s%s |%s| %s", (int)indent, "", shortened(label(s), NAME - indent, &a), bar,
		   num_show_duration(end_of(d, s) - s->began_ms, took));
	if (s->outcome != TRACE_SUCCESS)
		buf_printf(d->out, "  %s", trace_outcome_name(s->outcome));
	buf_putc(d->out, '\n');
}

static void draw(struct drawing *d, const struct trace_span *s, size_t depth)
{
	bool settled = s->outcome == TRACE_SUCCESS;

	if (is_dataset(s) && settled && end_of(d, s) - s->began_ms < d->least_ms) {
		d->hidden++;
		return;
	}
	line(d, s, depth);
	size_t before = d->hidden;
	/* A parent comes before its children, so this ends. */
	for (size_t i = 0; i < d->t->spans.n; i++)
		if (d->t->spans.v[i].parent == s->id && d->t->spans.v[i].id > s->id)
			draw(d, &d->t->spans.v[i], depth + 1);
	if (d->hidden > before && strcmp(s->name, "replicate") == 0)
		buf_printf(d->out, "%*s.. and %zu datasets that took less\n", (int)(2 * depth + 2), "",
			   d->hidden - before);
}

static int longest_first(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return (*a < *b) - (*a > *b);
}

static int64_t least_shown(const struct drawing *d)
{
	AUTO(arena) struct arena a = {0};
	struct {
		int64_t *v;
		size_t n, cap;
	} took = {0};

	for (size_t i = 0; i < d->t->spans.n; i++)
		if (is_dataset(&d->t->spans.v[i]))
			*vec_add(&took, &a) = end_of(d, &d->t->spans.v[i]) - d->t->spans.v[i].began_ms;
	if (took.n <= MANY)
		return 0;
	qsort(took.v, took.n, sizeof(*took.v), longest_first);
	return took.v[MANY - 1] + 1;
}

void waterfall_write(struct buf *b, const struct trace *t, int64_t now_ms)
{
	const struct trace_span *root = trace_find(t, TRACE_ROOT);
	struct drawing d = {.out = b, .t = t, .now_ms = now_ms};

	if (root == NULL)
		return;
	d.from_ms = root->began_ms;
	d.to_ms = end_of(&d, root);
	d.least_ms = least_shown(&d);
	draw(&d, root, 0);
}
