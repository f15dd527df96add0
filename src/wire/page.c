/* The first page: the verdict, and what it rests on. */
#include "wire/page.h"

#include "base/num.h"
#include "wire/page_parts.h"

enum { SHOWN = 24 };

/* A command as one that can be copied whole. */
static void put_hint(const char *hint, struct buf *out)
{
	bool command = strncmp(hint, "dormouse ", 9) == 0 || strncmp(hint, "zpool ", 6) == 0;

	if (hint[0] == '\0')
		return;
	buf_puts(out, command ? "<p><code>" : "<p class=\"soft\">");
	html_text(out, hint);
	buf_puts(out, command ? "</code></p>" : "</p>");
}

/* Those that neither the verdict nor a part of the page tells. */
static void problems(const struct health *h, struct buf *out)
{
	size_t n = 0;

	for (size_t i = h->level == HEALTH_CRITICAL; i < h->problems.n; i++) {
		const struct problem *p = &h->problems.v[i];
		if (strncmp(p->key, "uncovered/", 10) == 0)
			continue;
		if (n == SHOWN)
			buf_puts(out, "</ul>\n<details id=\"more-problems\"><summary>more</summary>\n");
		if (n == 0 || n == SHOWN)
			buf_puts(out, "<ul class=\"problems\">\n");
		n++;
		const char *level = health_level_name(p->level);
		buf_printf(out, "<li class=\"%s\"><span class=\"tag %s\">%s</span>", level, level, level);
		html_text(out, p->text);
		put_hint(p->hint, out);
		buf_puts(out, "</li>\n");
	}
	if (n > 0)
		buf_puts(out, n > SHOWN ? "</ul></details>\n" : "</ul>\n");
}

/* --- one backup ------------------------------------------------------------------------------------------------ */

static void live(const struct health *h, const struct fact_run *r, struct buf *out)
{
	char took[NUM_TEXT], bytes[NUM_TEXT], total[NUM_TEXT], left[NUM_TEXT];
	int64_t so_far = h->facts->now - r->began;

	buf_printf(out, "<div class=\"live\"><p>running for %s: ", num_show_duration(so_far * 1000, took));
	html_text(out, r->stage == NULL ? "it begins" : r->stage);
	buf_puts(out, "</p>");
	if (r->total > 0) {
		double part = (double)r->bytes / (double)r->total;
		html_bar(out, 0, part, "ok");
		buf_printf(out, "<p class=\"soft\">%s of %s", num_show_bytes(r->bytes, bytes),
			   num_show_bytes(r->total, total));
		if (r->bytes > 0 && r->total > r->bytes && so_far > 0)
			buf_printf(out, ", some %s left",
				   num_show_duration((int64_t)((double)so_far * 1000 * (1 / part - 1)), left));
		buf_puts(out, "</p>");
	} else if (r->bytes > 0) {
		buf_printf(out, "<p class=\"soft\">%s so far</p>", num_show_bytes(r->bytes, bytes));
	}
	buf_puts(out, "</div>\n");
}

static void dataset_row(const struct health *h, const struct backup_health *b, const struct dataset_health *d,
			double most_s, bool served, struct buf *out)
{
	const struct fact_dataset *f = d->fact;
	char size[NUM_TEXT];

	buf_puts(out, "<tr><th scope=\"row\">");
	if (served) {
		buf_puts(out, "<a href=\"/dataset?backup=");
		html_query(out, b->backup->name);
		buf_puts(out, "&amp;name=");
		html_query(out, f->name);
		buf_puts(out, "\">");
	}
	html_text(out, f->name);
	buf_puts(out, served ? "</a></th><td class=\"fill\">" : "</th><td class=\"fill\">");
	if (f->newest_at != 0)
		html_bar(out, 0, (double)(h->facts->now - f->newest_at) / most_s, health_level_name(d->level));
	buf_puts(out, "</td><td class=\"n\">");
	html_age(out, f->newest_at, h->facts->now, &h->facts->zone);
	buf_puts(out, "</td><td class=\"n less\">");
	html_age(out, f->local_at, h->facts->now, &h->facts->zone);
	buf_printf(out, "</td><td class=\"n less\">%s</td><td class=\"%s\">%s</td></tr>\n",
		   f->size == 0 ? "" : num_show_bytes(f->size, size), health_level_name(d->level), d->word);
}

static void table_begin(struct buf *out)
{
	buf_puts(out, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">dataset</th><th scope=\"col\" "
		      "class=\"fill\">how far the archive is behind</th><th scope=\"col\" class=\"n\">archived</th><th "
		      "scope=\"col\" class=\"n less\">newest here</th><th scope=\"col\" class=\"n less\">size</th><th "
		      "scope=\"col\">state</th></tr></thead><tbody>\n");
}

/* Those that are not safe come first, and then as many as can be overlooked. */
static void datasets(const struct health *h, const struct backup_health *b, bool served, struct buf *out)
{
	const struct dataset_health *all = b->datasets == 0 ? NULL : &h->datasets.v[b->first];
	double most_s = 60;
	size_t shown = 0, safe = 0;

	if (b->datasets == 0)
		return;
	for (size_t i = 0; i < b->datasets; i++) {
		double lag = all[i].fact->newest_at == 0 ? 0 : (double)(h->facts->now - all[i].fact->newest_at);
		most_s = all[i].level == HEALTH_OK && lag > most_s ? lag : most_s;
		safe += all[i].level == HEALTH_OK;
	}
	/* A bar is full when it is late, if it is known when that is. */
	if (b->late_at != INT64_MAX && b->good != NULL && (double)(b->late_at - b->good->ended) > most_s)
		most_s = (double)(b->late_at - b->good->ended);
	table_begin(out);
	for (size_t i = 0; i < b->datasets; i++)
		if (all[i].level != HEALTH_OK)
			dataset_row(h, b, &all[i], most_s, served, out);
	bool folded = safe > SHOWN + SHOWN / 2;
	for (size_t i = 0; i < b->datasets; i++) {
		if (all[i].level != HEALTH_OK)
			continue;
		if (folded && shown++ == SHOWN) {
			buf_printf(out, "</tbody></table></div>\n<details id=\"more-");
			html_text(out, b->backup->name);
			buf_printf(out, "\"><summary>%zu more, all safe</summary>\n", safe - SHOWN);
			table_begin(out);
		}
		dataset_row(h, b, &all[i], most_s, served, out);
	}
	buf_puts(out, folded ? "</tbody></table></div></details>\n" : "</tbody></table></div>\n");
}

static void backup(const struct health *h, const struct backup_health *b, bool served, struct buf *out)
{
	char took[NUM_TEXT], bytes[NUM_TEXT], when[ZONE_TEXT];

	buf_puts(out, "<section><h2>");
	html_text(out, b->backup->name);
	buf_puts(out, "<small>");
	html_text(out, b->backup->source);
	buf_puts(out, " to ");
	html_text(out, b->backup->dest_target == NULL ? "this host" : b->backup->dest_target);
	buf_puts(out, "</small></h2>\n<p class=\"soft\">");
	if (b->last == NULL) {
		buf_puts(out, "no run yet");
	} else {
		buf_puts(out, "last run ");
		html_age(out, b->last->ended, h->facts->now, &h->facts->zone);
		buf_puts(out, " ago");
		if (b->last->exit >= 0)
			buf_printf(out, ", took %s, sent %s", num_show_duration(b->last->took_ms, took),
				   num_show_bytes(b->last->bytes, bytes));
	}
	if (b->next_at != INT64_MAX) {
		buf_printf(out, "; next %.16s, ", zone_show(&h->facts->zone, b->next_at, when));
		html_text(out, b->backup->run.text);
	}
	buf_puts(out, "</p>\n");
	if (b->running != NULL)
		live(h, b->running, out);
	page_parts_days(out, h->facts, b->backup->name);
	datasets(h, b, served, out);
	buf_puts(out, "</section>\n");
}

/* --- what is around ---------------------------------------------------------------------------------------------- */

static void machines(const struct health *h, struct buf *out)
{
	const struct facts *f = h->facts;

	if (h->config->targets.n == 0)
		return;
	buf_puts(out, "<section><h2>Machines</h2>\n<table><thead><tr><th scope=\"col\">target</th><th "
		      "scope=\"col\">state</th><th scope=\"col\" class=\"n\">a month</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < h->config->targets.n; i++) {
		const struct target *t = &h->config->targets.v[i];
		const struct fact_machine *m = NULL;
		for (size_t k = 0; k < f->machines.n; k++)
			if (strcmp(f->machines.v[k].target, t->name) == 0 &&
			    strcmp(f->machines.v[k].state, "absent") != 0)
				m = &f->machines.v[k];
		buf_puts(out, "<tr><th scope=\"row\">");
		html_text(out, t->name);
		buf_puts(out, "</th><td>");
		html_text(out, m == NULL ? "off" : strcmp(m->state, "ready") == 0 ? "on" : m->state);
		if (m != NULL) {
			buf_puts(out, " for ");
			html_age(out, m->since, f->now, &f->zone);
			if (m->users[0] != '\0')
				buf_puts(out, ", used by ");
			html_text(out, m->users);
		}
		buf_puts(out, "</td><td class=\"n\">");
		for (size_t k = 0; k < f->costs.n; k++)
			if (strcmp(f->costs.v[k].target, t->name) == 0)
				html_printf(out, "%s%s", f->costs.v[k].whole ? "" : "at least ", f->costs.v[k].text);
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</tbody></table></section>\n");
}

static void pools(const struct health *h, struct buf *out)
{
	char used[NUM_TEXT], size[NUM_TEXT];

	if (h->facts->pools.n == 0)
		return;
	buf_puts(out,
		 "<section><h2>Room</h2>\n<table><thead><tr><th scope=\"col\">where</th><th scope=\"col\" "
		 "class=\"fill\">filled</th><th scope=\"col\" class=\"n\">used</th><th scope=\"col\">health</th></tr>"
		 "</thead><tbody>\n");
	for (size_t i = 0; i < h->facts->pools.n; i++) {
		const struct fact_pool *p = &h->facts->pools.v[i];
		double part = p->size == 0 ? 0 : (double)p->used / (double)p->size;
		bool well = p->health == NULL || strcmp(p->health, "ONLINE") == 0;
		buf_puts(out, "<tr><th scope=\"row\">");
		if (p->on != NULL)
			html_printf(out, "%s:", p->on);
		html_text(out, p->name);
		buf_puts(out, "</th><td class=\"fill\">");
		html_bar(out, 0, part, part * 100 >= (double)h->config->alerting.pool_full ? "warn" : "ok");
		buf_printf(out, "</td><td class=\"n\">%s of %s</td><td class=\"%s\">", num_show_bytes(p->used, used),
			   num_show_bytes(p->size, size), well ? "" : "critical");
		html_text(out, p->health == NULL ? "" : well ? "online" : p->health);
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</tbody></table></section>\n");
}

static void sinks(const struct health *h, struct buf *out)
{
	if (h->facts->sinks.n == 0)
		return;
	buf_puts(out, "<section><h2>Reports</h2>\n<table><thead><tr><th scope=\"col\">to</th><th scope=\"col\">last "
		      "taken</th><th scope=\"col\" class=\"n\">waiting</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < h->facts->sinks.n; i++) {
		const struct fact_sink *s = &h->facts->sinks.v[i];
		buf_puts(out, "<tr><th scope=\"row\">");
		html_text(out, s->name);
		buf_puts(out, "</th><td>");
		html_age(out, s->good_at, h->facts->now, &h->facts->zone);
		buf_puts(out, s->good_at == 0 ? "" : " ago");
		if (s->error != NULL) {
			buf_puts(out, "<br><span class=\"warn\">");
			html_text(out, s->error);
			buf_puts(out, "</span>");
		}
		buf_printf(out, "</td><td class=\"n\">%lld</td></tr>\n", (long long)s->waiting);
	}
	buf_puts(out, "</tbody></table></section>\n");
}

static void coverage(const struct health *h, struct buf *out)
{
	const struct strings *u = &h->facts->uncovered;

	if (u->n == 0)
		return;
	buf_printf(out,
		   "<section><h2>In no backup<small>%zu dataset%s</small></h2>\n<p class=\"soft\">add a backup block, "
		   "or say of one that it needs none: <code>zfs set dormouse:backup=off NAME</code></p>\n<ul>\n",
		   u->n, u->n == 1 ? "" : "s");
	for (size_t i = 0; i < u->n; i++) {
		if (i == SHOWN)
			buf_printf(out, "</ul>\n<details id=\"more-uncovered\"><summary>%zu more</summary><ul>\n",
				   u->n - SHOWN);
		buf_puts(out, "<li>");
		html_text(out, u->v[i]);
		buf_puts(out, "</li>\n");
	}
	buf_puts(out, u->n > SHOWN ? "</ul></details></section>\n" : "</ul></section>\n");
}

void page_status(const struct health *h, bool served, struct buf *out)
{
	static const char *const titles[] = {"safe", "safe, with warnings", "NOT safe"};
	AUTO(arena) struct arena a = {0};

	page_parts_begin(out, arena_printf(&a, "dormouse: %s", titles[h->level]), served, false);
	buf_printf(out, "<h1 class=\"%s\"><span class=\"said\">%s: </span>", health_level_name(h->level),
		   titles[h->level]);
	html_text(out, h->verdict);
	buf_puts(out, "</h1>\n");
	put_hint(h->hint, out);
	problems(h, out);
	for (size_t i = 0; i < h->backups.n; i++)
		backup(h, &h->backups.v[i], served, out);
	page_parts_runs(out, h->facts, served);
	buf_puts(out, "<div class=\"cols\">\n");
	machines(h, out);
	pools(h, out);
	sinks(h, out);
	coverage(h, out);
	buf_puts(out, "</div>\n");
	page_parts_end(out, h->facts->now, &h->facts->zone, served);
}
