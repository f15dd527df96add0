/* One pass over a host: its hooks, its snapshots, and what no label keeps any more. */
#ifndef ENGINE_PASS_H
#define ENGINE_PASS_H

#include "engine/look.h"
#include "wire/zfs_text.h"

/* What became of it. */
struct passed {
	size_t taken;	      /* snap_steps done */
	bool skipped;	      /* before_snapshot failed, and nothing was taken */
	struct pruned pruned; /* failed: what could not be destroyed */
	struct err hook;      /* ERR_NONE, or what failed of a hook without ending the pass */
};

struct pass_wish {
	const struct snapshot_policy *policy;
	const struct zone *zone;
	int64_t now;
	bool take;	  /* else it only prunes, and counts no snapshot as if it were taken */
	bool trust_clock; /* a person says that the clock is right */
};

/* One process at a time takes or destroys snapshots by the policies.  Waits for at most wait_ms until *fd is the
 * lock, to be closed; ERR_BUSY then. */
int pass_lock(const struct paths *p, int64_t wait_ms, int *fd, struct err *e) MUST_CHECK;
/* When the last pass was, Unix seconds, 0 = unknown; and that one is now.  To tell a clock that jumped: losing
 * it loses only that. */
int64_t pass_last_seen(const struct paths *p);
void pass_seen(const struct paths *p, int64_t now);
/* Does the look, at all pools, and plans.  Blocks. */
int pass_decide(struct look *host, const struct pass_wish *w, struct pass *pass, struct err *e) MUST_CHECK;
/* Before anything is destroyed: asks for each recalled snapshot that v drops.  1: more is known now, so plan again and
 * come back; 0: all that goes has been seen as it is.  Blocks. */
int pass_confirm(struct look *l, const struct verdicts *v, struct err *e) MUST_CHECK;
/* Does what was decided, unless the clock is doubted.  Prunes nothing when a snapshot could not be taken.  Blocks. */
int pass_do(const struct look *host, const struct pass_wish *w, const struct pass *pass, struct passed *out,
	    struct err *e) MUST_CHECK;
/* Destroys by the steps that were made of v; l has seen it all.  Blocks. */
int pass_prune(const struct look *l, const struct prune_steps *steps, const struct verdicts *v, struct pruned *out,
	       struct err *e) MUST_CHECK;
/* Only says what would go.  Blocks. */
int pass_prune_dry(struct reach *where, const struct verdicts *v, struct pruned *out, struct err *e) MUST_CHECK;

#endif
