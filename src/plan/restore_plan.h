/* What goes back from an archive, and what is put back there.  Pure. */
#ifndef PLAN_RESTORE_PLAN_H
#define PLAN_RESTORE_PLAN_H

#include "base/err.h"
#include "model/plan.h"

struct restored {
	const char *dataset;	      /* at home */
	struct properties properties; /* to be set there */
	bool inherit_canmount;	      /* it is to be as it is of itself */
	struct strings left;	      /* "mountpoint=/home": not set, as it lies at another place than its source did */
};

struct restoreds VEC(struct restored);

struct restore {
	struct parent_steps
	    parents;		   /* to be made first: what lies above, and what the archive has only a stand-in of */
	struct send_steps sends;   /* a parent before its children */
	bool more;		   /* there will be more to do when these are there */
	struct skips skips;	   /* what is there already */
	size_t left;		   /* how many are something else, and were left as they are; each has a note */
	struct restoreds restored; /* of each that is sent, or that an earlier restore has not finished */
	struct strings notes;
};

struct restore_wish {
	const char *copy;     /* on the archive: vault/backup/tank/home */
	const char *was;      /* what it is the copy of: tank/home */
	const char *top;      /* the copy of all that the backup is about: vault/backup/tank */
	const char *snapshot; /* after the '@', or NULL: the newest of each */
	const char *to;	      /* at home */
	bool below;	      /* with everything below it */
	bool history;	      /* all snapshots up to that one, not it alone */
	bool missing;	      /* leave alone what exists, and bring the rest; else that is an error */
};

/* archive is a look at copy, with its records; home is one at to.  Nothing is ever received over something that
 * exists, but for what an earlier restore has left half done.  -1: it cannot be, and why. */
int restore_plan(const struct restore_wish *w, const struct side_state *archive, const struct side_state *home,
		 struct arena *a, struct restore *out, struct err *e) MUST_CHECK;

#endif
