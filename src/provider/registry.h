/* The kinds of machines there are. */
#ifndef PROVIDER_REGISTRY_H
#define PROVIDER_REGISTRY_H

#include "port/provider.h"

/* NULL if there is none of that name. */
const struct provider_ops *provider_find(const char *kind);
enum { PROVIDERS = 9 };
/* All of them, as the configuration's decoder wants them. */
const struct target_kind *const *provider_kinds(void);

extern const struct provider_ops provider_aws_ec2, provider_disk, provider_exec, provider_forward, provider_hcloud,
    provider_libvirt, provider_qemu, provider_virtualbox, provider_wake_on_lan;

#endif
