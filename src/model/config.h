/* What the file says, typed.  Strings and arrays live in the arena the file was decoded into. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/vec.h"
#include "model/span.h"

/* How ssh reaches a machine; every attribute optional. */
struct ssh_config {
	const char *user;	   /* default "root" */
	const char *identity_file; /* default: what the user's own ssh configuration says */
	const char *host_key;	   /* "ssh-ed25519 AAAA…", pinned; default: the user's known_hosts */
	int64_t port;		   /* on the machine; default 22 */
};

struct target {
	const char *name;
	const char *kind; /* "exec", "qemu", … */
	struct span at;
	int64_t linger_ms;	  /* how long it stays up after the last lease; default 0 */
	int64_t start_timeout_ms; /* from the start to an answering port; default 5 min */
	int64_t stop_timeout_ms;  /* default 2 min */
	struct strings pools;	  /* imported when it is up, exported before it goes */
	struct ssh_config ssh;
	const void *settings; /* the kind's own struct, decoded by its fields */
};
struct targets VEC(struct target);

/* A label's name, how many are kept, and how often one is due. */
struct snapshot_label {
	const char *name; /* "frequent", "hourly", … */
	int64_t keep;
	int64_t every_s;
};
struct snapshot_labels VEC(struct snapshot_label);

struct backup {
	const char *name;
	struct span at;
	const char *source_target; /* NULL: this host */
	const char *source;	   /* dataset */
	const char *dest_target;   /* NULL: this host */
	const char *dest;	   /* dataset; "tank/home" lands in <dest>/tank/home */
	struct strings exclude;	   /* globs of whole dataset names; a match leaves out what is below, too */
	int64_t timeout_ms;	   /* of the whole run; 0 = none */
};
struct backups VEC(struct backup);

struct config {
	const char *path;
	struct targets targets;
	struct snapshot_labels snapshots; /* empty: dormouse takes none */
	struct backups backups;
};

const struct target *config_target(const struct config *c, const char *name);
const struct backup *config_backup(const struct config *c, const char *name);

#endif
