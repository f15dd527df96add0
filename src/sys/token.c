#include "sys/token.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/fdio.h"

const char *token_new(char out[TOKEN_TEXT])
{
	unsigned char raw[TOKEN_TEXT / 2];
	AUTO(fd) int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, raw, sizeof(raw)) != sizeof(raw))
		abort();
	for (size_t i = 0; i < sizeof(raw); i++)
		(void)snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return out;
}
