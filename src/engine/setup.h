/* What stays when machines go: looked at, and done as plan/setup_plan.h says. */
#ifndef ENGINE_SETUP_H
#define ENGINE_SETUP_H

#include "engine/task.h"
#include "plan/setup_plan.h"
#include "sys/paths.h"

/* One target's.  tell gets the lines for people, or is NULL. */
struct setup {
	const struct paths *paths;
	struct arena *arena;
	const char *target, *block; /* its block, as conf_write_target */
	int64_t timeout_ms;	    /* of each step */
	void (*tell)(const char *text);
};

/* One apply or destroy of a target at a time, until *lock is closed. */
int setup_lock(const struct setup *s, int *lock, struct err *e) MUST_CHECK;
/* What is wanted and what is there.  Blocks. */
int setup_survey(const struct setup *s, struct resources *wanted, struct resources *found, struct err *e) MUST_CHECK;
/* What its provider asks today.  Blocks. */
int setup_prices(const struct setup *s, struct price_list *list, struct err *e) MUST_CHECK;
/* Does one step that does something, but for SETUP_FILL, which is a start; of SETUP_MOVE only that the other one is
 * made.  Blocks.  What it makes is made once,
 * however often it is killed and done again: its token is on disk before, until setup_over. */
int setup_do(const struct setup *s, const struct setup_step *step, struct err *e) MUST_CHECK;
/* All is as it is wanted: what comes next is another. */
void setup_over(const struct setup *s);

#endif
