/* The kinds of machines that need a program of their own, dormouse-cloud, because it loads what no other should. */
#ifndef PROVIDER_CLOUD_H
#define PROVIDER_CLOUD_H

#include "model/ec2.h"
#include "model/hcloud.h"
#include "port/provider.h"
#include "wire/user_data.h"

/* Their functions; what may stand in their blocks is in the registry, like that of all kinds. */
extern const struct provider_ops cloud_aws_ec2, cloud_hcloud;

/* Which dormouse this is, by its host and its runtime folder, in the arena: another one with the same account may have
 * a target of the same name. */
const char *cloud_owner(const struct provider_env *env);

/* In which way a host key is put into a block's user data. */
enum user_data_format cloud_ec2_format(const struct ec2_settings *s);
enum user_data_format cloud_hcloud_format(const struct hcloud_settings *s);

/* What a machine of this start is given: the block's own, and if the target has none, a new host key, which is pinned
 * from now on.  Its private half is nowhere but in *out, in the arena. */
int cloud_user_data(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		    enum user_data_format format, const char *given, size_t max, const char **out,
		    struct err *e) MUST_CHECK;
/* The machine has ended: its key is not pinned any more.  What cannot be done is left: the next start does it. */
void cloud_forget_key(const struct provider_env *env, const struct target *t, const struct machine_id *id);

#endif
