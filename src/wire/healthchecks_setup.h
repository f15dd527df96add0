/* What apply says to healthchecks, and reads of it: https://healthchecks.io/docs/api/ (version 3).  Pure; what is read
 * is in the arena. */
#ifndef WIRE_HEALTHCHECKS_SETUP_H
#define WIRE_HEALTHCHECKS_SETUP_H

#include "base/buf.h"
#include "model/resource.h"
#include "wire/json.h"

struct healthchecks_check {
	const char *host, *backup, *slug;
	int64_t timeout_s, grace_s; /* late after the one, down when the other is over as well */
};
/* The body that makes it, of which there is one for a slug; and the one that changes what is there. */
void healthchecks_make_write(struct buf *b, const struct healthchecks_check *c);
void healthchecks_change_write(struct buf *b, const struct healthchecks_check *c);
/* What it is to be like, in the words of healthchecks_read. */
void healthchecks_facts(const struct healthchecks_check *c, struct arena *a, struct strings *facts);
/* The check of that slug among those of a list, its id the slug; one that dormouse did not make stays.  A check's UUID
 * is a secret, and goes to *uuid ("" if the key may not see it) alone.  ERR_CORRUPT: that is no such list. */
int healthchecks_read(struct str body, const struct healthchecks_check *of, struct arena *a, struct resources *out,
		      const char **uuid, struct err *e) MUST_CHECK;

#endif
