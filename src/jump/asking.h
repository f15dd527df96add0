/* Internal to jump: what a connection's process asks of the listener and, through it, of the keeper. */
#ifndef JUMP_ASKING_H
#define JUMP_ASKING_H

#include "jump/session.h"

/* May the client that logs in come in? */
void asking_leave(struct session *s);
/* For a connection to d->to, or, when there is one already, for a new lease on its machine. */
void asking_door(struct session *s, struct door *d);
/* What was asked for is there (why NULL), or is not. */
void asking_answered(struct session *s, struct door *d, const char *why);
/* The listener, or the keeper about a door, has said something. */
void asking_listener_ready(struct session *s);
void asking_lease_ready(struct session *s, struct door *d);

#endif
