/* Internal to provider: what apply makes for an hcloud target (docs/decisions/0014). */
#ifndef PROVIDER_HCLOUD_SETUP_H
#define PROVIDER_HCLOUD_SETUP_H

#include "provider/hcloud_client.h"

/* What they are marked with: the name of its block is the value of the first. */
#define HCLOUD_LABEL_MADE "dormouse-made"
#define HCLOUD_LABEL_POOL "dormouse-pool"
#define HCLOUD_LABEL_TURN "dormouse-turn"

/* What the API calls each kind; NULL: there is none of it. */
extern const char *const hcloud_setup_lists[RESOURCE_KINDS];
/* All of a kind, or only those that were made for this target. */
int hcloud_setup_find(struct hcloud_client *c, enum resource_kind kind, bool ours, struct hcloud_things *things,
		      struct err *e) MUST_CHECK;
/* Those of its blocks, each with what it is to its block. */
int hcloud_setup_find_volumes(struct hcloud_client *c, struct resources *found, struct err *e) MUST_CHECK;

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
/* Before "there is no machine" is believed: has the project what the target's machines need?  If not (ERR_CONFLICT),
 * the token may be one of another project. */
int hcloud_setup_check_project(struct hcloud_client *c, struct err *e) MUST_CHECK;

#endif
