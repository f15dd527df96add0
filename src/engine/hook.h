/* Commands of the user's that run around what we do. */
#ifndef ENGINE_HOOK_H
#define ENGINE_HOOK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

/* Runs a command here, with env ("NAME=value", NULL-terminated, or NULL) added to the environment and input, unless it
 * is NULL, on its standard input; nothing if words is empty.  name is what its failure is called; what it says last is
 * why.  Blocks for at most timeout_ms; 0 = no limit. */
int hook_run(const char *name, const struct strings *words, const char *const *env, int64_t timeout_ms,
	     const char *input, struct arena *a, struct err *e) MUST_CHECK;

#endif
