#include "plan/move_plan.h"

#include "base/num.h"

struct planning {
	const struct side_state *from, *to;
	size_t from_pool, to_pool; /* the lengths of their roots' names */
	struct arena *a;
	struct move *m;
	bool *sent; /* of each dataset of from: it will be there */
	bool *gone; /* of each dataset of to: it is destroyed, and what lies below it */
	size_t ngone;
};

/* The name that something has in the other pool. */
static const char *there(const struct planning *p, const char *name)
{
	return arena_printf(p->a, "%s%s", p->to->root, name + p->from_pool);
}

static const char *back(const struct planning *p, const char *name)
{
	return arena_printf(p->a, "%s%s", p->from->root, name + p->to_pool);
}

static const char *point_of(const struct planning *p, const char *dataset, const char *snapshot)
{
	return arena_printf(p->a, "%s@%s", dataset, snapshot);
}

static struct move_step *add(struct planning *p, enum move_kind kind, const char *from, const char *to)
{
	struct move_step *s = vec_add(&p->m->steps, p->a);

	*s = (struct move_step){.kind = kind, .from = from, .to = to};
	/* That a property is not as it was is no reason to go on with the old disk. */
	p->m->same &= kind == MOVE_SET;
	return s;
}

/* The snapshots alone, oldest first. */
static struct points snapshots_of(const struct dataset *d, struct arena *a)
{
	struct points v = {0};

	for (size_t i = 0; d != NULL && i < d->points.n; i++)
		if (d->points.v[i].kind == POINT_SNAPSHOT)
			*vec_add(&v, a) = d->points.v[i];
	return v;
}

/* A first copy that was cut is none yet: nothing can be read from it, and the next backup begins it anew.  A stand-in
 * is one meanwhile. */
static bool is_none(const struct dataset *f)
{
	return f == NULL || (f->resume.token != NULL && dataset_newest(f) == NULL && !f->placeholder);
}

/* --- what goes --------------------------------------------------------------------------------------------- */

/* Is what is there the beginning of what it is to become, but for snapshots that are gone here by now? */
static bool begins(const struct dataset *from, const struct dataset *to, struct arena *a)
{
	struct points want = snapshots_of(from, a), has = snapshots_of(to, a);
	size_t n = 0;

	if (from->type != to->type)
		return false;
	for (size_t i = 0; i < has.n; i++) {
		if (dataset_snapshot_by_guid(from, has.v[i].guid) == NULL)
			continue;
		if (n == want.n || want.v[n].guid != has.v[i].guid)
			return false;
		n++;
	}
	/* None of what it has is left: what comes first would not fit onto it. */
	return n > 0 || to->points.n == 0 || want.n == 0;
}

static bool goes(const struct planning *p, const char *name)
{
	for (size_t i = 0; i < p->to->datasets.n && p->ngone > 0; i++)
		if (p->gone[i] && dataset_is_under(name, p->to->datasets.v[i].name))
			return true;
	return false;
}

static void plan_gone(struct planning *p)
{
	for (size_t i = 0; i < p->to->datasets.n; i++) {
		const struct dataset *t = &p->to->datasets.v[i];
		const char *name = back(p, t->name);
		const struct dataset *f = side_find(p->from, name);
		if (!goes(p, t->name) && (is_none(f) || !begins(f, t, p->a))) {
			p->gone[i] = true;
			p->ngone++;
			(void)add(p, MOVE_DESTROY, name, t->name);
		}
	}
}

static void plan_prunes(struct planning *p, const struct dataset *f, const struct dataset *t)
{
	struct points has = snapshots_of(t, p->a);

	for (size_t k = 0; k < has.n; k++)
		if (dataset_snapshot_by_guid(f, has.v[k].guid) == NULL)
			(void)add(p, MOVE_PRUNE, point_of(p, f->name, has.v[k].name),
				  point_of(p, t->name, has.v[k].name));
}

/* --- what is set ------------------------------------------------------------------------------------------- */

/* A stream brings these along, or they are the pool's own affair. */
static bool is_carried(const char *property)
{
	static const char *const names[] = {"volsize",	   "volblocksize", "encryption",
					    "keylocation", "keyformat",	   "pbkdf2iters"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], property) == 0)
			return true;
	return false;
}

static const struct properties *settable(const struct dataset *d, struct arena *a)
{
	struct properties *v = arena_new(a, struct properties);

	for (size_t i = 0; i < d->properties.n; i++)
		if (!is_carried(d->properties.v[i].name))
			*vec_add(v, a) = d->properties.v[i];
	return v;
}

static const char *value_of(const struct dataset *d, const char *name)
{
	for (size_t i = 0; i < d->properties.n; i++)
		if (strcmp(d->properties.v[i].name, name) == 0)
			return d->properties.v[i].value;
	return NULL;
}

/* What was set here since it came there.  A mountpoint that is set may be mounted at once, in the other's place. */
static void plan_set(struct planning *p, const struct dataset *f, const struct dataset *t)
{
	const struct properties *want = settable(f, p->a), *has = settable(t, p->a);

	for (size_t i = 0; i < want->n; i++) {
		const char *now = value_of(t, want->v[i].name);
		if (strcmp(want->v[i].name, "mountpoint") != 0 && (now == NULL || strcmp(now, want->v[i].value) != 0))
			add(p, MOVE_SET, f->name, t->name)->property = want->v[i];
	}
	for (size_t i = 0; i < has->n; i++)
		if (strcmp(has->v[i].name, "mountpoint") != 0 && value_of(f, has->v[i].name) == NULL)
			add(p, MOVE_SET, f->name, t->name)->property = (struct property){has->v[i].name, NULL};
}

/* --- what comes -------------------------------------------------------------------------------------------- */

static struct send_step *send(struct planning *p, const struct dataset *f, enum move_kind kind, enum send_kind how)
{
	struct send_step *s = &add(p, kind, f->name, there(p, f->name))->send;

	*s = (struct send_step){.kind = how,
				.source = f->name,
				.target = there(p, f->name),
				.raw = true,
				.is_volume = f->type == DATASET_VOLUME};
	return s;
}

/* NULL: it is the pool's own. */
static const struct dataset *parent_of(const struct planning *p, const struct dataset *f)
{
	const char *slash = strrchr(f->name, '/');

	return slash == NULL ? NULL : side_find(p->from, arena_strndup(p->a, f->name, (size_t)(slash - f->name)));
}

/* Below what is encrypted, and not encrypted itself: or else it would be with a key that nobody has there. */
static bool is_open(const struct planning *p, const struct dataset *f)
{
	const struct dataset *parent = parent_of(p, f);

	return parent != NULL && parent->encrypted && !f->encrypted;
}

/* What a clone is of, if that will be there when it is its turn; or NULL. */
static const struct point *origin_of(const struct planning *p, const struct dataset *f)
{
	size_t at = f->origin == NULL ? 0 : strcspn(f->origin, "@");
	const struct dataset *of = at == 0 ? NULL : side_find(p->from, arena_strndup(p->a, f->origin, at));

	return of == NULL || !p->sent[of - p->from->datasets.v] ? NULL
								: dataset_snapshot_by_name(of, f->origin + at + 1);
}

static void send_first(struct planning *p, const struct dataset *f, const struct dataset *t, const struct point *first,
		       const struct point *origin)
{
	struct send_step *s =
	    send(p, f, first == NULL ? MOVE_WHOLE : MOVE_SEND, origin != NULL ? SEND_CLONE : SEND_FULL);

	if (first != NULL)
		s->to = *first;
	s->properties = settable(f, p->a);
	s->open = is_open(p, f);
	s->replaces = t != NULL;
	if (origin != NULL) {
		s->base = *origin;
		s->origin = f->origin;
		s->target_origin = there(p, f->origin);
	}
}

static void send_rest(struct planning *p, const struct dataset *f, const struct point *base, const struct point *to)
{
	struct send_step *s = send(p, f, MOVE_SEND, SEND_INTERMEDIATE);

	s->base = *base;
	s->to = *to;
}

/* false: it waits for its origin, or for what it lies below. */
static bool plan_dataset(struct planning *p, const struct dataset *f, bool wait)
{
	const struct dataset *parent = parent_of(p, f);
	const char *name = there(p, f->name);
	const struct dataset *t = goes(p, name) ? NULL : side_find(p->to, name);
	struct points want = snapshots_of(f, p->a);
	const struct point *last = NULL;

	if (is_none(f))
		return true;
	if (wait && parent != NULL && !p->sent[parent - p->from->datasets.v])
		return false;
	if (t != NULL && t->resume.token != NULL) {
		struct send_step *s = send(p, f, MOVE_SEND, SEND_RESUME);
		s->token = t->resume.token;
		s->properties = dataset_newest(t) == NULL ? settable(f, p->a) : NULL;
		return true;
	}
	for (size_t i = 0; t != NULL && i < want.n && dataset_snapshot_by_guid(t, want.v[i].guid) != NULL; i++)
		last = &want.v[i];
	if (last == NULL && (t == NULL || want.n > 0)) {
		bool clone = f->origin != NULL && want.n > 0 && t == NULL;
		const struct point *origin = clone ? origin_of(p, f) : NULL;
		if (clone && wait && origin == NULL)
			return false;
		last = want.n > 0 ? &want.v[0] : NULL;
		send_first(p, f, t, last, origin);
	} else if (t != NULL) {
		plan_set(p, f, t);
	}
	if (want.n > 0 && last != &want.v[want.n - 1])
		send_rest(p, f, last, &want.v[want.n - 1]);
	return true;
}

/* Those that are clones when their origins are there; of what never finds it the whole is sent. */
static void plan_sends(struct planning *p)
{
	size_t n = p->from->datasets.n;

	for (size_t left = n, before = n + 1; left > 0;) {
		bool wait = left < before;
		before = left;
		for (size_t i = 0; i < n; i++) {
			if (p->sent[i] || !plan_dataset(p, &p->from->datasets.v[i], wait))
				continue;
			p->sent[i] = true;
			left--;
		}
	}
}

/* --- what stands on snapshots ------------------------------------------------------------------- */

static void plan_points(struct planning *p, const struct dataset *f, const struct dataset *t)
{
	for (size_t i = 0; i < f->points.n; i++) {
		const struct point *want = &f->points.v[i];
		const struct point *has = dataset_snapshot_by_guid(t, want->guid);
		if (want->kind == POINT_SNAPSHOT) {
			if (has != NULL && has->userrefs < want->userrefs)
				(void)add(p, MOVE_HOLD, point_of(p, f->name, want->name),
					  point_of(p, t->name, has->name));
			continue;
		}
		bool is = false;
		for (size_t k = 0; k < t->points.n; k++)
			is |= t->points.v[k].kind == POINT_BOOKMARK && strcmp(t->points.v[k].name, want->name) == 0;
		if (!is && has != NULL)
			add(p, MOVE_BOOKMARK, point_of(p, t->name, has->name), t->name)->bookmark = want->name;
		p->m->lost += !is && dataset_snapshot_by_guid(f, want->guid) == NULL;
	}
}

void move_plan(const struct side_state *from, const struct side_state *to, struct arena *a, struct move *m)
{
	struct planning p = {.from = from,
			     .to = to,
			     .from_pool = strlen(from->root),
			     .to_pool = strlen(to->root),
			     .a = a,
			     .m = m,
			     .sent = arena_alloc(a, from->datasets.n + 1),
			     .gone = arena_alloc(a, to->datasets.n + 1)};

	*m = (struct move){.same = from->seen && to->seen && from->root_exists && to->root_exists};
	plan_gone(&p);
	for (size_t i = 0; i < from->datasets.n; i++) {
		const struct dataset *f = &from->datasets.v[i];
		const char *name = there(&p, f->name);
		const struct dataset *t = goes(&p, name) ? NULL : side_find(to, name);
		if (t == NULL)
			continue;
		/* In this order: a bookmark may be of a snapshot that goes. */
		plan_points(&p, f, t);
		plan_prunes(&p, f, t);
	}
	plan_sends(&p);
}

/* --- whether it can be ------------------------------------------------------------------------------------- */

enum { EMPTY_MOST = 1 << 20 }; /* bytes that a dataset without files refers to */

/* What ZFS keeps for itself (spa_get_slop_space in module/zfs/spa_misc.c), its labels, and what does not fill a
 * metaslab. */
uint64_t move_room(uint64_t disk)
{
	const uint64_t mib = 1 << 20, least = 128 * mib, most = 128 * 1024 * mib;
	uint64_t slop = disk / 32;

	slop = slop < least ? least : slop > most ? most : slop;
	uint64_t kept = slop + disk / 100 + 16 * mib;
	return disk < kept ? 0 : disk - kept;
}

const char *move_refused(const struct side_state *from, uint64_t disk, struct arena *a, const char **hint)
{
	const struct dataset *root = side_find(from, from->root);
	char used[NUM_TEXT], room[NUM_TEXT], whole[NUM_TEXT];

	for (size_t i = 0; i < from->datasets.n; i++) {
		const struct dataset *d = &from->datasets.v[i];
		const struct point *newest = dataset_newest(d);
		if (newest == NULL || d->written == 0)
			continue;
		*hint = arena_printf(a, "as root there: zfs snapshot '%s@NAME', or zfs rollback '%s@%s', then again",
				     d->name, d->name, newest->name);
		return arena_printf(a, "%s of '%s' are in none of its snapshots", num_show_bytes(d->written, used),
				    d->name);
	}
	if (root != NULL && dataset_newest(root) == NULL && root->referenced > EMPTY_MOST) {
		*hint = arena_printf(a, "as root there: zfs snapshot '%s@NAME'", root->name);
		return arena_printf(a, "%s of '%s' are in no snapshot", num_show_bytes(root->referenced, used),
				    root->name);
	}
	if (root != NULL && root->encrypted) {
		*hint = "only the datasets below it can be: make another volume, with a name of its own";
		return arena_printf(a, "the dataset '%s' itself is encrypted", root->name);
	}
	if (root == NULL || root->used <= move_room(disk))
		return NULL;
	*hint = "a larger size, or fewer snapshots: keep in the backup's block";
	return arena_printf(a, "its pool has %s, and of %s a pool can hold %s", num_show_bytes(root->used, used),
			    num_show_bytes(disk, whole), num_show_bytes(move_room(disk), room));
}
