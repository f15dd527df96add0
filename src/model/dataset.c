#include "model/dataset.h"

#include "base/str.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dataset *)a)->name, ((const struct dataset *)b)->name);
}

static int by_txg(const void *pa, const void *pb)
{
	const struct point *a = pa, *b = pb;
	if (a->createtxg != b->createtxg)
		return a->createtxg < b->createtxg ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind == POINT_BOOKMARK ? -1 : 1;
	return strcmp(a->name, b->name);
}

void side_sort(struct side_state *s)
{
	if (s->datasets.n > 1)
		qsort(s->datasets.v, s->datasets.n, sizeof(s->datasets.v[0]), by_name);
	for (size_t i = 0; i < s->datasets.n; i++) {
		struct points *p = &s->datasets.v[i].points;
		if (p->n > 1)
			qsort(p->v, p->n, sizeof(p->v[0]), by_txg);
	}
}

const struct dataset *side_find(const struct side_state *s, const char *name)
{
	size_t lo = 0, hi = s->datasets.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(s->datasets.v[mid].name, name);
		if (c == 0)
			return &s->datasets.v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct point *dataset_newest(const struct dataset *d)
{
	for (size_t i = d->points.n; i > 0; i--)
		if (d->points.v[i - 1].kind == POINT_SNAPSHOT)
			return &d->points.v[i - 1];
	return NULL;
}

const struct point *dataset_snapshot_by_guid(const struct dataset *d, uint64_t guid)
{
	for (size_t i = 0; i < d->points.n; i++)
		if (d->points.v[i].kind == POINT_SNAPSHOT && d->points.v[i].guid == guid)
			return &d->points.v[i];
	return NULL;
}

size_t dataset_pool_len(const char *name)
{
	return strcspn(name, "/@#");
}

bool dataset_is_under(const char *name, const char *root)
{
	size_t n = strlen(root);
	return strncmp(name, root, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

bool dataset_is_aside(const char *name)
{
	static const char mark[] = "-kept-";
	enum { MARK = sizeof(mark) - 1, STAMP = 14 };
	size_t n = strlen(name);

	return n > MARK + STAMP && strncmp(name + n - STAMP - MARK, mark, MARK) == 0 &&
	       strspn(name + n - STAMP, "0123456789") == STAMP;
}

bool name_matches(const struct strings *globs, const char *name)
{
	for (size_t i = 0; i < globs->n; i++)
		if (str_glob(globs->v[i], name))
			return true;
	return false;
}

bool dataset_matches(const struct strings *globs, const char *name)
{
	AUTO(arena) struct arena a = {0};

	if (globs->n == 0)
		return false;
	char *place = arena_strdup(&a, name);
	for (char *slash; place != NULL; place = slash == NULL ? NULL : (*slash = '\0', place)) {
		if (name_matches(globs, place))
			return true;
		slash = strrchr(place, '/');
	}
	return false;
}

bool dataset_has_guid(const struct dataset *d, uint64_t guid)
{
	for (size_t i = d->points.n; i > 0; i--)
		if (d->points.v[i - 1].guid == guid)
			return true;
	return false;
}

const struct point *dataset_snapshot_by_name(const struct dataset *d, const char *name)
{
	for (size_t i = d->points.n; i > 0; i--)
		if (d->points.v[i - 1].kind == POINT_SNAPSHOT && strcmp(d->points.v[i - 1].name, name) == 0)
			return &d->points.v[i - 1];
	return NULL;
}
