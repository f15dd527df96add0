/* Bodies of the media type application/x-www-form-urlencoded: name=value&name=value. */
#ifndef WIRE_FORM_H
#define WIRE_FORM_H

#include "base/buf.h"

/* Adds a text as it stands in a value, or in one part of an address' path. */
void form_escape(struct buf *b, const char *value);

/* Adds a pair; nothing if value is NULL.  name is put as it is. */
void form_put(struct buf *b, const char *name, const char *value);
/* The same with a name that is made. */
void form_putf(struct buf *b, const char *value, const char *name, ...) PRINTF(3, 4);

#endif
