/* Internal to conf: what may stand in the file, as tables. */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "conf/decode.h"
#include "model/config.h"

extern const struct block_schema root_schema, target_schema, ssh_schema, snapshots_schema, backup_schema, keep_schema,
    limits_schema, server_schema, client_schema, alert_schema, backup_alert_schema;

/* What may stand in the file, with the blocks that targets of any of these kinds may have; and in a target's. */
const struct block_schema *schema_root(const struct target_kind *const *kinds, size_t nkinds, struct arena *a);
const struct block_schema *schema_target(const struct target_kind *kind, struct arena *a);

/* As they stand in the file; they point into the decoded values. */
struct raw_backup {
	const char *source, *destination, *run;
	const char *bandwidth, *first_copy, *choose, *compress;
	struct strings include, exclude, exclude_snapshots, before, after;
	bool space_check;
	int64_t timeout_ms, jitter_ms, hook_timeout_ms;
};
struct raw_policy {
	int64_t keep[LABELS];
	const char *on, *on_failure;
	struct strings include, exclude, adopt, before, after;
	bool skip_empty;
	int64_t min_age_ms, hook_timeout_ms;
};

struct raw_alert {
	struct alerting alerting;
	const char *quiet;
};
struct raw_server {
	struct jump_server server;
	const char *authorized_key;
};
struct raw_client {
	const char *key, *keys_file, *authority;
	struct strings keys, allow, principals;
	int64_t max_connections;
};

#endif
