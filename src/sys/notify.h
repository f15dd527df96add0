/* Telling the service manager (sd_notify(3)); nothing happens where there is none. */
#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

#include "base/err.h"
#include "base/str.h"

/* "READY=1", "STATUS=…", "WATCHDOG=1", … */
void notify(const char *text);
/* One datagram to a socket: its path, or '@' and an abstract one's name.  Does not block. */
int notify_datagram(const char *path, struct str text, struct err *e) MUST_CHECK;
/* How often the watchdog wants to hear from us, in milliseconds; 0 = there is none. */
int64_t notify_watchdog_ms(void);

#endif
