/* restore, recover: how it comes back. */
#include <unistd.h>

#include "base/num.h"
#include "cli/asking.h"
#include "sys/stop.h"

/* --- restore -------------------------------------------------------------------------------------- */

static int restore_paths(struct asking *q, const char *to, struct err *e)
{
	struct files_wish w;

	if (access(to, W_OK | X_OK) < 0) {
		(void)err_set(e, ERR_USAGE, "'%s' is not a folder that can be written to", to);
		return err_hint(e, "files are unpacked below a folder of this host: make it first");
	}
	if (asking_wish(q, FILES_TAR, &w, e) < 0 || restore_unpack(&q->with, &w, to, e) < 0)
		return -1;
	if (!q->c.json) {
		(void)printf("%s@%s:%s is in %s\n", q->was, w.snapshot, w.path, to);
		return 0;
	}
	AUTO(json) json_t *j = json_object();
	(void)json_object_set_new(j, "dataset", json_any(q->was));
	(void)json_object_set_new(j, "snapshot", json_any(w.snapshot));
	(void)json_object_set_new(j, "path", json_any(w.path));
	(void)json_object_set_new(j, "to", json_any(to));
	cli_print_json(j);
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
		      "                       [--history] [--json]\n"
		      "       dormouse restore DATASET[@SNAPSHOT]:/PATH --to FOLDER [--json]\n"
		      "Brings a dataset back to where its source lies, or files to a folder of this host; without a\n"
		      "snapshot, the newest; with --history all snapshots up to it.  Nothing that exists is written\n"
		      "over.  Wakes the archive.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = asking_ready(&q, 1, &e);
	if (rc == 0 && to == NULL) {
		rc = err_set(&e, ERR_USAGE, "where to?");
		(void)err_hint(&e, q.path == NULL ? "--to DATASET: a new one, or its own old place if that is free"
						  : "--to FOLDER");
	} else if (rc == 0 && q.path != NULL) {
		rc = restore_paths(&q, to, &e);
	} else if (rc == 0) {
		const struct restore_wish w = {
		    .copy = q.copy,
		    .was = q.was,
		    .top = arena_printf(&q.c.arena, "%s/%s", q.with.backup->dest, q.with.backup->source),
		    .snapshot = q.snapshot,
		    .to = to,
		    .below = below,
		    .history = history};
		stop_catch();
		rc = restore_datasets(&q.with, &w, &e);
		if (rc == 0)
			show_restored(&q, &q.with);
	}
	return asking_end(&q, rc, &e);
}

/* --- recover -------------------------------------------------------------------------------------- */

/* rc: what it was before this one; returns what it is now. */
static int recover_one(struct cli *c, const struct backup *b, int rc)
{
	struct err e;
	struct asking q = {.listener = {cli_show_stage}};
	const char *copy = arena_printf(&c->arena, "%s/%s", b->dest, b->source);
	const struct restore_wish w = {.copy = copy,
				       .was = b->source,
				       .top = copy,
				       .to = b->source,
				       .below = true,
				       .history = true,
				       .missing = true};

	q.c.json = c->json;
	q.with = asking_with(c, b, b->source, &q.listener);
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
