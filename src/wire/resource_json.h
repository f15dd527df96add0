/* What a target has and what its file wants, between a worker and who asks it. */
#ifndef WIRE_RESOURCE_JSON_H
#define WIRE_RESOURCE_JSON_H

#include "model/resource.h"
#include "wire/json.h"

json_t *resource_json(const struct resource *r);
json_t *resources_json(const struct resources *list);
/* In the arena.  ERR_CORRUPT: it is none. */
int resource_read(const json_t *j, struct arena *a, struct resource *r, struct err *e) MUST_CHECK;
int resources_read(const json_t *j, struct arena *a, struct resources *list, struct err *e) MUST_CHECK;

#endif
