/* One pass over a host: its hooks, its snapshots, and what no label keeps any more. */
#ifndef ENGINE_PASS_H
#define ENGINE_PASS_H

#include "engine/reach.h"
#include "model/plan.h"
#include "wire/zfs_text.h"

/* What became of it. */
struct passed {
	size_t taken;	      /* snap_steps done */
	bool skipped;	      /* before_snapshot failed, and nothing was taken */
	struct pruned pruned; /* failed: what could not be destroyed */
	struct err hook;      /* ERR_NONE, or what failed of a hook without ending the pass */
};

/* One process at a time takes or destroys snapshots by the policies.  Waits for at most wait_ms until *fd is the
 * lock, to be closed; ERR_BUSY then. */
int pass_lock(const struct paths *p, int64_t wait_ms, int *fd, struct err *e) MUST_CHECK;
/* Looks at root, all pools if it is "", and at the properties set at and below another one unless that is NULL. */
int pass_look(struct reach *where, const char *root, const char *properties, struct side_state *s,
	      struct err *e) MUST_CHECK;
/* What the resume tokens of target mean, asked at the side that would send. */
int pass_tokens(struct reach *sender, struct side_state *target, struct err *e) MUST_CHECK;
/* Only the datasets of all pools, without snapshots. */
int pass_look_datasets(struct reach *where, struct side_state *s, struct err *e) MUST_CHECK;
/* When the last pass was, Unix seconds, 0 = unknown; and that one is now.  To tell a clock that jumped: losing
 * it loses only that. */
int64_t pass_last_seen(const struct paths *p);
void pass_seen(const struct paths *p, int64_t now);
/* Does what a pass says.  Prunes nothing when a snapshot could not be taken.  Blocks. */
int pass_do(struct reach *where, const struct snapshot_policy *p, const struct pass *pass, struct passed *out,
	    struct err *e) MUST_CHECK;
/* Only the destroying; dry: says what would go. */
int pass_prune(struct reach *where, const struct prune_steps *steps, bool dry, struct pruned *out,
	       struct err *e) MUST_CHECK;

#endif
