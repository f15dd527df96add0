#include "plan/health_text.h"

#include "base/num.h"

enum { COLUMNS = 80, NAME_COLUMNS = 42, SHORT_LIST = 16, WORST = 12 };

/* As many characters as there is room for; what does not fit loses its middle. */
static void put_name(struct buf *out, const char *name, size_t columns)
{
	size_t n = strlen(name);

	if (n <= columns) {
		buf_printf(out, "%-*s", (int)columns, name);
		return;
	}
	size_t head = columns / 3, tail = columns - head - 1;
	buf_printf(out, "%.*s…%s", (int)head, name, name + n - tail);
}

/* A sentence; with fold, broken at blanks. */
static void put_sentence(struct buf *out, const char *first, const char *text, bool fold)
{
	size_t column = strlen(first);

	buf_puts(out, first);
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, " ");
		if (fold && p != text && column + 1 + n > COLUMNS) {
			buf_puts(out, "\n ");
			column = 1;
		}
		if (p != text) {
			buf_putc(out, ' ');
			column++;
		}
		buf_add(out, p, n);
		column += n;
		p += n + strspn(p + n, " ");
	}
	buf_putc(out, '\n');
}

static const char *age(const struct health *h, int64_t at, char *out)
{
	int64_t s = h->facts->now - at;

	if (at == 0)
		return "never";
	return num_show_duration((s < 0 ? 0 : s) * 1000, out);
}

static void dataset_line(const struct health *h, const struct dataset_health *d, struct buf *out)
{
	char there[NUM_TEXT], size[NUM_TEXT];

	buf_puts(out, "  ");
	put_name(out, d->fact->name, NAME_COLUMNS);
	buf_printf(out, " %-8s %12s %12s\n", d->word, age(h, d->fact->newest_at, there),
		   d->fact->size == 0 ? "" : num_show_bytes(d->fact->size, size));
}

/* The last run, or the one under way, and the next. */
static void when_line(const struct health *h, const struct backup_health *b, struct buf *out)
{
	char took[NUM_TEXT], bytes[NUM_TEXT], total[NUM_TEXT], left[NUM_TEXT], when[ZONE_TEXT];
	const struct fact_run *r = b->running;

	if (r != NULL) {
		int64_t so_far = h->facts->now - r->began;
		buf_printf(out, "  run %lld for %s: %s", (long long)r->id, num_show_duration(so_far * 1000, took),
			   r->stage == NULL ? "it begins" : r->stage);
		if (r->bytes > 0)
			buf_printf(out, "; %s", num_show_bytes(r->bytes, bytes));
		if (r->total > 0)
			buf_printf(out, " of %s", num_show_bytes(r->total, total));
		if (r->bytes > 0 && r->total > r->bytes && so_far > 0)
			buf_printf(out, ", some %s left",
				   num_show_duration((int64_t)((double)(r->total - r->bytes) / (double)r->bytes *
							       (double)so_far * 1000),
						     left));
		buf_putc(out, '\n');
	}
	if (b->last != NULL) {
		buf_printf(out, "  last run %lld, %s ago", (long long)b->last->id, age(h, b->last->ended, left));
		if (b->last->exit >= 0)
			buf_printf(out, ", took %s, %s", num_show_duration(b->last->took_ms, took),
				   num_show_bytes(b->last->bytes, bytes));
		buf_putc(out, '\n');
	}
	if (b->next_at != INT64_MAX)
		buf_printf(out, "  next %s: %s (%s)\n", b->backup->name, zone_show(&h->facts->zone, b->next_at, when),
			   b->backup->run.text);
}

static void backup_block(const struct health *h, const struct backup_health *b, bool all, bool fold, struct buf *out)
{
	AUTO(arena) struct arena a = {0};
	const char *key = arena_printf(&a, "backup/%s", b->backup->name);
	size_t hidden = 0;
	char size[NUM_TEXT];

	buf_putc(out, '\n');
	/* What the first line has said already is not said again. */
	if (h->problems.n > 0 && strcmp(h->problems.v[0].key, key) == 0)
		buf_printf(out, "%s:\n", b->backup->name);
	else
		put_sentence(out, arena_printf(&a, "%s: ", b->backup->name), b->text, fold);
	when_line(h, b, out);
	all |= b->datasets <= SHORT_LIST;
	for (size_t i = b->first; i < b->first + b->datasets; i++) {
		if (all || h->datasets.v[i].level != HEALTH_OK)
			dataset_line(h, &h->datasets.v[i], out);
		else
			hidden++;
	}
	if (hidden > 0)
		buf_printf(out, "  %zu more are safe (--all names them), %s\n", hidden, num_show_bytes(b->size, size));
}

static void machines_line(const struct health *h, struct buf *out)
{
	char text[NUM_TEXT];
	size_t n = 0;

	for (size_t t = 0; t < h->config->targets.n; t++) {
		const char *name = h->config->targets.v[t].name;
		const struct fact_machine *m = NULL;
		for (size_t i = 0; i < h->facts->machines.n; i++)
			if (strcmp(h->facts->machines.v[i].target, name) == 0 &&
			    (m == NULL || strcmp(m->state, "absent") == 0))
				m = &h->facts->machines.v[i];
		if (m == NULL || strcmp(m->state, "absent") == 0)
			buf_printf(out, "%s%s is off", n++ == 0 ? "\n" : ", ", name);
		else
			buf_printf(out, "%s%s is %s for %s", n++ == 0 ? "\n" : ", ", name,
				   strcmp(m->state, "ready") == 0 ? "on" : m->state, age(h, m->since, text));
		for (size_t i = 0; i < h->facts->costs.n; i++)
			if (strcmp(h->facts->costs.v[i].target, name) == 0)
				buf_printf(out, " (about %s a month)", h->facts->costs.v[i].text);
	}
	if (n > 0)
		buf_putc(out, '\n');
}

static void sinks_line(const struct health *h, struct buf *out)
{
	char text[NUM_TEXT];

	for (size_t i = 0; i < h->facts->sinks.n; i++) {
		const struct fact_sink *s = &h->facts->sinks.v[i];
		buf_printf(out, "reports to %s: ", s->name);
		if (s->failing_at != 0)
			buf_printf(out, "failing for %s", age(h, s->failing_at, text));
		else if (s->good_at != 0)
			buf_printf(out, "the last %s ago", age(h, s->good_at, text));
		else
			buf_puts(out, "none yet");
		buf_printf(out, s->waiting > 0 ? ", %lld waiting\n" : "\n", (long long)s->waiting);
	}
}

/* One line for all that nobody backs up, and a line for each other problem that the backups' lines do not tell. */
static void problem_lines(const struct health *h, bool fold, struct buf *out)
{
	const struct strings *u = &h->facts->uncovered;
	size_t told = 0, more = 0;

	for (size_t i = 0; i < h->problems.n; i++) {
		const struct problem *p = &h->problems.v[i];
		if (strncmp(p->key, "dataset/", 8) == 0 || strncmp(p->key, "backup/", 7) == 0 ||
		    strncmp(p->key, "uncovered/", 10) == 0 || (i == 0 && p->level == HEALTH_CRITICAL))
			continue;
		if (told++ >= WORST) {
			more++;
			continue;
		}
		put_sentence(out, told == 1 ? "\n" : "", p->text, fold);
		buf_printf(out, "hint: %s\n", p->hint);
	}
	if (more > 0)
		buf_printf(out, "and %zu more: dormouse status --json\n", more);
	if (u->n > 0)
		buf_printf(out, "%sin no backup: ", told == 0 ? "\n" : "");
	for (size_t i = 0; i < u->n && i < 3; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ", ", u->v[i]);
	if (u->n > 0)
		buf_puts(out, u->n > 3 ? ", …\n" : "\n");
}

void health_text(const struct health *h, bool all, bool fold, struct buf *out)
{
	char when[ZONE_TEXT];

	put_sentence(out, "", h->verdict, fold);
	if (h->hint[0] != '\0')
		buf_printf(out, "hint: %s\n", h->hint);
	for (size_t i = 0; i < h->backups.n; i++)
		backup_block(h, &h->backups.v[i], all, fold, out);
	machines_line(h, out);
	if (h->next_snapshots != INT64_MAX)
		buf_printf(out, "next snapshots: %s\n", zone_show(&h->facts->zone, h->next_snapshots, when));
	sinks_line(h, out);
	problem_lines(h, fold, out);
}

int health_nagios(const struct health *h, struct buf *out)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL"};
	size_t proven = 0, warnings = 0;

	for (size_t i = 0; i < h->backups.n; i++)
		proven += h->backups.v[i].proven;
	for (size_t i = 0; i < h->problems.n; i++)
		warnings += h->problems.v[i].level == HEALTH_WARN;
	buf_printf(out, "DORMOUSE %s - ", words[h->level]);
	/* A bar begins the data. */
	for (const char *p = h->verdict; *p != '\0'; p++)
		buf_putc(out, *p == '|' || *p == '\n' ? ' ' : *p);
	buf_printf(out, " | datasets=%zu unsafe=%zu;;0 warnings=%zu", h->datasets.n, h->datasets.n - proven, warnings);
	for (size_t i = 0; i < h->backups.n; i++) {
		const struct backup_health *b = &h->backups.v[i];
		if (b->oldest != 0)
			buf_printf(out, " 'lag_%s'=%llds", b->backup->name, (long long)(h->facts->now - b->oldest));
		if (b->last != NULL && b->last->exit >= 0)
			buf_printf(out, " 'took_%s'=%.3fs 'sent_%s'=%lluB", b->backup->name,
				   (double)b->last->took_ms / 1000, b->backup->name,
				   (unsigned long long)b->last->bytes);
	}
	buf_putc(out, '\n');
	return (int)h->level;
}
