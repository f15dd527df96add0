#include "model/health.h"

const char *health_level_name(enum health_level l)
{
	static const char *const names[] = {"ok", "warn", "critical"};

	return names[l];
}
