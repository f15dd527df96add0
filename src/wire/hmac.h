/* HMAC-SHA256 (RFC 2104). */
#ifndef WIRE_HMAC_H
#define WIRE_HMAC_H

#include "base/str.h"

enum { HMAC_BYTES = 32, HMAC_TEXT = 2 * HMAC_BYTES + 1 };

/* SHA-256 of n bytes.  Handed in: libcrypto has it, and reads a file of settings when it is first used. */
typedef void sha256_fn(const void *bytes, size_t n, unsigned char out[32]);

void hmac(const void *key, size_t key_n, struct str text, sha256_fn *sha256, unsigned char out[HMAC_BYTES]);
/* As hexadecimal digits; returns out. */
const char *hmac_hex(const unsigned char hash[HMAC_BYTES], char out[HMAC_TEXT]);

#endif
