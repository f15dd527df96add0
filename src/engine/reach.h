/* The way to a side: this host, or a machine that is woken, kept up by a lease, and spoken to over ssh. */
#ifndef ENGINE_REACH_H
#define ENGINE_REACH_H

#include "engine/control_client.h"
#include "engine/ssh_master.h"
#include "engine/tracer.h"
#include "model/config.h"
#include "model/machine.h"
#include "model/run.h"
#include "model/side.h"

enum { REACH_MS = 30 * 60 * 1000 }; /* how long a program may take */

struct reach {
	const struct paths *paths;
	const struct target *target; /* NULL: this host, and nothing to wake */
	const char *purpose;
	enum machine_use use; /* what it is started for, if that is ours to do */
	struct arena *arena;
	struct run_listener *listener; /* or NULL */
	struct tracer *tracer;	       /* or NULL */
	int64_t start, stage;	       /* its spans of a start that is under way, 0 = none */
	struct control link;	       /* the lease: it lasts as long as this */
	bool asked;		       /* for, and not answered yet */
	struct err refused;	       /* the answer, if it was no and nobody has been told */
	struct ssh_master master;
	struct side side;
};

/* name NULL: this host; purpose is shown where the machine's users are listed.  Wakes nothing yet. */
int reach_init(struct reach *r, const struct config *c, const struct paths *paths, const char *name,
	       const char *purpose, struct arena *a, struct run_listener *listener, struct err *e) MUST_CHECK;
/* Has the machine started, if it has one, and does not wait for it; trouble shows in reach_wake. */
void reach_begin(struct reach *r);
/* It has a machine, and nobody has asked for that. */
bool reach_unasked(struct reach *r);
/* Whether reach_wake would have to wait, after wait_ms of waiting here. */
bool reach_asleep(struct reach *r, int64_t wait_ms);
/* Blocks until the machine can be used; nothing on this host, or when it is up already. */
int reach_wake(struct reach *r, struct err *e) MUST_CHECK;
/* Runs a program there, which is woken first, and captures what it says.  When that is cut off it is run
 * again, up to three times: only for what may be done twice.  Blocks. */
int reach_ask(struct reach *r, struct str program, struct proc_result *out, struct err *e) MUST_CHECK;
/* Wakes it, runs a program there, and once only; what it says when it fails becomes *e: "cannot WHAT on LABEL: why".
 * Blocks. */
int reach_do(struct reach *r, struct str program, const char *what, struct err *e) MUST_CHECK;
/* If the keeper died: starts another and asks it for the same machine, by its token: no other one is started for us.
 * Does not block for long; trouble shows where the machine is used. */
void reach_keep(struct reach *r);
/* Lets the machine go.  {0} is fine. */
void reach_end(struct reach *r);
/* Likewise with two, the second of which may be NULL, and waits until they are gone: unless one is to linger, or
 * somebody else uses it. */
void reach_rest(struct reach *one, struct reach *other);

#endif
