/* Text as HTML.  Whatever is in it, it stays text: everything that is put into a page goes through here. */
#ifndef WIRE_HTML_H
#define WIRE_HTML_H

#include "base/buf.h"
#include "base/zone.h"

/* Escaped for an element and for an attribute in quotes; what is no UTF-8 or controls becomes U+FFFD, but for new lines
 * and tabs. */
void html_text(struct buf *b, const char *s);
/* Likewise, what is formatted. */
void html_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* A part of a URL's query: percent-encoded. */
void html_query(struct buf *b, const char *s);
/* <time> with the age of an instant, and the instant itself as its title; "never" for 0. */
void html_age(struct buf *b, int64_t at, int64_t now, const struct zone *z);
/* A bar so wide, of 0 to 1. */
void html_bar(struct buf *b, double from, double to, const char *class);

#endif
