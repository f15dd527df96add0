/* Internal to the pages: what they share. */
#ifndef WIRE_PAGE_PARTS_H
#define WIRE_PAGE_PARTS_H

#include "wire/page.h"

/* Up to and with <main>; title is text; back: there is another page to go back to. */
void page_parts_begin(struct buf *out, const char *title, bool served, bool back);
/* From </main> on. */
void page_parts_end(struct buf *out, int64_t now, const struct zone *z, bool served);
/* How a run ended: "done", and the class for it. */
const char *page_parts_outcome(const struct fact_run *r, const char **class);
/* page_runs.c: the last 90 days of a backup, a bar for each; and a table of the last runs of all. */
void page_parts_days(struct buf *out, const struct facts *f, const char *backup);
void page_parts_runs(struct buf *out, const struct facts *f, bool served);

#endif
