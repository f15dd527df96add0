#include "plan/coverage_plan.h"

enum { HARDLY_ANYTHING = 256 * 1024 };

/* Is the dataset of this host in a backup, or left out of one on purpose? */
static bool covered(const struct config *c, const struct dataset *d)
{
	for (size_t i = 0; i < c->backups.n; i++) {
		const struct backup *b = &c->backups.v[i];
		if ((b->source_target == NULL && dataset_is_under(d->name, b->source)) ||
		    (b->dest_target == NULL && dataset_is_under(d->name, b->dest)))
			return true;
	}
	return d->placeholder || backup_refuses(d);
}

/* Does it hold others, and hardly anything of its own? */
static bool is_container(const struct side_state *host, size_t i)
{
	const struct dataset *d = &host->datasets.v[i];
	size_t n = strlen(d->name);

	if (d->referenced > HARDLY_ANYTHING)
		return false;
	/* tank/a-b comes between tank/a and tank/a/b. */
	for (i++; i < host->datasets.n && strncmp(host->datasets.v[i].name, d->name, n) == 0; i++)
		if (host->datasets.v[i].name[n] == '/')
			return true;
	return false;
}

static bool matches_any(const struct side_state *host, const char *root, const char *glob)
{
	for (size_t i = 0; i < host->datasets.n; i++)
		if (dataset_is_under(host->datasets.v[i].name, root) && str_glob(glob, host->datasets.v[i].name))
			return true;
	return false;
}

static void globs(const struct backup *b, const struct strings *all, const struct side_state *host, struct arena *a,
		  struct fact_filters *unmatched)
{
	for (size_t i = 0; i < all->n; i++)
		if (!matches_any(host, b->source, all->v[i]))
			*vec_add(unmatched, a) = (struct fact_filter){b->name, all->v[i]};
}

void coverage_plan(const struct config *c, const struct side_state *host, struct arena *a, struct strings *uncovered,
		   struct fact_filters *unmatched)
{
	for (size_t i = 0; i < host->datasets.n; i++)
		if (!covered(c, &host->datasets.v[i]) && !is_container(host, i))
			*vec_add(uncovered, a) = host->datasets.v[i].name;
	for (size_t i = 0; i < c->backups.n; i++) {
		const struct backup *b = &c->backups.v[i];
		if (b->source_target != NULL)
			continue; /* what is there, this host does not see */
		globs(b, &b->include, host, a, unmatched);
		globs(b, &b->exclude, host, a, unmatched);
	}
}
