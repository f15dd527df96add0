/* dormouse-cloud: what speaks HTTPS: a worker for the kinds of machines that are reached by it (`dormouse worker`
 * becomes it), and the courier of those who tell sinks.  So no other process loads libcurl and what that needs. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/daemon.h"
#include "provider/cloud.h"

static const struct provider_ops *find(const char *kind)
{
	static const struct provider_ops *const all[] = {&cloud_aws_ec2, &cloud_hcloud};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i]->kind.name, kind) == 0)
			return all[i];
	return NULL;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return worker_run(argv, find);
	if (argc > 1 && strcmp(argv[1], "courier") == 0)
		return courier_run();
	(void)fputs("usage: dormouse wake TARGET\nThis program is a part of it.\n", stderr);
	return 3;
}
