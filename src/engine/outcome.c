#include "engine/outcome.h"

/* Where the outcome of a dataset is, or would be. */
static size_t *slot_of(const struct run *r, const char *dataset)
{
	size_t i = str_hash(dataset, STR_HASH_INIT) & (r->slots.n - 1);

	while (r->slots.v[i] != 0 && strcmp(r->outcomes.v[r->slots.v[i] - 1].dataset, dataset) != 0)
		i = (i + 1) & (r->slots.n - 1);
	return &r->slots.v[i];
}

struct outcome *outcome_find(const struct run *r, const char *dataset)
{
	size_t at = r->slots.n == 0 ? 0 : *slot_of(r, dataset);
	return at == 0 ? NULL : &r->outcomes.v[at - 1];
}

struct outcome *outcome_of(struct run *r, const char *dataset)
{
	struct outcome *o = outcome_find(r, dataset);

	if (o != NULL)
		return o;
	assert(r->outcomes.n == 0 || r->outcomes.v != NULL);
	if (2 * (r->outcomes.n + 1) > r->slots.n) {
		r->slots.n = r->slots.n == 0 ? 64 : 4 * r->slots.n;
		r->slots.v = arena_alloc(r->arena, r->slots.n * sizeof(*r->slots.v));
		for (size_t i = 0; i < r->outcomes.n; i++)
			*slot_of(r, r->outcomes.v[i].dataset) = i + 1;
	}
	*slot_of(r, dataset) = r->outcomes.n + 1;
	o = vec_add(&r->outcomes, r->arena);
	*o = (struct outcome){.dataset = dataset};
	return o;
}

void outcome_fail(struct run *r, const char *dataset, const struct err *e)
{
	struct outcome *o = outcome_of(r, dataset);

	o->err = *e;
	run_tell(r, (struct run_event){.kind = EVENT_DATASET, .stage = STAGE_SEND, .dataset = dataset, .err = e});
}
