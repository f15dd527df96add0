#include "plan/stream_plan.h"

#include "plan/mark_plan.h"
#include "plan/retain_plan.h"

/* From so many bytes on, a first copy is expected to be cut off. */
enum { LONG_COPY = 1 << 30 };

/* Whether a copy has its source's key, not one of the target's own: it is its own encryption root, or one that is a
 * copy of something encrypted as well. */
static bool came_raw(const struct planning *p, const struct dataset *t)
{
	size_t n = strlen(p->b->dest);

	if (!t->encrypted || t->key_root == NULL || strcmp(t->key_root, t->name) == 0)
		return t->encrypted;
	const struct dataset *s = dataset_is_under(t->key_root, p->b->dest) && strlen(t->key_root) > n
				      ? side_find(p->source, t->key_root + n + 1)
				      : NULL;
	return s != NULL && s->encrypted;
}

static bool has_any(const struct planning *p, const struct dataset *s)
{
	for (size_t i = 0; i < s->points.n; i++)
		if (s->points.v[i].kind == POINT_SNAPSHOT &&
		    !name_matches(&p->b->exclude_snapshots, s->points.v[i].name))
			return true;
	return false;
}

static enum stream_lock lock_above(const struct planning *p, const char *target)
{
	AUTO(arena) struct arena a = {0};

	return stream_lock(p, arena_strndup(&a, target, (size_t)(strrchr(target, '/') - target)));
}

enum stream_lock stream_lock(const struct planning *p, const char *target)
{
	size_t n = strlen(p->b->dest);
	bool below = dataset_is_under(target, p->b->dest) && target[n] != '\0';
	const struct dataset *t = side_find(p->target, target);
	const struct dataset *s = below ? side_find(p->source, target + n + 1) : NULL;

	if (t != NULL && !t->encrypted)
		return LOCK_NONE;
	if (t != NULL)
		return s != NULL && s->encrypted && came_raw(p, t) ? LOCK_SOURCE : LOCK_TARGET;
	if (!below)
		return LOCK_TARGET;
	if (s != NULL && s->encrypted && backup_takes(p->b, s) && has_any(p, s))
		return LOCK_SOURCE;
	return lock_above(p, target);
}

void stream_encryption(struct planning *p, const struct dataset *s, const char *target, const struct dataset *t)
{
	bool fresh = t == NULL || dataset_newest(t) == NULL;
	/* A partial receive that is given up takes its dataset along. */
	bool stays = t != NULL && (!fresh || p->replaces);
	enum stream_lock lock = stays ? stream_lock(p, target) : lock_above(p, target);

	/* What was once received in the clear cannot be gone on with raw (zfs-receive(8)). */
	p->raw = s->encrypted && (fresh || came_raw(p, t));
	p->keyed = !p->raw && lock == LOCK_TARGET;
	p->open = !p->raw && !stays && lock == LOCK_SOURCE;
}

static struct send_step *add(struct planning *p, enum send_kind kind, const struct dataset *s, const char *target,
			     const struct point *to)
{
	struct send_step *step = vec_add(&p->out->sends, p->a);
	*step = (struct send_step){.kind = kind,
				   .source = s->name,
				   .target = target,
				   .to = *to,
				   .snapshots = 1,
				   .size = p->size,
				   .raw = p->raw,
				   .keyed = p->keyed,
				   .open = p->open,
				   .replaces = p->replaces && (kind == SEND_FULL || kind == SEND_RESUME),
				   .properties = p->source->has_properties ? &s->properties : NULL,
				   .is_volume = s->type == DATASET_VOLUME};
	return step;
}

void stream_choose(struct planning *p, const struct dataset *s, const struct dataset *t, size_t from)
{
	bool any = false;

	p->wanted = arena_alloc(p->a, s->points.n + 1);
	for (size_t i = 0; i < s->points.n; i++)
		p->wanted[i] = s->points.v[i].kind == POINT_SNAPSHOT &&
			       !name_matches(&p->b->exclude_snapshots, s->points.v[i].name);
	for (size_t i = s->points.n; i-- > from && t == NULL && p->b->first_copy == FIRST_NEWEST;) {
		p->wanted[i] &= !any;
		any |= p->wanted[i];
	}
	retain_arrivals(p->b, p->policy, &p->origins, s, t, from, p->z, p->now, p->wanted);
}

const struct point *stream_next(const struct planning *p, const struct dataset *s, const struct point *from)
{
	assert(p->wanted != NULL);
	for (const struct point *k = from == NULL ? s->points.v : from + 1; k < s->points.v + s->points.n; k++)
		if (p->wanted[k - s->points.v])
			return k;
	return NULL;
}

/* The last one that can come along in one stream from base: up to it, nothing is left out. */
static const struct point *last_along(const struct planning *p, const struct dataset *s, const struct point *base,
				      size_t *n)
{
	const struct point *last = NULL;

	*n = 0;
	for (const struct point *k = base + 1; k < s->points.v + s->points.n; k++) {
		if (k->kind != POINT_SNAPSHOT)
			continue;
		if (!p->wanted[k - s->points.v])
			break;
		last = k;
		++*n;
	}
	return last;
}

void stream_rest(struct planning *p, const struct dataset *s, const char *target, const struct point *from)
{
	const struct point *next;

	for (; (next = stream_next(p, s, from)) != NULL; from = next) {
		size_t n = 0;
		const struct point *last = from->kind == POINT_BOOKMARK ? NULL : last_along(p, s, from, &n);
		struct send_step *step =
		    add(p, n > 1 ? SEND_INTERMEDIATE : SEND_INCREMENTAL, s, target, last != NULL ? last : next);
		step->base = *from;
		step->snapshots = n > 0 ? n : 1;
		step->reason =
		    from->kind == POINT_BOOKMARK ? "the snapshot that both had is gone here, its bookmark is not"
		    : last == NULL
			? arena_printf(p->a, "what lies between it and '@%s' is left out", from->name)
			: arena_printf(p->a, "%zu snapshot%s newer than '@%s'", n, n == 1 ? "" : "s", from->name);
		next = last != NULL ? last : next;
	}
}

const struct point *stream_first(const struct planning *p, const struct dataset *s)
{
	return stream_next(p, s, NULL);
}

static void coming(struct planning *p, const struct dataset *s, const struct point *to)
{
	if (p->may_mark)
		mark_coming(p->b, s, to, p->a, &p->out->marks);
}

void stream_all(struct planning *p, const struct dataset *s, const char *target, const char *reason)
{
	const struct point *oldest = stream_first(p, s);
	struct send_step *step = add(p, SEND_FULL, s, target, oldest);

	step->reason = reason;
	/* What takes long may be cut off, and gone on with only while its snapshot is there. */
	if (s->referenced >= LONG_COPY)
		coming(p, s, oldest);
	stream_rest(p, s, target, oldest);
}

void stream_resume(struct planning *p, const struct dataset *s, const struct dataset *t, const struct point *to)
{
	struct send_step *step = add(p, SEND_RESUME, s, t->name, to);

	step->token = t->resume.token;
	step->reason = "an earlier run was cut off; it goes on where it stopped";
	coming(p, s, to);
	stream_choose(p, s, t, (size_t)(to - s->points.v) + 1);
	stream_rest(p, s, t->name, to);
}

const struct dataset *stream_origin(const struct planning *p, const struct dataset *s)
{
	AUTO(arena) struct arena a = {0};
	const char *at = s->origin == NULL ? NULL : strchr(s->origin, '@');

	return at == NULL ? NULL : side_find(p->source, arena_strndup(&a, s->origin, (size_t)(at - s->origin)));
}

/* The dataset and the snapshot that a clone is of, if it is in this backup. */
static const struct dataset *origin_of(const struct planning *p, const struct dataset *s, const struct point **snapshot)
{
	const struct dataset *o = stream_origin(p, s);

	if (o == NULL || !backup_takes(p->b, o))
		return NULL;
	*snapshot = dataset_snapshot_by_name(o, strchr(s->origin, '@') + 1);
	return *snapshot == NULL ? NULL : o;
}

/* The name that a snapshot has, or will have when this plan is done, at the target; NULL: it will not be there. */
static const char *name_at_target(const struct planning *p, const struct dataset *s, const struct point *snapshot)
{
	const char *target = arena_printf(p->a, "%s/%s", p->b->dest, s->name);
	const struct dataset *t = side_find(p->target, target);
	const struct point *there = t == NULL ? NULL : dataset_snapshot_by_guid(t, snapshot->guid);

	if (there != NULL)
		return arena_printf(p->a, "%s@%s", target, there->name);
	for (size_t i = 0; i < p->out->sends.n; i++) {
		const struct send_step *step = &p->out->sends.v[i];
		bool between = step->kind == SEND_INTERMEDIATE && step->base.createtxg < snapshot->createtxg &&
			       snapshot->createtxg < step->to.createtxg;
		if (strcmp(step->source, s->name) == 0 && (between || step->to.guid == snapshot->guid))
			return arena_printf(p->a, "%s@%s", target, snapshot->name);
	}
	return NULL;
}

bool stream_clone(struct planning *p, const struct dataset *s, const char *target)
{
	const struct point *snapshot, *oldest = stream_first(p, s);
	const struct dataset *o = origin_of(p, s, &snapshot);
	const char *origin = o == NULL ? NULL : name_at_target(p, o, snapshot);

	/* Its stream says only what differs from the origin: both are raw, or neither is. */
	if (origin == NULL || o->encrypted != s->encrypted ||
	    (s->encrypted && stream_lock(p, arena_strndup(p->a, origin, strcspn(origin, "@"))) != LOCK_SOURCE))
		return false;
	struct send_step *step = add(p, SEND_CLONE, s, target, oldest);
	step->base = *snapshot;
	step->origin = s->origin;
	step->target_origin = origin;
	step->reason = "the target does not have it yet, but what it is a clone of";
	stream_rest(p, s, target, oldest);
	return true;
}
