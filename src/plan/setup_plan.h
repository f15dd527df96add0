/* What `apply` and `destroy` have to do for one target: by what the file wants and what is there. */
#ifndef PLAN_SETUP_PLAN_H
#define PLAN_SETUP_PLAN_H

#include "model/cost.h"
#include "model/resource.h"

enum setup_kind {
	SETUP_MAKE,
	SETUP_CHANGE,  /* in its place */
	SETUP_FILL,    /* by a start of the machine, which makes its pool */
	SETUP_MOVE,    /* what is on it goes to another one, which takes its place: docs/decisions/0040 */
	SETUP_REPLACE, /* taken away, and made again: nothing is lost by that */
	SETUP_REMOVE,
	SETUP_KEEP,   /* not in the file, or not to be taken away: left as it is */
	SETUP_CANNOT, /* it must stay as it is, which is not as the file wants it */
};

struct setup_change {
	const char *fact, *from, *to; /* from NULL: not said */
};
struct setup_changes VEC(struct setup_change);
struct setup_step {
	enum setup_kind kind;
	const struct resource *wanted, *found; /* NULL: it is not */
	const struct resource *next;	       /* SETUP_MOVE: what is being filled; NULL: it has yet to be made */
	const struct resource *about;	       /* what is found, or else what is wanted */
	struct setup_changes changes;
	const char *why, *hint; /* each may be NULL */
};
struct setup_steps VEC(struct setup_step);

/* Nothing for what is as it is wanted: when all is, there are no steps.  In the order in which they are done.  What
 * the steps point to lives as long as wanted and found.  drop_old: what another has taken the place of goes.
 * list: what volumes cost, or NULL. */
void setup_plan(const struct resources *wanted, const struct resources *found, bool drop_old,
		const struct price_list *list, struct arena *a, struct setup_steps *steps);
/* Everything that is there goes, last made first; volumes only with_data, and what stays never. */
void teardown_plan(const struct resources *found, bool with_data, const struct price_list *list, struct arena *a,
		   struct setup_steps *steps);
/* Is there a step that does something; one that cannot be done? */
bool setup_does(const struct setup_steps *steps);
bool setup_cannot(const struct setup_steps *steps);

#endif
