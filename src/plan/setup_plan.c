#include "plan/setup_plan.h"

#include "base/num.h"
#include "plan/cost_plan.h"

/* How a fact of what is there can become another. */
enum way { IN_PLACE, LARGER, FILLED, AGAIN, NEVER };

static const struct rule {
	enum resource_kind kind;
	const char *fact;
	enum way way;
} rules[] = {
    {RESOURCE_KEY_PAIR, "key", AGAIN},	   {RESOURCE_SECURITY_GROUP, "from", IN_PLACE},
    {RESOURCE_FIREWALL, "from", IN_PLACE}, {RESOURCE_VOLUME, "GiB", LARGER},
    {RESOURCE_VOLUME, "pool", FILLED},	   {RESOURCE_VOLUME, "type", IN_PLACE},
    {RESOURCE_VOLUME, "iops", IN_PLACE},   {RESOURCE_VOLUME, "throughput", IN_PLACE},
};

static enum way way_of(enum resource_kind kind, const struct setup_change *c)
{
	uint64_t from, to;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *r = &rules[i];
		if (r->kind != kind || strcmp(r->fact, c->fact) != 0)
			continue;
		if (r->way == FILLED && (c->from == NULL || strcmp(c->from, RESOURCE_NO_POOL) != 0))
			return NEVER;
		if (r->way != LARGER)
			return r->way;
		bool numbers = c->from != NULL && num_u64(str_of(c->from), &from) && num_u64(str_of(c->to), &to);
		return numbers && to > from ? IN_PLACE : NEVER;
	}
	return NEVER;
}

static void compare(struct setup_step *s, struct arena *a)
{
	const struct strings *want = &s->wanted->facts;
	enum way hardest = IN_PLACE;
	bool in_place = false;

	for (size_t i = 0; i + 1 < want->n; i += 2) {
		struct setup_change c = {want->v[i], strings_pair(&s->found->facts, want->v[i]), want->v[i + 1]};
		if (c.from != NULL && strcmp(c.from, c.to) == 0)
			continue;
		*vec_add(&s->changes, a) = c;
		enum way way = way_of(s->wanted->kind, &c);
		in_place |= way == IN_PLACE;
		if (way > hardest)
			hardest = way;
		if (way != NEVER)
			continue;
		s->why = arena_printf(a, "its %s cannot become %s: it is %s", c.fact, c.to,
				      c.from == NULL ? "not known" : c.from);
		s->hint = strcmp(c.fact, "GiB") == 0 ? "a volume does not shrink: make another, with a name of its own"
						     : "make another with a name of its own, or put back what was said";
	}
	/* What can be changed is, before its machine is started; the next look sees what is left. */
	s->kind = hardest == NEVER   ? SETUP_CANNOT
		  : hardest == AGAIN ? SETUP_REPLACE
		  : in_place	     ? SETUP_CHANGE
				     : SETUP_FILL;
}

static void plan_wanted(const struct resource *w, const struct resources *found, struct arena *a,
			struct setup_steps *steps)
{
	struct setup_step s = {.kind = SETUP_MAKE, .wanted = w};
	size_t n = resources_like(found, w, &s.found);

	s.about = n > 0 ? s.found : w;
	if (n > 1) {
		s.kind = SETUP_CANNOT;
		s.why = arena_printf(a, "there are %zu of it, %s is one", n, s.found->id);
		s.hint = "nobody can tell which is the right one: look at them, and delete the others by hand";
	} else if (n == 1) {
		compare(&s, a);
		if (s.changes.n == 0)
			return;
	}
	*vec_add(steps, a) = s;
}

void setup_plan(const struct resources *wanted, const struct resources *found, struct arena *a,
		struct setup_steps *steps)
{
	for (enum resource_kind k = 0; k < RESOURCE_KINDS; k++)
		for (size_t i = 0; i < wanted->n; i++)
			if (wanted->v[i].kind == k)
				plan_wanted(&wanted->v[i], found, a, steps);
	for (size_t i = 0; i < found->n; i++) {
		const struct resource *ignored;
		if (resources_like(wanted, &found->v[i], &ignored) > 0)
			continue;
		*vec_add(steps, a) = (struct setup_step){.kind = SETUP_KEEP,
							 .found = &found->v[i],
							 .about = &found->v[i],
							 .why = "the file does not have it any more",
							 .hint = "dormouse destroy takes away what a target has"};
	}
}

static const char *why_kept(const struct resource *volume, struct arena *a)
{
	const char *type = strings_pair(&volume->facts, "type"), *size = strings_pair(&volume->facts, "GiB");
	const int64_t *price = type == NULL ? NULL : price_of("volume", type);
	uint64_t gib;
	char text[DOLLARS_TEXT];

	if (price == NULL || size == NULL || !num_u64(str_of(size), &gib) || gib > UINT16_MAX * 1024ULL)
		return "it has the data";
	return arena_printf(a, "it has the data, and costs about %s a month (%s)",
			    dollars_show(*price * (int64_t)gib, text), price_place);
}

void teardown_plan(const struct resources *found, bool with_data, struct arena *a, struct setup_steps *steps)
{
	for (enum resource_kind k = RESOURCE_KINDS; k-- > 0;) {
		for (size_t i = found->n; i-- > 0;) {
			const struct resource *f = &found->v[i];
			if (f->kind != k)
				continue;
			bool kept = k == RESOURCE_VOLUME && !with_data;
			*vec_add(steps, a) =
			    (struct setup_step){.kind = kept ? SETUP_KEEP : SETUP_REMOVE,
						.found = f,
						.about = f,
						.why = kept ? why_kept(f, a) : NULL,
						.hint = kept ? "--with-data takes it away, too" : NULL};
		}
	}
}

bool setup_does(const struct setup_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].kind != SETUP_KEEP && steps->v[i].kind != SETUP_CANNOT)
			return true;
	return false;
}

bool setup_cannot(const struct setup_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].kind == SETUP_CANNOT)
			return true;
	return false;
}
