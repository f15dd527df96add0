/* What the jump host answers to each message of one SSH connection, as one pure step: (session, message) → (session,
 * answer).  It decides who may log in, what may be opened, and when it is over; jump/session.c only carries it out.
 * Everything that is not allowed here is refused. */
#ifndef PLAN_JUMP_SESSION_H
#define PLAN_JUMP_SESSION_H

#include "model/config.h"

enum { JUMP_ATTEMPTS = 6, JUMP_CHANNELS = 32, JUMP_REQUESTS = 1000, JUMP_TEXT = 480 };

enum jump_state {
	JUMP_AUTH,	/* nobody has proven anything yet */
	JUMP_ADMITTING, /* a key was proven; the listener says whether there is room for this client */
	JUMP_WAKING,	/* its machine is being woken before the log-in is answered */
	JUMP_OPEN,	/* logged in */
	JUMP_OVER,
};

struct jump_session {
	enum jump_state state;
	const struct jump_client *client; /* whose key was proven; NULL before */
	char user[65];
	bool named;		    /* user is known; it must stay the same (RFC 4252, 5) */
	bool alone;		    /* the listener is gone: nothing new can be opened */
	unsigned attempts, refused; /* failed log-ins; other requests that were refused */
	unsigned asked, open;	    /* channels that wait for their machine, and that are open */
};

enum jump_message_kind {
	JUMP_SERVICE,	    /* text: which */
	JUMP_TRY_NONE,	    /* a log-in by no means at all: how a client asks for the methods */
	JUMP_TRY_OTHER,	    /* by anything but a key */
	JUMP_KEY_OFFERED,   /* user (text) would prove to have a key of client; NULL: nobody's */
	JUMP_KEY_PROVEN,    /* and did; the signature was checked */
	JUMP_ADMITTED,	    /* the listener agrees */
	JUMP_TURNED_AWAY,   /* text: why it does not */
	JUMP_AWAKE,	    /* the machine that was woken during the log-in is ready */
	JUMP_ASLEEP,	    /* text: why it is not */
	JUMP_DIRECT,	    /* direct-tcpip to text, port */
	JUMP_OTHER_CHANNEL, /* any other kind of channel */
	JUMP_CONNECTED,	    /* a channel that was asked for has its connection */
	JUMP_FAILED,	    /* text: why it has not */
	JUMP_CLOSED,	    /* an open channel ended */
	JUMP_REQUEST,	    /* a request within a channel, or of the connection: shell, exec, remote forward, … */
	JUMP_LISTENER_GONE,
};
enum { JUMP_MESSAGES = JUMP_LISTENER_GONE + 1 };

struct jump_message {
	enum jump_message_kind kind;
	const char *text;
	int64_t port;
	const struct jump_client *client;
};

enum jump_answer_kind {
	JUMP_NOTHING,
	JUMP_REFUSE,	 /* in the way that this kind of message has for it; text, where that has room for one */
	JUMP_ACCEPT,	 /* likewise; of JUMP_ADMITTED and JUMP_AWAKE: the log-in that waits */
	JUMP_ASK_LEAVE,	 /* ask the listener whether there is room for client */
	JUMP_WAKE,	 /* open the door, and tell the person how far it is */
	JUMP_ASK,	 /* ask for a connection to the door */
	JUMP_DISCONNECT, /* text: why, for the person */
};

struct jump_answer {
	enum jump_answer_kind kind;
	struct jump_door door; /* of JUMP_WAKE and JUMP_ASK */
	char text[JUMP_TEXT];
};

/* Total: whatever comes in whatever state has an answer. */
struct jump_answer jump_step(struct jump_session *s, const struct jump_message *m);
/* May a client go there? */
bool jump_allowed(const struct jump_client *c, const char *target, int64_t port);

#endif
