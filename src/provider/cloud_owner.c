#include <unistd.h>

#include "drivers/sha256.h"
#include "provider/cloud.h"
#include "sys/fdio.h"

enum { ID_MAX = 256 };

const char *cloud_owner(const struct provider_env *env)
{
	struct arena *a = env->arena;
	unsigned char hash[32];
	char host[256] = "";
	struct str id;
	struct err ignored;

	(void)gethostname(host, sizeof(host) - 1);
	if (fd_read_file("/etc/machine-id", ID_MAX, a, &id, &ignored) < 0 || str_trim(id).n == 0)
		id = str_of(host);
	const char *text = arena_printf(a, "dormouse %.*s %s", (int)str_trim(id).n, str_trim(id).p, env->runtime_dir);
	sha256(text, strlen(text), hash);
	return arena_printf(a, "%02x%02x%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3], hash[4], hash[5],
			    hash[6], hash[7]);
}
