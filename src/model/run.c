#include "model/run.h"

const char *run_stage_name(enum run_stage s)
{
	static const char *const names[] = {
	    [STAGE_SNAPSHOT] = "snapshot", [STAGE_WAKE] = "wake", [STAGE_LOOK] = "look",   [STAGE_SEND] = "send",
	    [STAGE_PROVE] = "prove",	   [STAGE_MARK] = "mark", [STAGE_PRUNE] = "prune", [STAGE_SLEEP] = "sleep",
	};
	return names[s];
}

const char *run_end_text(int64_t exit)
{
	return exit < 0 ? "died on the way" : exit == 0 ? "done" : exit == 1 ? "partly done" : "failed";
}
