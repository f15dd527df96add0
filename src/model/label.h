/* The labels of automatic snapshots, and the names that snapshots of all known makers have. */
#ifndef MODEL_LABEL_H
#define MODEL_LABEL_H

#include "base/calendar.h"

enum label {
	LABEL_FREQUENT,
	LABEL_HOURLY,
	LABEL_DAILY,
	LABEL_WEEKLY,
	LABEL_MONTHLY,
	LABEL_YEARLY,
	LABEL_NONE,
};
#define LABELS ((int)LABEL_NONE) /* how many there are */

const char *label_name(enum label l);
/* When one is taken, the calendar expression "*:0/15", "hourly", …, as the timers of NixOS's
 * services.zfs.autoSnapshot. */
struct calendar label_calendar(enum label l);
/* The number of the period that t lies in, by the clock on the wall: the quarter of an hour, the hour, the day,
 * the week (from Monday), the month, the year.  Grows with local time. */
int64_t label_period(enum label l, const struct zone *z, int64_t t);

enum maker {
	MAKER_FOREIGN, /* nobody we know: never touched */
	MAKER_AUTO,    /* zfs-auto-snap_LABEL-YYYY-MM-DD-HHhMM, …U (zfstools), -HHMM (zfs-auto-snapshot), each with a
			* suffix -N of ours */
	MAKER_SANOID,  /* autosnap_YYYY-MM-DD_HH:MM:SS_TYPE */
	MAKER_ZREPL,   /* zrepl_YYYYMMDD_HHMMSS_000; it has no label */
};
/* Who made it, by its name alone; *l is its label, LABEL_NONE where it has none. */
enum maker snapshot_maker(const char *name, enum label *l);

#endif
