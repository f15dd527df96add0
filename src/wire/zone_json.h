/* A time zone as JSON: [[FROM, OFFSET], …], as struct zone has it. */
#ifndef WIRE_ZONE_JSON_H
#define WIRE_ZONE_JSON_H

#include "base/zone.h"
#include "wire/json.h"

json_t *zone_json(const struct zone *z);
/* NULL is UTC. */
int zone_json_read(const json_t *list, struct arena *a, struct zone *z, struct err *e) MUST_CHECK;

#endif
