/* A report as it lies in the keeper's spool:
 *
 *   {"kind":"alert","at_ms":1764579600123,"backup":B,"run":N,"key":K,"severity":S,"title":T,"text":T}
 *
 * All but kind, at_ms and title may be left out.  The trace and the log of a run are not in it: run says which. */
#ifndef WIRE_REPORT_JSON_H
#define WIRE_REPORT_JSON_H

#include "model/report.h"
#include "wire/json.h"

json_t *report_json(const struct report *r);
/* Strict, into the arena; ERR_CORRUPT. */
int report_read(const json_t *j, struct arena *a, struct report *r, struct err *e) MUST_CHECK;

#endif
