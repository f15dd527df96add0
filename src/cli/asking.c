#include "cli/asking.h"

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

struct restoring asking_with(struct cli *c, const struct backup *b, const char *was, struct run_listener *l)
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
	q->with = asking_with(&q->c, b, q->was, &q->listener);
	return 0;
}

int asking_ready(struct asking *q, size_t words, struct err *e)
{
	if (q->c.args.n == 0) {
		(void)err_set(e, ERR_USAGE, "of what?");
		return err_hint(e,
				"name a dataset of the source, like tank/home, or a snapshot, like tank/home@monday");
	}
	take_apart(q, q->c.args.v[0]);
	if (cli_at_most(&q->c, words, e) < 0 || choose(q, e) < 0)
		return -1;
	return restore_sides(&q->with, e);
}

int asking_end(struct asking *q, int rc, const struct err *e)
{
	int code = rc < 0 ? cli_fail(&q->c, e) : EXIT_DONE;

	restore_end(&q->with);
	cli_end(&q->c);
	return code;
}

static bool has_dots(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '\0' || p[2] == '/'))
			return true;
	return false;
}

int asking_newest(struct asking *q, const char **name, struct err *e)
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

int asking_wish(struct asking *q, enum files_kind kind, struct files_wish *w, struct err *e)
{
	*w = (struct files_wish){.kind = kind, .dataset = q->copy, .snapshot = q->snapshot, .path = q->path};
	if (w->path == NULL)
		w->path = "/";
	if (has_dots(w->path)) {
		(void)err_set(e, ERR_USAGE, "'%s' must not have '..' in it", w->path);
		return err_hint(e, "name it from the top of the dataset");
	}
	return w->snapshot != NULL ? 0 : asking_newest(q, &w->snapshot, e);
}
