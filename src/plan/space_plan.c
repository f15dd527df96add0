#include "plan/space_plan.h"

/* What a dataset takes up without what lies below it. */
static uint64_t own_space(const struct side_state *s, const struct dataset *d)
{
	uint64_t below = 0;
	size_t n = strlen(d->name);

	for (const struct dataset *k = d + 1; k < s->datasets.v + s->datasets.n && dataset_is_under(k->name, d->name);
	     k++)
		if (strchr(k->name + n + 1, '/') == NULL)
			below += k->used;
	return d->used > below ? d->used - below : 0;
}

uint64_t space_bound(const struct side_state *source, const struct send_steps *sends)
{
	uint64_t bound = 0;

	for (size_t i = 0; i < sends->n; i++) {
		const struct dataset *d = side_find(source, sends->v[i].source);
		if (d != NULL && (i == 0 || strcmp(sends->v[i - 1].source, sends->v[i].source) != 0))
			bound += own_space(source, d);
	}
	return bound;
}

void space_plan(const struct send_steps *sends, uint64_t available, struct arena *a, struct space_lacks *out)
{
	for (size_t i = 0, next; i < sends->n; i = next) {
		const struct send_step *s = &sends->v[i];
		uint64_t needs = 0;
		for (next = i; next < sends->n && strcmp(sends->v[next].source, s->source) == 0; next++)
			needs += sends->v[next].bytes;
		if (needs > available)
			*vec_add(out, a) = (struct space_lack){s->source, s->target, needs, available};
		else
			available -= needs;
	}
}
