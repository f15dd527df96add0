/* SHA-256, by libcrypto. */
#ifndef DRIVERS_SHA256_H
#define DRIVERS_SHA256_H

#include <stddef.h>

/* Of n bytes; as a sha256_fn of wire/sigv4.h. */
void sha256(const void *bytes, size_t n, unsigned char out[32]);

#endif
