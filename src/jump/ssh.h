/* Internal to jump: what libssh is used for.  Its server in message-queue mode: messages wait until they are asked for,
 * and may be answered later and in any order.  Only ssh_message_get and the calls that say so read from the connection.
 */
#ifndef JUMP_SSH_H
#define JUMP_SSH_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "base/err.h"
#include "plan/jump_session.h"

/* A key that may log in, or that signs the certificates of those who may; and whose it is. */
struct ssh_entry {
	ssh_key key;	      /* NULL: an authority */
	struct str authority; /* its blob */
	const struct jump_client *client;
};
struct ssh_entries VEC(struct ssh_entry);

/* All keys of all clients; those that libssh cannot read are left out. */
void ssh_entries_read(const struct jump_clients *clients, struct arena *a, struct ssh_entries *out);
/* The server's side of a connection; the descriptor becomes the session's.  Non-blocking. */
int ssh_serve(const char *host_key, int fd, ssh_session *out, struct err *e) MUST_CHECK;
/* What a message is, for jump_step.  What text points to lives as long as the message. */
struct jump_message ssh_read(ssh_message m, const struct ssh_entries *entries);
/* Accepts anything but a channel; refuses anything. */
void ssh_accept_message(ssh_message m);
void ssh_refuse_message(ssh_message m);
/* A line for the person who waits, during the log-in. */
void ssh_tell(ssh_session s, const char *text);
/* Whether a host key is one: "ssh-ed25519 AAAA…" into the arena, or NULL. */
const char *ssh_host_key_public(const char *host_key, struct arena *a);
/* A new one, as text; NULL: it could not be made. */
const char *ssh_host_key_make(struct arena *a);

#endif
