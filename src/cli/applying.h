/* What apply, rollback and destroy share: targets and reports looked at, what is to be done for each, shown and done.
 */
#ifndef CLI_APPLYING_H
#define CLI_APPLYING_H

#include "cli/cli.h"
#include "engine/setup.h"
#include "engine/watch.h"

/* Of one target, or of one report block. */
struct work {
	struct setup setup;		 /* of a report: only its name and the arena */
	struct watching *watch;		 /* NULL: it is a target */
	bool away, with_data;		 /* destroy */
	bool drop_old;			 /* apply: what another has taken the place of goes */
	const struct price_list *prices; /* may be NULL */
	struct resources wanted, found;
	struct setup_steps steps;
	const struct err *failure; /* it cannot be seen what it has; NULL: it can */
};
struct works VEC(struct work);

/* Is there a target, or a report that is set up, of each name among the arguments? */
int works_named(const struct cli *c, struct err *e) MUST_CHECK;
/* Of one target of the file. */
struct setup works_setup(struct cli *c, const struct target *t);
/* Do they name it, or none at all? */
bool works_chosen(const struct cli *c, const char *name);
/* Looks at those that are chosen, nobody else at the same time until this process ends.  One that cannot be looked at
 * is complained of, and keeps the others from nothing; -1: all are so.  Blocks. */
int works_look(struct cli *c, struct works *all, const struct work *how, struct err *e) MUST_CHECK;
/* Looks again at one, and plans anew.  Blocks. */
int works_see(struct work *w, struct err *e) MUST_CHECK;
/* Its machines are off; whoever still uses one is not cut off: ERR_BUSY.  Blocks. */
int works_asleep(struct cli *c, const struct work *w, struct err *e) MUST_CHECK;
/* Likewise at one, to say what apply would do: keeps nobody off, and complains of nothing. */
void works_glance(struct cli *c, const struct target *t, struct works *all);
void works_show(const struct cli *c, const struct works *all);
json_t *works_json(const struct works *all);
bool works_any(const struct works *all, bool (*is)(const struct setup_steps *));
/* Is there something that cannot be done, or seen? */
bool works_partly(const struct works *all);
/* Does it all; what fails is said, and the worst exit code returned.  Blocks. */
int works_perform(struct cli *c, struct works *all);
/* Likewise, as a new generation of the file, whose text c has; back_to: the one that it is again, or 0. */
int works_generation(struct cli *c, struct works *all, int64_t back_to);
/* What that file is called, wherever one is. */
const char *works_file(struct cli *c);

#endif
