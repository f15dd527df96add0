/* dormouse-jump: the jump host, for `dormouse jump` and the daemon; and, started by itself, one process for each of its
 * connections. */
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "jump/jump.h"

static int cmd_jump(int argc, char **argv)
{
	struct cli c;
	bool kept = false; /* by a daemon */
	const struct cli_option own[] = {{"--kept", &kept, NULL}};
	int rc =
	    cli_start(&c, argc, argv,
		      "usage: dormouse jump [-c FILE]\nThe jump host of the file's server block: ssh -J HOST TARGET "
		      "starts the target.  The daemon runs one by itself.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	if (c.config.server.set) {
		rc = jump_listen(&c.paths, &c.config, kept);
	} else {
		struct err e;
		(void)err_set(&e, ERR_CONFIG, "'%s' has no server block", c.paths.config);
		(void)err_hint(&e,
			       "add one: server { listen = \"localhost:7922\" }, and clients; see dormouse-jump(8)");
		rc = cli_fail(&c, &e);
	}
	cli_end(&c);
	return rc;
}

int main(int argc, char **argv)
{
	const char *word = argc < 2 ? "" : argv[1];

	(void)signal(SIGPIPE, SIG_IGN);
	if (strcmp(word, "jump-session") == 0)
		return jump_session_run();
	if (strcmp(word, "jump") == 0)
		return cmd_jump(argc - 1, argv + 1);
	(void)fputs("usage: dormouse jump\nThis program is a part of it.\n", stderr);
	return EXIT_USAGE;
}
