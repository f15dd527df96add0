/* Internal to conf: the body of a whole file into the typed configuration. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "conf/ast.h"
#include "conf/diag.h"
#include "model/config.h"
#include "model/field.h"

/* Everything that is wrong is diagnosed; then *out must not be used. */
void load_root(const struct body *root, const struct target_kind *const *kinds, size_t nkinds, struct arena *a,
	       struct diags *d, struct config *out);

/* What a load is about, for its parts. */
struct loading {
	const struct target_kind *const *kinds;
	size_t nkinds;
	struct arena *a;
	struct diags *d;
	struct config *out;
};

/* A block's name, as all have it; what: "target". */
void load_check_name(struct loading *l, const char *what, const struct block_label *label);
/* The target of that name, or NULL and a diagnostic. */
const struct target *load_find_target(struct loading *l, const char *name, struct span at);
/* The block of that type, of which there may be one; NULL: there is none. */
const struct block *load_only_block(struct loading *l, const struct body *body, const char *type, const char *where);
/* load_jump.c: the server block and its clients, once the targets are known. */
void load_jump(struct loading *l, const struct body *root);
/* load_report.c: the report blocks, once the backups are known. */
void load_reports(struct loading *l, const struct body *root);
/* load_alert.c: the alert block, and that of a backup. */
void load_alert(struct loading *l, const struct body *root);
void load_backup_alert(struct loading *l, const struct body *body, struct backup *out);

#endif
