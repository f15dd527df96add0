/* Internal to jump: a connection as its process sees it, for the two files that are about it. */
#ifndef JUMP_SESSION_H
#define JUMP_SESSION_H

#include "jump/door.h"
#include "wire/jump_brief.h"

enum {
	LOGIN_DOOR = JUMP_CHANNELS, /* doors[] of the log-in */
	DOORS = JUMP_CHANNELS + 1,
};

struct session {
	ssh_session ssh;
	int fd; /* its connection; kept open after libssh has closed its own */
	int listener;
	struct jump_session decide;
	struct jump_brief brief;
	struct ssh_entries entries;
	ssh_message login; /* that is not answered yet */
	struct door doors[DOORS];
	uint32_t asks; /* so far */
	bool over;
	int64_t heard_ms, keepalive_ms, used_ms; /* when something came; when to ask; when there last was a channel */
	int64_t held_until_ms;			 /* of the log-in's door; 0: not yet */
};

/* What jump_step says to a message without a client or a port. */
struct jump_answer session_decide(struct session *s, enum jump_message_kind kind, const char *text);
/* Does what it said, but for what needs the message that it is about. */
void session_carry_out(struct session *s, const struct jump_answer *a);

#endif
