/* Secrets of the file, as they are now. */
#ifndef ENGINE_SECRET_H
#define ENGINE_SECRET_H

#include "base/err.h"
#include "model/sink.h"

/* One line of text into the arena: what stands there, or in a file that others may not read, or what a command prints;
 * NULL if there is none.  what: its name, for errors, in which it is not.  Blocks for at most 10 s. */
int secret_read(const struct secret *s, const char *what, struct arena *a, const char **out, struct err *e) MUST_CHECK;

#endif
