/* What OpenSSH's own files must say so that a machine is a host like any other: ssh_config(5), sshd(8) on known_hosts.
 * The target's strings have no control characters; conf saw to it. */
#ifndef WIRE_SSH_FILES_H
#define WIRE_SSH_FILES_H

#include "base/buf.h"
#include "base/err.h"
#include "model/config.h"

/* The way to the machine: on this host through the keeper … */
struct ssh_way {
	const char *self, *config; /* this program, and its file */
	const char *known_hosts;   /* the file with the pinned keys; NULL: wherever the reader puts them */
	const char *runtime_dir;   /* where those are that are others for each start */
	/* … or from another one through its jump host, as ssh_jump made it. */
	const char *jump;
};

enum { JUMP_PORT = 7922 };

/* HOST, HOST:PORT or USER@… as ProxyJump has it, with the port; an IPv6 address stands in brackets. */
int ssh_jump(const char *given, struct arena *a, const char **out, struct err *e) MUST_CHECK;
/* Likewise, of one that listens there ("HOST:PORT" or ":PORT"); name: this host's, for one that listens on all of its
 * addresses.  Refuses what no other machine can reach. */
int ssh_jump_at(const char *listen, const char *name, struct arena *a, const char **out, struct err *e) MUST_CHECK;
/* The line of known_hosts for its own key ("ssh-ed25519 AAAA…"). */
const char *ssh_jump_known(const char *jump, struct str key, struct arena *a);
/* The target's Host block. */
void ssh_host_block(struct buf *b, const struct target *t, const struct ssh_way *way);
/* A line for the top of somebody's file; and that file's text without it, all other bytes as they are. */
const char *ssh_include_line(const char *path, struct arena *a);
void ssh_without_line(struct buf *b, struct str text, const char *line);

#endif
