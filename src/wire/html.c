#include "wire/html.h"

#include <stdarg.h>

#include "base/num.h"

static void put_char(struct buf *b, char c)
{
	switch (c) {
	case '&':
		buf_puts(b, "&amp;");
		break;
	case '<':
		buf_puts(b, "&lt;");
		break;
	case '>':
		buf_puts(b, "&gt;");
		break;
	case '"':
		buf_puts(b, "&quot;");
		break;
	case '\'':
		buf_puts(b, "&#39;");
		break;
	default:
		if (((unsigned char)c < ' ' && c != '\n' && c != '\t') || c == 127)
			buf_puts(b, "\xef\xbf\xbd");
		else
			buf_putc(b, c);
	}
}

void html_text(struct buf *b, const char *s)
{
	struct str rest = str_of(s == NULL ? "" : s);

	while (rest.n > 0) {
		size_t bad, n = str_is_utf8(rest, &bad) ? rest.n : bad;
		for (size_t i = 0; i < n; i++)
			put_char(b, rest.p[i]);
		rest.p += n;
		rest.n -= n;
		if (rest.n == 0)
			return;
		buf_puts(b, "\xef\xbf\xbd");
		rest.p++;
		rest.n--;
	}
}

void html_printf(struct buf *b, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	html_text(b, text);
}

void html_query(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/", *s) != NULL)
			buf_putc(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
	}
}

void html_age(struct buf *b, int64_t at, int64_t now, const struct zone *z)
{
	char iso[CIVIL_TEXT], local[ZONE_TEXT], age[NUM_TEXT];

	if (at == 0) {
		buf_puts(b, "never");
		return;
	}
	buf_printf(b, "<time datetime=\"%s\" title=\"%s\">%s</time>", civil_show(at, iso), zone_show(z, at, local),
		   num_show_duration((now > at ? now - at : 0) * 1000, age));
}

void html_bar(struct buf *b, double from, double to, const char *class)
{
	from = from < 0 ? 0 : from > 1 ? 1 : from;
	to = to < from ? from : to > 1 ? 1 : to;
	/* One that is too short to be seen is shown as what can be. */
	double width = (to - from) * 1000 < 4 ? 4 : (to - from) * 1000, x = from * 1000;
	x = x + width > 1000 ? 1000 - width : x;
	buf_printf(b,
		   "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
		   "<rect class=\"bed\" width=\"1000\" height=\"10\"/>"
		   "<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" height=\"10\"/></svg>",
		   class, x, width);
}
