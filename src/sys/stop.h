/* Being told to end: by SIGINT, SIGTERM or SIGHUP. */
#ifndef SYS_STOP_H
#define SYS_STOP_H

#include "base/base.h"

/* From now on the first of these signals only asks; the second one ends the process as ever. */
void stop_catch(void);
bool stop_asked(void);

#endif
