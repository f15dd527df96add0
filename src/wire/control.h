/* The messages of the control socket: one JSON object a line, in both directions, at most
 * CONTROL_MAX bytes (an answer may be longer).
 *
 * A client sends one request:
 *   {"op":"open","target":T,"port":N,"text":WHY,"client":C}   wants a connection to a port of T: progress events, then
 *                                          "ready" with the connected descriptor (SCM_RIGHTS).
 *   {"op":"lease","target":T,"text":WHY,"client":C,"token":S,"use":U}   wants T to be up: progress events, then
 *                                          "ready".  Not refused because starts failed before.  If that starts it:
 *                                          for what (model/machine.h); one that is up already is used as it is.
 *     text, client, token and use may be left out.  client: for whom, when it is not for the user who asks: a client of
 *     the jump host, for which the file's limits count.
 *     Both are leases: they last until this connection ends, however it ends.  "ready" names the machine by
 *     a token; when the keeper has gone, a lease of the same token keeps that machine from being ended by
 *     the next keeper, and starts none.
 *   {"op":"sleep","target":T,"force":B}    off, now; refused while there are leases, unless forced.
 *                                          progress events, then "ready" when it is gone.
 *   {"op":"reap"}                          looks at all targets, ends what should not run.  "answer": a list
 *                                          of what was found.
 *   {"op":"machines"}                      "answer": a list.
 *   {"op":"starts","target":T}             "answer": a list of who started what, oldest first; T may be left out
 *   {"op":"run-begin","backup":B,"json":S,"token":T}   "answer": {"id":N,"trace":T}; refused as busy while one runs.
 *                                          json: who is told of it, a list of names; token: the trace of a run that
 *                                          goes on after a keeper has gone.  Both may be left out.  Until "run-end",
 *                                          on the same connection:
 *   {"op":"run-story","json":S}              {"lines":[[UNIX,TEXT],…],"spans":[…]}: what people were shown, and spans
 *                                          that are new or have changed (wire/trace_json.h); no answer
 *   {"op":"run-progress","json":S}           how far it is: {"bytes":"N","total":"N"}; no answer, and not kept
 *   {"op":"run-end","number":EXIT,"json":S}  "answer": {}.  Without it the run is recorded as died.
 *   {"op":"record","backup":B,"json":S}    keeps what the last look at B's target saw.  "answer": {}
 *   {"op":"recall","backup":B}             "answer": {"at":UNIX,"json":S} or {}
 *   {"op":"history","backup":B,"number":LIMIT}   "answer": a list; B may be left out
 *   {"op":"run","number":ID}               "answer": one run's events
 *   {"op":"trace","number":ID}             "answer": {"run":one of history's,"trace":T,"spans":[…]}; a run that goes on
 *                                          has what it has told so far
 *   {"op":"tell","json":S}                 {"sinks":[NAME,…],"report":{…}} (wire/report_json.h): it is told to these as
 *                                          soon as may be.  "answer": {}
 *   {"op":"sinks"}                         "answer": a list of how it stands with each sink that was ever told
 * anything:
 *                                          {"sink","waiting","oldest_ms","ok_ms","error_ms","error","refused","dropped",
 *                                          "tries","again_ms","memo"}; times are Unix milliseconds, 0 = never
 *   {"op":"due","number":LIMIT}            "answer": a list of what is to be told now, each sink's oldest first:
 *                                          {"id","sink","tries","lost","left","report":{…}}
 *   {"op":"told","json":S}                 what became of one:
 * {"id":N,"said":"taken"|"later"|"refused"|"passed","error":S, "left":S,"wait_ms":N,"memo":N}.  "answer": {}
 *   {"op":"summary","backup":B,"number":LIMIT}   "answer": the runs, each without its datasets, and for each backup its
 *                                          last datasets: a part of the facts (wire/facts_json.h); B may be left out
 *   {"op":"alerts"}                        "answer": what was told of what is wrong (wire/alert_json.h)
 *   {"op":"alerted","json":S}              {"alerts":[…],"sinks":[NAME,…],"reports":[…]}: what is to be remembered of
 *                                          that, and told.  "answer": {}
 *
 * The keeper sends: {"event":"progress","text":S}, {"event":"ready","token":S}, {"event":"answer","json":S},
 * {"event":"error","kind":K,"what":S,"why":S,"hint":S}. */
#ifndef WIRE_CONTROL_H
#define WIRE_CONTROL_H

#include "base/buf.h"
#include "base/err.h"

enum { CONTROL_MAX = 4 * 1024 * 1024 };

enum control_op {
	CONTROL_OPEN,
	CONTROL_LEASE,
	CONTROL_SLEEP,
	CONTROL_REAP,
	CONTROL_MACHINES,
	CONTROL_STARTS,
	CONTROL_RUN_BEGIN,
	CONTROL_RUN_STORY,
	CONTROL_RUN_END,
	CONTROL_RECORD,
	CONTROL_RECALL,
	CONTROL_HISTORY,
	CONTROL_RUN,
	CONTROL_TRACE,
	CONTROL_TELL,
	CONTROL_SINKS,
	CONTROL_DUE,
	CONTROL_TOLD,
	CONTROL_RUN_PROGRESS,
	CONTROL_SUMMARY,
	CONTROL_ALERTS,
	CONTROL_ALERTED,
};

struct control_request {
	enum control_op op;
	const char *target, *backup, *text, *json, *token, *client, *use; /* NULL: not there */
	int64_t port, number;
	bool force;
};

enum control_event { CONTROL_PROGRESS, CONTROL_READY, CONTROL_ANSWER, CONTROL_ERROR };

struct control_reply {
	enum control_event event;
	const char *text; /* progress; the token of what is ready; an answer's JSON */
	struct err err;
};

/* Each appends one line. */
void control_write_request(struct buf *b, const struct control_request *r);
void control_write_reply(struct buf *b, const struct control_reply *r);
/* Strict: an unknown member, a wrong type or a missing one is an error. */
int control_read_request(struct str line, struct arena *a, struct control_request *r, struct err *e) MUST_CHECK;
int control_read_reply(struct str line, struct arena *a, struct control_reply *r, struct err *e) MUST_CHECK;

#endif
