/* A worker is one blocking call to a provider in a process of its own: dormouse worker.  It reads one order, a JSON
 * object, from its standard input, and writes lines of JSON: {"progress":TEXT} …, before a start
 * perhaps one {"config":TEXT}, the block to find the machine with from now on, and at last {"ok":true,…facts} or
 * {"ok":false,"error":{…}}. */
#ifndef WIRE_WORKER_ORDER_H
#define WIRE_WORKER_ORDER_H

#include "base/buf.h"
#include "wire/json.h"

struct worker_order {
	const char *op; /* check, start, prepare, drain, stop, list; survey, make, change, remove; prices */
	const char *target, *token;
	const char *config; /* the target's block, as conf_write_target */
	const char *runtime_dir;
	const char *use;   /* start: what for, as machine_use_name, or NULL */
	const char *facts; /* prepare and drain: where the machine is reached, as JSON (wire/machine_json.h), or NULL */
	const char *wanted,
	    *found;   /* make, change, remove: of which resource, as JSON (wire/resource_json.h), or NULL */
	bool drained; /* stop: draining it went well */
	int64_t timeout_ms;
};

void worker_order_write(struct buf *b, const struct worker_order *o);
/* The texts are in the arena.  ERR_USAGE: it is not one. */
int worker_order_read(struct str text, struct arena *a, struct worker_order *o, struct err *e) MUST_CHECK;
/* The last line that a worker has written, or NULL: then e says so.  It becomes the caller's again; NULL with e if it
 * is that of a failure. */
json_t *worker_answer(json_t *line, struct err *e);

#endif
