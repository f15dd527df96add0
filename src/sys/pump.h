/* Moves a stream from one descriptor to another through a ring buffer (zfs send and zfs receive
 * take turns at being slow; a pipe of 64 KiB would make each wait for the other) and counts it.
 * Never blocks: the owner polls and calls pump_step. */
#ifndef SYS_PUMP_H
#define SYS_PUMP_H

#include "base/err.h"
#include "base/str.h"

/* How much may be written yet by all pumps that share it. */
struct pump_limit {
	uint64_t rate; /* bytes per second; 0 = no limit */
	uint64_t left; /* bytes */
	int64_t at_ms; /* when it was filled last */
};
/* Fills it for what has passed; at most a tenth of a second is saved up. */
void pump_refill(struct pump_limit *l, uint64_t rate, int64_t now_ms);

enum pump_end { PUMP_GOES_ON, PUMP_DONE, PUMP_CUT };

struct pump {
	int in, out; /* owned from pump_init on; -1 once closed */
	char *ring;
	size_t size, head, len;	  /* len bytes from head on are waiting */
	struct str first;	  /* goes out before anything from in; borrowed */
	uint64_t bytes;		  /* from in that reached out */
	struct pump_limit *limit; /* of what comes from in; borrowed, or NULL */
	int error;		  /* errno of what cut it; 0: the stream had an end */
	bool direct, blocked;	  /* pump_splice: no ring; out takes nothing now */
	struct {
		int64_t at_ms, until_ms;
		uint64_t bytes; /* as many had reached out at_ms */
	} rest;
	int in_flags, out_flags; /* as they were, and are again when they are closed: others may have them too */
};

/* first is sent ahead of the stream and not counted.  Both descriptors become non-blocking while it has them. */
void pump_init(struct pump *p, int in, int out, size_t ring_bytes, struct str first);
/* Likewise without a ring, the bytes staying in the kernel, where one of the two is a pipe and the other can do it: the
 * room is that of the pipes then. */
void pump_splice(struct pump *p, int in, int out, size_t room, struct str first);
/* Of pump_splice, for who has nothing else to do: out, a pipe, is full, and whoever reads it has enough for so many ms.
 * Until then nothing is polled for: what is moved piece by piece, as it is read, costs a turn for each piece.  0: it
 * has not. */
int64_t pump_rest_ms(struct pump *p, int64_t now_ms);
/* What to poll for: events of in and of out (0: not now). */
short pump_wants_in(const struct pump *p);
short pump_wants_out(const struct pump *p);
/* Reads and writes what is possible now; closes out when everything went through, which ends a socket's direction also
 * where another descriptor of it is still open. */
enum pump_end pump_step(struct pump *p);
void pump_release(struct pump *p); /* closes both */

#endif
