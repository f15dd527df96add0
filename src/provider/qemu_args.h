/* Internal to provider: a QEMU guest's settings, and the command line that they make. */
#ifndef PROVIDER_QEMU_ARGS_H
#define PROVIDER_QEMU_ARGS_H

#include "port/provider.h"

struct qemu_settings {
	const char *program, *kernel, *initrd, *append, *accel, *bridge, *addr, *user_data;
	struct strings disks, forward, args;
	uint64_t memory;
	int64_t cpus, power_off_ms;
	bool snapshot;
};

/* A file of one guest in the runtime folder: "qmp", "log", "seed". */
const char *qemu_path(const struct provider_env *env, const struct machine_id *id, const char *what);
/* Its command line, NULL-terminated: finds free ports, writes what cloud-init is to read, finds out about KVM. */
int qemu_argv(const struct provider_env *env, const struct target *t, const struct machine_id *id, struct strings *v,
	      struct err *e) MUST_CHECK;
/* Takes away what stands in the runtime folder for it. */
void qemu_tidy(const struct provider_env *env, const struct machine_id *id);

#endif
