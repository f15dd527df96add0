#include "plan/replicate_plan.h"

#include "base/num.h"
#include "plan/mark_plan.h"
#include "plan/order_plan.h"
#include "plan/retain_plan.h"

/* From so many bytes on, a first copy is expected to be cut off. */
enum { LONG_COPY = 1 << 30 };

struct planning {
	const struct backup *b;
	const struct snapshot_policy *policy;
	const struct side_state *source, *target;
	const struct zone *z;
	int64_t now;
	struct arena *a;
	struct plan *out;
	struct strings origins; /* of clones at the source */
	uint64_t *sizes;	/* of each source dataset: see send_step.size */
	uint64_t size;		/* of the one that is being planned */
	bool raw;		/* likewise */
	bool replaces;		/* likewise: a stand-in of ours is in its place */
	bool *wanted;		/* likewise: of its points, the snapshots that are to be sent */
	struct {
		size_t *v;
		size_t n, cap;
	} clones; /* source datasets to be planned when what they are clones of is */
};

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static struct conflict *conflict(struct planning *p, enum conflict_kind kind, const struct dataset *s,
				 const char *target, const char *why, const char *hint)
{
	struct conflict *c = vec_add(&p->out->conflicts, p->a);

	*c = (struct conflict){.kind = kind, .source = s->name, .target = target, .why = why, .hint = hint};
	return c;
}

/* The command that mends it. */
static const char *repair(struct planning *p, const struct dataset *s, const char *option)
{
	return arena_printf(p->a, "dormouse repair '%s' %s", s->name, option);
}

static struct send_step *send(struct planning *p, enum send_kind kind, const struct dataset *s, const char *target,
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
				   .replaces = p->replaces && (kind == SEND_FULL || kind == SEND_RESUME),
				   .properties = p->source->has_properties ? &s->properties : NULL,
				   .is_volume = s->type == DATASET_VOLUME};
	return step;
}

/* Which snapshots of s are to be sent, if all behind index from are new. */
static void choose(struct planning *p, const struct dataset *s, const struct dataset *t, size_t from)
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

/* The next snapshot to be sent that comes after from, or NULL. */
static const struct point *next_wanted(const struct planning *p, const struct dataset *s, const struct point *from)
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

/* Everything that is wanted after from, in as few streams as there can be.  A bookmark can only be the base of a
 * single step (zfs-send(8): -I takes no bookmark). */
static void send_rest(struct planning *p, const struct dataset *s, const char *target, const struct point *from)
{
	const struct point *next;

	for (; (next = next_wanted(p, s, from)) != NULL; from = next) {
		size_t n = 0;
		const struct point *last = from->kind == POINT_BOOKMARK ? NULL : last_along(p, s, from, &n);
		struct send_step *step =
		    send(p, n > 1 ? SEND_INTERMEDIATE : SEND_INCREMENTAL, s, target, last != NULL ? last : next);
		step->base = *from;
		step->snapshots = n > 0 ? n : 1;
		step->reason =
		    from->kind == POINT_BOOKMARK ? "the snapshot that both had is gone here, its bookmark is not"
		    : last == NULL ? arena_printf(p->a, "what lies between it and '@%s' is left out", from->name)
				   : arena_printf(p->a, "%zu snapshot%s newer than '@%s'", n, plural(n), from->name);
		next = last != NULL ? last : next;
	}
}

/* The first that is sent of s. */
static const struct point *oldest_of(const struct planning *p, const struct dataset *s)
{
	return next_wanted(p, s, NULL);
}

/* Marks are for what is known of the target now. */
static bool may_mark(const struct planning *p)
{
	return p->target->seen && !p->target->recorded;
}

static void coming(struct planning *p, const struct dataset *s, const struct point *to)
{
	if (may_mark(p))
		mark_coming(p->b, s, to, p->a, &p->out->marks);
}

static void send_all(struct planning *p, const struct dataset *s, const char *target, const char *reason)
{
	const struct point *oldest = oldest_of(p, s);
	struct send_step *step = send(p, SEND_FULL, s, target, oldest);

	step->reason = reason;
	/* What takes long may be cut off, and gone on with only while its snapshot is there. */
	if (s->referenced >= LONG_COPY)
		coming(p, s, oldest);
	send_rest(p, s, target, oldest);
}

/* The dataset that a clone is of, or NULL. */
static const struct dataset *origin_at_source(const struct planning *p, const struct dataset *s)
{
	AUTO(arena) struct arena a = {0};
	const char *at = s->origin == NULL ? NULL : strchr(s->origin, '@');

	return at == NULL ? NULL : side_find(p->source, arena_strndup(&a, s->origin, (size_t)(at - s->origin)));
}

/* The dataset and the snapshot that a clone is of, if it is in this backup. */
static const struct dataset *origin_of(const struct planning *p, const struct dataset *s, const struct point **snapshot)
{
	const struct dataset *o = origin_at_source(p, s);

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

/* A clone shares with its origin there, too, if that is there before it. */
static bool send_clone(struct planning *p, const struct dataset *s, const char *target)
{
	const struct point *snapshot, *oldest = oldest_of(p, s);
	const struct dataset *o = origin_of(p, s, &snapshot);
	const char *origin = o == NULL ? NULL : name_at_target(p, o, snapshot);

	/* Its stream says only what differs from the origin: both are raw, or neither is. */
	if (origin == NULL || o->encrypted != s->encrypted)
		return false;
	struct send_step *step = send(p, SEND_CLONE, s, target, oldest);
	step->base = *snapshot;
	step->origin = s->origin;
	step->target_origin = origin;
	step->reason = "the target does not have it yet, but what it is a clone of";
	send_rest(p, s, target, oldest);
	return true;
}

/* The newest point of s that the target has as a snapshot.  Where a snapshot and a bookmark stand
 * for the same point the snapshot is better: more can be sent from it. */
static const struct point *newest_common(const struct dataset *s, const struct dataset *t)
{
	for (size_t i = s->points.n; i > 0; i--)
		if (dataset_snapshot_by_guid(t, s->points.v[i - 1].guid) != NULL)
			return &s->points.v[i - 1];
	return NULL;
}

/* What the target has that the source never had, or lost: the evidence of a divergence. */
static void plan_existing(struct planning *p, const struct dataset *s, const struct dataset *t)
{
	const struct point *common = newest_common(s, t), *theirs = dataset_newest(t);

	if (common == NULL) {
		const struct dataset *o = origin_at_source(p, s);
		bool promoted = o != NULL && dataset_snapshot_by_guid(o, theirs->guid) != NULL;
		conflict(p, CONFLICT_NO_COMMON, s, t->name,
			 promoted
			     ? arena_printf(p->a, "what both had went over to '%s' when that was promoted", o->name)
			     : arena_printf(p->a,
					    "the target's newest snapshot is '@%s', and the source has none of them",
					    theirs->name),
			 repair(p, s, "--keep-both sets it aside, and a new copy begins"));
		return;
	}
	if (theirs->guid != common->guid) {
		size_t n = 0;
		for (size_t i = t->points.n; i > 0 && t->points.v[i - 1].guid != common->guid; i--)
			n += t->points.v[i - 1].kind == POINT_SNAPSHOT;
		const struct point *base = dataset_snapshot_by_guid(t, common->guid);
		const char *why = arena_printf(
		    p->a, "the target has %zu snapshot%s after '@%s' that the source does not have, the newest '@%s'",
		    n, plural(n), base->name, theirs->name);
		conflict(p, CONFLICT_DIVERGED, s, t->name, why,
			 repair(p, s, "--rollback-target drops them, --keep-both keeps them aside"))
		    ->base = base->name;
		return;
	}
	if (may_mark(p))
		mark_plan(p->b, s, common, p->a, &p->out->marks);
	choose(p, s, t, (size_t)(common - s->points.v) + 1);
	bool current = next_wanted(p, s, common) == NULL;
	if (current && t->written > 0) {
		char bytes[NUM_TEXT];
		conflict(p, CONFLICT_CHANGED, s, t->name,
			 arena_printf(p->a, "the target has '@%s', and %s were written to it since", theirs->name,
				      num_show_bytes(t->written, bytes)),
			 repair(p, s, "--rollback-target drops that, --keep-both keeps it aside"))
		    ->base = theirs->name;
		return;
	}
	if (current) {
		*vec_add(&p->out->skips, p->a) = (struct skip){
		    .source = s->name, .newest = *common, .reason = arena_printf(p->a, "'@%s' is there", theirs->name)};
		return;
	}
	send_rest(p, s, t->name, common);
}

/* A partial receive: go on with it, or give it up where nothing here fits it any more.  True when
 * the dataset is dealt with. */
static bool plan_resume(struct planning *p, const struct dataset *s, const struct dataset *t)
{
	const struct resume *r = &t->resume;
	const struct point *to = r->to_guid == 0 ? NULL : dataset_snapshot_by_guid(s, r->to_guid);

	if (r->to_guid == 0) {
		conflict(p, CONFLICT_UNREADABLE, s, t->name,
			 arena_printf(p->a, "a partial receive is waiting there, and its token cannot be read%s%s",
				      r->why != NULL ? ": " : "", r->why != NULL ? r->why : ""),
			 repair(p, s, "--give-up drops what has arrived of it"));
		return true;
	}
	/* The token comes from the target: it may only ask for what we would send. */
	const char *unfit = to == NULL	       ? "the snapshot of its partial receive is gone here"
			    : r->raw != p->raw ? "what has arrived of it is not as it would be sent: raw or not"
			    : r->why != NULL && strstr(r->why, "cannot resume") != NULL ? r->why
											: NULL;
	if (unfit != NULL) {
		*vec_add(&p->out->aborts, p->a) = (struct abort_step){.dataset = t->name, .reason = unfit};
		return false;
	}
	struct send_step *step = send(p, SEND_RESUME, s, t->name, to);
	step->token = r->token;
	step->reason = "an earlier run was cut off; it goes on where it stopped";
	coming(p, s, to);
	choose(p, s, t, (size_t)(to - s->points.v) + 1);
	send_rest(p, s, t->name, to);
	return true;
}

/* A parent never sorts behind its children, so it counts in theirs. */
static uint64_t first_copy_size(const struct planning *p, const struct dataset *s)
{
	AUTO(arena) struct arena a = {0};
	uint64_t size = s->referenced > 0 ? s->referenced : 1;
	char *parent = arena_strdup(&a, s->name), *slash = strrchr(parent, '/');

	if (slash != NULL)
		*slash = '\0';
	const struct dataset *above = slash == NULL ? NULL : side_find(p->source, parent);
	uint64_t least = above == NULL ? 0 : p->sizes[above - p->source->datasets.v];
	return size > least ? size : least;
}

/* The copy of s under another name: its source is gone, and what it has newest, s has.  With more than one
 * nobody can tell. */
static const struct dataset *renamed_from(const struct planning *p, const struct dataset *s)
{
	const struct dataset *found = NULL;
	size_t dest = strlen(p->b->dest);

	for (size_t i = 0; i < p->target->datasets.n; i++) {
		const struct dataset *t = &p->target->datasets.v[i];
		const struct point *newest = dataset_newest(t);
		if (newest == NULL || t->type != s->type || t->resume.token != NULL || strlen(t->name) <= dest ||
		    !dataset_is_under(t->name, p->b->dest))
			continue;
		const char *was = t->name + dest + 1;
		if (!dataset_is_under(was, p->b->source) || side_find(p->source, was) != NULL ||
		    !dataset_has_guid(s, newest->guid))
			continue;
		if (found != NULL)
			return NULL;
		found = t;
	}
	return found;
}

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

static void plan_dataset(struct planning *p, const struct dataset *s)
{
	const char *target = arena_printf(p->a, "%s/%s", p->b->dest, s->name);
	const struct dataset *t = side_find(p->target, target);
	const char *first = "the target does not have it yet";

	bool fresh = t == NULL || dataset_newest(t) == NULL;

	/* Raw is not received into what is there (zfs-receive(8)). */
	p->replaces = t != NULL && t->placeholder && fresh && s->type == DATASET_FILESYSTEM && !s->encrypted;
	p->size = fresh ? first_copy_size(p, s) : 0;
	/* What was once received in the clear cannot be gone on with raw (zfs-receive(8)). */
	p->raw = s->encrypted && (fresh || came_raw(p, t));
	p->sizes[s - p->source->datasets.v] = p->size;

	if (fresh)
		choose(p, s, NULL, 0);
	if (dataset_newest(s) == NULL || (fresh && oldest_of(p, s) == NULL)) {
		conflict(p, CONFLICT_NO_SNAPSHOT, s, target, "it has no snapshot, so there is nothing to send",
			 "let dormouse take some (a snapshots block in the file), or: zfs snapshot");
		return;
	}
	const struct dataset *was = t == NULL ? renamed_from(p, s) : NULL;
	if (was != NULL) {
		*vec_add(&p->out->renames, p->a) =
		    (struct tidy_step){.kind = TIDY_RENAME,
				       .dataset = was->name,
				       .to = target,
				       .source = s->name,
				       .reason = "it was renamed here, as its snapshots show"};
		return;
	}
	if (t == NULL && s->origin != NULL) {
		*vec_add(&p->clones, p->a) = (size_t)(s - p->source->datasets.v);
		return;
	}
	if (t == NULL) {
		send_all(p, s, target, first);
		return;
	}
	if (t->type != s->type) {
		conflict(p, CONFLICT_TYPE, s, target,
			 s->type == DATASET_VOLUME ? "it is a volume here and a file system there"
						   : "it is a file system here and a volume there",
			 repair(p, s, "--keep-both sets the old one aside"));
		return;
	}
	if (t->resume.token != NULL && plan_resume(p, s, t))
		return;
	if (dataset_newest(t) != NULL)
		plan_existing(p, s, t);
	else if (p->replaces)
		send_all(p, s, target, "only a stand-in of ours is there");
	else if (t->resume.token != NULL)
		/* A first receive that is given up takes its dataset along. */
		send_all(p, s, target, "its partial receive is given up");
	else
		conflict(p, CONFLICT_NOT_OURS, s, target, "the target has a dataset of that name without any snapshot",
			 repair(p, s, "--keep-both sets it aside"));
}

static bool will_exist(const struct planning *p, const char *name)
{
	if (side_find(p->target, name) != NULL)
		return true;
	for (size_t i = 0; i < p->out->parents.n; i++)
		if (strcmp(p->out->parents.v[i].dataset, name) == 0)
			return true;
	for (size_t i = 0; i < p->out->renames.n; i++)
		if (strcmp(p->out->renames.v[i].to, name) == 0)
			return true;
	for (size_t i = 0; i < p->out->sends.n; i++)
		if (send_is_first(&p->out->sends.v[i]) && strcmp(p->out->sends.v[i].target, name) == 0)
			return true;
	return false;
}

/* Everything above a dataset that is sent for the first time, from the pool downwards.  Parents are
 * made before anything is sent, so one whose own stream is to come must not be made. */
static void plan_parents(struct planning *p, const char *target)
{
	char *name = arena_strdup(p->a, target);

	for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* The look begins at the destination: what is above it is there when it is there, and the pool always.
		 */
		bool above = strlen(name) < strlen(p->b->dest) && (p->target->root_exists || strchr(name, '/') == NULL);
		bool is_pool = strchr(name, '/') == NULL;
		/* Of a side that nobody has seen, the destination itself is taken for granted. */
		above |= !p->target->seen && strlen(name) <= strlen(p->b->dest);
		if (!above && !is_pool && !will_exist(p, name))
			*vec_add(&p->out->parents, p->a) =
			    (struct parent_step){.dataset = arena_strdup(p->a, name), .reason = "it is not there yet"};
		*slash = '/';
	}
}

/* A clone of a clone waits for it; what never finds its origin is sent whole. */
static void plan_clones(struct planning *p)
{
	for (size_t left = p->clones.n, before = left + 1; left > 0;) {
		/* None of them has found it: those that are left are sent whole. */
		bool last_call = left == before;
		before = left;
		left = 0;
		for (size_t i = 0; i < before; i++) {
			const struct dataset *s = &p->source->datasets.v[p->clones.v[i]];
			const char *target = arena_printf(p->a, "%s/%s", p->b->dest, s->name);
			p->size = p->sizes[s - p->source->datasets.v];
			p->raw = s->encrypted;
			p->replaces = false;
			choose(p, s, NULL, 0);
			if (last_call)
				send_all(p, s, target, "the target has neither it nor what it is a clone of");
			else if (!send_clone(p, s, target))
				p->clones.v[left++] = p->clones.v[i];
		}
	}
}

void replicate_plan(const struct backup *b, const struct snapshot_policy *policy, const struct side_state *source,
		    const struct side_state *target, const struct zone *z, int64_t now, struct arena *a,
		    struct plan *out)
{
	struct planning plan = {
	    .b = b, .policy = policy, .source = source, .target = target, .z = z, .now = now, .a = a, .out = out};

	if (b->keep.set)
		plan.origins = retain_origins(source, a);
	out->backup = b->name;
	out->now = now;
	plan.sizes = arena_alloc(a, (source->datasets.n + 1) * sizeof(plan.sizes[0]));
	for (size_t i = 0; i < source->datasets.n; i++) {
		const struct dataset *s = &source->datasets.v[i];
		if (backup_takes(b, s))
			plan_dataset(&plan, s);
	}
	plan_clones(&plan);
	sends_order(source, &out->sends, a);
	for (size_t i = 0; i < out->sends.n; i++)
		if (send_is_first(&out->sends.v[i]))
			plan_parents(&plan, out->sends.v[i].target);
	for (size_t i = 0; i < out->renames.n; i++)
		plan_parents(&plan, out->renames.v[i].to);
}
