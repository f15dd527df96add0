/* Metrics in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4): for
 * node_exporter's textfile collector, and for whoever asks over HTTP. */
#ifndef WIRE_METRICS_H
#define WIRE_METRICS_H

#include "wire/json.h"

/* runs: as the keeper answers "history", newest first; sinks: as it answers "sinks".  Times are Unix seconds. */
void metrics_write(struct buf *b, const json_t *runs, const json_t *sinks);

#endif
