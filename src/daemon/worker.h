/* A worker is one blocking call to a provider in a process of its own.  The keeper writes one order to
 * its standard input and reads lines of JSON from its standard output: {"progress":TEXT} …, and at last
 * {"ok":true,…facts} or {"ok":false,"error":{…}}. */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include "base/arena.h"
#include "model/machine.h"

/* What a worker is asked: start, prepare, drain, stop, list. */
struct worker_order {
	const char *op, *token, *config, *target; /* config: the target's block, as conf_write_target */
	const char *runtime_dir;
	int64_t timeout_ms;
	struct machine_facts facts; /* prepare and drain: where the machine is reached */
};

#endif
