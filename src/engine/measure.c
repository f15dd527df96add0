#include "engine/measure.h"

#include "wire/metrics.h"

/* RUNS: of each backup, among which its last success is looked for. */
enum { RUNS = 200 };

int measure_write(const struct config *c, const struct paths *p, struct control *link, struct buf *out, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *summaries = json_object();
	AUTO(json) json_t *sinks = control_json(p, link, &(struct control_request){.op = CONTROL_SINKS}, &a, e);

	if (sinks == NULL)
		return -1;
	for (size_t i = 0; i < c->backups.n; i++) {
		const char *name = c->backups.v[i].name;
		const struct control_request r = {.op = CONTROL_SUMMARY, .backup = name, .number = RUNS};
		if (json_object_set_new(summaries, name, control_json(p, link, &r, &a, e)) < 0)
			return -1;
	}
	metrics_write(out, summaries, sinks);
	return 0;
}
