#include "plan/replicate_plan.h"

#include "base/num.h"
#include "plan/mark_plan.h"
#include "plan/order_plan.h"
#include "plan/retain_plan.h"
#include "plan/stream_plan.h"

/* Of a snapshot, with what it is of (ZFS_MAX_DATASET_NAME_LEN). */
enum { NAME_MAX_LEN = 255 };

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
		const struct dataset *o = stream_origin(p, s);
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
		    n, n == 1 ? "" : "s", base->name, theirs->name);
		conflict(p, CONFLICT_DIVERGED, s, t->name, why,
			 repair(p, s, "--rollback-target drops them, --keep-both keeps them aside"))
		    ->base = base->name;
		return;
	}
	if (p->may_mark)
		mark_plan(p->b, s, common, p->a, &p->out->marks);
	stream_choose(p, s, t, (size_t)(common - s->points.v) + 1);
	bool current = stream_next(p, s, common) == NULL;
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
	stream_rest(p, s, t->name, common);
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
	stream_resume(p, s, t, to);
	return true;
}

/* Of the first copy that s lies below; 0 = of none. */
static uint64_t size_above(const struct planning *p, const struct dataset *s)
{
	AUTO(arena) struct arena a = {0};
	char *parent = arena_strdup(&a, s->name), *slash = strrchr(parent, '/');

	if (slash != NULL)
		*slash = '\0';
	const struct dataset *above = slash == NULL ? NULL : side_find(p->source, parent);
	return above == NULL ? 0 : p->sizes[above - p->source->datasets.v];
}

/* A parent never sorts behind its children, so it counts in theirs. */
static uint64_t first_copy_size(const struct planning *p, const struct dataset *s)
{
	uint64_t size = s->referenced > 0 ? s->referenced : 1, least = size_above(p, s);

	return size > least ? size : least;
}

/* Whether a copy of that name at the source is this backup's, or lies below one that was set aside. */
static bool is_ours(const struct planning *p, const char *was)
{
	size_t n = strlen(p->b->source);

	return dataset_is_under(was, p->b->source) ||
	       (strncmp(was, p->b->source, n) == 0 && strncmp(was + n, "-kept-", 6) == 0);
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
		if (!is_ours(p, was) || dataset_is_aside(was) || side_find(p->source, was) != NULL ||
		    !dataset_has_guid(s, newest->guid))
			continue;
		if (found != NULL)
			return NULL;
		found = t;
	}
	return found;
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
	stream_encryption(p, s, target, t);
	p->sizes[s - p->source->datasets.v] = p->size;

	if (fresh)
		stream_choose(p, s, NULL, 0);
	if (dataset_newest(s) == NULL || (fresh && stream_first(p, s) == NULL)) {
		conflict(p, CONFLICT_NO_SNAPSHOT, s, target, "it has no snapshot, so there is nothing to send",
			 "let dormouse take some (a snapshots block in the file), or: zfs snapshot");
		return;
	}
	size_t long_name = strlen(target) + 1 + strlen(dataset_newest(s)->name);
	if (long_name > NAME_MAX_LEN) {
		conflict(p, CONFLICT_NAME, s, target,
			 arena_printf(p->a, "'@%s' would have a name of %zu characters there, and ZFS allows %d",
				      dataset_newest(s)->name, long_name, NAME_MAX_LEN),
			 "choose a destination with a shorter name, rename the dataset, or exclude it");
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
		stream_all(p, s, target, first);
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
		stream_all(p, s, target, "only a stand-in of ours is there");
	else if (t->resume.token != NULL)
		/* A first receive that is given up takes its dataset along. */
		stream_all(p, s, target, "its partial receive is given up");
	else
		conflict(p, CONFLICT_NOT_OURS, s, target, "the target has a dataset of that name without any snapshot",
			 repair(p, s, "--keep-both sets it aside"));
}

static const struct parent_step *stand_in_of(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->parents.n; i++)
		if (strcmp(plan->parents.v[i].dataset, name) == 0)
			return &plan->parents.v[i];
	return NULL;
}

/* Will it come, or the rest of it, by itself? */
static bool will_come(const struct planning *p, const char *name)
{
	for (size_t i = 0; i < p->out->renames.n; i++)
		if (strcmp(p->out->renames.v[i].to, name) == 0)
			return true;
	for (size_t i = 0; i < p->out->sends.n; i++) {
		const struct send_step *s = &p->out->sends.v[i];
		if ((send_is_first(s) || s->kind == SEND_RESUME) && strcmp(s->target, name) == 0)
			return true;
	}
	return false;
}

/* Everything above a dataset that comes to be there, from the pool downwards.  Parents are made before anything is
 * sent; those that lie below what is sent, right before what needs them, which gives *wanted. */
static void plan_parents(struct planning *p, const char *target, struct parent_steps *wanted)
{
	char *name = arena_strdup(p->a, target);
	bool later = false;

	for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* The look begins at the destination: what is above it is there when it is there, and the pool always.
		 */
		bool above = strlen(name) < strlen(p->b->dest) && (p->target->root_exists || strchr(name, '/') == NULL);
		bool is_pool = strchr(name, '/') == NULL;
		/* Of a side that nobody has seen, the destination itself is taken for granted. */
		above |= !p->target->seen && strlen(name) <= strlen(p->b->dest);
		const struct parent_step *made = stand_in_of(p->out, name);
		const struct dataset *t = side_find(p->target, name);
		if (made == NULL && !above && !is_pool && (t == NULL || dataset_newest(t) == NULL)) {
			/* Nothing can be made in a part of a dataset; and given up, it is gone. */
			if (will_come(p, name)) {
				later = true;
			} else if (t == NULL) {
				struct parent_step *step = vec_add(&p->out->parents, p->a);
				*step = (struct parent_step){.dataset = arena_strdup(p->a, name),
							     .later = later,
							     .open = stream_lock(p, name) == LOCK_SOURCE,
							     .reason = "it is not there yet"};
				made = step;
			}
		}
		if (made != NULL && made->later)
			*vec_add(wanted, p->a) = *made;
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
			p->replaces = false;
			stream_encryption(p, s, target, NULL);
			stream_choose(p, s, NULL, 0);
			if (last_call)
				stream_all(p, s, target, "the target has neither it nor what it is a clone of");
			else if (!stream_clone(p, s, target))
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
	/* Marks are for what is known of the target now. */
	plan.may_mark = target->seen && !target->recorded;
	out->backup = b->name;
	out->now = now;
	plan.sizes = arena_alloc(a, (source->datasets.n + 1) * sizeof(plan.sizes[0]));
	for (size_t i = 0; i < source->datasets.n; i++) {
		const struct dataset *s = &source->datasets.v[i];
		plan.sizes[i] = size_above(&plan, s);
		if (backup_takes(b, s))
			plan_dataset(&plan, s);
	}
	plan_clones(&plan);
	sends_order(source, &out->sends, a);
	for (size_t i = 0; i < out->sends.n; i++)
		if (send_is_first(&out->sends.v[i]))
			plan_parents(&plan, out->sends.v[i].target, &out->sends.v[i].parents);
	struct parent_steps ignored = {0};
	for (size_t i = 0; i < out->renames.n; i++)
		plan_parents(&plan, out->renames.v[i].to, &ignored);
}
