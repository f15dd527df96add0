/* The pages of `dormouse web`, and of `status --html`: made of values alone, and whole without a script. */
#ifndef WIRE_PAGE_H
#define WIRE_PAGE_H

#include "model/health.h"
#include "model/trace.h"
#include "wire/html.h"

/* served: by dormouse web, which has the other pages, the style and the script at their own addresses; else the page is
 * one file that needs nothing. */
void page_status(const struct health *h, bool served, struct buf *out);

/* One run: what it came to, its spans as a waterfall, its lines. */
struct page_line {
	int64_t at;
	const char *text;
};
struct page_lines VEC(struct page_line);
struct page_run {
	int64_t now;
	const struct zone *zone;
	const struct fact_run *run;
	const struct trace_spans *spans;
	const struct page_lines *lines;
};
void page_run(const struct page_run *r, struct buf *out);

/* The snapshots of one dataset on both sides, and how each is restored.  Either side may not have been seen. */
struct page_dataset {
	int64_t now;
	const struct zone *zone;
	const char *backup, *name;
	const struct dataset *local, *copy; /* or NULL */
	int64_t local_seen, copy_seen;	    /* when; 0: nobody has looked */
};
void page_dataset(const struct page_dataset *d, struct buf *out);

/* What could not be shown, and why. */
void page_error(const char *what, const char *hint, struct buf *out);

/* The parts that are the same each time. */
extern const char page_style[], page_script[];

#endif
