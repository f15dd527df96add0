/* A public key as OpenSSH writes it in one line: "ssh-ed25519 AAAA… comment". */
#ifndef MODEL_PUBLIC_KEY_H
#define MODEL_PUBLIC_KEY_H

#include "base/str.h"

/* The same key as "TYPE BASE64", without what surrounds it, in the arena; NULL with *why, a few words, when it is none
 * that can log in here (RFC 4253, 6.6: what the base64 says must be the type in front of it). */
const char *public_key_read(struct str line, struct arena *a, const char **why);
/* The bytes that a base64 text stands for, in the arena; false: it is none, or longer than PUBLIC_KEY_MAX. */
bool public_key_bytes(struct str base64, struct arena *a, struct str *out);
enum { PUBLIC_KEY_MAX = 16384 };

#endif
