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

/* What known_write wrote, as a side: datasets with their GUID, their snapshots, recalled, and when these were listed.
 * ERR_CORRUPT: it is not one of known_write's. */
int known_read(struct str text, struct arena *a, struct side_state *known, struct err *e) MUST_CHECK;

/* Fills in the snapshots of s, a look at names (wire/program.h), and marks them as recalled.  Nothing is believed of a
 * dataset that has another GUID than then, or lacks a snapshot that it had: somebody else destroyed or renamed one. */
void known_fill(const struct side_state *known, struct side_state *s);

/* Adds what streams that went from source should have brought, by name alone. */
void known_expect(struct side_state *known, const struct send_steps *sends, const struct side_state *source,
		  struct arena *a);

/* To s, a look at the newest snapshots, all that is known of each dataset whose newest is the last that is known, if
 * they were listed within a day.  unlisted: all others that have a snapshot. */
void known_recall(const struct side_state *known, struct side_state *s, struct arena *a, struct dataset_refs *unlisted);

#endif
