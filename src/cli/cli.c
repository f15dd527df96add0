#include "cli/cli.h"

#include <errno.h>
#include <libgen.h>
#include <unistd.h>

#include "conf/conf.h"
#include "provider/registry.h"
#include "sys/fdio.h"
#include "wire/observed.h"

/* Lines that say how it is used, and indented ones, as they are; the others in lines that no terminal breaks. */
static void print_usage(FILE *to, const char *usage)
{
	enum { WIDTH = 78 };
	struct str rest = str_of(usage);
	size_t column = 0;

	while (rest.n > 0) {
		struct str line = str_cut(&rest, '\n');
		if (str_starts(line, "usage:") || str_starts(line, " ")) {
			(void)fprintf(to, "%s%.*s\n", column > 0 ? "\n" : "", (int)line.n, line.p);
			column = 0;
			continue;
		}
		while (line.n > 0) {
			struct str word = str_cut(&line, ' ');
			bool fits = column + 1 + word.n <= WIDTH;
			if (word.n == 0)
				continue;
			(void)fprintf(to, "%s%.*s", column == 0 ? "" : fits ? " " : "\n", (int)word.n, word.p);
			column = column == 0 || !fits ? word.n : column + 1 + word.n;
		}
	}
	(void)fputs(column > 0 ? "\n" : "", to);
}

static int bad_usage(const char *usage, const char *fmt, const char *word)
{
	(void)fputs("dormouse: ", stderr);
	(void)fprintf(stderr, fmt, word);
	(void)fputs("\nhint: ", stderr);
	print_usage(stderr, usage);
	return EXIT_USAGE;
}

static const struct cli_option *find(const struct cli_option *o, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(o[i].name, word) == 0)
			return &o[i];
	return NULL;
}

int cli_begin(struct cli *c, int argc, char **argv, const char *usage, const struct cli_option *own, size_t nown)
{
	bool help = false, ended = false;
	const struct cli_option common[] = {{"-c", NULL, &c->config_path},
					    {"--config", NULL, &c->config_path},
					    {"--json", &c->json, NULL},
					    {"-h", &help, NULL},
					    {"--help", &help, NULL}};
	struct err e;

	*c = (struct cli){0};
	for (int i = 1; i < argc; i++) {
		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			*vec_add(&c->args, &c->arena) = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		const struct cli_option *o = find(common, ARRAY_LEN(common), argv[i]);
		o = o != NULL ? o : find(own, nown, argv[i]);
		if (o == NULL)
			return bad_usage(usage, "unknown option '%s'", argv[i]);
		if (o->flag != NULL)
			*o->flag = true;
		else if (i + 1 == argc)
			return bad_usage(usage, "option '%s' needs a value", argv[i]);
		else
			*o->value = argv[++i];
	}
	if (help) {
		print_usage(stdout, usage);
		return EXIT_DONE;
	}
	/* Who asks for JSON is a program, and would not see that it gets something else. */
	if (c->json && strstr(usage, "--json") == NULL)
		return bad_usage(usage, "%s has no --json", argv[0]);
	if (paths_find(c->config_path, &c->arena, &c->paths, &e) < 0)
		return cli_fail(c, &e);
	return -1;
}

int cli_at_most(const struct cli *c, size_t words, struct err *e)
{
	if (c->args.n <= words)
		return 0;
	(void)err_set(e, ERR_USAGE, "'%s' is one word too many", c->args.v[words]);
	return err_hint(e, "quote a name that has blanks; --help shows what may follow");
}

void cli_end(struct cli *c)
{
	arena_release(&c->arena);
}

void cli_show_stage(struct run_listener *l, const struct run_event *ev)
{
	(void)l;
	/* How far it is: many, and with the reason of a step as text. */
	if (ev->text != NULL && ev->kind != EVENT_PROGRESS && isatty(STDERR_FILENO))
		(void)fprintf(stderr, "%s: %s\n", run_stage_name(ev->stage), ev->text);
}

void cli_print_json(const json_t *j)
{
	AUTO(buf) struct buf b = {0};

	json_write(&b, j);
	(void)printf("%s\n", buf_text(&b));
}

void cli_complain(const struct err *e)
{
	char line[sizeof(e->what) + sizeof(e->why) + 8];

	err_line(e, line, sizeof(line));
	(void)fprintf(stderr, "dormouse: %s\n", line);
	if (e->hint[0] != '\0')
		(void)fprintf(stderr, "hint: %s\n", e->hint);
}

int cli_fail(const struct cli *c, const struct err *e)
{
	if (c->json) {
		AUTO(json) json_t *j = json_object();
		(void)json_object_set_new(j, "error", json_of_err(e));
		cli_print_json(j);
	}
	cli_complain(e);
	return err_exit_code(e);
}

int cli_agreed(bool yes, struct err *e)
{
	char answer[8] = "";

	if (yes)
		return 0;
	(void)err_set(e, ERR_USAGE, "nothing was done");
	if (!isatty(STDIN_FILENO)) {
		(void)err_why(e, "nobody can be asked here");
		return err_hint(e, "look at what it would take away; then say it with --yes");
	}
	(void)fputs("Do it? [y/N] ", stdout);
	(void)fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y') ? 0 : -1;
}

/* --- the configuration ----------------------------------------------------------------------------- */

static bool read_file(void *ctx, const char *path, struct arena *a, struct str *out, const char **why)
{
	char *config = arena_strdup(a, ctx);
	const char *folder = getenv("DORMOUSE_CONFIG_FOLDER"); /* of the file that a daemon's copy was made of */
	struct err e;

	if (path[0] != '/')
		path = arena_printf(a, "%s/%s", folder != NULL ? folder : dirname(config), path);
	if (fd_read_file(path, CONF_MAX, a, out, &e) == 0)
		return true;
	*why = arena_strdup(a, e.why[0] != '\0' ? e.why : e.what);
	return false;
}

static const char *read_env(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static bool load(const char *path, struct arena *a, struct str *text, struct config *out, struct diags *d,
		 struct err *e)
{
	struct conf_env env = {(void *)(uintptr_t)path, read_file, read_env};
	size_t n = strlen(path);

	/* A little more than is accepted, so that conf_load itself says that it is too much. */
	if (fd_read_file(path, (size_t)64 * CONF_MAX, a, text, e) < 0) {
		e->kind = ERR_CONFIG;
		if (e->hint[0] == '\0')
			(void)err_hint(e, "name the file with -c FILE, or set DORMOUSE_CONFIG");
		return false;
	}
	e->kind = ERR_NONE;
	return conf_load(*text, path, n > 5 && strcmp(path + n - 5, ".json") == 0, provider_kinds(), PROVIDERS, &env, a,
			 out, d);
}

bool cli_config(struct cli *c)
{
	struct diags d = {0};
	struct err e;

	c->text = (struct str){"", 0};
	bool good = load(c->paths.config, &c->arena, &c->text, &c->config, &d, &e);
	if (e.kind != ERR_NONE) {
		(void)cli_fail(c, &e);
		return false;
	}
	AUTO(buf) struct buf b = {0};
	diags_render(&d, c->paths.config, c->text, &b);
	(void)fputs(buf_text(&b), stderr);
	return good;
}

const struct config *cli_load_for_keeper(const char *path, struct arena *a, struct err *e)
{
	struct config *out = arena_new(a, struct config);
	struct diags d = {0};
	struct str text;
	size_t line, column;

	if (load(path, a, &text, out, &d, e))
		return out;
	if (e->kind != ERR_NONE)
		return NULL;
	const struct diag *first = diags_wrong(&d);
	assert(first != NULL);
	span_place(text, first->at.from, &line, &column);
	(void)err_set(e, ERR_CONFIG, "%s:%zu:%zu: %s", path, line, column, first->what);
	(void)err_hint(e, "dormouse check shows all that is wrong with it");
	return NULL;
}

int cli_start(struct cli *c, int argc, char **argv, const char *usage, const struct cli_option *own, size_t nown)
{
	int rc = cli_begin(c, argc, argv, usage, own, nown);

	if (rc < 0 && !cli_config(c))
		rc = EXIT_USAGE;
	if (rc >= 0)
		cli_end(c);
	return rc;
}

const struct backup *cli_backup(struct cli *c)
{
	const struct backups *all = &c->config.backups;
	const struct backup *b = c->args.n == 1 ? config_backup(&c->config, c->args.v[0]) : NULL;
	AUTO(buf) struct buf names = {0};
	struct err e;

	if (b != NULL)
		return b;
	if (c->args.n == 0 && all->n == 1)
		return &all->v[0];
	for (size_t i = 0; i < all->n; i++)
		buf_printf(&names, "%s%s", i == 0 ? "" : ", ", all->v[i].name);
	if (c->args.n == 1)
		(void)err_set(&e, ERR_USAGE, "there is no backup '%s'", c->args.v[0]);
	else
		(void)err_set(&e, ERR_USAGE, "name one backup");
	(void)err_hint(&e, all->n == 0 ? "'%s' has none yet: add a backup block" : "the file has: %s",
		       all->n == 0 ? c->paths.config : buf_text(&names));
	(void)cli_fail(c, &e);
	return NULL;
}

bool cli_backups(struct cli *c, struct backups *out)
{
	*out = c->config.backups;
	if (c->args.n == 0)
		return true;
	const struct backup *one = cli_backup(c);
	if (one == NULL)
		return false;
	*out = (struct backups){0};
	*vec_add(out, &c->arena) = *one;
	return true;
}

int cli_only_run(const struct cli *c, const struct backup *b, int *lock, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const char *path = arena_printf(&a, "%s/run-%s.lock", c->paths.state_dir, b->name);

	if (paths_lock(path, arena_printf(&a, "backup '%s' is running already", b->name), lock, e) == 0)
		return 0;
	return e->kind == ERR_BUSY ? err_hint(e, "to watch it: dormouse status") : -1;
}

json_t *cli_ask(struct cli *c, const struct control_request *r, struct err *e)
{
	AUTO(control) struct control link = CONTROL_INIT;

	return control_json(&c->paths, &link, r, &c->arena, e);
}

int cli_recall(struct cli *c, const struct backup *b, struct side_state *s, struct err *e)
{
	struct control_request r = {.op = CONTROL_RECALL, .backup = b->name};
	AUTO(json) json_t *j = cli_ask(c, &r, e);

	*s = (struct side_state){.root = b->dest};
	const char *text = j == NULL ? NULL : json_text(j, "json", &c->arena);
	if (text == NULL)
		return j == NULL ? -1 : 0;
	AUTO(json) json_t *side = json_parse(str_of(text), "the last look", e);
	if (side == NULL || side_read(side, &c->arena, s, e) < 0)
		return -1;
	s->recorded = true;
	return 0;
}

/* Does it? */
static bool holds(const struct backup *b, const char *only, const char *dataset, const char **was)
{
	size_t dest = strlen(b->dest);

	*was = dataset;
	if (only != NULL && strcmp(b->name, only) != 0)
		return false;
	if (!dataset_is_under(dataset, b->source) && strlen(dataset) > dest && dataset_is_under(dataset, b->dest))
		*was += dest + 1;
	return dataset_is_under(*was, b->source);
}

const struct backup *cli_backup_of(struct cli *c, const char *only, const char *dataset, const char **was,
				   struct err *e)
{
	const struct backup *found = NULL;
	const char *name;

	for (size_t i = 0; i < c->config.backups.n; i++) {
		const struct backup *b = &c->config.backups.v[i];
		if (!holds(b, only, dataset, &name))
			continue;
		if (found != NULL) {
			(void)err_set(e, ERR_USAGE, "'%s' is in more than one backup: '%s' and '%s'", dataset,
				      found->name, b->name);
			(void)err_hint(e, "say which: --backup %s", b->name);
			return NULL;
		}
		found = b;
		*was = name;
	}
	if (found == NULL) {
		(void)err_set(e, ERR_USAGE, "'%s' is in no backup of this file", dataset);
		(void)err_hint(e, "name a dataset below the source of one; dormouse list shows them");
	}
	return found;
}
