/* Internal to provider: what apply makes for an hcloud target (docs/decisions/0014). */
#ifndef PROVIDER_HCLOUD_SETUP_H
#define PROVIDER_HCLOUD_SETUP_H

#include "provider/hcloud_client.h"

/* As in port/provider.h. */
int hcloud_setup_survey(const struct provider_env *env, const struct target *t, struct resources *wanted,
			struct resources *found, struct err *e) MUST_CHECK;
int hcloud_setup_make(const struct provider_env *env, const struct target *t, const struct resource *r,
		      const char *token, struct err *e) MUST_CHECK;
int hcloud_setup_change(const struct provider_env *env, const struct target *t, const struct resource *wanted,
			const struct resource *found, struct err *e) MUST_CHECK;
int hcloud_setup_remove(const struct provider_env *env, const struct target *t, const struct resource *found,
			struct err *e) MUST_CHECK;
int hcloud_setup_disks(const struct provider_env *env, const struct target *t, struct pool_disks *disks,
		       struct err *e) MUST_CHECK;
int hcloud_setup_mark(const struct provider_env *env, const struct target *t, const struct pool_disk *disk,
		      struct err *e) MUST_CHECK;
/* Puts what the blocks have made into the target's settings: the key, the firewall, the volumes.  ERR_MISSING: not all
 * of it is there. */
int hcloud_setup_settle(const struct provider_env *env, struct target *t, enum machine_use use,
			struct err *e) MUST_CHECK;

#endif
