/* Internal to jump: what is prepared for a connection's process, and what it and the listener say to each other, over a
 * SOCK_SEQPACKET pair. */
#ifndef JUMP_INTERNAL_H
#define JUMP_INTERNAL_H

#include "base/buf.h"
#include "base/err.h"
#include "plan/jump_session.h"
#include "sys/paths.h"

enum { JUMP_BRIEF_MAX = 4 * 1024 * 1024, JUMP_CONNECTION_FD = 3, JUMP_LISTENER_FD = 4, JUMP_ASK_ADMIT = 0xffff };

/* From the connection's process, which is trusted with nothing: the listener checks each. */
struct jump_ask {
	uint32_t id;	 /* the caller's, for the answer; JUMP_ASK_ADMIT: may this client come in? */
	uint32_t client; /* its number in the brief */
	uint32_t door;	 /* the number of a door of that client; what is asked for must be within it */
	uint32_t port;	 /* 0: only that the machine of this token stays on */
	char token[80];
};

/* The answer; with it comes a control connection to the keeper that has asked already and takes no other request.  The
 * lease ends with it. */
struct jump_told {
	uint32_t id;
	uint32_t good;
	char text[JUMP_TEXT]; /* why not */
};

/* prepare.c: the brief of every connection's process, onto the end of out.  Makes a host key if the file names none. */
int jump_prepare(const struct paths *paths, const struct config *config, struct buf *out, struct err *e) MUST_CHECK;

#endif
