/* What the file says, typed.  Strings and arrays live in the arena the file was decoded into. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/vec.h"
#include "model/bandwidth.h"
#include "model/dataset.h"
#include "model/field.h"
#include "model/label.h"
#include "model/sink.h"

/* How ssh reaches a machine; every attribute optional. */
struct ssh_config {
	const char *user;	   /* default "root" */
	const char *identity_file; /* default: what the user's own ssh configuration says */
	const char *host_key;	   /* "ssh-ed25519 AAAA…", pinned; default: made, or the user's known_hosts */
	const char *config;	   /* a file for ssh -F; default: the user's own */
	const char *program;	   /* default "ssh" */
	int64_t port;		   /* on the machine; default 22 */
	enum made_key made;	   /* none if there is a host_key */
};

enum { CHANNELS_MAX = 16 };

struct target {
	const char *name;
	const char *kind; /* "exec", "qemu", … */
	struct span at;
	int64_t linger_ms;	  /* how long it stays up after the last lease; default 0 */
	int64_t start_timeout_ms; /* from the start to an answering port; default 5 min */
	int64_t stop_timeout_ms;  /* default 2 min */
	int64_t max_lifetime_ms;  /* ended after so long, used or not; 0 = never */
	int64_t watchdog_ms;	  /* ends itself when nobody has asked for it so long; 0 = never */
	int64_t starts_per_hour;  /* 0 = no limit */
	bool shared;		  /* false: a machine for each who wants one */
	struct strings ready;	  /* a command there that must succeed before anybody gets it */
	int64_t check_port;	  /* answers before anybody gets it; 0 = nothing is waited for */
	bool local;		  /* its pools are of this host */
	int64_t channels;	  /* how many streams at a time it sends or receives */
	struct strings pools;	  /* imported when it is up, exported before it goes */
	struct ssh_config ssh;
	const void *settings; /* the kind's own struct, decoded by its fields */
};
struct targets VEC(struct target);

/* What is done around a snapshot; argv.n 0 = nothing. */
enum hook_failure { HOOK_SKIP, HOOK_ABORT };

/* Automatic snapshots of one host. */
struct snapshot_policy {
	struct span at;
	const char *on;		      /* the target whose pools they are of; NULL: this host */
	bool takes[LABELS];	      /* the label stands in the file */
	int64_t keep[LABELS];	      /* how many of it; 0 = take none and destroy all */
	struct strings include;	      /* globs; none: chosen by com.sun:auto-snapshot */
	struct strings exclude;	      /* globs; each with what is below, as in include */
	bool sanoid, zrepl;	      /* theirs count and age as ours do */
	bool skip_empty;	      /* none of a dataset that nothing was written to */
	int64_t min_age_ms;	      /* nothing younger is destroyed */
	struct strings before, after; /* commands around the snapshots */
	int64_t hook_timeout_ms;
	enum hook_failure on_failure; /* what happens when before fails */
};
struct snapshot_policies VEC(struct snapshot_policy);

/* What the archive keeps; of each label so many periods in which there is one. */
struct keep {
	bool set; /* false: everything */
	int64_t count[LABELS];
	int64_t within_ms; /* all that is so much younger than the newest */
	int64_t forget_ms; /* a dataset that is gone at the source goes after so long; 0 = never */
	int64_t min_age_ms;
};

/* When something runs by itself. */
enum schedule_kind { SCHEDULE_NONE, SCHEDULE_CALENDAR, SCHEDULE_EVERY, SCHEDULE_AFTER_SNAPSHOT };
struct schedule {
	enum schedule_kind kind;
	struct calendar calendar;
	int64_t every_s;
	int64_t jitter_s; /* up to so much later, the same each time for the same backup and instant */
	const char *text; /* as written */
};

/* Which snapshots of a dataset that is not there yet are sent; what the archive keeps none of never is. */
enum first_copy { FIRST_ALL, FIRST_NEWEST };

/* Whether what is on its way is compressed; AUTO: where measuring says that it helps. */
enum compress { COMPRESS_AUTO, COMPRESS_NONE, COMPRESS_ZSTD };

/* When somebody is told, and of what. */
struct alerting {
	bool set; /* false: nobody is */
	struct span at;
	int64_t no_success_within_ms;	  /* of a backup; 0: by its schedule */
	int64_t lag_ms;			  /* how old a dataset's newest archived snapshot may be; 0: any age */
	int64_t settle_ms;		  /* how long it lasts before it is told, and is over before that is told */
	int64_t repeat_ms;		  /* told again after so long; 0: never */
	int64_t pool_full;		  /* percent */
	int64_t on_ms;			  /* how long a machine may be on; 0: for ever */
	int quiet_from_min, quiet_to_min; /* minutes of the local day, in which only what is critical is told */
};

struct backup {
	const char *name;
	struct span at;
	const char *source_target;	  /* NULL: this host */
	const char *source;		  /* dataset */
	const char *dest_target;	  /* NULL: this host */
	const char *dest;		  /* dataset; "tank/home" lands in <dest>/tank/home */
	struct strings include;		  /* globs of whole dataset names, each with what is below; none: all */
	struct strings exclude;		  /* likewise, of what is left out */
	bool by_property;		  /* only where dormouse:backup is set */
	struct strings exclude_snapshots; /* globs of what stands after the '@' */
	enum first_copy first_copy;
	int64_t timeout_ms; /* of the whole run; 0 = none */
	struct bandwidth bandwidth;
	enum compress compress;	      /* of what is on its way */
	bool any_space;		      /* do not refuse what is larger than the space there */
	struct strings before, after; /* commands around a run, here */
	int64_t hook_timeout_ms;
	struct schedule run;
	struct keep keep;
	int64_t no_success_within_ms, lag_ms; /* as in alerting, of this one; 0: as there */
};
struct backups VEC(struct backup);

/* What each client of the jump host may have at a time; 0 = as much as it likes. */
struct limits {
	int64_t machines, connections;
	int64_t starts_per_hour;
};

/* Where a client of the jump host may go: a target's port, 0 = any port that it has. */
struct jump_door {
	const char *target;
	int64_t port;
};
struct jump_doors VEC(struct jump_door);

/* Who may come through the jump host. */
struct jump_client {
	const char *name;
	struct span at;
	struct strings keys;	   /* "TYPE BASE64" */
	const char *keys_file;	   /* more of them, one a line; NULL: none */
	const char *authority;	   /* whose certificates are as good, "ssh-ed25519 BASE64"; NULL: nobody's */
	struct strings principals; /* one of which such a certificate must name; none: the client's name */
	struct jump_doors doors;   /* in the order of the file */
	int64_t max_connections;   /* at a time */
	bool plain; /* lazyssh's one key: as user "jump", a machine starts only when its door is asked for */
};
struct jump_clients VEC(struct jump_client);

/* The jump host. */
struct jump_server {
	bool set; /* false: there is none */
	struct span at;
	const char *listen;		      /* "HOST:PORT" */
	const char *host_key, *host_key_file; /* both NULL: one of its own, in the state folder */
	const char *user;		      /* what a connection's process becomes, if it is root */
	int64_t max_connections;	      /* at a time, of all clients */
};

struct config {
	const char *path;
	struct limits limits;
	struct jump_server server;
	struct jump_clients clients; /* the server's authorized_key is one, named "jump" */
	struct targets targets;
	struct snapshot_policies policies;
	struct backups backups;
	struct sinks sinks;
	struct alerting alerting; /* its numbers are there without a block as well */
};

const struct target *config_target(const struct config *c, const char *name);
/* The policy of a target's pools, of this host's (NULL); NULL: none. */
const struct snapshot_policy *config_policy(const struct config *c, const char *on);
const struct backup *config_backup(const struct config *c, const char *name);
/* How long a backup may be without a success; 0: that is not said. */
int64_t config_within_ms(const struct config *c, const struct backup *b);
const struct sink *config_sink(const struct config *c, const char *name);
/* What of the file must not be shown, of targets of these kinds, the jump host and the sinks. */
void config_secrets(const struct config *c, const struct target_kind *const *kinds, size_t nkinds, struct arena *a,
		    struct strings *out);
/* Is its dormouse:backup off (false, no)? */
bool backup_refuses(const struct dataset *d);
/* Whether a dataset of that name is in a backup: below its source, and by its globs. */
bool backup_covers(const struct backup *b, const char *dataset);
/* Likewise, and by dormouse:backup, which leaves out where it is off and, if the backup asks for it,
 * chooses where it is anything else. */
bool backup_takes(const struct backup *b, const struct dataset *d);
bool backup_takes_any(const struct backup *b, const struct side_state *s);

#endif
