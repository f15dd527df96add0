/* A message for sendmail -t (RFC 5322, RFC 2047). */
#include "base/civil.h"
#include "wire/base64.h"
#include "wire/sink.h"

enum { LOG_BYTES = 60 * 1000, WORD_BYTES = 45 };

/* A header's text: in one line, and in encoded words where it is not ASCII. */
static void put_header(struct buf *b, const char *name, const char *text)
{
	AUTO(arena) struct arena a = {0};
	char *line = arena_strdup(&a, text);
	bool ascii = true;

	str_plain(line, "");
	for (const char *c = line; *c != '\0'; c++)
		ascii &= (unsigned char)*c < 128;
	buf_printf(b, "%s:", name);
	if (ascii)
		buf_printf(b, " %s", line);
	/* Each has at most 75 characters, and no character in two of them. */
	for (struct str rest = str_of(line); !ascii && rest.n > 0;) {
		size_t n = rest.n < WORD_BYTES ? rest.n : WORD_BYTES;
		while (n < rest.n && n > 1 && ((unsigned char)rest.p[n] & 0xc0) == 0x80)
			n--;
		buf_puts(b, rest.p == line ? " =?UTF-8?B?" : "\n =?UTF-8?B?");
		base64_put(b, (struct str){rest.p, n});
		buf_puts(b, "?=");
		rest.p += n;
		rest.n -= n;
	}
	buf_putc(b, '\n');
}

void mail_write(struct buf *b, const struct sink *s, const struct report *r)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf to = {0};
	const char *text = sink_text(r, &a);
	char when[CIVIL_TEXT];

	for (size_t i = 0; i < s->to.n; i++)
		buf_printf(&to, "%s%s", i == 0 ? "" : ", ", s->to.v[i]);
	if (s->from != NULL)
		put_header(b, "From", s->from);
	put_header(b, "To", buf_text(&to));
	put_header(b, "Subject",
		   arena_printf(&a, "%s%s%s", r->host == NULL ? "" : r->host, r->host == NULL ? "" : ": ", r->title));
	buf_puts(b, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
		    "Auto-Submitted: auto-generated\n\n");
	buf_printf(b, "%s\n", r->title);
	if (text[0] != '\0')
		buf_printf(b, "%s\n", text);
	buf_printf(b, "\n%s%s%s\n", civil_show(r->at_ms / 1000, when), r->host == NULL ? "" : "  ",
		   r->host == NULL ? "" : r->host);
	if (r->run != 0)
		buf_printf(b, "dormouse history %lld shows all of it.\n", (long long)r->run);
	if (r->log != NULL)
		buf_printf(b, "\n%s", sink_tail(r->log, LOG_BYTES, &a));
}
