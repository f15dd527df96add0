/* Being told to end: by SIGINT, SIGTERM or SIGHUP. */
#ifndef SYS_STOP_H
#define SYS_STOP_H

#include "base/err.h"

/* From now on the first of these signals only asks; the second one ends the process as ever. */
void stop_catch(void);
bool stop_asked(void);
/* -1, and that it was told to end, if it was. */
int stop_check(struct err *e) MUST_CHECK;

#endif
