/* The commands that the file puts around a backup: before it, and after it whatever its end was. */
#ifndef ENGINE_AROUND_H
#define ENGINE_AROUND_H

#include "engine/run.h"

/* A failure of the first ends the run before it has begun.  Blocks. */
int around_before(const struct run *r, struct err *e) MUST_CHECK;
/* Tells the second what systemd would (systemd.exec(5): SERVICE_RESULT, EXIT_CODE, EXIT_STATUS), numbers in
 * DORMOUSE_*, and result, the JSON text of what became of everything, on its standard input.  whole: what ended the
 * run early, or NULL.  Blocks. */
int around_after(const struct run *r, int exit_status, const char *result, const struct err *whole,
		 struct err *e) MUST_CHECK;

#endif
