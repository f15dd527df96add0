/* The long-running part and its helper: what main() calls. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/err.h"
#include "model/config.h"
#include "sys/paths.h"

/* Loads the configuration; NULL with e when it cannot be had (e says the first thing wrong). */
typedef const struct config *daemon_load_config(const char *path, struct arena *a, struct err *e);
/* The keeper.  Returns an exit code. */
int keeper_run(const struct paths *paths, bool idle_exit, daemon_load_config *load);
/* One provider's call, as its own process; the order comes as a line of JSON on standard input. */
int worker_run(void);

#endif
