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

#endif
