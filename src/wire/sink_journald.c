/* journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): NAME=VALUE lines, or, for a value with a new line,
 * NAME, a new line, its length in 64 bits of little endian, and the value. */
#include <ctype.h>

#include "wire/sink.h"

enum { ALERT = 2, ERROR = 3, WARNING = 4, INFO = 6 };

static void put(struct buf *b, const char *name, const char *value)
{
	size_t n = strlen(value);

	if (strchr(value, '\n') == NULL) {
		buf_printf(b, "%s=%s\n", name, value);
		return;
	}
	buf_printf(b, "%s\n", name);
	for (size_t i = 0; i < 8; i++)
		buf_putc(b, (char)(unsigned char)((uint64_t)n >> (8 * i)));
	buf_printf(b, "%s\n", value);
}

/* "bytes_sent" is DORMOUSE_BYTES_SENT. */
static void put_attr(struct buf *b, const struct trace_attr *attr)
{
	AUTO(arena) struct arena a = {0};
	char *name = arena_printf(&a, "DORMOUSE_%.50s", attr->name);
	const char *value = attr->text;

	for (char *c = name; *c != '\0'; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	if (attr->type == TRACE_INT)
		value = arena_printf(&a, "%lld", (long long)attr->number);
	else if (attr->type == TRACE_REAL)
		value = arena_printf(&a, "%g", attr->real);
	else if (attr->type == TRACE_BOOL)
		value = attr->yes ? "1" : "0";
	put(b, name, value);
}

void journald_write(struct buf *b, const struct report *r)
{
	AUTO(arena) struct arena a = {0};
	const struct trace t = sink_trace(r, &a);
	const struct trace_span *root = trace_find(&t, TRACE_ROOT);
	bool critical = r->severity != NULL && strcmp(r->severity, "critical") == 0;
	const char *text = sink_text(r, &a);
	char number[24];

	put(b, "MESSAGE", text[0] == '\0' ? r->title : arena_printf(&a, "%s\n%s", r->title, text));
	(void)snprintf(number, sizeof(number), "%d",
		       !report_is_bad(r)	     ? INFO
		       : r->kind == REPORT_ALERT     ? (critical ? ALERT : WARNING)
		       : r->outcome == TRACE_PARTIAL ? WARNING
						     : ERROR);
	put(b, "PRIORITY", number);
	put(b, "SYSLOG_IDENTIFIER", "dormouse");
	put(b, "DORMOUSE_REPORT", report_kind_name(r->kind));
	put(b, "DORMOUSE_OUTCOME", trace_outcome_name(r->outcome));
	if (r->backup != NULL)
		put(b, "DORMOUSE_BACKUP", r->backup);
	for (size_t i = 0; root != NULL && i < root->attrs.n; i++)
		if (strcmp(root->attrs.v[i].name, "backup") != 0)
			put_attr(b, &root->attrs.v[i]);
}
