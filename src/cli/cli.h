/* What all commands share: options, the configuration, and how things are said. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/control_client.h"
#include "model/config.h"
#include "model/dataset.h"
#include "model/run.h"
#include "sys/paths.h"
#include "wire/json.h"

enum { EXIT_DONE = 0, EXIT_PARTLY = 1, EXIT_FAILED = 2, EXIT_USAGE = 3, EXIT_BUSY = 4 };

/* An option of one command: a flag, or one that takes a value. */
struct cli_option {
	const char *name; /* "--force" */
	bool *flag;
	const char **value;
};

struct cli {
	struct arena arena;
	struct paths paths;
	struct config config;
	const char *config_path;
	struct str text; /* of the configuration */
	bool json;
	struct strings args; /* what is left */
};

/* Reads the options that all commands have (-c FILE, --help, and --json where the usage names it) and its own.  Returns
 * -1 to go on, or an exit code: --help was answered, or something was wrong and has been said. */
int cli_begin(struct cli *c, int argc, char **argv, const char *usage, const struct cli_option *own, size_t nown);
/* Likewise, and loads the configuration; with an exit code all of it is over, and c released. */
int cli_start(struct cli *c, int argc, char **argv, const char *usage, const struct cli_option *own, size_t nown);
/* Refuses more words than that. */
int cli_at_most(const struct cli *c, size_t words, struct err *e) MUST_CHECK;
/* Loads the configuration, or prints everything that is wrong with it. */
bool cli_config(struct cli *c);
/* The one backup that args name, or the only one there is.  NULL: said. */
const struct backup *cli_backup(struct cli *c);
/* The one that args name, or all.  false: there is none of that name, and it has been said. */
bool cli_backups(struct cli *c, struct backups *out);
/* The backup that has a dataset, named as at the source or as its copy; only: the one it must be, or NULL.  *was is the
 * source's name. */
const struct backup *cli_backup_of(struct cli *c, const char *only, const char *dataset, const char **was,
				   struct err *e);
/* What the target of a backup had when somebody last looked, for one that sleeps; not seen if nobody ever did. */
int cli_recall(struct cli *c, const struct backup *b, struct side_state *s, struct err *e);
/* One run of a backup, or one repair, at a time, until *lock is closed.  The keeper says so with more words, but it may
 * die and come back in the midst of a run; the kernel forgets nothing. */
int cli_only_run(const struct cli *c, const struct backup *b, int *lock, struct err *e) MUST_CHECK;
/* A question to the keeper, and its answer; NULL: it failed.  Blocks. */
json_t *cli_ask(struct cli *c, const struct control_request *r, struct err *e);
void cli_end(struct cli *c);

/* A run_listener's tell: each stage and note as a line, for a person who watches. */
void cli_show_stage(struct run_listener *l, const struct run_event *ev);
/* One line on standard output. */
void cli_print_json(const json_t *j);
/* Says on stderr what went wrong, and what to do next. */
void cli_complain(const struct err *e);
/* Says an error, with its hint, on standard error (or as JSON on standard output); returns its exit code. */
int cli_fail(const struct cli *c, const struct err *e);
/* Asks a person whether what was shown is to be done; yes: it was said before.  -1: it is not, or nobody can be asked.
 */
int cli_agreed(bool yes, struct err *e) MUST_CHECK;
/* The configuration for the keeper: the first thing wrong becomes the error. */
const struct config *cli_load_for_keeper(const char *path, struct arena *a, struct err *e);

/* The commands: each gets its own name as argv[0] and returns an exit code. */
int cmd_alert(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_cat(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_connect(int argc, char **argv);
int cmd_cost(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_deliver(int argc, char **argv);
int cmd_destroy(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_find(int argc, char **argv);
int cmd_generations(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_known_hosts(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_machines(int argc, char **argv);
int cmd_observe(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_prune(int argc, char **argv);
int cmd_reap(int argc, char **argv);
int cmd_recover(int argc, char **argv);
int cmd_repair(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_rollback(int argc, char **argv);
int cmd_sleep(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);
int cmd_ssh_config(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_wake(int argc, char **argv);

#endif
