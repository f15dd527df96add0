/* What a kind of machine must be able to do.  Every call blocks until it is done or env->deadline
 * passes, is safe to repeat with the same id, and does not retry, log or decide. */
#ifndef PORT_PROVIDER_H
#define PORT_PROVIDER_H

#include "base/err.h"
#include "model/config.h"
#include "model/field.h"
#include "model/machine.h"
#include "model/pool_disk.h"
#include "model/resource.h"

struct provider_env {
	struct arena *arena;	 /* facts live here */
	const char *runtime_dir; /* sockets and pid files; exists, ours alone */
	const char *state_dir;	 /* NULL: not known, and nothing is made there */
	const char *known_hosts; /* file that pins the target's host key; NULL: none */
	bool exported;		 /* stop: its pools were exported, no disk is in use but its own */
	int64_t deadline_ms;	 /* on the monotonic clock */
	void (*progress)(const struct provider_env *, const char *text); /* a line for who waits; may be NULL */
	void *ctx;
};

typedef void machine_fn(void *arg, const struct machine_id *id, const struct machine_facts *facts);

struct provider_ops {
	struct target_kind kind;
	/* Can this target work on this host?  Says what is missing. */
	int (*check)(const struct provider_env *, const struct target *, struct err *) MUST_CHECK;
	/* Before a start: puts what the block leaves to the environment or to what it is for, and what must not be
	 * another once there is a machine, into *t (in the arena).  NULL: nothing is. */
	int (*settle)(const struct provider_env *, struct target *t, enum machine_use, struct err *) MUST_CHECK;
	/* Starts the machine, or finds it started; facts->power is RUNNING and it has an address. */
	int (*start)(const struct provider_env *, const struct target *, const struct machine_id *,
		     struct machine_facts *, struct err *) MUST_CHECK;
	/* How is it?  A machine that is not there is POWER_ABSENT, not an error. */
	int (*describe)(const struct provider_env *, const struct target *, const struct machine_id *,
			struct machine_facts *, struct err *) MUST_CHECK;
	/* Ends it and waits until it is gone.  Not there is success. */
	int (*stop)(const struct provider_env *, const struct target *, const struct machine_id *,
		    struct err *) MUST_CHECK;
	/* Calls fn for every machine of this target that exists, whoever remembers it. */
	int (*list)(const struct provider_env *, const struct target *, machine_fn *fn, void *arg,
		    struct err *) MUST_CHECK;
	/* What the block wants to be made once and to stay, and what of it there is, whoever made it.  All four NULL:
	 * of this kind nothing is. */
	int (*survey)(const struct provider_env *, const struct target *, struct resources *wanted,
		      struct resources *found, struct err *) MUST_CHECK;
	/* Makes one; the same token is the same one, however often. */
	int (*make)(const struct provider_env *, const struct target *, const struct resource *wanted,
		    const char *token, struct err *) MUST_CHECK;
	/* Makes of what is found what is wanted, where that can be done in its place, and waits for it. */
	int (*change)(const struct provider_env *, const struct target *, const struct resource *wanted,
		      const struct resource *found, struct err *) MUST_CHECK;
	/* Takes it away; not there is success. */
	int (*remove)(const struct provider_env *, const struct target *, const struct resource *found,
		      struct err *) MUST_CHECK;
	/* The disks that the target's pools are on, of a machine that runs, as far as they were made by what is above;
	 * and that a pool is on one from now on. */
	int (*disks)(const struct provider_env *, const struct target *, struct pool_disks *, struct err *) MUST_CHECK;
	int (*mark)(const struct provider_env *, const struct target *, const struct pool_disk *,
		    struct err *) MUST_CHECK;
	/* What it asks for what the target uses, today.  NULL: it cannot be asked. */
	int (*prices)(const struct provider_env *, const struct target *, struct price_list *, struct err *) MUST_CHECK;
	/* For kinds that are made of less: see provider/existing.h. */
	const struct existing_ops *existing;
};

#endif
