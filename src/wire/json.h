/* Small helpers around jansson, for the codecs of wire/ and those who print JSON. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

void json_auto(json_t **j); /* AUTO(json) json_t *j = …; */
/* NULL (and *e) unless text is one JSON value; duplicate names are refused.  what names the text. */
json_t *json_parse(struct str text, const char *what, struct err *e);
/* A string member into the arena, or NULL. */
const char *json_text(const json_t *object, const char *name, struct arena *a);
/* Any text: bytes that are not UTF-8 become '?'. */
json_t *json_any(const char *s);
/* A GUID or a size as string: 64 bits do not fit a JSON number everywhere. */
json_t *json_u64(uint64_t v);
bool json_get_u64(const json_t *object, const char *name, uint64_t *out);
/* Compact, in the order of making, without a new line. */
void json_write(struct buf *b, const json_t *j);
/* The same for people to read, in many lines. */
void json_write_indented(struct buf *b, const json_t *j);
/* {"kind","what","why","hint"} and back. */
json_t *json_of_err(const struct err *e);
void json_to_err(const json_t *j, struct err *e);

/* Sets a member, unless text is NULL. */
void json_put_text(json_t *j, const char *name, const char *text);

#endif
