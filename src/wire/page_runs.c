/* Runs on the page: 90 days at a glance, and the last ones each. */
#include "base/num.h"
#include "wire/page_parts.h"

enum { DAYS = 90, LAST_RUNS = 12, STEP = 10, DAY_S = 86400 };

struct day {
	size_t good, partly, bad; /* runs */
	bool ends_badly;	  /* its last one */
};

static int64_t day_of(const struct zone *z, int64_t t)
{
	int64_t local = t + zone_offset(z, t);

	return local < 0 ? (local - DAY_S + 1) / DAY_S : local / DAY_S;
}

static void count(const struct facts *f, const char *backup, struct day *days)
{
	int64_t today = day_of(&f->zone, f->now);

	for (size_t i = 0; i < f->runs.n; i++) {
		const struct fact_run *r = &f->runs.v[i];
		int64_t back = today - day_of(&f->zone, r->began);
		if (r->ended == 0 || back < 0 || back >= DAYS || strcmp(r->backup, backup) != 0)
			continue;
		struct day *d = &days[DAYS - 1 - back];
		/* Newest first: the first that is seen is the day's last. */
		if (d->good + d->partly + d->bad == 0)
			d->ends_badly = r->exit != 0 && r->exit != 1;
		*(r->exit == 0 ? &d->good : r->exit == 1 ? &d->partly : &d->bad) += 1;
	}
}

static void day_title(struct buf *out, int64_t day, const struct day *d)
{
	char date[CIVIL_TEXT];
	size_t n = d->good + d->partly + d->bad;

	buf_printf(out, "%.10s: ", civil_show(day * DAY_S, date));
	if (n == 0)
		buf_puts(out, "no run");
	else
		buf_printf(out, "%zu run%s", n, n == 1 ? "" : "s");
	if (d->partly > 0)
		buf_printf(out, ", %zu partly done", d->partly);
	if (d->bad > 0)
		buf_printf(out, ", %zu failed", d->bad);
}

void page_parts_days(struct buf *out, const struct facts *f, const char *backup)
{
	struct day days[DAYS] = {0};
	int64_t today = day_of(&f->zone, f->now);
	size_t good = 0, flawed = 0;

	count(f, backup, days);
	for (size_t i = 0; i < DAYS; i++) {
		flawed += days[i].partly + days[i].bad > 0;
		good += days[i].good > 0 && days[i].partly + days[i].bad == 0;
	}
	buf_printf(
	    out,
	    "<svg class=\"days\" viewBox=\"0 0 %d 30\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"The "
	    "last %d days: %zu with good runs only, %zu with runs that failed, %zu without a run\">",
	    DAYS * STEP, DAYS, good, flawed, DAYS - good - flawed);
	for (int i = 0; i < DAYS; i++) {
		const struct day *d = &days[i];
		bool none = d->good + d->partly + d->bad == 0;
		/* Low where there was nothing, so that it is seen without colours as well. */
		buf_printf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"7\" height=\"%d\" rx=\"1\"><title>",
			   none				   ? "bed"
			   : d->ends_badly || d->good == 0 ? d->bad > 0 ? "critical" : "warn"
			   : d->partly + d->bad > 0	   ? "warn"
							   : "ok",
			   i * STEP,
			   none		? 24
			   : d->bad > 0 ? 0
					: 6,
			   none		? 6
			   : d->bad > 0 ? 30
					: 24);
		day_title(out, today - DAYS + 1 + i, d);
		buf_puts(out, "</title></rect>");
	}
	buf_puts(
	    out,
	    "</svg>\n<div class=\"legend\" aria-hidden=\"true\"><span>90 days ago</span><span>today</span></div>\n");
}

static void run_row(struct buf *out, const struct facts *f, const struct fact_run *r, bool served)
{
	char took[NUM_TEXT], bytes[NUM_TEXT];
	const char *class, *word = page_parts_outcome(r, &class);

	buf_puts(out, "<tr><th scope=\"row\">");
	if (served)
		buf_printf(out, "<a id=\"r%lld\" href=\"/run/%lld\">", (long long)r->id, (long long)r->id);
	buf_printf(out, "%lld%s</th><td>", (long long)r->id, served ? "</a>" : "");
	html_text(out, r->backup);
	buf_puts(out, "</td><td>");
	html_age(out, r->began, f->now, &f->zone);
	buf_printf(out, " ago</td><td class=\"%s\">%s</td><td class=\"n\">%s</td><td class=\"n less\">%s</td></tr>\n",
		   class, word, r->ended == 0 || r->exit < 0 ? "" : num_show_duration(r->took_ms, took),
		   r->exit < 0 ? "" : num_show_bytes(r->bytes, bytes));
}

void page_parts_runs(struct buf *out, const struct facts *f, bool served)
{
	if (f->runs.n == 0)
		return;
	buf_puts(out, "<h2 id=\"runs\">Last runs</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">run</th>"
		      "<th scope=\"col\">backup</th><th scope=\"col\">began</th><th scope=\"col\">came to</th>"
		      "<th scope=\"col\" class=\"n\">took</th><th scope=\"col\" class=\"n less\">sent</th></tr></thead>"
		      "<tbody>\n");
	for (size_t i = 0; i < f->runs.n && i < LAST_RUNS; i++)
		run_row(out, f, &f->runs.v[i], served);
	buf_puts(out, "</tbody></table></div>\n");
}
