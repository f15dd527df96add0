#include "plan/deal_plan.h"

/* What a stream costs beside its bytes, and what a channel must have to do, in bytes. */
#define STREAM_COST  ((uint64_t)2 << 20)
#define CHANNEL_COST ((uint64_t)16 << 20)

/* Streams that must go one after the other: known by the first of them. */
struct group {
	size_t first;
	uint64_t weight;
};

struct place {
	const char *target;
	size_t at;
};

struct dealing {
	const struct send_steps *sends;
	struct place *places; /* by target, then in order */
	size_t *joined;	      /* of each step, one of its group before it, or itself */
};

static int by_target(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	int name = strcmp(a->target, b->target);

	return name != 0 ? name : a->at < b->at ? -1 : a->at > b->at;
}

static size_t first_of(const struct dealing *d, size_t i)
{
	while (d->joined[i] != i)
		i = d->joined[i] = d->joined[d->joined[i]];
	return i;
}

static void join(struct dealing *d, size_t a, size_t b)
{
	size_t x = first_of(d, a), y = first_of(d, b);

	d->joined[x > y ? x : y] = x > y ? y : x;
}

/* Joins step i with what is sent to the dataset of that name: the first n bytes of it. */
static void join_target(struct dealing *d, size_t i, const char *name, size_t n)
{
	size_t low = 0, high = d->sends->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strncmp(d->places[mid].target, name, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	/* Names that only begin alike sort behind it. */
	if (low < d->sends->n && strncmp(d->places[low].target, name, n) == 0 && d->places[low].target[n] == '\0')
		join(d, i, d->places[low].at);
}

static int heavy_first(const void *x, const void *y)
{
	const struct group *a = x, *b = y;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static void find_groups(struct dealing *d, struct arena *a)
{
	size_t n = d->sends->n;

	d->places = arena_alloc(a, n * sizeof(*d->places));
	d->joined = arena_alloc(a, n * sizeof(*d->joined));
	for (size_t i = 0; i < n; i++) {
		d->places[i] = (struct place){d->sends->v[i].target, i};
		d->joined[i] = i;
	}
	qsort(d->places, n, sizeof(*d->places), by_target);
	for (size_t i = 0; i < n; i++) {
		const struct send_step *s = &d->sends->v[i];
		const char *top = s->parents.n > 0 ? s->parents.v[0].dataset : s->target, *slash = strrchr(top, '/');
		join_target(d, i, s->target, strlen(s->target));
		if (send_is_first(s) && slash != NULL)
			join_target(d, i, top, (size_t)(slash - top));
		if (s->target_origin != NULL)
			join_target(d, i, s->target_origin, strcspn(s->target_origin, "@"));
	}
}

size_t sends_deal(const struct send_steps *sends, size_t limit, struct send_steps *lists, struct arena *mem)
{
	AUTO(arena) struct arena a = {0};
	struct dealing d = {.sends = sends};
	uint64_t load[64] = {0}, total = 0;
	size_t n = 0;

	if (sends->n == 0)
		return 0;
	find_groups(&d, &a);
	struct group *groups = arena_alloc(&a, sends->n * sizeof(*groups));
	size_t *group_at = arena_alloc(&a, sends->n * sizeof(*group_at));
	for (size_t i = 0; i < sends->n; i++) {
		const struct send_step *s = &sends->v[i];
		uint64_t weight = STREAM_COST + (s->bytes > 0 ? s->bytes : s->size);
		size_t first = first_of(&d, i);
		if (first == i) {
			group_at[i] = n;
			groups[n++] = (struct group){.first = i};
		}
		groups[group_at[first]].weight += weight;
		total += weight;
	}
	limit = limit < ARRAY_LEN(load) ? limit : ARRAY_LEN(load);
	limit = limit < n ? limit : n;
	limit = limit < total / CHANNEL_COST ? limit : total / CHANNEL_COST;
	limit = limit > 0 ? limit : 1;
	qsort(groups, n, sizeof(*groups), heavy_first);
	for (size_t g = 0; g < n; g++) {
		size_t least = 0;
		for (size_t k = 1; k < limit; k++)
			least = load[k] < load[least] ? k : least;
		load[least] += groups[g].weight;
		group_at[groups[g].first] = least; /* from here on the list it is in */
	}
	memset(lists, 0, limit * sizeof(*lists));
	for (size_t i = 0; i < sends->n; i++)
		*vec_add(&lists[group_at[first_of(&d, i)]], mem) = sends->v[i];
	return limit;
}
