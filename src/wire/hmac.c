#include "wire/hmac.h"

#include "base/buf.h"

enum { BLOCK = 64 };

void hmac(const void *key, size_t key_n, struct str text, sha256_fn *sha256, unsigned char out[HMAC_BYTES])
{
	unsigned char pad[BLOCK] = {0}, outer[BLOCK + HMAC_BYTES];
	AUTO(buf) struct buf inner = {0};

	if (key_n > BLOCK)
		sha256(key, key_n, pad);
	else
		memcpy(pad, key, key_n);
	for (size_t i = 0; i < BLOCK; i++) {
		outer[i] = pad[i] ^ 0x5c;
		pad[i] ^= 0x36;
	}
	buf_add(&inner, pad, BLOCK);
	buf_add(&inner, text.p, text.n);
	sha256(inner.p, inner.n, outer + BLOCK);
	sha256(outer, sizeof(outer), out);
}

const char *hmac_hex(const unsigned char hash[HMAC_BYTES], char out[HMAC_TEXT])
{
	for (size_t i = 0; i < HMAC_BYTES; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
	return out;
}
