#include "wire/page_parts.h"

void page_parts_begin(struct buf *out, const char *title, bool served, bool back)
{
	buf_puts(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	html_text(out, title);
	buf_puts(out, "</title>\n");
	if (served)
		buf_puts(out, "<link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n");
	else
		buf_printf(out, "<style>\n%s</style>\n", page_style);
	buf_puts(out, "</head>\n<body>\n<a class=\"skip\" href=\"#main\">to the content</a>\n<header><b>dormouse</b>");
	if (back)
		buf_puts(out, "<a href=\"/\">status</a>");
	buf_puts(out, "</header>\n<main id=\"main\">\n");
}

void page_parts_end(struct buf *out, int64_t now, const struct zone *z, bool served)
{
	char when[ZONE_TEXT];

	buf_printf(out, "</main>\n<footer><p><span id=\"asof\">as of %s</span>", zone_show(z, now, when));
	if (served)
		buf_puts(out, " <span id=\"live\"></span></p>\n<p id=\"said\" class=\"said\" role=\"status\">");
	buf_puts(out, served ? "</p></footer>\n<script src=\"/live.js\"></script>\n</body>\n</html>\n"
			     : "</p></footer>\n</body>\n</html>\n");
}

const char *page_parts_outcome(const struct fact_run *r, const char **class)
{
	*class = r->ended == 0 ? "soft" : r->exit == 0 ? "ok" : r->exit == 1 ? "warn" : "critical";
	return r->ended == 0  ? "running"
	       : r->exit == 0 ? "done"
	       : r->exit == 1 ? "partly"
	       : r->exit < 0  ? "died"
			      : "failed";
}

void page_error(const char *what, const char *hint, struct buf *out)
{
	page_parts_begin(out, "dormouse", true, true);
	buf_puts(out, "<h1 class=\"plain\">");
	html_text(out, what);
	buf_puts(out, "</h1>\n<p>");
	html_text(out, hint);
	buf_puts(out, "</p>\n");
	buf_puts(out, "</main>\n</body>\n</html>\n");
}
