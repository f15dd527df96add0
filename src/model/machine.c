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

static const char *const uses[] = {[USE_PLAIN] = NULL, [USE_BULK] = "bulk", [USE_MOVE] = "move"};

const char *machine_use_name(enum machine_use u)
{
	return uses[u];
}

enum machine_use machine_use_of(const char *name)
{
	for (size_t u = USE_BULK; u < ARRAY_LEN(uses) && name != NULL; u++)
		if (strcmp(uses[u], name) == 0)
			return (enum machine_use)u;
	return USE_PLAIN;
}
