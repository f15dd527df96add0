#include "plan/lean_plan.h"

enum { ALL = 0 };

struct leaning {
	const struct side_state *side;
	struct arena *a;
	struct point_refs *out;
};

static void lean(const struct leaning *l, const char *dataset, uint64_t guid)
{
	const struct dataset *d = side_find(l->side, dataset);

	for (size_t i = 0; d != NULL && i < d->points.n; i++)
		if (d->points.v[i].recalled && (guid == ALL || d->points.v[i].guid == guid))
			*vec_add(l->out, l->a) = (struct point_ref){d, &d->points.v[i]};
}

/* A bookmark of ours stands where the hold is that may have to go. */
static void lean_on_bookmarked(const struct leaning *l, const char *dataset)
{
	const struct dataset *d = side_find(l->side, dataset);

	for (size_t i = 0; d != NULL && i < d->points.n; i++)
		if (d->points.v[i].kind == POINT_BOOKMARK)
			lean(l, dataset, d->points.v[i].guid);
}

static void lean_on_origin(const struct leaning *l, const char *snapshot, uint64_t guid)
{
	lean(l, arena_strndup(l->a, snapshot, strcspn(snapshot, "@")), guid);
}

static int by_address(const void *a, const void *b)
{
	const struct point_ref *x = a, *y = b;

	return (x->point > y->point) - (x->point < y->point);
}

static void each_once(struct point_refs *refs)
{
	size_t n = 0;

	if (refs->n > 1)
		qsort(refs->v, refs->n, sizeof(refs->v[0]), by_address);
	for (size_t i = 0; i < refs->n; i++)
		if (n == 0 || refs->v[n - 1].point != refs->v[i].point)
			refs->v[n++] = refs->v[i];
	refs->n = n;
}

void plan_leans_on(const struct backup *b, const struct plan *p, const struct side_state *source,
		   const struct side_state *target, struct arena *a, struct point_refs *of_source,
		   struct point_refs *of_target)
{
	const struct leaning here = {source, a, of_source}, there = {target, a, of_target};
	size_t below = strlen(b->dest) + 1;

	for (size_t i = 0; i < p->skips.n; i++) {
		const struct skip *s = &p->skips.v[i];
		lean(&here, s->source, s->newest.guid);
		lean_on_bookmarked(&here, s->source);
		lean(&there, arena_printf(a, "%s/%s", b->dest, s->source), s->newest.guid);
	}
	for (size_t i = 0; i < p->sends.n; i++) {
		const struct send_step *s = &p->sends.v[i];
		lean(&here, s->source, s->to.guid);
		lean_on_bookmarked(&here, s->source);
		if (s->kind == SEND_CLONE) {
			lean_on_origin(&here, s->origin, s->base.guid);
			lean_on_origin(&there, s->target_origin, s->base.guid);
		} else if (s->base.guid != 0) {
			lean(&here, s->source, s->base.guid);
			lean(&there, s->target, s->base.guid);
		}
	}
	for (size_t i = 0; i < p->conflicts.n; i++) {
		lean(&here, p->conflicts.v[i].source, ALL);
		lean(&there, p->conflicts.v[i].target, ALL);
	}
	for (size_t i = 0; i < p->aborts.n; i++)
		lean(&here, p->aborts.v[i].dataset + below, ALL);
	for (size_t i = 0; i < p->renames.n; i++) {
		lean(&here, p->renames.v[i].source, ALL);
		lean(&there, p->renames.v[i].dataset, ALL);
	}
	each_once(of_source);
	each_once(of_target);
}
