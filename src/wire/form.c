#include "wire/form.h"

#include <ctype.h>
#include <stdarg.h>

enum { NAME_MAX_BYTES = 128 };

void form_escape(struct buf *b, const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
		if (isalnum(*p) || strchr("-._~", *p) != NULL)
			buf_putc(b, (char)*p);
		else
			buf_printf(b, "%%%02X", *p);
	}
}

void form_put(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(b, "%s%s=", b->n == 0 ? "" : "&", name);
	form_escape(b, value);
}

void form_putf(struct buf *b, const char *value, const char *name, ...)
{
	char text[NAME_MAX_BYTES];
	va_list ap;

	va_start(ap, name);
	(void)vsnprintf(text, sizeof(text), name, ap);
	va_end(ap);
	form_put(b, text, value);
}
