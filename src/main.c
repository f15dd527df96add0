/* dormouse: the table of commands. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "daemon/daemon.h"
#include "provider/registry.h"

static int cmd_daemon(int argc, char **argv)
{
	struct cli c;
	bool idle_exit = false;
	const struct cli_option own[] = {{"--idle-exit", &idle_exit, NULL}};
	int rc = cli_begin(&c, argc, argv,
			   "usage: dormouse daemon [--idle-exit] [-c FILE]\nThe keeper: owns the machines and the "
			   "records.  Other commands start one when they need it.",
			   own, ARRAY_LEN(own));

	if (rc < 0)
		rc = keeper_run(&c.paths, idle_exit, cli_load_for_keeper);
	cli_end(&c);
	return rc;
}

static int cmd_worker(int argc, char **argv)
{
	(void)argc;
	return worker_run(argv - 1, provider_find);
}

/* Parts that alone need a library are programs of their own, which nothing else is to load. */
static int become(int argc, char **argv, bool web)
{
	AUTO(arena) struct arena a = {0};
	struct cli c = {0};
	struct strings words = {0};
	struct err e;

	if (paths_find(NULL, &a, &c.paths, &e) < 0)
		return cli_fail(&c, &e);
	const char *program = web ? c.paths.web : c.paths.jump;
	*vec_add(&words, &a) = program;
	for (int i = 0; i <= argc; i++)
		*vec_add(&words, &a) = argv[i]; /* with the NULL */
	(void)execv(program, (char *const *)(uintptr_t)words.v);
	(void)err_sys(&e, errno, "cannot run '%s'", program);
	(void)err_hint(&e, "it belongs into the same folder as dormouse itself: install both");
	return cli_fail(&c, &e);
}

static int cmd_jump(int argc, char **argv)
{
	return become(argc, argv, false);
}

static int cmd_web(int argc, char **argv)
{
	return become(argc, argv, true);
}

static int cmd_version(int argc, char **argv)
{
	(void)argc, (void)argv;
	return printf("dormouse " DORMOUSE_VERSION "\n") < 0;
}

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *summary; /* NULL: not for people */
} commands[] = {
    {"backup", cmd_backup, "one whole run: snapshot, wake, replicate, prove, sleep, record"},
    {"snapshot", cmd_snapshot, "take the snapshots that are due, destroy what no label keeps"},
    {"prune", cmd_prune, "only destroy what nothing keeps any more"},
    {"explain", cmd_explain, "why a snapshot is kept, or goes"},
    {"list", cmd_list, "which snapshots an archive has"},
    {"ls", cmd_ls, "what lies in a folder of an archived snapshot"},
    {"find", cmd_find, "files of an archived snapshot, by name"},
    {"diff", cmd_diff, "what became of the files between two archived snapshots"},
    {"cat", cmd_cat, "a file of an archived snapshot"},
    {"restore", cmd_restore, "a dataset, or files, back from the archive"},
    {"recover", cmd_recover, "everything back that is not here any more"},
    {"repair", cmd_repair, "mend a copy that has gone its own way"},
    {"plan", cmd_plan, "what a run would do, and why"},
    {"apply", cmd_apply, "make what the targets need and keep: volumes, keys, groups"},
    {"generations", cmd_generations, "what was applied, and when"},
    {"rollback", cmd_rollback, "apply an earlier file again, and put it back"},
    {"destroy", cmd_destroy, "take away what apply has made"},
    {"cost", cmd_cost, "what the targets cost in a month"},
    {"doctor", cmd_doctor, "can this host and both sides do what is asked of them?"},
    {"check", cmd_check, "is the configuration right?"},
    {"status", cmd_status, "is everything safe?"},
    {"alert", cmd_alert, "what was told of what is wrong; look, or tell a test"},
    {"report", cmd_report, "try who is told how it went"},
    {"history", cmd_history, "the runs so far"},
    {"metrics", cmd_metrics, "the status in numbers, for Prometheus"},
    {"observe", cmd_observe, "all that a plan depends on, as JSON"},
    {"machines", cmd_machines, "which machines are on"},
    {"reap", cmd_reap, "end machines that should not be on"},
    {"wake", cmd_wake, "start a machine"},
    {"sleep", cmd_sleep, "end a machine"},
    {"connect", cmd_connect, "a connection to a machine, for ssh's ProxyCommand"},
    {"ssh-config", cmd_ssh_config, "what ssh must know to wake machines: print it, or install it"},
    {"known-hosts", cmd_known_hosts, "the host keys that the configuration pins"},
    {"jump", cmd_jump, "the jump host, for ssh -J"},
    {"web", cmd_web, "the status as a page"},
    {"daemon", cmd_daemon, "the keeper of machines and records"},
    {"version", cmd_version, "this program's version"},
    {"deliver", cmd_deliver, NULL},
    {"worker", cmd_worker, NULL},
};

static int usage(FILE *to)
{
	(void)fputs("usage: dormouse COMMAND [OPTION…]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].summary != NULL)
			(void)fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].summary);
	(void)fputs("\nEvery command has --help.  The configuration is /etc/dormouse/config.hcl, or -c FILE.\n", to);
	return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *word = argc < 2 ? "" : argv[1];

	/* A reader that went away is seen where we write. */
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, word) == 0 ||
		    (strcmp(word, "--version") == 0 && strcmp(commands[i].name, "version") == 0))
			return commands[i].fn(argc - 1, argv + 1);
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return usage(stdout);
	if (argc > 1)
		(void)fprintf(stderr, "dormouse: there is no command '%s'\n", word);
	return usage(stderr);
}
