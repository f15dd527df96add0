#include "plan/file_diff.h"

static int by_path(const void *x, const void *y)
{
	return strcmp(((const struct file *)x)->path, ((const struct file *)y)->path);
}

/* One that is in one snapshot only, by its path. */
struct loner {
	const struct file *file;
	bool renamed;
};
struct loners VEC(struct loner);

static int by_inode(const void *x, const void *y)
{
	uint64_t a = ((const struct loner *)x)->file->inode, b = ((const struct loner *)y)->file->inode;

	return a < b ? -1 : a > b;
}

static int change_by_path(const void *x, const void *y)
{
	return strcmp(((const struct file_change *)x)->path, ((const struct file_change *)y)->path);
}

/* Another file may get the number of one that is gone: it is the same one only if what was in it is, too. */
static bool is_same(const struct file *x, const struct file *y)
{
	return x->inode == y->inode && x->type == y->type &&
	       (x->type == 'd' || (x->size == y->size && strcmp(x->modified, y->modified) == 0));
}

static bool is_changed(const struct file *x, const struct file *y)
{
	if (x->type != y->type || strcmp(x->rights, y->rights) != 0)
		return true;
	return x->type != 'd' && (x->inode != y->inode || x->size != y->size || strcmp(x->changed, y->changed) != 0);
}

static void add(struct file_changes *out, struct arena *a, int kind, const struct file *f, const char *to)
{
	*vec_add(out, a) = (struct file_change){.kind = kind, .path = f->path, .to = to, .is_folder = f->type == 'd'};
}

static size_t folder_len(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

/* Whether the folder around it was renamed, or moved along, and nothing else happened to it.  folders: all that were,
 * in the order of their paths. */
static bool came_along(const struct file *from, const struct file *to, const struct file_changes *folders)
{
	AUTO(arena) struct arena a = {0};
	size_t was = folder_len(from->path), is = folder_len(to->path);

	if (strcmp(from->path + was, to->path + is) != 0 || is_changed(from, to) || folders->n == 0)
		return false;
	const struct file_change key = {.path = arena_strndup(&a, from->path, was)};
	const struct file_change *c = bsearch(&key, folders->v, folders->n, sizeof(key), change_by_path);
	return c != NULL && strlen(c->to) == is && strncmp(c->to, to->path, is) == 0;
}

void file_diff(struct files *before, struct files *after, struct arena *a, struct file_changes *out)
{
	struct loners gone = {0}, made = {0};
	struct file_changes folders = {0};
	size_t i = 0, k = 0;

	if (before->n > 0)
		qsort(before->v, before->n, sizeof(struct file), by_path);
	if (after->n > 0)
		qsort(after->v, after->n, sizeof(struct file), by_path);
	while (i < before->n || k < after->n) {
		int order = i == before->n ? 1 : k == after->n ? -1 : by_path(&before->v[i], &after->v[k]);
		if (order == 0 && is_changed(&before->v[i], &after->v[k]))
			add(out, a, FILE_CHANGED, &after->v[k], NULL);
		if (order < 0)
			vec_add(&gone, a)->file = &before->v[i];
		if (order > 0)
			vec_add(&made, a)->file = &after->v[k];
		i += order <= 0;
		k += order >= 0;
	}
	if (made.n > 0)
		qsort(made.v, made.n, sizeof(made.v[0]), by_inode);
	/* In the order of paths: a folder before what is in it. */
	for (size_t g = 0; g < gone.n; g++) {
		const struct file *f = gone.v[g].file;
		struct loner *hit =
		    made.n == 0 ? NULL : bsearch(&gone.v[g], made.v, made.n, sizeof(made.v[0]), by_inode);
		if (hit == NULL || hit->renamed || !is_same(f, hit->file)) {
			add(out, a, FILE_REMOVED, f, NULL);
			continue;
		}
		hit->renamed = true;
		if (!came_along(f, hit->file, &folders))
			add(out, a, FILE_RENAMED, f, hit->file->path);
		if (f->type == 'd')
			add(&folders, a, FILE_RENAMED, f, hit->file->path);
	}
	for (size_t m = 0; m < made.n; m++)
		if (!made.v[m].renamed)
			add(out, a, FILE_ADDED, made.v[m].file, NULL);
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(out->v[0]), change_by_path);
}
