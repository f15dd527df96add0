#include "conf/schema.h"

#define FIELD(type_, member, name_, kind, ...)                                                     \
	{                                                                                          \
		.name = name_, .type = kind, .offset = offsetof(struct type_, member), __VA_ARGS__ \
	}

static const struct field target_fields[] = {
    FIELD(target, linger_ms, "linger", FIELD_DURATION, .fallback = "0s",
	  .doc = "how long it stays on after the last use"),
    FIELD(target, start_timeout_ms, "start_timeout", FIELD_DURATION, .fallback = "5m",
	  .doc = "how long it may take until it answers"),
    FIELD(target, stop_timeout_ms, "stop_timeout", FIELD_DURATION, .fallback = "2m",
	  .doc = "how long it may take to go off"),
    FIELD(target, max_lifetime_ms, "max_lifetime", FIELD_DURATION, .fallback = "0s",
	  .doc = "it is ended so long after its start, whoever uses it; 0s: never"),
    FIELD(target, watchdog_ms, "watchdog", FIELD_DURATION,
	  .doc = "it switches itself off when this host has not asked for it for so long; 0s: never"),
    FIELD(target, starts_per_hour, "starts_per_hour", FIELD_INT, .fallback = "60",
	  .doc = "so many starts at once, and so many in each hour after; 0: no limit"),
    FIELD(target, shared, "shared", FIELD_BOOL, .fallback = "true",
	  .doc = "false: everybody who connects gets a machine of their own"),
    FIELD(target, ready, "ready", FIELD_STRINGS,
	  .doc = "a command that must succeed on it before anybody gets it, tried again until start_timeout"),
    FIELD(target, check_port, "check_port", FIELD_PORT,
	  .doc = "the port that must answer before anybody gets it; default: sshd's"),
    FIELD(target, channels, "channels", FIELD_INT, .fallback = "2",
	  .doc = "how many streams at a time it sends or receives"),
    FIELD(target, pools, "pools", FIELD_STRINGS, .doc = "pools to import when it is on, and to export before it goes"),
};
static const struct field ssh_fields[] = {
    FIELD(ssh_config, user, "user", FIELD_STRING, .fallback = "root", .doc = "who to log in as"),
    FIELD(ssh_config, identity_file, "identity_file", FIELD_STRING, .doc = "the private key"),
    FIELD(ssh_config, host_key, "host_key", FIELD_STRING,
	  .doc = "the machine's public host key, \"ssh-ed25519 AAAA…\""),
    FIELD(ssh_config, config, "config", FIELD_STRING,
	  .doc = "ssh's configuration file in place of the user's own; what stands here goes before it"),
    FIELD(ssh_config, program, "program", FIELD_STRING, .fallback = "ssh", .doc = "the ssh to run"),
    FIELD(ssh_config, port, "port", FIELD_PORT, .fallback = "22", .doc = "sshd's port on the machine"),
};

static const struct field backup_fields[] = {
    FIELD(raw_backup, source, "source", FIELD_STRING, .required = true,
	  .doc = "the dataset to back up, with all below it: \"rpool/safe\", or \"target:pool/dataset\""),
    FIELD(raw_backup, destination, "destination", FIELD_STRING, .required = true,
	  .doc = "where it goes: \"target:pool/dataset\"; the source's whole name is added to it"),
    FIELD(raw_backup, include, "include", FIELD_STRINGS,
	  .doc = "globs of dataset names, each with all below; without it, all below the source"),
    FIELD(raw_backup, exclude, "exclude", FIELD_STRINGS, .doc = "globs of dataset names to leave out, with all below"),
    FIELD(raw_backup, choose, "choose", FIELD_STRING, .fallback = "all",
	  .doc = "\"all\" datasets but those with dormouse:backup=off, or by \"property\": only those with it set"),
    FIELD(raw_backup, exclude_snapshots, "exclude_snapshots", FIELD_STRINGS,
	  .doc = "globs of snapshot names that are not sent"),
    FIELD(raw_backup, first_copy, "first_copy", FIELD_STRING, .fallback = "all",
	  .doc = "of a dataset that is not there yet: \"all\" its snapshots, or only the \"newest\""),
    FIELD(raw_backup, run, "run", FIELD_STRING,
	  .doc = "when it runs by itself: \"after snapshot\", \"every 1h\", \"daily 03:00\", \"Mon..Fri 18:30\""),
    FIELD(raw_backup, jitter_ms, "jitter", FIELD_DURATION, .doc = "how much later than that it may begin"),
    FIELD(raw_backup, timeout_ms, "timeout", FIELD_DURATION, .doc = "how long a run may take"),
    FIELD(raw_backup, bandwidth, "bandwidth", FIELD_STRING,
	  .doc = "how fast it may send: \"20MB/s\", or \"20MB/s, 08:00-18:00 2MB/s\""),
    FIELD(raw_backup, compress, "compress", FIELD_STRING, .fallback = "auto",
	  .doc = "of what is on its way: \"auto\" compresses where measuring says that it helps, \"zstd\" always, "
		 "\"none\" never"),
    FIELD(raw_backup, space_check, "space_check", FIELD_BOOL, .fallback = "true",
	  .doc = "whether what is larger than the space there is refused before it is sent"),
    FIELD(raw_backup, before, "before", FIELD_STRINGS,
	  .doc = "a command to run first, as a list of words; when it fails, there is no run"),
    FIELD(raw_backup, after, "after", FIELD_STRINGS, .doc = "a command to run at the end, whatever the end was"),
    FIELD(raw_backup, hook_timeout_ms, "hook_timeout", FIELD_DURATION, .fallback = "5m",
	  .doc = "how long each may take"),
};

#define LABEL(type_, member, label)                                                          \
	{                                                                                    \
		.name = #label, .type = FIELD_INT, .offset = offsetof(struct type_, member), \
		.doc = "how many are kept",                                                  \
	}
#define LABEL_FIELDS(type_, m)                                                            \
	LABEL(type_, m[LABEL_FREQUENT], frequent), LABEL(type_, m[LABEL_HOURLY], hourly), \
	    LABEL(type_, m[LABEL_DAILY], daily), LABEL(type_, m[LABEL_WEEKLY], weekly),   \
	    LABEL(type_, m[LABEL_MONTHLY], monthly), LABEL(type_, m[LABEL_YEARLY], yearly)

static const struct field keep_fields[] = {
    LABEL_FIELDS(keep, count),
    FIELD(keep, within_ms, "within", FIELD_DURATION, .doc = "everything so much younger than the newest is kept"),
    FIELD(keep, min_age_ms, "min_age", FIELD_DURATION, .doc = "nothing younger is ever destroyed"),
    FIELD(keep, forget_ms, "forget_after", FIELD_DURATION,
	  .doc = "a dataset that is gone at the source is destroyed here after so long; default: never"),
};

static const struct field snapshots_fields[] = {
    LABEL_FIELDS(raw_policy, keep),
    FIELD(raw_policy, on, "on", FIELD_STRING, .doc = "the target whose pools they are of; default: this host"),
    FIELD(raw_policy, include, "include", FIELD_STRINGS,
	  .doc = "globs of dataset names, each with all below; default: what com.sun:auto-snapshot says"),
    FIELD(raw_policy, exclude, "exclude", FIELD_STRINGS, .doc = "globs of dataset names, each with all below"),
    FIELD(raw_policy, adopt, "adopt", FIELD_STRINGS,
	  .doc = "makers whose snapshots count as ours: \"sanoid\", \"zrepl\""),
    FIELD(raw_policy, skip_empty, "skip_empty", FIELD_BOOL,
	  .doc = "true: none of a dataset that nothing was written to since its last one"),
    FIELD(raw_policy, min_age_ms, "min_age", FIELD_DURATION, .doc = "nothing younger is ever destroyed"),
    FIELD(raw_policy, before, "before_snapshot", FIELD_STRINGS, .doc = "a command to run first, as a list of words"),
    FIELD(raw_policy, after, "after_snapshot", FIELD_STRINGS, .doc = "a command to run afterwards, as a list of words"),
    FIELD(raw_policy, hook_timeout_ms, "hook_timeout", FIELD_DURATION, .fallback = "1m",
	  .doc = "how long each may take"),
    FIELD(raw_policy, on_failure, "on_hook_failure", FIELD_STRING, .fallback = "skip",
	  .doc = "when before_snapshot fails: \"skip\" the snapshots, or \"abort\" the whole run"),
};

static const struct field limits_fields[] = {
    FIELD(limits, machines, "machines", FIELD_INT, .fallback = "0",
	  .doc = "how many machines each client of the jump host may use at a time; 0: no limit"),
    FIELD(limits, connections, "connections", FIELD_INT, .fallback = "0",
	  .doc = "how many connections to machines it may have at a time"),
    FIELD(limits, starts_per_hour, "starts_per_hour", FIELD_INT, .fallback = "0",
	  .doc = "how many machines may be started for it within an hour"),
};
static const struct field server_fields[] = {
    FIELD(raw_server, server.listen, "listen", FIELD_STRING, .fallback = "localhost:7922",
	  .doc = "where the jump host listens: \"HOST:PORT\", or \":PORT\" for all addresses"),
    FIELD(raw_server, server.host_key, "host_key", FIELD_STRING, .doc = "the jump host's private key itself"),
    FIELD(raw_server, server.host_key_file, "host_key_file", FIELD_STRING,
	  .doc = "the file that it is in; without either, one is made in the state folder"),
    FIELD(raw_server, authorized_key, "authorized_key", FIELD_STRING,
	  .doc = "a public key that may reach every port of every target"),
    FIELD(raw_server, server.user, "user", FIELD_STRING, .fallback = "nobody",
	  .doc = "the user that the process of a connection becomes, when started as root"),
    FIELD(raw_server, server.max_connections, "max_connections", FIELD_INT, .fallback = "100",
	  .doc = "how many connections there may be at a time"),
};
static const struct field client_fields[] = {
    FIELD(raw_client, key, "key", FIELD_STRING, .doc = "its public key"),
    FIELD(raw_client, keys, "keys", FIELD_STRINGS, .doc = "its public keys"),
    FIELD(raw_client, keys_file, "keys_file", FIELD_STRING, .doc = "a file with public keys, one a line"),
    FIELD(raw_client, authority, "cert_authority", FIELD_STRING, .doc = "the public key that signs its certificates"),
    FIELD(raw_client, principals, "principals", FIELD_STRINGS,
	  .doc = "one of which a certificate must name; default: the client's name"),
    FIELD(raw_client, allow, "allow", FIELD_STRINGS, .required = true,
	  .doc = "where it may go: \"target:port\", \"target\" for port 22, \"target:*\" for all ports"),
    FIELD(raw_client, max_connections, "max_connections", FIELD_INT, .fallback = "50",
	  .doc = "how many connections it may have at a time"),
};

static const struct field alert_fields[] = {
    FIELD(raw_alert, alerting.no_success_within_ms, "no_success_within", FIELD_DURATION,
	  .doc = "how long a backup may be without a run that succeeded; default: until its schedule has missed two"),
    FIELD(raw_alert, alerting.lag_ms, "lag", FIELD_DURATION,
	  .doc = "how old the newest archived snapshot of a dataset may be; default: any age"),
    FIELD(raw_alert, alerting.settle_ms, "settle", FIELD_DURATION, .fallback = "5m",
	  .doc = "what is over sooner is not told, nor is the end of what comes back sooner"),
    FIELD(raw_alert, alerting.repeat_ms, "repeat", FIELD_DURATION, .fallback = "24h",
	  .doc = "what lasts is told again after so long; 0s: never"),
    FIELD(raw_alert, alerting.pool_full, "pool_full", FIELD_INT, .fallback = "90",
	  .doc = "from how many percent on a pool is nearly full"),
    FIELD(raw_alert, alerting.on_ms, "machine_on", FIELD_DURATION, .fallback = "24h",
	  .doc = "how long a machine may be on; 0s: for ever"),
    FIELD(raw_alert, quiet, "quiet", FIELD_STRING,
	  .doc = "hours in which only what is critical is told: \"22:00-07:00\""),
};
static const struct field backup_alert_fields[] = {
    FIELD(backup, no_success_within_ms, "no_success_within", FIELD_DURATION,
	  .doc = "how long it may be without a run that succeeded"),
    FIELD(backup, lag_ms, "lag", FIELD_DURATION,
	  .doc = "how old the newest archived snapshot of each of its datasets may be"),
};

const struct block_schema ssh_schema = {
    .name = "ssh", .label_names = "ssh", .fields = ssh_fields, .nfields = ARRAY_LEN(ssh_fields)};
const struct block_schema target_schema = {.name = "target",
					   .nlabels = 2,
					   .label_names = "target \"NAME\" \"KIND\"",
					   .fields = target_fields,
					   .nfields = ARRAY_LEN(target_fields),
					   .by_label = true};
const struct block_schema snapshots_schema = {.name = "snapshots",
					      .label_names = "snapshots",
					      .fields = snapshots_fields,
					      .nfields = ARRAY_LEN(snapshots_fields)};
const struct block_schema keep_schema = {
    .name = "keep", .label_names = "keep", .fields = keep_fields, .nfields = ARRAY_LEN(keep_fields)};
const struct block_schema backup_alert_schema = {
    .name = "alert", .label_names = "alert", .fields = backup_alert_fields, .nfields = ARRAY_LEN(backup_alert_fields)};
static const struct block_schema *const backup_blocks[] = {&keep_schema, &backup_alert_schema};
const struct block_schema backup_schema = {.name = "backup",
					   .nlabels = 1,
					   .label_names = "backup \"NAME\"",
					   .fields = backup_fields,
					   .nfields = ARRAY_LEN(backup_fields),
					   .blocks = backup_blocks,
					   .nblocks = ARRAY_LEN(backup_blocks)};
const struct block_schema limits_schema = {
    .name = "limits", .label_names = "limits", .fields = limits_fields, .nfields = ARRAY_LEN(limits_fields)};
const struct block_schema server_schema = {
    .name = "server", .label_names = "server", .fields = server_fields, .nfields = ARRAY_LEN(server_fields)};
const struct block_schema client_schema = {.name = "client",
					   .nlabels = 1,
					   .label_names = "client \"NAME\"",
					   .fields = client_fields,
					   .nfields = ARRAY_LEN(client_fields)};
/* Its attributes are those of its kind: load_report.c. */
static const struct block_schema report_schema = {
    .name = "report", .nlabels = 1, .more_labels = 1, .label_names = "report \"KIND\" \"NAME\"", .by_label = true};
const struct block_schema alert_schema = {
    .name = "alert", .label_names = "alert", .fields = alert_fields, .nfields = ARRAY_LEN(alert_fields)};
static const struct block_schema *const root_blocks[] = {&target_schema, &snapshots_schema, &backup_schema,
							 &limits_schema, &server_schema,    &client_schema,
							 &report_schema, &alert_schema};
const struct block_schema root_schema = {.name = "", .blocks = root_blocks, .nblocks = ARRAY_LEN(root_blocks)};

static const struct block_schema **pointers(struct arena *a, size_t n)
{
	return arena_alloc(a, n * sizeof(void *));
}

static const struct block_schema *of_block(const struct field_block *f, struct arena *a)
{
	struct block_schema *s = arena_new(a, struct block_schema);
	const struct block_schema **blocks = pointers(a, f->nblocks);

	for (size_t i = 0; i < f->nblocks; i++)
		blocks[i] = of_block(&f->blocks[i], a);
	*s = (struct block_schema){.name = f->name,
				   .nlabels = f->labelled,
				   .label_names = f->labelled ? arena_printf(a, "%s \"NAME\"", f->name) : f->name,
				   .fields = f->fields,
				   .nfields = f->nfields,
				   .blocks = blocks,
				   .nblocks = f->nblocks};
	return s;
}

static const struct block_schema *blocks_of(const struct target_kind *const *kinds, size_t n, struct arena *a)
{
	struct block_schema *target = arena_new(a, struct block_schema);
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += kinds[i]->nblocks;
	const struct block_schema **all = pointers(a, count + 1);
	*target = target_schema;
	target->blocks = all;
	all[target->nblocks++] = &ssh_schema;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < kinds[i]->nblocks; k++)
			all[target->nblocks++] = of_block(&kinds[i]->blocks[k], a);
	return target;
}

const struct block_schema *schema_target(const struct target_kind *kind, struct arena *a)
{
	return blocks_of(&kind, 1, a);
}

const struct block_schema *schema_root(const struct target_kind *const *kinds, size_t nkinds, struct arena *a)
{
	struct block_schema *root = arena_new(a, struct block_schema);
	const struct block_schema **blocks = pointers(a, root_schema.nblocks);

	for (size_t i = 0; i < root_schema.nblocks; i++)
		blocks[i] =
		    root_schema.blocks[i] == &target_schema ? blocks_of(kinds, nkinds, a) : root_schema.blocks[i];
	*root = root_schema;
	root->blocks = blocks;
	return root;
}
