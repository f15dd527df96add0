/* The snapshots of one dataset on both sides, and how each is restored. */
#include "base/num.h"
#include "wire/page_parts.h"
#include "wire/shell.h"

enum { ROWS = 1000 };

/* A snapshot that one side has, or both. */
struct row {
	const struct point *local, *copy;
};

static const struct point *twin(const struct dataset *d, const struct point *p)
{
	return d == NULL ? NULL : dataset_snapshot_by_guid(d, p->guid);
}

static int64_t creation(const struct row *r)
{
	return r->copy != NULL ? r->copy->creation : r->local->creation;
}

static int newest_first(const void *x, const void *y)
{
	int64_t a = creation(x), b = creation(y);

	return a > b ? -1 : a < b;
}

static size_t rows_of(const struct page_dataset *d, struct arena *a, struct row **out)
{
	size_t most = (d->local == NULL ? 0 : d->local->points.n) + (d->copy == NULL ? 0 : d->copy->points.n), n = 0;
	struct row *rows = arena_alloc(a, (most + 1) * sizeof(*rows));

	for (size_t i = 0; d->copy != NULL && i < d->copy->points.n; i++)
		if (d->copy->points.v[i].kind == POINT_SNAPSHOT)
			rows[n++] = (struct row){twin(d->local, &d->copy->points.v[i]), &d->copy->points.v[i]};
	for (size_t i = 0; d->local != NULL && i < d->local->points.n; i++)
		if (d->local->points.v[i].kind == POINT_SNAPSHOT && twin(d->copy, &d->local->points.v[i]) == NULL)
			rows[n++] = (struct row){&d->local->points.v[i], NULL};
	qsort(rows, n, sizeof(*rows), newest_first);
	*out = rows;
	return n;
}

static void restore_command(const struct page_dataset *d, const char *snapshot, struct arena *a, struct buf *out)
{
	AUTO(buf) struct buf b = {0};

	buf_puts(&b, "dormouse restore --backup");
	shell_word(&b, d->backup);
	shell_word(&b, arena_printf(a, "%s@%s", d->name, snapshot));
	buf_puts(&b, " --to");
	shell_word(&b, arena_printf(a, "%s-restored", d->name));
	html_text(out, buf_text(&b));
}

static void row(const struct page_dataset *d, const struct row *r, struct arena *a, struct buf *out)
{
	const struct point *p = r->copy != NULL ? r->copy : r->local;
	char when[ZONE_TEXT];

	buf_puts(out, "<tr><th scope=\"row\">");
	html_text(out, p->name);
	buf_printf(out, "</th><td class=\"less\">%.16s</td><td class=\"n\">", zone_show(d->zone, p->creation, when));
	html_age(out, p->creation, d->now, d->zone);
	buf_printf(out, "</td><td>%s</td><td>%s</td><td>",
		   r->local != NULL	? "yes"
		   : d->local_seen == 0 ? "?"
					: "gone",
		   r->copy != NULL     ? "<span class=\"ok\">yes</span>"
		   : d->copy_seen == 0 ? "?"
				       : "<span class=\"warn\">not yet</span>");
	if (r->copy != NULL) {
		buf_puts(out, "<details id=\"g");
		buf_printf(out, "%llx\"><summary>restore</summary><code>", (unsigned long long)p->guid);
		restore_command(d, p->name, a, out);
		buf_puts(out, "</code></details>");
	}
	buf_puts(out, "</td></tr>\n");
}

static void seen(const char *what, int64_t at, const struct page_dataset *d, struct buf *out)
{
	buf_puts(out, what);
	if (at == 0) {
		buf_puts(out, " has not been looked at");
		return;
	}
	buf_puts(out, " seen ");
	html_age(out, at, d->now, d->zone);
	buf_puts(out, " ago");
}

void page_dataset(const struct page_dataset *d, struct buf *out)
{
	AUTO(arena) struct arena a = {0};
	struct row *rows;
	size_t n = rows_of(d, &a, &rows);

	page_parts_begin(out, arena_printf(&a, "dormouse: %s", d->name), true, true);
	buf_puts(out, "<h1 class=\"plain\">");
	html_text(out, d->name);
	buf_puts(out, "</h1>\n<p class=\"soft\">");
	seen("this side", d->local_seen, d, out);
	seen("; the archive", d->copy_seen, d, out);
	buf_puts(out, "</p>\n");
	if (n == 0) {
		buf_puts(out, "<p>No snapshot is known.</p>\n");
	} else {
		buf_puts(
		    out,
		    "<div class=\"wide\"><table><thead><tr><th scope=\"col\">snapshot</th><th scope=\"col\" "
		    "class=\"less\">taken</th><th scope=\"col\" class=\"n\">age</th><th scope=\"col\">here</th><th "
		    "scope=\"col\">archive</th><th scope=\"col\">back</th></tr></thead><tbody>\n");
		for (size_t i = 0; i < n && i < ROWS; i++)
			row(d, &rows[i], &a, out);
		buf_puts(out, "</tbody></table></div>\n");
		if (n > ROWS)
			buf_printf(out, "<p class=\"soft\">and %zu older ones: <code>dormouse list</code></p>\n",
				   n - ROWS);
	}
	page_parts_end(out, d->now, d->zone, true);
}
