/* The status page's server, as two processes: one speaks HTTP and can do nothing else, the other makes the pages and
 * has never seen a byte of what a stranger sent but for what is asked. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "base/err.h"
#include "model/config.h"
#include "sys/paths.h"

struct web_options {
	const char *listen;	/* "HOST:PORT", or "unix:PATH" */
	const char *token_file; /* NULL: none, and then only this host may come */
	struct strings hosts;	/* more names that it may be called by */
};

/* Listens until it is told to end.  Returns an exit code. */
int web_run(const struct paths *paths, const struct config *config, const struct target_kind *const *kinds,
	    size_t nkinds, const struct web_options *o);
/* The one that speaks HTTP: its rules on standard input, the other as descriptor 3, where it listens as 4 and on. */
int web_serve(void);

#endif
