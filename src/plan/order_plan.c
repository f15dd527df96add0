#include "plan/order_plan.h"

/* Where room is short, what is new of the datasets that are there goes first, and one big first copy must
 * not keep the small ones out. */
static int in_order(const void *x, const void *y)
{
	const struct send_step *a = x, *b = y;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	int name = strcmp(a->source, b->source);
	if (name != 0)
		return name;
	return a->to.createtxg < b->to.createtxg ? -1 : a->to.createtxg > b->to.createtxg;
}

static bool has_send(const struct side_state *s, const bool *waiting, const char *name)
{
	const struct dataset *d = side_find(s, name);
	return d != NULL && waiting[d - s->datasets.v];
}

/* Anything that a dataset lies below. */
static bool above_waits(const struct side_state *s, const bool *waiting, const char *name, struct arena *a)
{
	char *above = arena_strdup(a, name);

	for (char *slash; (slash = strrchr(above, '/')) != NULL;) {
		*slash = '\0';
		if (has_send(s, waiting, above))
			return true;
	}
	return false;
}

/* What a first copy lies below, and what it is a clone of, go before it; else the order stays. */
static void origins_first(const struct side_state *s, struct send_steps *sends, struct arena *mem)
{
	struct send_steps sorted = {0};
	bool *waiting = arena_alloc(mem, s->datasets.n + 1), *done = arena_alloc(mem, sends->n + 1);

	for (size_t i = 0; i < sends->n; i++)
		waiting[side_find(s, sends->v[i].source) - s->datasets.v] = true;
	while (sorted.n < sends->n) {
		size_t before = sorted.n, first_clone = SIZE_MAX;
		for (size_t i = 0, next; i < sends->n; i = next) {
			const struct send_step *first = &sends->v[i];
			AUTO(arena) struct arena a = {0};
			for (next = i + 1; next < sends->n && strcmp(sends->v[next].source, first->source) == 0;)
				next++;
			char *origin = arena_strdup(&a, first->origin == NULL ? "" : first->origin);
			origin[strcspn(origin, "@")] = '\0';
			if (done[i])
				continue;
			if ((send_is_first(first) && above_waits(s, waiting, first->source, &a)) ||
			    has_send(s, waiting, origin)) {
				if (first->kind == SEND_CLONE && first_clone == SIZE_MAX)
					first_clone = i;
				continue;
			}
			done[i] = true;
			waiting[side_find(s, first->source) - s->datasets.v] = false;
			for (size_t k = i; k < next; k++)
				*vec_add(&sorted, mem) = sends->v[k];
		}
		/* What it is a clone of lies below it, perhaps by way of others: then one of them goes whole. */
		if (sorted.n == before) {
			struct send_step *whole = &sends->v[first_clone];
			whole->kind = SEND_FULL;
			whole->origin = whole->target_origin = NULL;
			whole->base = (struct point){0};
			whole->reason = "the target has neither it nor what it is a clone of";
		}
	}
	*sends = sorted;
}

void sends_order(const struct side_state *source, struct send_steps *sends, struct arena *a)
{
	if (sends->n > 1)
		qsort(sends->v, sends->n, sizeof(sends->v[0]), in_order);
	/* Without clones the sizes see to it: a parent's counts in those of its children. */
	for (size_t i = 0; i < sends->n; i++)
		if (sends->v[i].kind == SEND_CLONE) {
			origins_first(source, sends, a);
			return;
		}
}
