/* Bytes as base64 (RFC 4648, 4), with the padding. */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include "base/buf.h"

void base64_put(struct buf *b, struct str bytes);

#endif
