/* One whole run of a backup: snapshot, wake, look, send, prove, mark.  After anything that goes wrong it
 * looks again and plans again; there is no other way to resume. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/pass.h"
#include "engine/reach.h"
#include "model/facts.h"
#include "model/plan.h"
#include "plan/compress_plan.h"
#include "wire/observed.h"

/* How it went with one dataset. */
struct outcome {
	const char *dataset;
	bool proven;	    /* the target has its newest snapshot, by GUID */
	size_t snapshots;   /* that arrived in this run, as a look has shown */
	size_t coming;	    /* that the target took since */
	uint64_t taken;	    /* GUID of the newest of those, 0 = none */
	const char *newest; /* the newest snapshot that both have, or NULL */
	int64_t newest_at;  /* when it was taken */
	struct err err;	    /* unless proven */
	int refused;	    /* streams that did not fit what had arrived in part */
	bool made_room;	    /* partial receives of others were given up for it */
	bool queued;	    /* it is among what is left to send */
};
struct outcomes VEC(struct outcome);

struct run {
	const struct config *config;
	const struct backup *backup;
	const struct paths *paths;
	struct arena *arena;
	struct run_listener *listener;
	struct tracer *tracer; /* or NULL */

	enum machine_use use; /* what the target is started for */
	struct reach source, target;
	const struct snapshot_policy *policy; /* of the source's host, or NULL */
	struct observed seen;		      /* the last look */
	struct pass pass;		      /* what the snapshots block asks for */
	struct passed passed;
	struct archive archive; /* what the keep block asks for */
	struct pruned archive_pruned;
	struct plan plan; /* what that look asks for */
	struct outcomes outcomes;
	struct {
		size_t *v; /* of a hash table of outcomes: index + 1, or 0 */
		size_t n;  /* a power of two */
	} slots;
	struct compress_verdict compress; /* of this run's streams */
	bool measured;			  /* it is known */
	bool stale;			  /* the look at the source is not what is there now */
	bool recall;			  /* looks may recall (engine/look.h) */
	bool watched;			  /* somebody wants to know how much is left */
	uint64_t bytes;			  /* that went through */
	uint64_t total;			  /* that there will be, or about so many; 0 = nobody knows */
};

/* Tells the run's listener, if there is one. */
void run_tell(struct run *r, struct run_event ev);
void run_stage(struct run *r, enum run_stage s, const char *text);
void run_note(struct run *r, const char *text); /* of what is being sent */

/* Sets up r's sides: how commands are run there (ssh through the keeper's door). */
int run_sides(struct run *r, struct err *e) MUST_CHECK;
/* Wakes what the source lies on, and looks at it: at all pools there, if a snapshots block is about them. */
int run_look_source(struct run *r, struct err *e) MUST_CHECK;
/* Wakes the target and looks at it; decodes its resume tokens at the source. */
int run_look_target(struct run *r, struct err *e) MUST_CHECK;
/* Wakes both and looks at the backup's trees on both: at once, unless one has yet to wake while the other is looked at.
 * At the source only if that was not done before, or it is stale. */
int run_look(struct run *r, struct err *e) MUST_CHECK;
/* Asks for what the plan leans on and was recalled.  0: it leans on nothing that has not been seen as it is; 1: plan
 * again, after another look if the source is stale now. */
int run_confirm(struct run *r, struct err *e) MUST_CHECK;
/* Plans the pass of the snapshots block, if there is one, on the last look at the source. */
void run_plan_pass(struct run *r);
/* Looks at the source's host, plans the pass likewise, and does it. */
int run_snapshot(struct run *r, struct err *e) MUST_CHECK;
/* Sends, proves and marks; fills outcomes.  -1 only when there is nothing to say about any dataset. */
int run_replicate(struct run *r, struct err *e) MUST_CHECK;
/* Prunes and tidies the archive, after all has been sent; what could not be destroyed is in archive_pruned. */
int run_prune(struct run *r, struct err *e) MUST_CHECK;
/* Only says what would be destroyed. */
int run_prune_dry(struct run *r, struct err *e) MUST_CHECK;
/* The place that the copies are in, as the last look saw it; false: it is not known. */
bool run_pool(const struct run *r, struct fact_pool *out);
/* Lets the machines go, and waits until they are gone. */
void run_end(struct run *r);

#endif
