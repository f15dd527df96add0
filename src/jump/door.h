/* Internal to jump: one channel of a connection, from the request through the wait for its machine to its end. */
#ifndef JUMP_DOOR_H
#define JUMP_DOOR_H

#include <poll.h>

#include "engine/control_client.h"
#include "jump/ssh.h"

/* DOOR_WAITING: well above the window that libssh gives. */
enum { DOOR_UP = 64 * 1024, DOOR_DOWN = 32 * 1024, DOOR_WAITING = 4 * 1024 * 1024 };

enum door_state {
	DOOR_FREE,
	DOOR_ASKED,   /* waits for the listener, then for the keeper */
	DOOR_HELD,    /* connected, but no channel yet: woken during the log-in */
	DOOR_OPEN,    /* passes on */
	DOOR_CLOSING, /* our end is closed, the client's not yet; libssh keeps the channel until then */
};

struct door {
	enum door_state state;
	struct jump_door to;
	uint32_t ask; /* what the listener is to answer, 0 = nothing */
	unsigned asks;
	ssh_message request; /* DOOR_ASKED, but for the log-in's */
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	struct control lease;
	char token[80]; /* of the machine, for a lease from the next keeper */
	int machine;	/* -1: none */
	/* What libssh told: there is data, no more will come, the channel was closed. */
	bool has_data, ended, closed;
	bool in_ready;		  /* poll says that the machine may have sent something */
	bool in_ended, in_passed; /* the machine will send no more; and the client was told */
	bool out_ended;		  /* the machine was told that no more will come */
	bool broken;		  /* the machine's connection, or the lease, is gone */
	char *up, *down;	  /* of DOOR_UP and DOOR_DOWN bytes */
	size_t up_at, up_n, down_at, down_n;
};

void door_init(struct door *d);
/* Everything but the channel itself, which is libssh's. */
void door_release(struct door *d);
/* The channel of a request that was accepted. */
void door_open(struct door *d, ssh_channel channel);
/* What to wait for, beside the lease. */
short door_wants(const struct door *d, bool ssh_full);
/* Passes on what can be passed on now.  ssh_full: the connection takes nothing at the moment.  True when it called
 * libssh, which may have read more from the connection. */
bool door_step(struct door *d, ssh_session s);

#endif
