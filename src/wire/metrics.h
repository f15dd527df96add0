/* Metrics in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4): for
 * node_exporter's textfile collector, and for whoever asks over HTTP. */
#ifndef WIRE_METRICS_H
#define WIRE_METRICS_H

#include "wire/json.h"

/* summaries: of each backup of the file, by its name, what the keeper answers to "summary"; sinks: to "sinks".  Times
 * are Unix seconds.  One that never was is 0, since of what is absent no alert is made. */
void metrics_write(struct buf *b, const json_t *summaries, const json_t *sinks);

#endif
