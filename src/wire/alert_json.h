/* What has been told, as JSON: a list of {"key","level","text","since","gone","told","as"}, as the keeper keeps it. */
#ifndef WIRE_ALERT_JSON_H
#define WIRE_ALERT_JSON_H

#include "model/alert.h"
#include "wire/json.h"

json_t *alert_json(const struct alert_memos *all);
int alert_read(const json_t *list, struct arena *a, struct alert_memos *out, struct err *e) MUST_CHECK;

#endif
