/* dormouse-cloud: a worker for the kinds of machines that are reached over HTTPS.  `dormouse worker` becomes it, so
 * that no other process loads libcurl and what that needs. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/daemon.h"
#include "provider/cloud.h"

static const struct provider_ops *find(const char *kind)
{
	return strcmp(kind, cloud_aws_ec2.kind.name) == 0 ? &cloud_aws_ec2 : NULL;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return worker_run(argv, find);
	(void)fputs("usage: dormouse wake TARGET\nThis program is a part of it.\n", stderr);
	return 3;
}
