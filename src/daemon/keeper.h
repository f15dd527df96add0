/* Internal to daemon: the keeper's state, shared by its parts. */
#ifndef DAEMON_KEEPER_H
#define DAEMON_KEEPER_H

#include "base/buf.h"
#include "daemon/daemon.h"
#include "drivers/store_sqlite.h"
#include "plan/machine_step.h"
#include "plan/timetable.h"
#include "sys/proc.h"
#include "wire/control.h"

struct keeper;
struct client;

/* One target's machine, and the worker that is busy with it. */
struct host {
	struct host *next;
	char *target;	      /* all owned */
	char *token, *config; /* of the machine that exists or may exist */
	char *facts;	      /* JSON as the worker told it; NULL while unknown */
	int64_t linger_ms, start_timeout_ms, stop_timeout_ms;
	int64_t since_s; /* when the state began */
	struct machine m;
	struct proc worker;
	const char *op;			   /* what the worker does; NULL = none runs */
	struct buf in;			   /* from the worker */
	int64_t worker_until_ms, timer_ms; /* 0 = not armed */
	char note[200];			   /* the last progress */
	struct err last;		   /* the last failure, kind ERR_NONE = none */
};

enum client_state {
	CLIENT_IDLE,	   /* has asked nothing that goes on */
	CLIENT_WAITING,	   /* counted in m.waiters */
	CLIENT_CONNECTING, /* has a lease; its TCP connection is under way */
	CLIENT_LEASED,	   /* counted in m.leases */
	CLIENT_SLEEPING,   /* waits until the machine is gone */
};

struct client {
	struct client *next;
	int fd;
	struct buf in, out;
	int pass; /* descriptor that goes along with the first byte of out, or -1 */
	enum client_state state;
	struct host *host;
	int64_t port; /* CONTROL_OPEN; 0 = a plain lease */
	int dial;     /* CLIENT_CONNECTING, or -1 */
	int64_t dial_until_ms, dial_again_ms;
	char *backup; /* runs this backup */
	int64_t run;  /* its id */
	bool closing; /* close once out is written */
};

struct keeper {
	const struct paths *paths;
	const char *config_path; /* what is read; the daemon's own copy of the last file that was right */
	daemon_load_config *load;
	struct store *store;
	struct host *hosts;
	struct client *clients;
	struct timetable jobs; /* only of a daemon that stays; its runs are struct job_run */
	int listener;
	int64_t grace_ms, idle_since_ms, watchdog_ms;
	bool idle_exit;
	bool leaving; /* was told to end: nobody gets a machine any more */
	bool ending;
};

/* hosts.c: machines and their workers */
struct host *host_find(struct keeper *k, const char *target);
/* The host of a configured target, made if it is new; its settings follow the file while no machine
 * exists.  NULL with e. */
struct host *host_of(struct keeper *k, const char *target, struct err *e);
void host_event(struct keeper *k, struct host *h, enum machine_event ev);
/* The worker has written, or ended. */
void host_worker_ready(struct keeper *k, struct host *h);
void host_timers(struct keeper *k, struct host *h, int64_t now);
/* At the start: takes up what the journal and the providers know of. */
int hosts_adopt(struct keeper *k, struct err *e) MUST_CHECK;
void hosts_free(struct keeper *k);

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

/* clients.c: the control socket */
void client_accept(struct keeper *k);
void client_readable(struct keeper *k, struct client *c);
void client_writable(struct keeper *k, struct client *c);
void client_dial_ready(struct keeper *k, struct client *c);
void client_timers(struct keeper *k, struct client *c, int64_t now);
void client_close(struct keeper *k, struct client *c); /* and frees it */
/* Everybody who waits for h is told, gets it, is refused, or loses it. */
void clients_progress(struct keeper *k, struct host *h, const char *text);
void clients_grant(struct keeper *k, struct host *h);
void clients_refuse(struct keeper *k, struct host *h, const struct err *e);
void clients_cut(struct keeper *k, struct host *h);
void clients_gone(struct keeper *k, struct host *h); /* the machine is absent: for CLIENT_SLEEPING */
void client_reply(struct client *c, const struct control_reply *r);
void client_fail(struct client *c, const struct err *e); /* and closes after it */

#endif
