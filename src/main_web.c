/* dormouse-web: the status page, for `dormouse web`; and, started by itself, the process of it that speaks HTTP. */
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "provider/registry.h"
#include "web/web.h"

static int cmd_web(int argc, char **argv)
{
	struct cli c;
	struct web_options o = {.listen = "localhost:7980"};
	const char *host = NULL;
	const struct cli_option own[] = {
	    {"--listen", NULL, &o.listen}, {"--token-file", NULL, &o.token_file}, {"--host", NULL, &host}};
	struct err e;
	int rc = cli_start(&c, argc, argv,
			   "usage: dormouse web [--listen HOST:PORT | --listen unix:PATH]\n"
			   "                    [--token-file FILE] [--host NAME] [-c FILE]\nThe status as a page, to "
			   "look at only.  Without --listen: http://localhost:7980/",
			   own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	if (host != NULL)
		*vec_add(&o.hosts, &c.arena) = host;
	rc = cli_at_most(&c, 0, &e) < 0 ? cli_fail(&c, &e)
					: web_run(&c.paths, &c.config, provider_kinds(), PROVIDERS, &o);
	cli_end(&c);
	return rc;
}

int main(int argc, char **argv)
{
	const char *word = argc < 2 ? "" : argv[1];

	(void)signal(SIGPIPE, SIG_IGN);
	if (strcmp(word, "serve") == 0)
		return web_serve();
	if (strcmp(word, "web") == 0)
		return cmd_web(argc - 1, argv + 1);
	(void)fputs("usage: dormouse web\nThis program is a part of it.\n", stderr);
	return EXIT_USAGE;
}
