/* What went wrong, read from what zfs and ssh say. */
#ifndef WIRE_ZFS_BLAME_H
#define WIRE_ZFS_BLAME_H

#include "base/err.h"
#include "base/str.h"
#include "model/plan.h"

/* Which kind of failure a text of zfs or ssh speaks of: sets kind, retry, why and hint; what is the
 * last line that says something. */
void zfs_blame(struct str text, struct err *e);
/* Likewise, of an ssh that ended by itself: a shared connection that is cut ends its sessions without a word. */
void ssh_blame(struct str text, struct err *e);

/* How one end of a channel came to its end, as seen from stream number index. */
struct stage_end {
	int status; /* wait status of the end, or zfs receive's exit code from its answer */
	struct str text;
	size_t index;
};
/* Names the end that is at fault for a step that failed; a sender that lost its reader is a symptom. */
void stream_blame(const struct send_step *step, const struct stage_end *sender, const struct stage_end *receiver,
		  struct err *e);

#endif
