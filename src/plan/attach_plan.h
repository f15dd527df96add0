/* How a volume gets to a machine: what is to be done next, by what EC2 says of both.  What it says may be a moment
 * old. */
#ifndef PLAN_ATTACH_PLAN_H
#define PLAN_ATTACH_PLAN_H

#include "model/ec2.h"

enum attach_step {
	ATTACH_WAIT,	/* look again */
	ATTACH_ASK,	/* it is free: ask for it */
	ATTACH_RESTART, /* it got stuck: detach it, and begin again */
	ATTACH_DONE,
	ATTACH_IN_USE, /* another machine has it, and keeps it */
	ATTACH_BROKEN, /* it is out of order, or goes */
};

/* Being attached for longer is being stuck. */
enum { ATTACH_STUCK_MS = 90000 };

struct attach_seen {
	const struct ec2_volume *volume;
	const char *instance;		   /* the machine that is to have it */
	const struct ec2_instance *holder; /* the one that has it, if that is another; NULL: it is not there any more */
	int64_t attaching_ms;		   /* for how long it has been seen attaching */
	bool let_go;			   /* it was detached by ATTACH_RESTART, and not seen so since */
};

enum attach_step attach_next(const struct attach_seen *s);

#endif
