/* list, ls, find, cat, diff: what the archives have. */
#include <unistd.h>

#include "cli/asking.h"
#include "sys/clock.h"

/* --- list ----------------------------------------------------------------------------------------- */

static json_t *dataset_json(const struct dataset *d, const char *was)
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
	(void)json_object_set_new(j, "dataset", json_any(was));
	(void)json_object_set_new(j, "copy", json_any(d->name));
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

	q.with = asking_with(c, b, NULL, &q.listener);
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
			(void)json_array_append_new(results, dataset_json(d, was));
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
	    only == NULL || cli_at_most(&q.c, 1, &e) < 0 ? NULL : cli_backup_of(&q.c, q.backup_name, only, &only, &e);
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

static int files(int argc, char **argv, enum files_kind kind, const char *usage)
{
	struct asking q = {0};
	struct files_wish w;
	const struct cli_option own[] = {{"--backup", NULL, &q.backup_name}};
	struct err e;
	int rc = cli_start(&q.c, argc, argv, usage, own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = asking_ready(&q, kind == FILES_FIND ? 2 : 1, &e);
	if (rc == 0 && kind == FILES_CAT && q.path == NULL) {
		rc = err_set(&e, ERR_USAGE, "which file?");
		(void)err_hint(&e, "like %s:/path/to/file", q.c.args.v[0]);
	}
	if (rc == 0)
		rc = asking_wish(&q, kind, &w, &e);
	if (rc == 0 && kind == FILES_FIND && q.c.args.n > 1)
		w.pattern = q.c.args.v[1];
	/* Whoever reads us may leave at any time, and that ends the other side, too. */
	(void)fflush(stdout);
	if (rc == 0)
		rc = restore_files(&q.with, &w, STDOUT_FILENO, &e);
	return asking_end(&q, rc, &e);
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
	return asking_newest(q, later, e);
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
	rc = asking_ready(&q, 2, &e);
	if (rc == 0)
		rc = later_of(&q, &later, &e);
	if (rc == 0)
		rc = asking_wish(&q, FILES_LIST, &w, &e);
	if (rc == 0)
		rc = restore_diff(&q.with, &w, later, &changes, &e);
	if (rc == 0)
		(q.c.json ? print_changes : show_changes)(&changes);
	return asking_end(&q, rc, &e);
}
