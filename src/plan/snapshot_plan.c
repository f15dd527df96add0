#include "plan/snapshot_plan.h"

#include "base/civil.h"

static const char prefix[] = "zfs-auto-snap_";

bool backup_excludes(const struct backup *b, const char *dataset)
{
	AUTO(arena) struct arena a = {0};
	char *name = arena_strdup(&a, dataset);

	for (;;) {
		for (size_t i = 0; i < b->exclude.n; i++)
			if (str_glob(b->exclude.v[i], name))
				return true;
		char *slash = strrchr(name, '/');
		if (slash == NULL)
			return false;
		*slash = '\0';
	}
}

/* "zfs-auto-snap_hourly-2026-…": is it of that label?  All three known forms of the time behind it
 * (-HHhMM, -HHhMMU, -HHMM) begin with the year. */
static bool has_label(const char *snap, const char *label)
{
	size_t n = strlen(label);

	if (strncmp(snap, prefix, sizeof(prefix) - 1) != 0)
		return false;
	snap += sizeof(prefix) - 1;
	return strncmp(snap, label, n) == 0 && snap[n] == '-' && snap[n + 1] >= '0' && snap[n + 1] <= '9';
}

/* The number of the period that t lies in. */
static int64_t period(const struct snapshot_label *l, int64_t t)
{
	enum { WEEK = 7 * 86400, MONTH = 30 * 86400, YEAR = 365 * 86400, MONDAY = 4 * 86400 };
	struct civil c = civil_of(t);

	if (l->every_s >= YEAR)
		return c.year;
	if (l->every_s >= MONTH)
		return (int64_t)c.year * 12 + c.month;
	/* 1970-01-01 was a Thursday; 5 January was a Monday. */
	return l->every_s == WEEK ? (t - MONDAY) / WEEK : t / l->every_s;
}

static bool name_taken(const struct side_state *s, const struct strings *datasets, const char *name)
{
	for (size_t i = 0; i < datasets->n; i++) {
		const struct dataset *d = side_find(s, datasets->v[i]);
		for (size_t k = 0; k < d->points.n; k++)
			if (d->points.v[k].kind == POINT_SNAPSHOT && strcmp(d->points.v[k].name, name) == 0)
				return true;
	}
	return false;
}

static const struct point *newest_of(const struct dataset *d, const char *label)
{
	for (size_t i = d->points.n; i > 0; i--)
		if (d->points.v[i - 1].kind == POINT_SNAPSHOT && has_label(d->points.v[i - 1].name, label))
			return &d->points.v[i - 1];
	return NULL;
}

void snapshot_plan(const struct config *c, const struct backup *b, const struct side_state *source, int64_t now,
		   struct arena *a, struct plan *out)
{
	const struct dataset *root = side_find(source, b->source);
	struct strings datasets = {0};
	struct civil t = civil_of(now);

	if (root == NULL)
		return;
	for (size_t i = 0; i < source->datasets.n; i++)
		if (!backup_excludes(b, source->datasets.v[i].name))
			*vec_add(&datasets, a) = source->datasets.v[i].name;
	for (size_t i = 0; i < c->snapshots.n && datasets.n > 0; i++) {
		const struct snapshot_label *l = &c->snapshots.v[i];
		const struct point *last = newest_of(root, l->name);
		char when[CIVIL_TEXT];
		if (l->keep == 0 || (last != NULL && period(l, last->creation) >= period(l, now)))
			continue;
		const char *name = arena_printf(a, "%s%s-%04d-%02d-%02d-%02dh%02dU", prefix, l->name, t.year, t.month,
						t.day, t.hour, t.minute);
		const char *free_name = name;
		for (int k = 2; name_taken(source, &datasets, free_name); k++)
			free_name = arena_printf(a, "%s-%d", name, k);
		*vec_add(&out->snaps, a) = (struct snap_step){
		    .label = l->name,
		    .name = free_name,
		    .datasets = datasets,
		    .reason = last == NULL ? arena_printf(a, "there is no %s snapshot yet", l->name)
					   : arena_printf(a, "the last %s one is of %s", l->name,
							  civil_show(last->creation, when)),
		};
	}
}

struct side_state snapshot_foresee(const struct plan *p, const struct side_state *source, struct arena *a)
{
	struct side_state s = *source;
	uint64_t guid = 1;

	s.datasets = (struct datasets){0};
	for (size_t i = 0; i < source->datasets.n; i++) {
		struct dataset *d = vec_add(&s.datasets, a);
		*d = source->datasets.v[i];
		d->points = (struct points){0};
		uint64_t txg = 0;
		for (size_t k = 0; k < source->datasets.v[i].points.n; k++) {
			const struct point *old = &source->datasets.v[i].points.v[k];
			*vec_add(&d->points, a) = *old;
			txg = old->createtxg > txg ? old->createtxg : txg;
		}
		for (size_t n = 0; n < p->snaps.n; n++) {
			const struct snap_step *step = &p->snaps.v[n];
			for (size_t k = 0; k < step->datasets.n; k++) {
				if (strcmp(step->datasets.v[k], d->name) != 0)
					continue;
				while (dataset_snapshot_by_guid(d, guid) != NULL)
					guid++;
				*vec_add(&d->points, a) = (struct point){
				    .name = step->name, .guid = guid++, .createtxg = ++txg, .creation = p->now};
			}
		}
	}
	return s;
}
