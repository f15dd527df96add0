/* The facts as one JSON document: what the keeper answers, with what only this host knows put in by the command that
 * asks; `dormouse status --facts` prints it, and `--observed` reads it.
 *
 *   {"format":1, "now":UNIX, "zone":[[FROM,OFFSET],…],
 *    "runs":[{"id","backup","began","ended","exit","took_ms","bytes":"N","datasets","proven","error"},…],
 *    "running":[{"id","backup","began","stage","bytes":"N","total":"N"},…],
 *    "results":{BACKUP:[{"dataset","proven","newest","newest_at","local","local_at","size":"N","error"},…]},
 *    "machines":[…], "sinks":[…],  as the keeper answers them (wire/control.h)
 *    "costs":[{"target","text","micros","whole"},…], "pools":[{"pool","on","health","used":"N","size":"N"},…],
 *    "uncovered":[DATASET,…], "unmatched":[{"backup","glob"},…], "host_error":{…}, "state_error":{…}} */
#ifndef WIRE_FACTS_JSON_H
#define WIRE_FACTS_JSON_H

#include "model/facts.h"
#include "wire/json.h"

enum { FACTS_FORMAT = 1 };

/* All in the arena.  Members that are not there are nothing. */
int facts_read(const json_t *j, struct arena *a, struct facts *out, struct err *e) MUST_CHECK;
/* A run as the history has it, with its whole result. */
int facts_run_read(const json_t *j, struct arena *a, struct fact_run *out, struct err *e) MUST_CHECK;
/* A result of a run without its datasets, but with how many they are and how many of them are proven. */
json_t *facts_summary(const json_t *result);

#endif
