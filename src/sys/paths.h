/* Where dormouse keeps its sockets and its state. */
#ifndef SYS_PATHS_H
#define SYS_PATHS_H

#include "base/arena.h"
#include "base/err.h"

struct paths {
	const char *runtime_dir; /* DORMOUSE_RUNTIME_DIR; root: /run/dormouse; else $XDG_RUNTIME_DIR/dormouse */
	const char *state_dir;	 /* DORMOUSE_STATE_DIR; root: /var/lib/dormouse; else $XDG_STATE_HOME/dormouse */
	const char *socket;	 /* in runtime_dir */
	const char *config;	 /* -c; DORMOUSE_CONFIG; /etc/dormouse/config.hcl */
	const char *self;	 /* the file of this program, dormouse */
	const char *jump;	 /* dormouse-jump, beside it */
	const char *cloud;	 /* dormouse-cloud, likewise */
	const char *web;	 /* dormouse-web, likewise */
};

/* Finds them and makes the two folders (mode 0700) if they are not there.  config may be NULL. */
int paths_find(const char *config, struct arena *a, struct paths *p, struct err *e) MUST_CHECK;
/* Takes a lock file for this process, until *fd is closed.  ERR_BUSY with what when another has it. */
int paths_lock(const char *path, const char *what, int *fd, struct err *e) MUST_CHECK;

#endif
