/* Volumes that take the place of others, within apply: docs/decisions/0040. */
#ifndef CLI_MOVING_H
#define CLI_MOVING_H

#include "cli/applying.h"

/* Does all that is left of one step of kind SETUP_MOVE, whoever has begun it, or may have died of it.  Blocks. */
int moving_do(struct cli *c, struct work *w, const struct setup_step *step, struct err *e) MUST_CHECK;
/* Before an old volume goes: are the pools in use there, and can all be seen that they have?  Blocks. */
int moving_prove(struct cli *c, const struct work *w, struct err *e) MUST_CHECK;

#endif
