/* Internal to daemon: the keeper's state, shared by its parts. */
#ifndef DAEMON_KEEPER_H
#define DAEMON_KEEPER_H

#include "base/buf.h"
#include "daemon/daemon.h"
#include "drivers/store_sqlite.h"
#include "engine/task.h"
#include "model/report.h"
#include "plan/machine_step.h"
#include "plan/timetable.h"
#include "sys/fdio.h"
#include "sys/proc.h"
#include "sys/tcp.h"
#include "wire/control.h"

struct keeper;
struct client;

/* One machine.  A target has a first host for as long as the keeper lives: a shared target's only machine, and what
 * all machines of the target have in common.  Others come and go: each user's own where they are not shared, and what
 * runs and should not. */
struct host {
	struct host *next, *first; /* first: of this target; itself, if it is that one */
	char *target;		   /* all owned */
	char *token, *config;	   /* of the machine that exists or may exist */
	char *facts;		   /* JSON as the worker told it; NULL while unknown */
	bool shared;
	bool missed;  /* the last look did not show it */
	bool drained; /* its pools, if it has any, were exported */
	struct machine_rules rules;
	int64_t since_s;   /* when the state began */
	int64_t started_s; /* the machine */
	struct machine m;
	struct task work;
	const char *op; /* the last that a worker was asked, and how long it may take; static */
	int64_t op_ms;
	char note[200];	 /* the last progress */
	struct err last; /* the last failure, kind ERR_NONE = none */
	int64_t start;	 /* its start's number in the records, until it is known how it went */
	/* Of a first one: */
	struct machine_past past;
	struct task look; /* what exists, says the provider */
	int64_t look_at, look_until;
	bool looked, blind;	/* has been looked at; the last look saw nothing, because of an error */
	bool stale;		/* a machine has gone since the look under way began: it may still show it */
	bool asked;		/* somebody waits for the next look to be over */
	const char *unexpected; /* what looks have found that nobody knew, for who asks; static */
};

enum client_state {
	CLIENT_IDLE,	   /* has asked nothing that goes on */
	CLIENT_WAITING,	   /* counted in m.waiters */
	CLIENT_CONNECTING, /* has a lease; its TCP connection is under way */
	CLIENT_LEASED,	   /* counted in m.leases */
	CLIENT_SLEEPING,   /* waits until the machines of the target are gone */
	CLIENT_REAPING,	   /* waits until all targets have been looked at, and what was found is ended */
};

struct client {
	struct client *next;
	int fd;
	struct buf in, out;
	int pass; /* descriptor that goes along with the first byte of out, or -1 */
	enum client_state state;
	struct host *host;
	enum machine_use use;
	int64_t port; /* CONTROL_OPEN; 0 = a plain lease */
	int dial;     /* CLIENT_CONNECTING, or -1 */
	int64_t dial_until_ms, dial_again_ms;
	char *who;	/* for the records: who wants the machine, and what for */
	char *name;	/* of the jump host's client that it is for, or NULL */
	char *backup;	/* runs this backup */
	int64_t run;	/* its id */
	char *progress; /* how far it is, JSON; NULL: it has not said */
	bool closing;	/* close once out is written */
	bool too_many;	/* gets nothing */
};

/* The jump host, of a daemon that stays. */
struct jumphost {
	bool wanted;
	struct proc proc;
	struct proc retired[4];		      /* of files before; each ends with its last connection */
	struct tcp_listeners activated;	      /* what the service manager listens on for it */
	int64_t began_ms, again_ms, pause_ms; /* when it is started again (0 = not), and how long after it ended */
};

/* The process that tells the sinks what waits for them. */
struct reporting {
	struct proc proc;
	int64_t until_ms; /* it is killed then */
	int64_t next_ms;  /* when something is due, by the wall clock; INT64_MAX: nothing waits */
	int64_t hold_ms;  /* none is started before */
	size_t told;	  /* what the last one has said */
};

/* The process that looks whether something is wrong, of a daemon that stays. */
struct alarm {
	struct proc proc;
	int64_t until_ms; /* it is killed then */
	int64_t next_ms;  /* when it is started again; 0: the file has no alert block */
	int64_t every_ms;
};

struct keeper {
	const struct paths *paths;
	const char *config_path; /* what is read; the daemon's own copy of the last file that was right */
	daemon_load_config *load;
	struct store *store;
	struct host *hosts;
	struct client *clients;
	struct limits limits;  /* of the file that was read last */
	struct timetable jobs; /* only of a daemon that stays; its runs are struct job_run */
	struct jumphost jump;
	struct reporting reports;
	struct alarm alerts;
	int listener;
	int64_t grace_ms, doubt_ms, look_ms, idle_since_ms, watchdog_ms;
	struct fd_pause accepting;
	bool idle_exit;
	bool unburied; /* the end of a run that died could not be recorded */
	bool leaving;  /* was told to end: nobody gets a machine any more */
	bool ending;
};

/* hosts.c: machines and their workers */
/* The first host of a target, NULL: nobody has asked for it yet. */
struct host *host_find(struct keeper *k, const char *target);
/* The first host of a configured target, made if it is new; its settings follow the file while no machine
 * exists.  NULL with e. */
struct host *host_of(struct keeper *k, const char *target, struct err *e);
/* The same of a target whose settings are known. */
struct host *host_first(struct keeper *k, const struct target *t);
/* Reads the file, and what it says of the keeper itself.  NULL with e. */
const struct config *keeper_config(struct keeper *k, struct arena *a, struct err *e);
/* Another host of the same target. */
struct host *host_another(struct keeper *k, struct host *first);
void host_set_token(struct host *h, const char *token);
/* Its block, as conf_write_target writes it. */
void host_set_config(struct host *h, const char *block);
/* After its provider has refused what it was asked with: what a machine was started with stays, but for secrets, which
 * are the file's from now on (src/daemon/renew.c).  true: they are others than before. */
bool host_renew(struct keeper *k, struct host *h);
void host_event(struct keeper *k, struct host *h, enum machine_event ev);
/* Why nobody gets it now; false: nothing is against it. */
bool host_refuses(const struct host *h, bool insisted, struct err *e);
/* The worker has written, or ended. */
void host_worker_ready(struct keeper *k, struct host *h);
void host_timers(struct keeper *k, struct host *h, int64_t now);
/* When host_timers has something to do; INT64_MAX: never. */
int64_t host_next(const struct host *h);
/* May something of it be on, or come up yet? */
bool host_matters(const struct host *h);
/* Forgets the ones that are no target's first, when they are over. */
void hosts_sweep(struct keeper *k);
void hosts_free(struct keeper *k);

/* looks.c: what exists, says the provider */
/* At the start: takes up what the journal knows of, and looks at all targets. */
int hosts_adopt(struct keeper *k, struct err *e) MUST_CHECK;
/* Begins to look at h's target now, or again when the look under way is over. */
void look_now(struct keeper *k, struct host *first);
/* One that is far away comes sooner: something may still come up. */
void look_soon(struct keeper *k, struct host *first);
void look_ready(struct keeper *k, struct host *first);
void look_timers(struct keeper *k, struct host *first, int64_t now);

/* jobs.c: what runs by the clock */
/* Takes the file over, or, when it is wrong, keeps the one before: -1 with e. */
int jobs_load(struct keeper *k, struct err *e) MUST_CHECK;
/* Starts what is due, and notices what has ended. */
void jobs_tick(struct keeper *k);
/* How long until the next one, in milliseconds; -1: there is none. */
int jobs_timer(const struct keeper *k);
bool jobs_run(const struct keeper *k); /* does one? */
void jobs_end(struct keeper *k);       /* tells those that run to end; they park what they do */
void jobs_free(struct keeper *k);

/* jumphost.c: the jump host, if the file has one */
void jumphost_load(struct keeper *k, const struct config *c);
void jumphost_tick(struct keeper *k); /* starts it again when it has ended */
int jumphost_timer(const struct keeper *k);
void jumphost_end(struct keeper *k);

/* clients.c: the control socket */
void client_accept(struct keeper *k);
void client_readable(struct keeper *k, struct client *c);
void client_writable(struct keeper *k, struct client *c);
void client_close(struct keeper *k, struct client *c); /* and frees it */
void client_reply(struct client *c, const struct control_reply *r);
void client_progress(struct client *c, const char *text);
void client_answer(struct client *c, json_t *j);	 /* which it frees */
void client_fail(struct client *c, const struct err *e); /* and closes after it */

/* users.c: who wants machines */
void client_wants(struct keeper *k, struct client *c, const struct control_request *r);
void client_sleeps(struct keeper *k, struct client *c, const struct control_request *r);
void client_leaves(struct keeper *k, struct client *c); /* its host */
void client_dial_ready(struct keeper *k, struct client *c);
void client_timers(struct keeper *k, struct client *c, int64_t now);
/* Everybody who waits for h is told, gets it, is refused, or loses it. */
void clients_progress(struct keeper *k, struct host *h, const char *text);
void clients_grant(struct keeper *k, struct host *h);
void clients_refuse(struct keeper *k, struct host *h, const struct err *e);
void clients_cut(struct keeper *k, struct host *h, const struct err *e);
void clients_gone(struct keeper *k, struct host *first); /* one of its machines: for CLIENT_SLEEPING */
/* Who waits for h, as one line, and for which client of the jump host ("": none) it was asked for first. */
const char *clients_who(struct keeper *k, struct host *h, struct arena *a, const char **client);
/* What for: the most that one of them wants. */
enum machine_use clients_use(struct keeper *k, const struct host *h);

/* asked.c: what is asked about machines */
void client_machines(struct keeper *k, struct client *c);
void client_starts(struct keeper *k, struct client *c, const struct control_request *r);
void client_reaps(struct keeper *k, struct client *c);
void clients_looked(struct keeper *k); /* a look is over: for CLIENT_REAPING */

/* records.c: runs and what they saw */
/* Runs that never ended, of a keeper that is no more, have died. */
int records_bury(struct keeper *k, struct err *e) MUST_CHECK;
void client_record(struct keeper *k, struct client *c, const struct control_request *r);
void client_run_over(struct keeper *k, struct client *c); /* it went away: a run that it had died */

/* summary.c: all runs in short, for who judges them */
void client_run_progress(struct client *c, const struct control_request *r);
void client_summary(struct keeper *k, struct client *c, const struct control_request *r);

/* alerts.c: what is told of what is wrong */
void client_alert(struct keeper *k, struct client *c, const struct control_request *r);
void alerts_load(struct keeper *k, const struct config *c);
void alerts_soon(struct keeper *k); /* a run has ended: look at once */
void alerts_tick(struct keeper *k);
int64_t alerts_timer(const struct keeper *k); /* in milliseconds, -1: none */
void alerts_end(struct keeper *k);

/* reports.c: what is told to the sinks */
/* Puts a report into the spool for each of these sinks, names in a JSON list; between store_begin and store_end. */
int reports_add(struct keeper *k, const json_t *sinks, const struct report *r, struct err *e) MUST_CHECK;
void reports_look(struct keeper *k); /* when the next is due */
void client_report(struct keeper *k, struct client *c, const struct control_request *r);
void reports_tick(struct keeper *k);
int64_t reports_timer(const struct keeper *k); /* in milliseconds, -1: none */
bool reports_busy(const struct keeper *k);     /* something is being told, or is due */
void reports_end(struct keeper *k);

#endif
