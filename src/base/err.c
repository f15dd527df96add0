#include "base/err.h"

#include <stdarg.h>

#include "base/str.h"

static const char *const names[] = {
    [ERR_NONE] = "none",       [ERR_CONFIG] = "config",	  [ERR_USAGE] = "usage",	 [ERR_DENIED] = "denied",
    [ERR_MISSING] = "missing", [ERR_EXISTS] = "exists",	  [ERR_CONFLICT] = "conflict",	 [ERR_BUSY] = "busy",
    [ERR_NET] = "net",	       [ERR_TIMEOUT] = "timeout", [ERR_CANCELLED] = "cancelled", [ERR_FULL] = "full",
    [ERR_CORRUPT] = "corrupt", [ERR_SYSTEM] = "system",
};

#define FILL(buf, fmt)                                         \
	do {                                                   \
		va_list ap_;                                   \
		va_start(ap_, fmt);                            \
		(void)vsnprintf((buf), sizeof(buf), fmt, ap_); \
		va_end(ap_);                                   \
		str_plain((buf), "\n\t");                      \
	} while (0)

static void reset(struct err *e, enum err_kind kind)
{
	e->kind = kind;
	e->retry = kind == ERR_NET || kind == ERR_TIMEOUT || kind == ERR_BUSY ? RETRY_LATER : RETRY_NEVER;
	e->sys = 0;
	e->what[0] = e->why[0] = e->hint[0] = '\0';
}

int err_set(struct err *e, enum err_kind kind, const char *what, ...)
{
	reset(e, kind);
	FILL(e->what, what);
	return -1;
}

int err_sys(struct err *e, int sys, const char *what, ...)
{
	reset(e, ERR_SYSTEM);
	e->sys = sys;
	FILL(e->what, what);
	(void)snprintf(e->why, sizeof(e->why), "%s", strerror(sys));
	return -1;
}

int err_why(struct err *e, const char *fmt, ...)
{
	FILL(e->why, fmt);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	FILL(e->hint, fmt);
	return -1;
}

int err_wrap(struct err *e, const char *what, ...)
{
	char inner[sizeof(e->why)];

	err_line(e, inner, sizeof(inner));
	memcpy(e->why, inner, sizeof(inner));
	FILL(e->what, what);
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	return names[kind];
}

enum err_kind err_kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum err_kind)i;
	return ERR_SYSTEM;
}

int err_exit_code(const struct err *e)
{
	if (e->kind == ERR_CONFIG || e->kind == ERR_USAGE)
		return 3;
	return e->kind == ERR_BUSY ? 4 : 2;
}

void err_line(const struct err *e, char *out, size_t size)
{
	(void)snprintf(out, size, "%s%s%s", e->what, e->why[0] ? ": " : "", e->why);
}
