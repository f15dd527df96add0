/* Texts without what must not be shown. */
#ifndef WIRE_REDACT_H
#define WIRE_REDACT_H

#include "base/vec.h"
#include "model/trace.h"
#include "wire/json.h"

enum { REDACT_LEAST = 6 }; /* shorter ones are in every text */

/* The text, with "***" where one of these stands; in the arena only if there was one.  NULL stays NULL. */
const char *redact(const char *text, const struct strings *secrets, struct arena *a);
/* Likewise each text of these spans. */
void redact_spans(struct trace_spans *spans, const struct strings *secrets, struct arena *a);
/* Likewise each string in it, but for names of members. */
void redact_json(json_t *j, const struct strings *secrets);

#endif
