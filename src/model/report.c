#include "model/report.h"

static const char *const kinds[] = {
    [REPORT_START] = "start", [REPORT_RUN] = "run",   [REPORT_ALERT] = "alert",
    [REPORT_CLEAR] = "clear", [REPORT_TEST] = "test",
};

const char *report_kind_name(enum report_kind kind)
{
	return kinds[kind];
}

bool report_kind_of(const char *name, enum report_kind *out)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], name) != 0)
			continue;
		*out = (enum report_kind)i;
		return true;
	}
	return false;
}

bool report_is_bad(const struct report *r)
{
	return r->kind == REPORT_ALERT || (r->kind == REPORT_RUN && r->outcome != TRACE_SUCCESS);
}
