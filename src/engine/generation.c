#include "engine/generation.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/fdio.h"
#include "wire/json.h"

enum { RECORD_MAX = 1 << 20, COPY_MAX = 64 << 20 };

#define OUT_OF_THE_WAY "nothing depends on it: move it out of the folder"

static const char *folder(const struct paths *p, struct arena *a)
{
	return arena_printf(a, "%s/generations", p->state_dir);
}

static const char *record_of(const struct paths *p, int64_t number, struct arena *a)
{
	return arena_printf(a, "%s/%lld.record", folder(p, a), (long long)number);
}

static int read_one(const struct paths *p, int64_t number, struct arena *a, struct generation *g, struct err *e)
{
	const char *path = record_of(p, number, a);
	struct str text;
	json_t *line;
	size_t i;

	if (fd_read_file(path, RECORD_MAX, a, &text, e) < 0)
		return -1;
	AUTO(json) json_t *j = json_parse(text, path, e);
	if (j == NULL)
		return err_hint(e, OUT_OF_THE_WAY);
	*g = (struct generation){.number = number,
				 .at = json_integer_value(json_object_get(j, "at")),
				 .back_to = json_integer_value(json_object_get(j, "back_to")),
				 .done = json_is_true(json_object_get(j, "done")),
				 .file = json_text(j, "file", a),
				 .copy = json_text(j, "copy", a)};
	if (g->file == NULL || g->copy == NULL || strchr(g->copy, '/') != NULL)
		return err_set(e, ERR_CORRUPT, "cannot read what was applied: '%s'", path), err_hint(e, OUT_OF_THE_WAY);
	g->copy = arena_printf(a, "%s/%s", folder(p, a), g->copy);
	json_array_foreach(json_object_get(j, "plan"), i, line)
	{
		if (json_is_string(line))
			*vec_add(&g->plan, a) = arena_strdup(a, json_string_value(line));
	}
	return 0;
}

static int by_number(const void *x, const void *y)
{
	const struct generation *a = x, *b = y;
	return (a->number > b->number) - (a->number < b->number);
}

int generations_read(const struct paths *p, const char *file, struct arena *a, struct generations *out, struct err *e)
{
	const char *name = folder(p, a);
	DIR *dir = opendir(name);
	int rc = 0;

	*out = (struct generations){0};
	if (dir == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL)
		return err_sys(e, errno, "cannot read the folder '%s'", name);
	for (struct dirent *d; rc == 0 && (d = readdir(dir)) != NULL;) {
		struct str rest = str_of(d->d_name), number = str_cut(&rest, '.');
		struct generation g;
		uint64_t n;
		if (!str_eq(rest, "record") || !num_u64(number, &n))
			continue;
		rc = read_one(p, (int64_t)n, a, &g, e);
		if (rc == 0 && (file == NULL || strcmp(g.file, file) == 0))
			*vec_add(out, a) = g;
	}
	(void)closedir(dir);
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_number);
	return rc;
}

bool generation_is(const struct generation *g, struct str text, struct arena *a)
{
	struct str own;
	struct err ignored;

	return fd_read_file(g->copy, COPY_MAX, a, &own, &ignored) == 0 && own.n == text.n &&
	       memcmp(own.p, text.p, own.n) == 0;
}

static int write_record(const struct paths *p, const struct generation *g, struct arena *a, struct err *e)
{
	AUTO(json) json_t *j = json_object();
	AUTO(buf) struct buf b = {0};
	json_t *plan = json_array();

	(void)json_object_set_new(j, "at", json_integer(g->at));
	(void)json_object_set_new(j, "back_to", json_integer(g->back_to));
	(void)json_object_set_new(j, "done", json_boolean(g->done));
	(void)json_object_set_new(j, "file", json_any(g->file));
	(void)json_object_set_new(j, "copy", json_any(strrchr(g->copy, '/') + 1));
	for (size_t i = 0; i < g->plan.n; i++)
		(void)json_array_append_new(plan, json_any(g->plan.v[i]));
	(void)json_object_set_new(j, "plan", plan);
	json_write_indented(&b, j);
	return fd_replace_file(record_of(p, g->number, a), buf_str(&b), 0600, e);
}

static int add(const struct paths *p, struct generation *g, struct str text, struct arena *a, struct err *e)
{
	struct generations all;

	if (generations_read(p, NULL, a, &all, e) < 0)
		return -1;
	const char *dot = strrchr(g->file, '.');
	g->number = all.n == 0 ? 1 : all.v[all.n - 1].number + 1;
	/* By its ending the language is known. */
	g->copy = arena_printf(a, "%s/%lld.%s", folder(p, a), (long long)g->number,
			       dot != NULL && strcmp(dot, ".json") == 0 ? "json" : "hcl");
	return fd_replace_file(g->copy, text, 0600, e) < 0 ? -1 : write_record(p, g, a, e);
}

int generation_add(const struct paths *p, struct generation *g, struct str text, struct arena *a, struct err *e)
{
	const char *name = folder(p, a);
	int lock;

	if (mkdir(name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make the folder '%s'", name);
	if (paths_lock(arena_printf(a, "%s/lock", name), "something else is being applied", &lock, e) < 0)
		return -1;
	int rc = add(p, g, text, a, e);
	fd_close(&lock);
	return rc;
}

int generation_done(const struct paths *p, struct generation *g, struct err *e)
{
	AUTO(arena) struct arena a = {0};

	g->done = true;
	return write_record(p, g, &a, e);
}
