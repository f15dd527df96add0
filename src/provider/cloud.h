/* The kinds of machines that need a program of their own, dormouse-cloud, because it loads what no other should. */
#ifndef PROVIDER_CLOUD_H
#define PROVIDER_CLOUD_H

#include "port/provider.h"

/* Their functions; what may stand in their blocks is in the registry, like that of all kinds. */
extern const struct provider_ops cloud_aws_ec2, cloud_hcloud;

/* Which dormouse this is, by its host and its runtime folder, in the arena: another one with the same account may have
 * a target of the same name. */
const char *cloud_owner(const struct provider_env *env);

#endif
