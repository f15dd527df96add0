/* A machine's facts as JSON: what `exec` programs answer (dormouse-provider(7)), and what a worker
 * tells the keeper. */
#ifndef WIRE_MACHINE_JSON_H
#define WIRE_MACHINE_JSON_H

#include "model/machine.h"
#include "wire/json.h"

json_t *machine_facts_json(const struct machine_facts *f);
/* Strict in what it needs: "power", and where it is "running" an address or a door. */
int machine_facts_read(const json_t *j, struct arena *a, struct machine_facts *f, struct err *e) MUST_CHECK;

#endif
