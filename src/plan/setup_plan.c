#include "plan/setup_plan.h"

#include "base/num.h"
#include "plan/cost_plan.h"

/* How a fact of what is there can become another. */
enum way { IN_PLACE, ADDED, LARGER, FILLED, AGAIN, MOVED, NEVER };

static const struct rule {
	enum resource_kind kind;
	const char *fact; /* NULL: any other */
	enum way way;
} rules[] = {
    {RESOURCE_KEY_PAIR, "key", AGAIN},	   {RESOURCE_SECURITY_GROUP, "from", IN_PLACE},
    {RESOURCE_FIREWALL, "from", IN_PLACE}, {RESOURCE_VOLUME, "GiB", LARGER},
    {RESOURCE_VOLUME, "pool", FILLED},	   {RESOURCE_VOLUME, "type", IN_PLACE},
    {RESOURCE_VOLUME, "iops", IN_PLACE},   {RESOURCE_VOLUME, "throughput", IN_PLACE},
    {RESOURCE_DATASET, NULL, ADDED},	   {RESOURCE_TRIGGER, "made by", NEVER},
    {RESOURCE_TRIGGER, NULL, IN_PLACE},	   {RESOURCE_CHECK, NULL, IN_PLACE},
};

static enum way way_of(enum resource_kind kind, const struct setup_change *c)
{
	uint64_t from, to;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *r = &rules[i];
		if (r->kind != kind || (r->fact != NULL && strcmp(r->fact, c->fact) != 0))
			continue;
		if (r->way == ADDED)
			return c->from == NULL ? IN_PLACE : NEVER;
		if (r->way == FILLED && (c->from == NULL || strcmp(c->from, RESOURCE_NO_POOL) != 0))
			return NEVER;
		if (r->way != LARGER)
			return r->way;
		bool numbers = c->from != NULL && num_u64(str_of(c->from), &from) && num_u64(str_of(c->to), &to);
		return !numbers ? NEVER : to > from ? IN_PLACE : MOVED;
	}
	return NEVER;
}

/* Only a pool can go from volume to volume. */
static bool has_pool(const struct setup_step *s)
{
	const char *want = strings_pair(&s->wanted->facts, "pool"), *has = strings_pair(&s->found->facts, "pool");

	return want != NULL && has != NULL && strcmp(want, has) == 0;
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
		if (way == MOVED && !has_pool(s))
			way = NEVER;
		in_place |= way == IN_PLACE;
		if (way > hardest)
			hardest = way;
		if (way != NEVER)
			continue;
		s->why = arena_printf(a, "its %s cannot become %s: it is %s", c.fact, c.to,
				      c.from == NULL ? "not known" : c.from);
		s->hint = s->wanted->kind == RESOURCE_TRIGGER || s->wanted->kind == RESOURCE_DATASET
			      ? "somebody made it so by hand: change it there, or give it another name there"
			  : strcmp(c.fact, "GiB") == 0
			      ? "a volume does not shrink, and dormouse moves only pools: make "
				"another, with a name of its own"
			      : "make another with a name of its own, or put back what was said";
	}
	/* What can be changed is, before its machine is started; the next look sees what is left. */
	s->kind = hardest == NEVER   ? SETUP_CANNOT
		  : hardest == MOVED ? SETUP_MOVE
		  : hardest == AGAIN ? SETUP_REPLACE
		  : in_place	     ? SETUP_CHANGE
				     : SETUP_FILL;
}

/* Is it what a new one would be?  Its pool is an affair of the move. */
static bool is_like(const struct resource *wanted, const struct resource *found)
{
	for (size_t i = 0; i + 1 < wanted->facts.n; i += 2) {
		const char *has = strings_pair(&found->facts, wanted->facts.v[i]);
		if (strcmp(wanted->facts.v[i], "pool") != 0 &&
		    (has == NULL || strcmp(has, wanted->facts.v[i + 1]) != 0))
			return false;
	}
	return true;
}

static void plan_move(struct setup_step *s, const struct resources *found, struct arena *a)
{
	for (size_t i = 0; i < found->n && s->next == NULL; i++) {
		const struct resource *f = &found->v[i];
		if (f->role == ROLE_NEXT && f->kind == s->wanted->kind && strcmp(f->name, s->wanted->name) == 0 &&
		    is_like(s->wanted, f))
			s->next = f;
	}
	s->why = s->next != NULL ? arena_printf(a, "%s is being filled with what it has", s->next->id)
				 : "another is made and filled with what it has, if that fits, and takes its place";
	s->hint = "backups go on meanwhile; the old one is kept until: dormouse apply --drop-old";
}

static const char *why_kept(const struct resource *volume, const struct price_list *list, struct arena *a)
{
	const char *type = strings_pair(&volume->facts, "type"), *size = strings_pair(&volume->facts, "GiB");
	const int64_t *price = list == NULL ? NULL : price_of(list, "volume", type == NULL ? "" : type);
	uint64_t gib;
	char text[MONEY_TEXT];

	if (price == NULL || size == NULL || !num_u64(str_of(size), &gib) || gib > UINT16_MAX * 1024ULL)
		return "it has the data";
	return arena_printf(a, "it has the data, and costs about %s a month (%s)",
			    money_show(list, *price * (int64_t)gib, text), list->place);
}

/* The same thing in another role; NULL: there is none. */
static const struct resource *like_in_role(const struct resources *found, const struct resource *r,
					   enum resource_role role)
{
	struct resource other = *r;
	const struct resource *one = NULL;

	other.role = role;
	(void)resources_like(found, &other, &one);
	return one;
}

static void plan_remove(const struct resource *f, const char *why, struct arena *a, struct setup_steps *steps)
{
	*vec_add(steps, a) = (struct setup_step){.kind = SETUP_REMOVE, .found = f, .about = f, .why = why};
}

static void plan_wanted(const struct resource *w, const struct resources *found, struct arena *a,
			struct setup_steps *steps)
{
	struct setup_step s = {.kind = SETUP_MAKE, .wanted = w};
	size_t n = resources_like(found, w, &s.found);

	if (w->cannot != NULL) {
		*vec_add(steps, a) = (struct setup_step){
		    .kind = SETUP_CANNOT, .wanted = w, .about = w, .why = w->cannot, .hint = w->way_out};
		if (n > 0 && s.found->stays == NULL)
			plan_remove(s.found, "it is not what is wanted by now, and cannot be", a, steps);
		return;
	}
	const struct resource *next = like_in_role(found, w, ROLE_NEXT);
	s.about = n > 0 ? s.found : w;
	if (n > 1) {
		s.kind = SETUP_CANNOT;
		s.why = arena_printf(a, "there are %zu of it, %s is one", n, s.found->id);
		s.hint = "nobody can tell which is the right one: look at them, and delete the others by hand";
	} else if (n == 0 && next != NULL) {
		s.kind = SETUP_CANNOT;
		s.why = arena_printf(a, "none is in use, and %s was to take the place of one", next->id);
		s.hint = "it may have the data: look at it; if so, its tag dormouse:turn must go";
	} else if (n == 1) {
		compare(&s, a);
		if (s.changes.n == 0)
			return;
		if (s.kind == SETUP_MOVE)
			plan_move(&s, found, a);
	}
	*vec_add(steps, a) = s;
}

/* What is being filled, and is not to be any more, has nothing that the one in use does not have. */
static void plan_beside(const struct resource *f, const struct resources *found, bool drop_old,
			const struct price_list *list, struct arena *a, struct setup_steps *steps)
{
	struct setup_step s = {.kind = SETUP_REMOVE, .found = f, .about = f};

	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].next == f)
			return;
	if (f->role == ROLE_NEXT && like_in_role(found, f, ROLE_NOW) == NULL) {
		s.kind = SETUP_KEEP;
		s.why = "it may have what is nowhere else";
	} else if (f->role == ROLE_NEXT) {
		s.why = "it was to take the place of the one in use, and is not wanted any more";
	} else if (!drop_old) {
		s.kind = SETUP_KEEP;
		s.why = arena_printf(a, "another has taken its place; %s", why_kept(f, list, a));
		s.hint = "dormouse apply --drop-old takes it away";
	}
	*vec_add(steps, a) = s;
}

static bool is_watch(enum resource_kind k)
{
	return k == RESOURCE_TRIGGER || k == RESOURCE_CHECK;
}

void setup_plan(const struct resources *wanted, const struct resources *found, bool drop_old,
		const struct price_list *list, struct arena *a, struct setup_steps *steps)
{
	for (enum resource_kind k = 0; k < RESOURCE_KINDS; k++)
		for (size_t i = 0; i < wanted->n; i++)
			if (wanted->v[i].kind == k)
				plan_wanted(&wanted->v[i], found, a, steps);
	for (size_t i = 0; i < found->n; i++) {
		const struct resource *ignored;
		if (found->v[i].role != ROLE_NOW) {
			plan_beside(&found->v[i], found, drop_old, list, a, steps);
			continue;
		}
		if (resources_like(wanted, &found->v[i], &ignored) > 0)
			continue;
		/* These hold nothing. */
		if (found->v[i].stays == NULL && is_watch(found->v[i].kind)) {
			plan_remove(&found->v[i], "the file does not want it any more", a, steps);
			continue;
		}
		*vec_add(steps, a) = (struct setup_step){.kind = SETUP_KEEP,
							 .found = &found->v[i],
							 .about = &found->v[i],
							 .why = "the file does not have it any more",
							 .hint = "dormouse destroy takes away what a target has"};
	}
}

void teardown_plan(const struct resources *found, bool with_data, const struct price_list *list, struct arena *a,
		   struct setup_steps *steps)
{
	for (enum resource_kind k = RESOURCE_KINDS; k-- > 0;) {
		for (size_t i = found->n; i-- > 0;) {
			const struct resource *f = &found->v[i];
			if (f->kind != k)
				continue;
			bool data = k == RESOURCE_VOLUME && !with_data, kept = data || f->stays != NULL;
			*vec_add(steps, a) =
			    (struct setup_step){.kind = kept ? SETUP_KEEP : SETUP_REMOVE,
						.found = f,
						.about = f,
						.why = data ? why_kept(f, list, a) : f->stays,
						.hint = data ? "--with-data takes it away, too" : NULL};
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
