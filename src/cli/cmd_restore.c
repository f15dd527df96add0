/* list, ls, find, diff, cat, restore, recover: what the archives have, and how it comes back. */
#include <signal.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "engine/restore.h"
#include "sys/clock.h"
#include "sys/stop.h"

struct asking {
	struct cli c;
	struct run_listener listener;
	struct restoring with;
	const char *backup_name; /* --backup */
	const char *was;	 /* the source's dataset */
	const char *copy;	 /* and the archive's */
	const char *snapshot;	 /* or NULL */
	const char *path;	 /* or NULL */
};

/* Takes a snapshot's name apart: DATASET[@SNAPSHOT][:/PATH].  A dataset's name may have a ':', but no ":/". */
static void take_apart(struct asking *q, const char *word)
{
	char *name = arena_strdup(&q->c.arena, word), *path = strstr(name, ":/");

	if (path != NULL) {
		q->path = arena_strdup(&q->c.arena, path + 1);
		*path = '\0';
	}
	char *at = strchr(name, '@');
	if (at != NULL) {
		*at = '\0';
		q->snapshot = at + 1;
	}
	q->was = name;
}

/* was: the dataset of the backup's source that is asked for, or NULL. */
static struct restoring restoring_of(struct cli *c, const struct backup *b, const char *was, struct run_listener *l)
{
	return (struct restoring){
	    .config = &c->config, .backup = b, .was = was, .paths = &c->paths, .arena = &c->arena, .listener = l};
}

static int choose(struct asking *q, struct err *e)
{
	const struct backup *b = cli_backup_of(&q->c, q->backup_name, q->was, &q->was, e);

	if (b == NULL)
		return -1;
	q->copy = arena_printf(&q->c.arena, "%s/%s", b->dest, q->was);
	q->listener.tell = cli_show_stage;
	q->with = restoring_of(&q->c, b, q->was, &q->listener);
	return 0;
}

static int at_most(const struct cli *c, size_t words, struct err *e)
{
	if (c->args.n <= words)
		return 0;
	(void)err_set(e, ERR_USAGE, "'%s' is one word too many", c->args.v[words]);
	return err_hint(e, "one at a time; quote a name that has blanks");
}

/* words: how many it can have at most. */
static int ready(struct asking *q, size_t words, struct err *e)
{
	if (q->c.args.n == 0) {
		(void)err_set(e, ERR_USAGE, "of what?");
		return err_hint(e,
				"name a dataset of the source, like tank/home, or a snapshot, like tank/home@monday");
	}
	take_apart(q, q->c.args.v[0]);
	if (at_most(&q->c, words, e) < 0 || choose(q, e) < 0)
		return -1;
	return restore_sides(&q->with, e);
}

static int end(struct asking *q, int rc, const struct err *e)
{
	int code = rc < 0 ? cli_fail(&q->c, e) : EXIT_DONE;

	restore_end(&q->with);
	cli_end(&q->c);
	return code;
}

/* --- list ----------------------------------------------------------------------------------------- */

static json_t *dataset_json(const struct dataset *d)
{
	json_t *snapshots = json_array(), *j = json_object();

	for (size_t i = 0; i < d->points.n; i++) {
		const struct point *p = &d->points.v[i];
		if (p->kind != POINT_SNAPSHOT)
			continue;
		json_t *one = json_object();
		(void)json_object_set_new(one, "name", json_any(p->name));
		(void)json_object_set_new(one, "guid", json_u64(p->guid));
		(void)json_object_set_new(one, "creation", json_integer(p->creation));
		(void)json_array_append_new(snapshots, one);
	}
	(void)json_object_set_new(j, "dataset", json_any(d->name));
	(void)json_object_set_new(j, "snapshots", snapshots);
	return j;
}

static void list_text(const struct dataset *d, const char *was, bool all, const struct zone *z)
{
	const struct point *newest = dataset_newest(d), *oldest = NULL;
	char from[ZONE_TEXT], to[ZONE_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < d->points.n; i++) {
		const struct point *p = &d->points.v[i];
		if (p->kind != POINT_SNAPSHOT)
			continue;
		oldest = oldest == NULL ? p : oldest;
		n++;
		if (all)
			(void)printf("%s@%s  %s\n", was, p->name, zone_show(z, p->creation, from));
	}
	if (!all && n > 0)
		(void)printf("%s: %zu snapshot%s, %s to %s\n", was, n, n == 1 ? "" : "s",
			     zone_show(z, oldest->creation, from), zone_show(z, newest->creation, to));
}

static int list_one(struct cli *c, const struct backup *b, const char *only, bool wake, json_t *results, struct err *e)
{
	struct asking q = {.listener = {cli_show_stage}};
	struct side_state s = {0};
	struct zone z = clock_zone(clock_unix_s(), &c->arena);
	int rc = 0;

	q.with = restoring_of(c, b, NULL, &q.listener);
	if (wake || b->dest_target == NULL) {
		rc = restore_sides(&q.with, e);
		if (rc == 0)
			rc = restore_look(&q.with, b->dest, &s, e);
		restore_end(&q.with);
	} else {
		rc = cli_recall(c, b, &s, e);
	}
	if (rc < 0)
		return -1;
	if (!s.seen) {
		(void)err_set(e, ERR_MISSING, "nobody has looked at the archive of '%s' yet", b->name);
		return err_hint(e, "dormouse list --wake looks; so does every backup");
	}
	for (size_t i = 0; i < s.datasets.n; i++) {
		const struct dataset *d = &s.datasets.v[i];
		const char *was = d->name + strlen(b->dest) + 1;
		if (strlen(d->name) <= strlen(b->dest) || !dataset_is_under(was, only == NULL ? b->source : only) ||
		    dataset_newest(d) == NULL)
			continue;
		if (c->json)
			(void)json_array_append_new(results, dataset_json(d));
		else
			list_text(d, was, only != NULL, &z);
	}
	return 0;
}

int cmd_list(int argc, char **argv)
{
	struct asking q = {0};
	bool wake = false;
	const struct cli_option own[] = {{"--wake", &wake, NULL}, {"--backup", NULL, &q.backup_name}};
	struct err e;
	int rc =
	    cli_start(&q.c, argc, argv,
		      "usage: dormouse list [--wake] [--backup NAME] [--json] [DATASET]\nWhich snapshots the archives "
		      "have, as somebody last saw them; --wake looks anew.\nWith DATASET: each of them, and of what "
		      "lies below.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	const char *only = q.c.args.n > 0 ? q.c.args.v[0] : NULL;
	const struct backup *one =
	    only == NULL || at_most(&q.c, 1, &e) < 0 ? NULL : cli_backup_of(&q.c, q.backup_name, only, &only, &e);
	if (only != NULL && one == NULL) {
		rc = cli_fail(&q.c, &e);
		return cli_end(&q.c), rc;
	}
	AUTO(json) json_t *results = json_array();
	rc = EXIT_DONE;
	for (size_t i = 0; i < q.c.config.backups.n; i++) {
		const struct backup *b = &q.c.config.backups.v[i];
		if (one != NULL ? b != one : q.backup_name != NULL && strcmp(b->name, q.backup_name) != 0)
			continue;
		if (list_one(&q.c, b, only, wake, results, &e) < 0)
			rc = cli_fail(&q.c, &e);
	}
	if (q.c.json && rc == EXIT_DONE)
		cli_print_json(results);
	cli_end(&q.c);
	return rc;
}

/* --- files ---------------------------------------------------------------------------------------- */

static bool has_dots(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '\0' || p[2] == '/'))
			return true;
	return false;
}

static int newest_of(struct asking *q, const char **name, struct err *e)
{
	struct side_state s;

	if (restore_look(&q->with, q->copy, &s, e) < 0)
		return -1;
	const struct dataset *d = side_find(&s, q->copy);
	const struct point *newest = d == NULL ? NULL : dataset_newest(d);
	if (newest == NULL) {
		(void)err_set(e, ERR_MISSING, "the archive has no snapshot of '%s'", q->was);
		return err_hint(e, "dormouse list shows what it has");
	}
	*name = newest->name;
	return 0;
}

/* Without a snapshot: the newest there is. */
static int wish_of(struct asking *q, enum files_kind kind, struct files_wish *w, struct err *e)
{
	*w = (struct files_wish){.kind = kind, .dataset = q->copy, .snapshot = q->snapshot, .path = q->path};
	if (w->path == NULL)
		w->path = "/";
	if (has_dots(w->path))
		return err_set(e, ERR_USAGE, "'%s' must not have '..' in it", w->path);
	return w->snapshot != NULL ? 0 : newest_of(q, &w->snapshot, e);
}

static int files(int argc, char **argv, enum files_kind kind, const char *usage)
{
	struct asking q = {0};
	struct files_wish w;
	const struct cli_option own[] = {{"--backup", NULL, &q.backup_name}};
	struct err e;
	int rc = cli_start(&q.c, argc, argv, usage, own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = ready(&q, kind == FILES_FIND ? 2 : 1, &e);
	if (rc == 0 && kind == FILES_CAT && q.path == NULL) {
		rc = err_set(&e, ERR_USAGE, "which file?");
		(void)err_hint(&e, "like %s:/path/to/file", q.c.args.v[0]);
	}
	if (rc == 0)
		rc = wish_of(&q, kind, &w, &e);
	if (rc == 0 && kind == FILES_FIND && q.c.args.n > 1)
		w.pattern = q.c.args.v[1];
	/* Whoever reads us may leave at any time, and that ends the other side, too. */
	(void)fflush(stdout);
	if (rc == 0)
		rc = restore_files(&q.with, &w, STDOUT_FILENO, &e);
	return end(&q, rc, &e);
}

int cmd_ls(int argc, char **argv)
{
	return files(
	    argc, argv, FILES_LIST,
	    "usage: dormouse ls [--backup NAME] DATASET[@SNAPSHOT][:/PATH]\nWhat lies there in the archive; without "
	    "a snapshot, in the newest.  Wakes the archive.");
}

int cmd_find(int argc, char **argv)
{
	return files(
	    argc, argv, FILES_FIND,
	    "usage: dormouse find [--backup NAME] DATASET[@SNAPSHOT][:/PATH] [PATTERN]\nFiles below it whose names "
	    "match, '*.jpg'.  Wakes the archive.");
}

int cmd_cat(int argc, char **argv)
{
	return files(argc, argv, FILES_CAT,
		     "usage: dormouse cat [--backup NAME] DATASET[@SNAPSHOT]:/PATH\nA file of the archive, on standard "
		     "output.  Wakes the archive.");
}

/* A path as a line has it: what would break the line, as octal. */
static const char *shown(const char *path, struct buf *b)
{
	buf_clear(b);
	for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
		if (*p < ' ' || *p == '\\' || *p == 0x7f)
			buf_printf(b, "\\%03o", *p);
		else
			buf_putc(b, (char)*p);
	}
	return buf_text(b);
}

static const char letters[] = {[FILE_ADDED] = '+', [FILE_REMOVED] = '-', [FILE_CHANGED] = 'M', [FILE_RENAMED] = 'R'};

static void print_changes(const struct file_changes *all)
{
	AUTO(json) json_t *list = json_array();

	for (size_t i = 0; i < all->n; i++) {
		const struct file_change *c = &all->v[i];
		json_t *one = json_object();
		(void)json_object_set_new(one, "change", json_stringn(&letters[c->kind], 1));
		(void)json_object_set_new(one, "path", json_any(c->path));
		if (c->to != NULL)
			(void)json_object_set_new(one, "to", json_any(c->to));
		(void)json_object_set_new(one, "folder", json_boolean(c->is_folder));
		(void)json_array_append_new(list, one);
	}
	cli_print_json(list);
}

static void show_changes(const struct file_changes *all)
{
	AUTO(buf) struct buf b = {0};

	for (size_t i = 0; i < all->n; i++) {
		const struct file_change *c = &all->v[i];
		const char *slash = c->is_folder ? "/" : "";
		(void)printf("%c %s%s", letters[c->kind], shown(c->path, &b), slash);
		if (c->to != NULL)
			(void)printf(" -> %s%s", shown(c->to, &b), slash);
		(void)printf("\n");
	}
}

/* Its later snapshot: the one that is named, or the newest. */
static int later_of(struct asking *q, const char **later, struct err *e)
{
	if (q->snapshot == NULL) {
		(void)err_set(e, ERR_USAGE, "from which snapshot on?");
		return err_hint(e,
				"dormouse diff '%s@monday', or '%s@monday' '@tuesday'; dormouse list '%s' shows them",
				q->was, q->was, q->was);
	}
	if (q->c.args.n > 1) {
		const char *at = strchr(q->c.args.v[1], '@');
		*later = at == NULL ? q->c.args.v[1] : at + 1;
		return 0;
	}
	return newest_of(q, later, e);
}

int cmd_diff(int argc, char **argv)
{
	struct asking q = {0};
	struct files_wish w;
	struct file_changes changes = {0};
	const char *later = NULL;
	const struct cli_option own[] = {{"--backup", NULL, &q.backup_name}};
	struct err e;
	int rc =
	    cli_start(&q.c, argc, argv,
		      "usage: dormouse diff [--backup NAME] [--json] DATASET@SNAPSHOT[:/PATH] [@LATER]\n"
		      "What became of the files between two snapshots of the archive, without the second up to the "
		      "newest: + added, - removed, M changed, R renamed.  Wakes the archive.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = ready(&q, 2, &e);
	if (rc == 0)
		rc = later_of(&q, &later, &e);
	if (rc == 0)
		rc = wish_of(&q, FILES_LIST, &w, &e);
	if (rc == 0)
		rc = restore_diff(&q.with, &w, later, &changes, &e);
	if (rc == 0)
		(q.c.json ? print_changes : show_changes)(&changes);
	return end(&q, rc, &e);
}

/* --- restore -------------------------------------------------------------------------------------- */

static int restore_paths(struct asking *q, const char *to, struct err *e)
{
	struct files_wish w;

	if (access(to, W_OK | X_OK) < 0) {
		(void)err_set(e, ERR_USAGE, "'%s' is not a folder that can be written to", to);
		return err_hint(e, "files are unpacked below a folder of this host: make it first");
	}
	if (wish_of(q, FILES_TAR, &w, e) < 0 || restore_unpack(&q->with, &w, to, e) < 0)
		return -1;
	if (!q->c.json)
		(void)printf("%s@%s:%s is in %s\n", q->was, w.snapshot, w.path, to);
	return 0;
}

static void show_restored(const struct asking *q, const struct restoring *r)
{
	char bytes[NUM_TEXT];

	for (size_t i = 0; i < r->notes.n; i++)
		(void)fprintf(stderr, "dormouse: %s\n", r->notes.v[i]);
	if (q->c.json) {
		AUTO(json) json_t *j = json_object();
		(void)json_object_set_new(j, "restored", json_integer((json_int_t)r->arrived));
		(void)json_object_set_new(j, "there_already", json_integer((json_int_t)r->plan.skips.n));
		(void)json_object_set_new(j, "bytes", json_u64(r->bytes));
		cli_print_json(j);
		return;
	}
	for (size_t i = 0; i < r->plan.sends.n; i++) {
		const struct send_step *s = &r->plan.sends.v[i];
		(void)printf("%s has @%s%s\n", s->target, s->to.name,
			     s->raw	    ? "; it is encrypted, and not mounted: zfs load-key, then zfs mount"
			     : s->is_volume ? ""
					    : "; it is not mounted: zfs mount");
	}
	for (size_t i = 0; i < r->plan.skips.n; i++)
		(void)printf("%s has @%s already\n", r->plan.skips.v[i].source, r->plan.skips.v[i].newest.name);
	(void)printf("%zu dataset%s restored, %s, each proven by its GUID\n", r->arrived, r->arrived == 1 ? "" : "s",
		     num_show_bytes(r->bytes, bytes));
}

int cmd_restore(int argc, char **argv)
{
	struct asking q = {0};
	const char *to = NULL;
	bool below = false, history = false;
	const struct cli_option own[] = {{"--to", NULL, &to},
					 {"--recursive", &below, NULL},
					 {"--history", &history, NULL},
					 {"--backup", NULL, &q.backup_name}};
	struct err e;
	int rc =
	    cli_start(&q.c, argc, argv,
		      "usage: dormouse restore DATASET[@SNAPSHOT] --to DATASET [--recursive]\n"
		      "                       [--history]\n"
		      "       dormouse restore DATASET[@SNAPSHOT]:/PATH --to FOLDER\n"
		      "Brings a dataset back to where its source lies, or files to a folder of this host; without a\n"
		      "snapshot, the newest; with --history all snapshots up to it.  Nothing that exists is written\n"
		      "over.  Wakes the archive.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = ready(&q, 1, &e);
	if (rc == 0 && to == NULL) {
		rc = err_set(&e, ERR_USAGE, "where to?");
		(void)err_hint(&e, q.path == NULL ? "--to DATASET: a new one, or its own old place if that is free"
						  : "--to FOLDER");
	} else if (rc == 0 && q.path != NULL) {
		rc = restore_paths(&q, to, &e);
	} else if (rc == 0) {
		const struct restore_wish w = {
		    .copy = q.copy, .was = q.was, .snapshot = q.snapshot, .to = to, .below = below, .history = history};
		stop_catch();
		rc = restore_datasets(&q.with, &w, &e);
		if (rc == 0)
			show_restored(&q, &q.with);
	}
	return end(&q, rc, &e);
}

/* --- recover -------------------------------------------------------------------------------------- */

/* rc: what it was before this one; returns what it is now. */
static int recover_one(struct cli *c, const struct backup *b, int rc)
{
	struct err e;
	struct asking q = {.listener = {cli_show_stage}};
	const struct restore_wish w = {.copy = arena_printf(&c->arena, "%s/%s", b->dest, b->source),
				       .was = b->source,
				       .to = b->source,
				       .below = true,
				       .history = true,
				       .missing = true};

	q.c.json = c->json;
	q.with = restoring_of(c, b, b->source, &q.listener);
	stop_catch();
	if (restore_sides(&q.with, &e) < 0 || restore_datasets(&q.with, &w, &e) < 0) {
		rc = cli_fail(c, &e);
	} else {
		show_restored(&q, &q.with);
		rc = rc == EXIT_DONE && q.with.plan.left > 0 ? EXIT_PARTLY : rc;
	}
	restore_end(&q.with);
	return rc;
}

int cmd_recover(int argc, char **argv)
{
	struct cli c;
	int rc =
	    cli_start(&c, argc, argv,
		      "usage: dormouse recover [BACKUP] [--json] [-c FILE]\n"
		      "Brings everything back that a backup, or all of them, had and that is not here any more, with "
		      "all its snapshots and properties, to where it was.  The pools must be there; nothing else is "
		      "needed but the configuration and its keys.  What exists is left as it is; what is cut off is "
		      "resumed by the same command.  Wakes machines.",
		      NULL, 0);

	if (rc >= 0)
		return rc;
	struct backups chosen;
	if (!cli_backups(&c, &chosen))
		return cli_end(&c), EXIT_USAGE;
	rc = EXIT_DONE;
	for (size_t i = 0; i < chosen.n; i++)
		rc = recover_one(&c, &chosen.v[i], rc);
	cli_end(&c);
	return rc;
}
