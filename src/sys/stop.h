/* Being told to end: by SIGINT, SIGTERM or SIGHUP, or by the time. */
#ifndef SYS_STOP_H
#define SYS_STOP_H

#include "base/err.h"

/* From now on the first of these signals only asks; the second one ends the process as ever. */
void stop_catch(void);
/* It is asked as well once that time (monotonic) has come. */
void stop_at(int64_t deadline_ms);
bool stop_asked(void);
/* -1 if it was, and by what: ERR_CANCELLED, or ERR_TIMEOUT; never to be tried again. */
int stop_check(struct err *e) MUST_CHECK;

#endif
