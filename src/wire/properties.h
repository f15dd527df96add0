/* The properties of a source dataset, as its copy carries them: one line of JSON in the user property
 * dormouse:properties (zfsprops(7): a value has 8191 bytes at most). */
#ifndef WIRE_PROPERTIES_H
#define WIRE_PROPERTIES_H

#include "base/err.h"
#include "base/str.h"
#include "model/dataset.h"

#define PROPERTIES_NAME "dormouse:properties"

/* What does not fit is left out, user properties first; then "dormouse:incomplete" stands in it. */
const char *properties_text(const struct properties *p, struct arena *a);
int properties_parse(struct str text, struct arena *a, struct properties *p, struct err *e) MUST_CHECK;

#endif
