/* A configuration file's bytes into a struct config, or into diagnostics.  Pure and total: any bytes
 * are answered, nothing is read but what env gives.
 *
 * The language is HCL 2's native syntax (hclsyntax/spec.md) without variables, operators and template
 * directives, or HCL's JSON syntax; the functions are file, env and trimspace. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "conf/diag.h"
#include "model/config.h"
#include "model/field.h"

/* Where file() and env() look.  */
struct conf_env {
	void *ctx;
	/* The file's content into the arena; false with *why = a reason in a few words. */
	bool (*file)(void *ctx, const char *path, struct arena *a, struct str *out, const char **why);
	/* NULL if it is not set; borrowed until the next call. */
	const char *(*env)(void *ctx, const char *name);
};

enum { CONF_MAX = 1024 * 1024 };

/* True when *out is whole; otherwise d says what is wrong, all of it.  In either case d may hold warnings.
 * env may be NULL: there are neither files nor variables, as for what conf_write_target has written.
 * Everything lives in a. */
bool conf_load(struct str text, const char *path, bool json, const struct target_kind *const *kinds, size_t nkinds,
	       const struct conf_env *env, struct arena *a, struct config *out, struct diags *d);

/* A decoded target as text that conf_load reads back to the same: what the keeper remembers of a
 * machine that runs, whatever the file says later. */
void conf_write_target(struct buf *b, const struct target *t, const struct target_kind *kind);

#endif
