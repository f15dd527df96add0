/* What looks saw of snapshots, as a text for the next look: what cannot change is not asked for again. */
#ifndef WIRE_KNOWN_H
#define WIRE_KNOWN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "model/dataset.h"
#include "model/plan.h"

/* All snapshots of s but those that the verdicts drop, which must have gone; and of what lies elsewhere than s, what an
 * earlier text says. */
void known_write(const struct side_state *s, struct str before, const struct verdicts *v, struct buf *b);

/* Fills in the snapshots of s, a look at names (wire/program.h), and marks them as recalled.  Nothing is believed of a
 * dataset that has another GUID than then, or lacks a snapshot that it had: somebody else destroyed or renamed one.
 * ERR_CORRUPT: the text is not one of known_write's; s may be filled in part. */
int known_fill(struct str text, struct side_state *s, struct err *e) MUST_CHECK;

#endif
