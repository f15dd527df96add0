/* What the process of one SSH connection is told before it locks itself in, as JSON: all that it will ever know. */
#ifndef WIRE_JUMP_BRIEF_H
#define WIRE_JUMP_BRIEF_H

#include "base/buf.h"
#include "base/err.h"
#include "model/config.h"

struct jump_brief {
	const char *host_key; /* the private key itself, as OpenSSH writes it */
	int64_t uid, gid;     /* what it becomes; -1: it stays what it is */
	struct jump_clients clients;
};

void jump_brief_write(struct buf *b, const struct jump_brief *brief);
int jump_brief_read(struct str text, struct arena *a, struct jump_brief *brief, struct err *e) MUST_CHECK;

#endif
