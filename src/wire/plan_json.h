/* What a plan says, as JSON. */
#ifndef WIRE_PLAN_JSON_H
#define WIRE_PLAN_JSON_H

#include "model/plan.h"
#include "wire/json.h"

json_t *plan_json(const struct pass *pass, const struct plan *p, const struct archive *archive);
json_t *pass_json(const struct pass *pass);

#endif
