/* Looks at what ZFS has, on one side or on two at once.  One that may recall opens only the snapshots that no earlier
 * look has seen: docs/decisions/0010. */
#ifndef ENGINE_LOOK_H
#define ENGINE_LOOK_H

#include "engine/reach.h"
#include "model/plan.h"

enum { LOOKS = 2 };

struct look {
	struct reach *where;
	const char *root;	/* and what is below it; "": all pools */
	const char *properties; /* or NULL: also at what is set at this one and below it */
	bool ours_too;		/* with properties: also at dormouse's own */
	bool only_datasets;	/* without snapshots and bookmarks */
	bool pool;		/* also how root's pool is */
	bool recall;		/* snapshots that an earlier one saw may be recalled; else it is a look in full */
	bool brief;		/* … and are not even listed where the newest is known (struct dataset.listed_at) */
	const struct send_steps *sent;	 /* brief: what went there since, from that side; or NULL */
	const struct side_state *sender; /* source of what was sent */
	struct side_state *to;
};

/* n of them, at most LOOKS, at once.  Wakes what has to be awake.  Blocks. */
int look_at(const struct look *looks, size_t n, struct err *e) MUST_CHECK;
/* Asks for recalled snapshots, some for each look, as they are now: then they are recalled no more.  *changed: one was
 * another, or is gone; only a look in full tells what is there then.  Blocks. */
int look_again(const struct look *looks, const struct point_refs *some, size_t n, bool *changed,
	       struct err *e) MUST_CHECK;
/* Lists the snapshots of these, of which it only recalled them.  Blocks. */
int look_list(const struct look *l, const struct dataset_refs *datasets, struct err *e) MUST_CHECK;
/* After what the verdicts drop has gone: the next look does not miss it.  That it cannot be written down costs only
 * time. */
void look_forget(const struct look *l, const struct verdicts *dropped);
/* What the resume tokens of target mean, asked at the side that would send. */
int look_tokens(struct reach *sender, struct side_state *target, struct err *e) MUST_CHECK;

#endif
