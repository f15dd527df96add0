/* The long-running part and its helper: what main() calls. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/err.h"
#include "model/config.h"
#include "port/provider.h"
#include "sys/paths.h"

/* Loads the configuration; NULL with e when it cannot be had (e says the first thing wrong). */
typedef const struct config *daemon_load_config(const char *path, struct arena *a, struct err *e);
/* The keeper.  Returns an exit code. */
int keeper_run(const struct paths *paths, bool idle_exit, daemon_load_config *load);
/* One provider's call, as its own process; the order comes as a line of JSON on standard input.  find gives the
 * functions of a kind; where they are NULL, the process becomes dormouse-cloud, with the same arguments and order. */
int worker_run(char **argv, const struct provider_ops *(*find)(const char *kind));
/* HTTPS for the process that tells the sinks. */
int courier_run(void);

#endif
