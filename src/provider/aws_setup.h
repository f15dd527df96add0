/* Internal to provider: what apply makes for an aws_ec2 target (docs/decisions/0014). */
#ifndef PROVIDER_AWS_SETUP_H
#define PROVIDER_AWS_SETUP_H

#include "model/resource.h"
#include "provider/aws_machine.h"
#include "provider/cloud_made.h"

/* What the target's resources are marked with; the name of its block is the value of the second. */
#define AWS_TAG_MADE "dormouse:made"
/* And volumes for a pool with its GUID, or that there is none yet. */
#define AWS_TAG_POOL "dormouse:pool"
/* And with their turn, see cloud_made.h. */
#define AWS_TAG_TURN "dormouse:turn"

/* As in port/provider.h. */
int aws_setup_survey(const struct provider_env *env, const struct target *t, struct resources *wanted,
		     struct resources *found, struct err *e) MUST_CHECK;
int aws_setup_make(const struct provider_env *env, const struct target *t, const struct resource *r, const char *token,
		   struct err *e) MUST_CHECK;
int aws_setup_change(const struct provider_env *env, const struct target *t, const struct resource *wanted,
		     const struct resource *found, struct err *e) MUST_CHECK;
int aws_setup_remove(const struct provider_env *env, const struct target *t, const struct resource *found,
		     struct err *e) MUST_CHECK;
int aws_setup_disks(const struct provider_env *env, const struct target *t, struct pool_disks *disks,
		    struct err *e) MUST_CHECK;
int aws_setup_mark(const struct provider_env *env, const struct target *t, const struct pool_disk *disk,
		   struct err *e) MUST_CHECK;
/* provider/aws_prices.c */
int aws_setup_prices(const struct provider_env *env, const struct target *t, struct price_list *list,
		     struct err *e) MUST_CHECK;
/* Puts what the blocks of the target have made into *s: the key pair's name, the group, the volumes.  ERR_MISSING: not
 * all of it is there.  For a move: also the volumes that are being filled. */
int aws_setup_settle(struct aws_machine *m, struct ec2_settings *s, enum machine_use use, struct err *e) MUST_CHECK;

/* What finds all that was made for the target: name, value, …. */
struct strings aws_setup_filters(const struct aws_machine *m);
/* Those that there are are added to *found. */
int aws_setup_find_key(struct aws_machine *m, struct resources *found, struct err *e) MUST_CHECK;
int aws_setup_find_group(struct aws_machine *m, struct resources *found, struct err *e) MUST_CHECK;
int aws_setup_find_volumes(struct aws_machine *m, struct resources *found, struct err *e) MUST_CHECK;

#endif
