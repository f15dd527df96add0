/* The status as JSON: dormouse-status(5) says what is in it. */
#ifndef WIRE_HEALTH_JSON_H
#define WIRE_HEALTH_JSON_H

#include "model/health.h"
#include "wire/json.h"

enum { HEALTH_FORMAT = 1 };

json_t *health_json(const struct health *h);

#endif
