/* Everything a plan depends on beside the file, as JSON: dormouse observe writes it, and any machine can
 * make the same plan of it. */
#ifndef WIRE_OBSERVED_H
#define WIRE_OBSERVED_H

#include "model/dataset.h"
#include "wire/json.h"

struct observed {
	const char *backup;
	int64_t now;
	int64_t last_seen; /* when dormouse last looked there, for a clock that jumped; 0 = unknown */
	struct zone zone;  /* the local time of this host */
	struct side_state source, target;
};

json_t *side_json(const struct side_state *s);
int side_read(const json_t *j, struct arena *a, struct side_state *s, struct err *e) MUST_CHECK;
/* {"format":1,"backup":…,"now":…,"source":{…},"target":{…}} */
json_t *observed_json(const struct observed *o);
int observed_read(struct str text, struct arena *a, struct observed *o, struct err *e) MUST_CHECK;
json_t *point_json(const struct point *p);

#endif
