#include "drivers/sha256.h"

#include <openssl/evp.h>

#include "base/base.h"

void sha256(const void *bytes, size_t n, unsigned char out[32])
{
	int ok = EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL);
	assert(ok == 1);
	(void)ok;
}
