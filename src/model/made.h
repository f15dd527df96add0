/* What a target's block wants apply to make, and to stay when machines go. */
#ifndef MODEL_MADE_H
#define MODEL_MADE_H

#include "model/field.h"
#include "model/pool_disk.h"

struct made_volume {
	const char *name;
	const char *type, *kms_key_id; /* NULL where there is but one */
	uint64_t size;		       /* bytes */
	int64_t iops, throughput;      /* 0: as the type has it */
	const char *pool;	       /* that is on it; NULL: it is none of ours what is */
	struct field_items datasets;   /* of pool_dataset */
};
/* Of a public key: who may log in. */
struct made_key_pair {
	const char *public_key;
};
/* A security group, a firewall: who may reach the machine's sshd. */
struct made_firewall {
	struct strings from; /* CIDR blocks */
};
struct made {
	struct field_items volumes, key_pair, firewall; /* of the three above; of the last two, one at most */
};

/* NULL: there is none of that name. */
const struct made_volume *made_volume(const struct made *m, const char *name);
/* Of whole GiB. */
uint64_t made_volume_gib(const struct made_volume *v);

#endif
