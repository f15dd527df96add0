#include "plan/restore_plan.h"

#include "base/buf.h"

enum { SHOWN = 3 };

struct planning {
	const struct restore_wish *w;
	const struct side_state *home;
	struct arena *a;
	struct restore *out;
	const char *later; /* what lies below this place waits until what lies above it is there */
};

static int no_snapshot(const struct restore_wish *w, const struct dataset *d, struct arena *a, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	size_t n = 0;

	if (w->snapshot == NULL) {
		(void)err_set(e, ERR_MISSING, "'%s' has no snapshot", d->name);
		return err_hint(e, "it is only there because something lies below it: dormouse list shows what");
	}
	for (size_t i = d->points.n; i > 0 && n < SHOWN; i--)
		if (d->points.v[i - 1].kind == POINT_SNAPSHOT)
			buf_printf(&b, "%s@%s", n++ == 0 ? "" : ", ", d->points.v[i - 1].name);
	(void)err_set(e, ERR_MISSING, "'%s' has no snapshot '@%s'", d->name, w->snapshot);
	(void)err_why(e, "its newest are %s", n == 0 ? "none" : str_dup(a, buf_str(&b)));
	return err_hint(e, "dormouse list '%s' shows them all", w->was);
}

/* Where it would be mounted and who could see it: that belongs to its own place only. */
static bool is_of_the_place(const char *name)
{
	static const char *const names[] = {"mountpoint", "canmount", "sharenfs", "sharesmb"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Of the snapshot, and came with it.  What the source had last would cut a volume off that was larger then. */
static bool is_of_the_snapshot(const char *name)
{
	return strcmp(name, "volsize") == 0 || strcmp(name, "volblocksize") == 0;
}

/* A restored dataset is the source again only at its own place. */
static void put_back(struct planning *p, const struct dataset *copy, const char *home)
{
	struct restored *r = vec_add(&p->out->restored, p->a);
	const char *was = copy->name + (strlen(p->w->copy) - strlen(p->w->was));
	bool own = strcmp(was, home) == 0, canmount = false;

	*r = (struct restored){.dataset = home};
	if (!copy->has_record)
		*vec_add(&p->out->notes, p->a) = arena_printf(
		    p->a, "the properties of '%s' were not written down; it has those of its new parent", was);
	for (size_t i = 0; i < copy->recorded.n; i++) {
		const struct property *one = &copy->recorded.v[i];
		if (strncmp(one->name, "dormouse:", 9) == 0 || is_of_the_snapshot(one->name))
			continue;
		canmount |= strcmp(one->name, "canmount") == 0;
		if (own || !is_of_the_place(one->name))
			*vec_add(&r->properties, p->a) = *one;
		else
			*vec_add(&r->left, p->a) = arena_printf(p->a, "%s=%s", one->name, one->value);
	}
	r->inherit_canmount = own && !canmount && copy->type == DATASET_FILESYSTEM;
}

static const struct point *oldest(const struct dataset *d)
{
	for (size_t i = 0; i < d->points.n; i++)
		if (d->points.v[i].kind == POINT_SNAPSHOT)
			return &d->points.v[i];
	return NULL;
}

/* How many snapshots lie after base (NULL: from the beginning), up to to. */
static size_t count(const struct dataset *d, const struct point *base, const struct point *to)
{
	size_t n = 0;

	for (size_t i = 0; i < d->points.n; i++)
		n += d->points.v[i].kind == POINT_SNAPSHOT && d->points.v[i].createtxg <= to->createtxg &&
		     (base == NULL || d->points.v[i].createtxg > base->createtxg);
	return n;
}

/* From what is there, or NULL, up to to. */
static void send(struct planning *p, const struct send_step *like, const struct dataset *copy, const struct point *base,
		 const struct point *to)
{
	struct send_step *step = vec_add(&p->out->sends, p->a);

	*step = *like;
	step->kind = base == NULL ? SEND_FULL : SEND_INTERMEDIATE;
	step->base = base == NULL ? (struct point){0} : *base;
	step->to = *to;
	step->snapshots = base == NULL ? 1 : count(copy, base, to);
}

/* It exists, and is not what we would bring. */
static int in_the_way(struct planning *p, const struct dataset *there, const struct dataset *copy,
		      const struct point *to, struct err *e)
{
	if (p->w->missing) {
		*vec_add(&p->out->notes, p->a) =
		    arena_printf(p->a,
				 there->resume.token != NULL
				     ? "'%s' is half received, but not from '%s@%s': give that up (zfs receive -A)"
				     : "'%s' exists, and is left as it is: it does not have '%s@%s'",
				 there->name, copy->name, to->name);
		p->out->left++;
		return 0;
	}
	(void)err_set(e, ERR_CONFLICT, "'%s' exists, and nothing is restored over it", there->name);
	(void)err_why(
	    e, there->resume.token != NULL ? "it is half received, but not from '%s@%s'" : "it does not have '%s@%s'",
	    copy->name, to->name);
	return err_hint(e,
			there->resume.token != NULL
			    ? "give that up (zfs receive -A '%s'), or choose another name for --to"
			    : "choose another name for --to, or move it away: zfs rename '%s' '%s-old'",
			there->name, there->name);
}

/* Whether it has the key that its source had, and goes back with it; not one of the archive's own. */
static bool came_raw(const struct planning *p, const struct dataset *copy)
{
	return copy->encrypted && (copy->key_root == NULL || dataset_is_under(copy->key_root, p->w->top));
}

/* Below what comes back encrypted, with a key that is not loaded yet, only what is not encrypted can be made. */
static bool is_open(const struct planning *p, const struct side_state *archive, const struct dataset *copy)
{
	const struct dataset *above = NULL;

	if (strcmp(copy->name, p->w->copy) != 0)
		above = side_find(archive,
				  arena_strndup(p->a, copy->name, (size_t)(strrchr(copy->name, '/') - copy->name)));
	return !copy->encrypted && above != NULL && came_raw(p, above);
}

static int one(struct planning *p, const struct side_state *archive, const struct dataset *copy, struct err *e)
{
	bool open = is_open(p, archive, copy);
	const char *home = arena_printf(p->a, "%s%s", p->w->to, copy->name + strlen(p->w->copy));
	const struct dataset *there = side_find(p->home, home);
	const struct point *to =
	    p->w->snapshot == NULL ? dataset_newest(copy) : dataset_snapshot_by_name(copy, p->w->snapshot);

	if (p->later != NULL && dataset_is_under(home, p->later))
		return 0;
	if (to == NULL && copy->placeholder && p->w->below) {
		bool now = there != NULL || p->out->sends.n == 0;
		if (!now) {
			p->out->more = true;
			p->later = home;
		} else if (there == NULL) {
			*vec_add(&p->out->parents, p->a) = (struct parent_step){.dataset = home, .open = open};
		}
		return 0;
	}
	if (to == NULL && strcmp(copy->name, p->w->copy) == 0)
		return no_snapshot(p->w, copy, p->a, e);
	if (to == NULL) {
		*vec_add(&p->out->notes, p->a) = arena_printf(p->a, "'%s' has no snapshot '@%s', and is left out",
							      copy->name, p->w->snapshot == NULL ? "" : p->w->snapshot);
		return 0;
	}
	struct send_step step = {.source = copy->name,
				 .target = home,
				 .raw = came_raw(p, copy),
				 .keyed = !came_raw(p, copy), /* nobody knows what it will lie in */
				 .open = open,
				 .is_volume = copy->type == DATASET_VOLUME,
				 .restores = true,
				 .reason = "it goes back"};
	const struct point *first = p->w->history ? oldest(copy) : to;
	const struct point *last = there == NULL ? NULL : dataset_newest(there);
	const struct point *begun =
	    there == NULL || there->resume.token == NULL ? NULL : dataset_snapshot_by_guid(copy, there->resume.to_guid);
	const struct point *had = last == NULL ? NULL : dataset_snapshot_by_guid(copy, last->guid);
	if (begun != NULL && (p->w->history ? begun->createtxg <= to->createtxg : begun == to)) {
		step.reason = "an earlier restore was cut off; it goes on where it stopped";
		send(p, &step, copy, NULL, begun);
		p->out->sends.v[p->out->sends.n - 1].kind = SEND_RESUME;
		p->out->sends.v[p->out->sends.n - 1].token = there->resume.token;
		first = begun;
	} else if (there != NULL && dataset_snapshot_by_guid(there, to->guid) != NULL) {
		*vec_add(&p->out->skips, p->a) =
		    (struct skip){.source = home, .newest = *to, .reason = "it is there already"};
		if (there->restoring)
			put_back(p, copy, home);
		return 0;
	} else if (there != NULL && there->resume.token == NULL && there->restoring && p->w->history && had != NULL &&
		   had->createtxg < to->createtxg) {
		first = had;
	} else if (there != NULL) {
		return in_the_way(p, there, copy, to, e);
	} else {
		send(p, &step, copy, NULL, first);
	}
	if (first != to)
		send(p, &step, copy, first, to);
	put_back(p, copy, home);
	return 0;
}

/* What lies above the place, and is not there; the pool itself has to be. */
static void parents(struct planning *p)
{
	for (const char *slash = strchr(p->w->to, '/'); slash != NULL && (slash = strchr(slash + 1, '/')) != NULL;) {
		const char *name = arena_strndup(p->a, p->w->to, (size_t)(slash - p->w->to));
		*vec_add(&p->out->parents, p->a) = (struct parent_step){.dataset = name};
	}
}

int restore_plan(const struct restore_wish *w, const struct side_state *archive, const struct side_state *home,
		 struct arena *a, struct restore *out, struct err *e)
{
	struct planning p = {.w = w, .home = home, .a = a, .out = out};

	*out = (struct restore){0};
	if (side_find(archive, w->copy) == NULL) {
		(void)err_set(e, ERR_MISSING, "the archive has no '%s'", w->copy);
		return err_hint(e, "dormouse list shows what it has");
	}
	if (!home->root_exists)
		parents(&p);
	for (size_t i = 0; i < archive->datasets.n; i++) {
		const struct dataset *d = &archive->datasets.v[i];
		if (strcmp(d->name, w->copy) == 0 || (w->below && dataset_is_under(d->name, w->copy)))
			if (one(&p, archive, d, e) < 0)
				return -1;
	}
	return 0;
}
