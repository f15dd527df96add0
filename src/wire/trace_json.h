/* Spans as JSON: what goes to the keeper, what it keeps, and what it hands out.
 *
 *   {"id":2,"parent":1,"name":"snapshot.take","began_ms":1764579600123,"ended_ms":1764579601000,
 *    "outcome":"success","attrs":{"snapshots":4,"clean":true,"ratio":0.5,"host":"this host"}}
 *
 * A span that goes on has "ended_ms":0 and "outcome":"running".  An attribute's type is that of its JSON value. */
#ifndef WIRE_TRACE_JSON_H
#define WIRE_TRACE_JSON_H

#include "model/trace.h"
#include "wire/json.h"

json_t *trace_span_json(const struct trace_span *s);
json_t *trace_spans_json(const struct trace_spans *spans); /* an array */
/* Only the attributes, as an object. */
json_t *trace_attrs_json(const struct trace_attrs *attrs);
/* Strict, into the arena; ERR_CORRUPT. */
int trace_span_read(const json_t *j, struct arena *a, struct trace_span *s, struct err *e) MUST_CHECK;
int trace_spans_read(const json_t *j, struct arena *a, struct trace_spans *out, struct err *e) MUST_CHECK;

#endif
