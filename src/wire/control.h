/* The messages of the control socket: one JSON object a line, in both directions, at most
 * CONTROL_MAX bytes (an answer may be longer).
 *
 * A client sends one request:
 *   {"op":"open","target":T,"port":N}      wants a connection to a port of T: progress events, then
 *                                          "ready" with the connected descriptor (SCM_RIGHTS).
 *   {"op":"lease","target":T,"text":WHY}   wants T to be up: progress events, then "ready".
 *     Both are leases: they last until this connection ends, however it ends.
 *   {"op":"sleep","target":T,"force":B}    off, now; refused while there are leases, unless forced.
 *                                          progress events, then "ready" when it is gone.
 *   {"op":"machines"}                      "answer": a list.
 *   {"op":"run-begin","backup":B}          "answer": {"id":N}; refused as busy while one runs.  Until
 *                                          "run-end", on the same connection:
 *   {"op":"run-event","text":S}              one line of the run's story; no answer
 *   {"op":"run-end","number":EXIT,"json":S}  "answer": {}.  Without it the run is recorded as died.
 *   {"op":"record","backup":B,"json":S}    keeps what the last look at B's target saw.  "answer": {}
 *   {"op":"recall","backup":B}             "answer": {"at":UNIX,"json":S} or {}
 *   {"op":"history","backup":B,"number":LIMIT}   "answer": a list; B may be left out
 *   {"op":"run","number":ID}               "answer": one run with its events
 *
 * The keeper sends: {"event":"progress","text":S}, {"event":"ready"}, {"event":"answer","json":S},
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
	CONTROL_MACHINES,
	CONTROL_RUN_BEGIN,
	CONTROL_RUN_EVENT,
	CONTROL_RUN_END,
	CONTROL_RECORD,
	CONTROL_RECALL,
	CONTROL_HISTORY,
	CONTROL_RUN,
};

struct control_request {
	enum control_op op;
	const char *target, *backup, *text, *json; /* NULL: not there */
	int64_t port, number;
	bool force;
};

enum control_event { CONTROL_PROGRESS, CONTROL_READY, CONTROL_ANSWER, CONTROL_ERROR };

struct control_reply {
	enum control_event event;
	const char *text; /* progress; an answer's JSON */
	struct err err;
};

/* Each appends one line. */
void control_write_request(struct buf *b, const struct control_request *r);
void control_write_reply(struct buf *b, const struct control_reply *r);
/* Strict: an unknown member, a wrong type or a missing one is an error. */
int control_read_request(struct str line, struct arena *a, struct control_request *r, struct err *e) MUST_CHECK;
int control_read_reply(struct str line, struct arena *a, struct control_reply *r, struct err *e) MUST_CHECK;

#endif
