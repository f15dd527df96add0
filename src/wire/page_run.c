/* One run: its spans as a waterfall, and its lines. */
#include "base/num.h"
#include "wire/page_parts.h"

enum { ROWS = 400, DEPTH = 4 };

static const char *class_of(enum trace_outcome o)
{
	switch (o) {
	case TRACE_SUCCESS:
		return "ok";
	case TRACE_PARTIAL:
	case TRACE_SKIPPED:
		return "warn";
	case TRACE_FAILED:
	case TRACE_TIMEOUT:
	case TRACE_DIED:
		return "critical";
	case TRACE_RUNNING:
		return "soft";
	}
	return "soft";
}

static void attr_text(const struct trace_attr *a, struct buf *out)
{
	html_text(out, a->name);
	buf_putc(out, ' ');
	switch (a->type) {
	case TRACE_TEXT:
		html_text(out, a->text);
		break;
	case TRACE_INT:
		buf_printf(out, "%lld", (long long)a->number);
		break;
	case TRACE_REAL:
		buf_printf(out, "%g", a->real);
		break;
	case TRACE_BOOL:
		buf_puts(out, a->yes ? "yes" : "no");
		break;
	}
}

static size_t depth_of(const struct trace_spans *all, const struct trace_span *s)
{
	size_t depth = 0;

	/* A parent has the smaller number. */
	for (int64_t parent = s->parent; parent > 0 && depth < DEPTH; depth++) {
		const struct trace_span *p = NULL;
		for (size_t i = 0; i < all->n && p == NULL; i++)
			if (all->v[i].id == parent)
				p = &all->v[i];
		parent = p == NULL || p->parent >= parent ? 0 : p->parent;
	}
	return depth;
}

static void span_row(const struct page_run *r, const struct trace_span *s, int64_t from_ms, int64_t to_ms,
		     struct buf *out)
{
	double all = to_ms > from_ms ? (double)(to_ms - from_ms) : 1;
	int64_t end = s->ended_ms == 0 ? to_ms : s->ended_ms, took = end - s->began_ms;
	const char *class = class_of(s->outcome);
	char text[NUM_TEXT];

	buf_printf(out, "<tr><th scope=\"row\" class=\"d%zu\">", depth_of(r->spans, s));
	html_text(out, s->name);
	for (size_t i = 0; i < s->attrs.n; i++)
		if (strcmp(s->attrs.v[i].name, "dataset") == 0 && s->attrs.v[i].type == TRACE_TEXT)
			html_printf(out, " %s", s->attrs.v[i].text);
	if (s->attrs.n > 0) {
		buf_printf(out, "<details id=\"s%lld\"><summary>%zu detail%s</summary><ul class=\"soft\">",
			   (long long)s->id, s->attrs.n, s->attrs.n == 1 ? "" : "s");
		for (size_t i = 0; i < s->attrs.n; i++) {
			buf_puts(out, "<li>");
			attr_text(&s->attrs.v[i], out);
			buf_puts(out, "</li>");
		}
		buf_puts(out, "</ul></details>");
	}
	buf_puts(out, "</th><td class=\"fall\">");
	html_bar(out, (double)(s->began_ms - from_ms) / all, (double)(end - from_ms) / all, class);
	buf_printf(out, "</td><td class=\"n\">%s</td><td class=\"%s\">%s</td></tr>\n",
		   num_show_duration(took < 0 ? 0 : took, text), class, trace_outcome_name(s->outcome));
}

static void waterfall(const struct page_run *r, struct buf *out)
{
	int64_t from = INT64_MAX, to = 0;

	if (r->spans->n == 0)
		return;
	for (size_t i = 0; i < r->spans->n; i++) {
		const struct trace_span *s = &r->spans->v[i];
		int64_t end = s->ended_ms == 0 ? r->now * 1000 : s->ended_ms;
		from = s->began_ms < from ? s->began_ms : from;
		to = end > to ? end : to;
	}
	buf_puts(out,
		 "<h2>Where the time went</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">step</th><th "
		 "scope=\"col\" class=\"fall\">when</th><th scope=\"col\" class=\"n\">took</th><th scope=\"col\">came "
		 "to</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < r->spans->n && i < ROWS; i++)
		span_row(r, &r->spans->v[i], from, to, out);
	buf_puts(out, "</tbody></table></div>\n");
	if (r->spans->n > ROWS)
		buf_printf(out, "<p class=\"soft\">and %zu more steps</p>\n", r->spans->n - ROWS);
}

void page_run(const struct page_run *r, struct buf *out)
{
	AUTO(arena) struct arena a = {0};
	const struct fact_run *run = r->run;
	char when[ZONE_TEXT], took[NUM_TEXT], bytes[NUM_TEXT];
	const char *class, *word = page_parts_outcome(run, &class);

	page_parts_begin(out, arena_printf(&a, "dormouse: run %lld", (long long)run->id), true, true);
	buf_printf(out, "<h1 class=\"%s\">Run %lld of ", strcmp(class, "soft") == 0 ? "ok" : class, (long long)run->id);
	html_text(out, run->backup);
	buf_printf(out, ": %s</h1>\n<p class=\"soft\">began %s", word, zone_show(r->zone, run->began, when));
	if (run->ended != 0 && run->exit >= 0)
		buf_printf(out, ", took %s, sent %s, %zu of %zu datasets proven", num_show_duration(run->took_ms, took),
			   num_show_bytes(run->bytes, bytes), run->proven, run->datasets);
	buf_puts(out, "</p>\n");
	if (run->trouble.what != NULL) {
		buf_puts(out, "<ul class=\"problems\"><li class=\"critical\">");
		html_text(out, run->trouble.what);
		if (run->trouble.why != NULL && run->trouble.why[0] != '\0') {
			buf_puts(out, ": ");
			html_text(out, run->trouble.why);
		}
		if (run->trouble.hint != NULL && run->trouble.hint[0] != '\0') {
			buf_puts(out, "<p><code>");
			html_text(out, run->trouble.hint);
			buf_puts(out, "</code></p>");
		}
		buf_puts(out, "</li></ul>\n");
	}
	waterfall(r, out);
	if (r->lines->n > 0)
		buf_puts(out, "<h2>What it said</h2>\n<pre tabindex=\"0\">");
	for (size_t i = 0; i < r->lines->n; i++) {
		struct civil c = zone_civil(r->zone, r->lines->v[i].at);
		buf_printf(out, "%02d:%02d:%02d  ", c.hour, c.minute, c.second);
		html_text(out, r->lines->v[i].text);
		buf_putc(out, '\n');
	}
	if (r->lines->n > 0)
		buf_puts(out, "</pre>\n");
	page_parts_end(out, r->now, r->zone, true);
}
