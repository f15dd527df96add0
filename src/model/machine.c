#include "model/machine.h"

const char *machine_state_name(enum machine_state s)
{
	static const char *const names[] = {
	    [MACHINE_ABSENT] = "absent",     [MACHINE_STARTING] = "starting",	[MACHINE_PREPARING] = "preparing",
	    [MACHINE_READY] = "ready",	     [MACHINE_LINGERING] = "lingering", [MACHINE_DRAINING] = "draining",
	    [MACHINE_STOPPING] = "stopping", [MACHINE_FAILED] = "failed",
	};
	return names[s];
}
