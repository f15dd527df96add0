/* OpenSSH's certificates of public keys (PROTOCOL.certkeys): read, and judged but for the signature. */
#ifndef WIRE_SSH_CERT_H
#define WIRE_SSH_CERT_H

#include "base/str.h"
#include "base/vec.h"

struct ssh_cert {
	uint32_t type; /* 1: of a user */
	struct strings principals;
	uint64_t after, before;		   /* Unix seconds: valid from after until just before before */
	struct str options, extensions;	   /* pairs of a name and its data */
	struct str authority;		   /* the public key that signed, as it stands in its line */
	struct str signed_part, signature; /* over all that stands before it */
};

/* All views are of blob.  false: it is no whole certificate of a kind that is known. */
bool ssh_cert_read(struct str blob, struct arena *a, struct ssh_cert *c);
/* Why nobody may log in with it to have connections passed on, in a few words; NULL: he may, if the signature is right.
 * What restricts it in a way that is not known here makes it worthless. */
const char *ssh_cert_fault(const struct ssh_cert *c, const struct strings *principals, int64_t now);
/* The 32 bytes of an ed25519 public key, the 64 of a signature; false: it is something else. */
bool ssh_ed25519_key(struct str blob, struct str *out);
bool ssh_ed25519_signature(struct str blob, struct str *out);

#endif
