/* The error value.  A function that can fail returns 0 or -1 and fills a struct err exactly when it
 * returns -1.  Fixed buffers: failing allocates nothing, there is nothing to free, and an error can
 * cross a process boundary as bytes.  Libraries never log an error; the one place that answers for
 * a request prints it. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

/* A kind exists only where some code decides on it. */
enum err_kind {
	ERR_NONE,
	ERR_CONFIG,    /* the file or the command line is wrong; exit 3 */
	ERR_USAGE,     /* likewise */
	ERR_DENIED,    /* the other end, or the kernel, says no */
	ERR_MISSING,   /* what should be there is not */
	ERR_EXISTS,    /* what should not be there is */
	ERR_CONFLICT,  /* both ends disagree; a person has to choose */
	ERR_BUSY,      /* somebody else is at it; exit 4 */
	ERR_NET,       /* connection refused, cut, unreachable */
	ERR_TIMEOUT,   /* it did not happen in time */
	ERR_CANCELLED, /* somebody asked to stop */
	ERR_FULL,      /* no space, or a quota */
	ERR_CORRUPT,   /* bytes that make no sense */
	ERR_SYSTEM,    /* a system call or a program failed */
};

enum err_retry { RETRY_NEVER, RETRY_LATER };

struct err {
	enum err_kind kind;
	enum err_retry retry;
	int sys;	/* errno, or 0 */
	char what[240]; /* the problem: cannot receive 'tank/home' on 'archiver' */
	char why[480];	/* the cause, may be empty */
	char hint[320]; /* what the person can do next, may be empty */
};

/* Sets kind and what, and clears why, hint and the rest.  Returns -1, so: return err_set(e, …);  Control characters but
 * the new line and the tab become spaces: what others say may be part of it. */
int err_set(struct err *e, enum err_kind kind, const char *what, ...) PRINTF(3, 4);
/* err_set, with errno's text as why and errno in sys. */
int err_sys(struct err *e, int sys, const char *what, ...) PRINTF(3, 4);
/* Each returns -1 too. */
int err_why(struct err *e, const char *fmt, ...) PRINTF(2, 3);
int err_hint(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* Puts an outer problem in front: what becomes the new text, the old what (and why) become why.
 * Kind, retry, sys and hint stay. */
int err_wrap(struct err *e, const char *what, ...) PRINTF(2, 3);

/* The word for a kind, as in JSON: "config", "busy", …; and back (ERR_SYSTEM if unknown). */
const char *err_kind_name(enum err_kind kind);
enum err_kind err_kind_of(const char *name);
/* The exit code that stands for a kind: 3 usage or configuration, 4 busy, 2 the rest. */
int err_exit_code(const struct err *e);
/* "what: why" into out, always NUL-terminated. */
void err_line(const struct err *e, char *out, size_t size);

#endif
