/* What apply says to Honeycomb, and reads of it: https://api-docs.honeycomb.io (datasets, columns, recipients,
 * triggers).  Pure; what is read is in the arena, and each reader returns -1 with ERR_CORRUPT for what is no such
 * answer. */
#ifndef WIRE_HONEYCOMB_SETUP_H
#define WIRE_HONEYCOMB_SETUP_H

#include "base/buf.h"
#include "model/resource.h"
#include "wire/json.h"

enum { HONEYCOMB_NAME_MAX = 120 };

/* One that fires when no successful run of a backup has begun within a time and arrived. */
struct honeycomb_trigger {
	const char *host, *sink, *backup;
	int64_t within_s, frequency_s;
	struct strings to; /* addresses of mail, ids of recipients */
};
/* What it is called there, by which it is found again. */
const char *honeycomb_trigger_name(const struct honeycomb_trigger *t, struct arena *a);
/* The body that makes it, or makes of another that one.  recipients: address, id, … of those of mail. */
void honeycomb_trigger_write(struct buf *b, const struct honeycomb_trigger *t, const struct strings *recipients);
/* What it is to be like, in the words of honeycomb_triggers_read. */
void honeycomb_trigger_facts(const struct honeycomb_trigger *t, struct arena *a, struct strings *facts);
/* Those of that host and sink, each named as its backup; one that only has such a name stays.  of: host, sink and to.
 */
int honeycomb_triggers_read(struct str body, const struct honeycomb_trigger *of, struct arena *a, struct resources *out,
			    struct err *e) MUST_CHECK;

/* {"name":NAME}; the columns that triggers ask for, as name, type, …; {"key_name":NAME,"type":TYPE}. */
void honeycomb_dataset_write(struct buf *b, const char *name);
void honeycomb_columns(struct arena *a, struct strings *out);
void honeycomb_column_write(struct buf *b, const char *name, const char *type);
/* What a dataset of that name is called in addresses; NULL: there is none. */
int honeycomb_datasets_read(struct str body, const char *name, struct arena *a, const char **slug,
			    struct err *e) MUST_CHECK;
/* Of the columns that triggers ask for, those that there are. */
int honeycomb_columns_read(struct str body, struct arena *a, struct strings *out, struct err *e) MUST_CHECK;

void honeycomb_recipient_write(struct buf *b, const char *address);
/* All of them: address ("" if it is not one of mail), id, … */
int honeycomb_recipients_read(struct str body, struct arena *a, struct strings *out, struct err *e) MUST_CHECK;

/* What a key lacks to set up alerts, by the names that Honeycomb shows, or NULL. */
int honeycomb_auth_read(struct str body, struct arena *a, const char **lacks, struct err *e) MUST_CHECK;
/* A text of an answer: the "id" or "slug" of what was made. */
int honeycomb_made_read(struct str body, const char *member, struct arena *a, const char **out,
			struct err *e) MUST_CHECK;

#endif
