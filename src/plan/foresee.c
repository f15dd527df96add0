#include "plan/foresee.h"

struct side_state foresee_copy(const struct side_state *s, struct arena *a)
{
	struct side_state copy = *s;

	copy.datasets = (struct datasets){0};
	for (size_t i = 0; i < s->datasets.n; i++) {
		struct dataset *d = vec_add(&copy.datasets, a);
		*d = s->datasets.v[i];
		d->points = (struct points){0};
		if (s->datasets.v[i].points.n == 0)
			continue;
		d->points.cap = s->datasets.v[i].points.n + 8;
		d->points.v = arena_alloc(a, d->points.cap * sizeof(struct point));
		d->points.n = s->datasets.v[i].points.n;
		memcpy(d->points.v, s->datasets.v[i].points.v, d->points.n * sizeof(struct point));
	}
	return copy;
}

static struct dataset *find(struct side_state *s, const char *name)
{
	return (struct dataset *)(uintptr_t)side_find(s, name);
}

static void add(struct dataset *d, struct point p, struct arena *a)
{
	p.createtxg = d->points.n == 0 ? 1 : d->points.v[d->points.n - 1].createtxg + 1;
	p.userrefs = 0;
	*vec_add(&d->points, a) = p;
}

void foresee_snaps(struct side_state *s, const struct snap_steps *steps, int64_t now, uint64_t *guid, struct arena *a)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct snap_step *step = &steps->v[i];
		for (size_t k = 0; k < step->datasets.n; k++) {
			struct dataset *d = find(s, step->datasets.v[k]);
			if (d != NULL)
				add(d, (struct point){.name = step->name, .guid = (*guid)++, .creation = now}, a);
		}
	}
}

static void drop(struct dataset *d, const struct strings *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->points.n; i++) {
		bool goes = false;
		for (size_t k = 0; k < names->n && d->points.v[i].kind == POINT_SNAPSHOT && !goes; k++)
			goes = strcmp(d->points.v[i].name, names->v[k]) == 0;
		if (!goes)
			d->points.v[kept++] = d->points.v[i];
	}
	d->points.n = kept;
}

void foresee_prunes(struct side_state *s, const struct prune_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct prune_step *step = &steps->v[i];
		struct dataset *d = find(s, step->dataset);
		if (!step->below && d != NULL)
			drop(d, &step->snapshots);
		for (size_t k = 0; step->below && k < s->datasets.n; k++)
			if (dataset_is_under(s->datasets.v[k].name, step->dataset))
				drop(&s->datasets.v[k], &step->snapshots);
	}
}

static struct dataset *make(struct side_state *s, const char *name, const struct dataset *like, struct arena *a)
{
	struct dataset *d = find(s, name);

	if (d != NULL)
		return d;
	*vec_add(&s->datasets, a) =
	    (struct dataset){.name = name, .type = like->type, .encrypted = like->encrypted, .guid = like->guid};
	side_sort(s);
	return find(s, name);
}

void foresee_sends(struct side_state *target, const struct side_state *source, const struct plan *p, struct arena *a)
{
	for (size_t i = 0; i < p->sends.n; i++) {
		const struct send_step *step = &p->sends.v[i];
		const struct dataset *from = side_find(source, step->source);
		struct dataset *to = make(target, step->target, from, a);
		bool between = step->kind != SEND_INTERMEDIATE;
		to->resume = (struct resume){0};
		for (size_t k = 0; k < from->points.n; k++) {
			const struct point *point = &from->points.v[k];
			if (point->kind == POINT_SNAPSHOT && point->guid == step->to.guid)
				between = true;
			else if (step->kind != SEND_INTERMEDIATE)
				continue;
			if (point->kind == POINT_SNAPSHOT && between)
				add(to, *point, a);
			between |= point->guid == step->base.guid;
			if (point->guid == step->to.guid)
				break;
		}
	}
}

void foresee_marks(struct side_state *source, const struct mark_steps *steps, struct arena *a)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct mark_step *m = &steps->v[i];
		struct dataset *d = find(source, m->dataset);
		for (size_t k = 0; k < d->points.n; k++) {
			struct point *p = &d->points.v[k];
			if (strcmp(p->name, m->snapshot) != 0 ||
			    (p->kind == POINT_BOOKMARK) != (m->kind == MARK_UNBOOKMARK))
				continue;
			if (m->kind == MARK_UNBOOKMARK) {
				memmove(p, p + 1, (d->points.n - k - 1) * sizeof(*p));
				d->points.n--;
			} else if (m->kind == MARK_BOOKMARK) {
				struct point mark = *p;
				mark.kind = POINT_BOOKMARK;
				mark.name = m->bookmark;
				mark.userrefs = 0;
				*vec_add(&d->points, a) = mark;
			} else {
				p->userrefs += m->kind == MARK_HOLD ? 1 : p->userrefs > 0 ? (uint64_t)-1 : 0;
			}
			break;
		}
	}
	side_sort(source);
}

static uint64_t largest(const struct side_state *s, uint64_t most)
{
	for (size_t i = 0; i < s->datasets.n; i++)
		for (size_t k = 0; k < s->datasets.v[i].points.n; k++)
			if (s->datasets.v[i].points.v[k].guid > most)
				most = s->datasets.v[i].points.v[k].guid;
	return most;
}

uint64_t foresee_guid(const struct side_state *a, const struct side_state *b)
{
	uint64_t most = largest(b, largest(a, 0));

	/* GUIDs are random numbers of 64 bits: the largest may leave no room, but the smallest hardly are taken. */
	return most < UINT64_MAX / 2 ? most + 1 : 1;
}
