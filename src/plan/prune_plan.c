/* From verdicts to as few commands as there can be. */
#include "base/str.h"
#include "plan/retain_plan.h"

enum { NAMES_MAX = 500 }; /* in one command */

/* A snapshot's name, and where it is to be destroyed. */
struct entry {
	const char *name;
	const char *first; /* dataset; the first root_len bytes are the place above all that lose it */
	size_t root_len, drops;
	bool blocked; /* something below that place keeps it */
	size_t step;  /* in out, for one that goes in one go */
};

struct entries {
	struct entry *v;
	size_t size, n; /* size is a power of two */
};

/* The place of a name: its entry, or the empty one where it would go. */
static struct entry *find(const struct entries *e, const char *name)
{
	for (size_t i = (size_t)str_hash(name, STR_HASH_INIT) & (e->size - 1);; i = (i + 1) & (e->size - 1))
		if (e->v[i].name == NULL || strcmp(e->v[i].name, name) == 0)
			return &e->v[i];
}

static struct entries make(size_t n, struct arena *a)
{
	struct entries e = {.size = 16};

	while (e.size < 2 * n)
		e.size *= 2;
	e.v = arena_alloc(a, e.size * sizeof(*e.v));
	return e;
}

/* How long the deepest place is that both lie in or are. */
static size_t common_place(const char *a, size_t n, const char *b)
{
	size_t i = 0, last = 0;

	while (i < n && b[i] != '\0' && a[i] == b[i])
		if (a[i++] == '/')
			last = i - 1;
	bool ends_a = i == n, ends_b = b[i] == '\0';
	if ((ends_a && (ends_b || b[i] == '/')) || (ends_b && a[i] == '/'))
		return i;
	return last;
}

static bool lies_in(const struct entry *e, const char *dataset)
{
	return strncmp(dataset, e->first, e->root_len) == 0 &&
	       (dataset[e->root_len] == '\0' || dataset[e->root_len] == '/');
}

/* One for all names that go below the same place. */
static struct prune_step *step_below(struct entry *e, struct arena *a, struct prune_steps *out, size_t first)
{
	for (size_t i = out->n; i > first; i--) {
		struct prune_step *s = &out->v[i - 1];
		if (s->below && strlen(s->dataset) == e->root_len && strncmp(s->dataset, e->first, e->root_len) == 0 &&
		    s->snapshots.n < NAMES_MAX) {
			e->step = i - 1;
			return s;
		}
	}
	e->step = out->n;
	struct prune_step *s = vec_add(out, a);
	*s = (struct prune_step){.dataset = arena_strndup(a, e->first, e->root_len), .below = true};
	return s;
}

static void add_single(const struct dataset *d, const char *name, struct arena *a, struct prune_steps *out)
{
	size_t n = out->n;

	if (n == 0 || out->v[n - 1].below || out->v[n - 1].dataset != d->name || out->v[n - 1].snapshots.n >= NAMES_MAX)
		*vec_add(out, a) = (struct prune_step){.dataset = d->name};
	*vec_add(&out->v[out->n - 1].snapshots, a) = name;
}

void prune_plan_each(const struct verdicts *v, struct arena *a, struct prune_steps *out)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].why == DROP)
			add_single(v->v[i].dataset, v->v[i].point->name, a, out);
}

void prune_plan(const struct verdicts *v, struct arena *a, struct prune_steps *out)
{
	size_t drops = 0, first = out->n;

	for (size_t i = 0; i < v->n; i++)
		drops += v->v[i].why == DROP;
	if (drops == 0)
		return;
	struct entries entries = make(drops, a);
	for (size_t i = 0; i < v->n; i++) {
		const char *dataset = v->v[i].dataset->name;
		if (v->v[i].why != DROP)
			continue;
		struct entry *e = find(&entries, v->v[i].point->name);
		if (e->name == NULL)
			*e = (struct entry){v->v[i].point->name, dataset, strlen(dataset), 0, false, 0};
		e->root_len = common_place(e->first, e->root_len, dataset);
		e->drops++;
	}
	for (size_t i = 0; i < v->n; i++) {
		if (v->v[i].why == DROP)
			continue;
		struct entry *e = find(&entries, v->v[i].point->name);
		if (e->name != NULL && lies_in(e, v->v[i].dataset->name))
			e->blocked = true;
	}
	/* Newest verdicts come first in each dataset; that is as good an order as any. */
	for (size_t i = 0; i < v->n; i++) {
		const struct dataset *d = v->v[i].dataset;
		if (v->v[i].why != DROP)
			continue;
		struct entry *e = find(&entries, v->v[i].point->name);
		bool below = e->drops > 1 && !e->blocked && e->root_len > 0;
		struct prune_step *s;
		if (below && e->first == d->name) {
			s = step_below(e, a, out, first);
			*vec_add(&s->snapshots, a) = e->name;
		} else if (!below) {
			add_single(d, e->name, a, out);
			continue;
		}
		struct strings *each = &out->v[e->step].each;
		if (each->n == 0 || each->v[each->n - 1] != d->name)
			*vec_add(each, a) = d->name;
	}
}
