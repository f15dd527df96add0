/* The clocks; the only place that reads them. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include "base/zone.h"

int64_t clock_unix_s(void);	 /* wall clock; DORMOUSE_NOW overrides it, for tests */
int64_t clock_unix_ms(void);	 /* likewise */
int64_t clock_mono_ms(void);	 /* goes on evenly, CLOCK_BOOTTIME: also while suspended */
void clock_sleep_ms(int64_t ms); /* blocks */
/* The local time zone (TZ, /etc/localtime) since there is ZFS, and for three years ahead of now; in the arena. */
struct zone clock_zone(int64_t now, struct arena *a);

#endif
