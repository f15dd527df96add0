/* Kinds of machines that are there whether they are on or not, and that a person may use as well: what they are made
 * of, and the rest of their vtable.
 *
 * Whose doing it is that such a machine is on, a note in the runtime folder says.  What was on before us stays on after
 * us.  Without a note, as after a reboot, what the keeper remembers to have started is ours to end. */
#ifndef PROVIDER_EXISTING_H
#define PROVIDER_EXISTING_H

#include "port/provider.h"

struct existing_ops {
	/* 1: it is on, 0: it is off, -1; ERR_MISSING: there is none of that name at all, or nothing here that could run
	 * it. */
	int (*is_on)(const struct provider_env *, const struct target *, struct err *);
	/* Switches it on and waits until it is; it was off.  NULL where it is always on. */
	int (*switch_on)(const struct provider_env *, const struct target *, struct err *);
	/* The address of a machine that is on: 1, 0 while it has none yet, -1.  NULL: it needs none. */
	int (*address)(const struct provider_env *, const struct target *, const char **address, struct err *);
	/* Switches it off and waits until it is; it was on. */
	int (*switch_off)(const struct provider_env *, const struct target *, struct err *);
};

int existing_start(const struct provider_env *, const struct target *, const struct machine_id *,
		   struct machine_facts *, struct err *) MUST_CHECK;
int existing_describe(const struct provider_env *, const struct target *, const struct machine_id *,
		      struct machine_facts *, struct err *) MUST_CHECK;
int existing_stop(const struct provider_env *, const struct target *, const struct machine_id *,
		  struct err *) MUST_CHECK;
int existing_list(const struct provider_env *, const struct target *, machine_fn *fn, void *arg,
		  struct err *) MUST_CHECK;

#endif
