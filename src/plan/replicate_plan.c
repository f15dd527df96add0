#include "plan/replicate_plan.h"

#include "base/num.h"

struct planning {
	const struct backup *b;
	const struct side_state *source, *target;
	struct arena *a;
	struct plan *out;
	uint64_t *sizes; /* of each source dataset: see send_step.size */
	uint64_t size;	 /* of the one that is being planned */
};

const char *backup_tag(const struct backup *b, struct arena *a)
{
	return arena_printf(a, "dormouse:%s", b->name);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void conflict(struct planning *p, enum conflict_kind kind, const struct dataset *s, const char *target,
		     const char *why, const char *hint)
{
	*vec_add(&p->out->conflicts, p->a) =
	    (struct conflict){.kind = kind, .source = s->name, .target = target, .why = why, .hint = hint};
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
				   .raw = s->encrypted,
				   .properties = p->source->has_properties ? &s->properties : NULL,
				   .is_volume = s->type == DATASET_VOLUME};
	return step;
}

/* How many snapshots of s come after from, up to and with its newest. */
static size_t later_snapshots(const struct dataset *s, const struct point *from)
{
	size_t n = 0;
	for (const struct point *k = from + 1; k < s->points.v + s->points.n; k++)
		n += k->kind == POINT_SNAPSHOT;
	return n;
}

/* Everything after from, in as few streams as there can be.  A bookmark can only be the base of a
 * single step (zfs-send(8): -I takes no bookmark). */
static void send_rest(struct planning *p, const struct dataset *s, const char *target, const struct point *from)
{
	const struct point *newest = dataset_newest(s);
	size_t n = later_snapshots(s, from);

	if (from->kind == POINT_BOOKMARK && n > 0) {
		const struct point *next = from + 1;
		while (next->kind != POINT_SNAPSHOT)
			next++;
		struct send_step *step = send(p, SEND_INCREMENTAL, s, target, next);
		step->base = *from;
		step->reason = "the snapshot that both had is gone here, its bookmark is not";
		from = next;
		n--;
	}
	if (n == 0)
		return;
	struct send_step *step = send(p, n == 1 ? SEND_INCREMENTAL : SEND_INTERMEDIATE, s, target, newest);
	step->base = *from;
	step->snapshots = n;
	step->reason = arena_printf(p->a, "%zu snapshot%s newer than '@%s'", n, plural(n), from->name);
}

static void send_all(struct planning *p, const struct dataset *s, const char *target, const char *reason)
{
	const struct point *oldest = s->points.v;
	while (oldest->kind != POINT_SNAPSHOT)
		oldest++;
	struct send_step *step = send(p, SEND_FULL, s, target, oldest);
	step->reason = reason;
	send_rest(p, s, target, oldest);
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

static const char *bookmark_prefix(struct planning *p)
{
	return arena_printf(p->a, "dormouse_%s_", p->b->name);
}

static void mark(struct planning *p, enum mark_kind kind, const struct dataset *s, const char *snapshot,
		 const char *bookmark, const char *reason)
{
	*vec_add(&p->out->marks, p->a) = (struct mark_step){
	    .kind = kind, .dataset = s->name, .snapshot = snapshot, .bookmark = bookmark, .reason = reason};
}

/* Holds and bookmarks the common snapshot, lets go of older ones.  The bookmark is made before the
 * hold and removed after it: so every hold of ours can be found by a bookmark, whatever crashed. */
static void plan_marks(struct planning *p, const struct dataset *s, const struct point *common)
{
	const char *prefix = bookmark_prefix(p);
	const char *want = arena_printf(p->a, "%s%016llx", prefix, (unsigned long long)common->guid);
	bool marked = false;

	for (size_t i = 0; i < s->points.n; i++)
		marked |= s->points.v[i].kind == POINT_BOOKMARK && strcmp(s->points.v[i].name, want) == 0;
	if (common->kind == POINT_SNAPSHOT) {
		const char *why = "the last that both have: it must outlive any clean-up";
		if (!marked)
			mark(p, MARK_BOOKMARK, s, common->name, want, why);
		if (!marked || common->userrefs == 0)
			mark(p, MARK_HOLD, s, common->name, NULL, why);
	}
	for (size_t i = 0; i < s->points.n; i++) {
		const struct point *b = &s->points.v[i];
		/* A bookmark is the last thread when its snapshot is gone: keep the common one. */
		if (b->kind != POINT_BOOKMARK || strncmp(b->name, prefix, strlen(prefix)) != 0 ||
		    b->guid == common->guid)
			continue;
		const struct point *snap = dataset_snapshot_by_guid(s, b->guid);
		const char *why = "a newer one is on the target";
		if (snap != NULL && snap->userrefs > 0)
			mark(p, MARK_RELEASE, s, snap->name, NULL, why);
		mark(p, MARK_UNBOOKMARK, s, b->name, NULL, why);
	}
}

/* What the target has that the source never had, or lost: the evidence of a divergence. */
static void plan_existing(struct planning *p, const struct dataset *s, const struct dataset *t)
{
	const struct point *common = newest_common(s, t), *theirs = dataset_newest(t);

	if (common == NULL) {
		conflict(p, CONFLICT_NO_COMMON, s, t->name,
			 arena_printf(p->a, "the target's newest snapshot is '@%s', and the source has none of them",
				      theirs->name),
			 arena_printf(p->a, "keep it aside and start afresh: on the target, zfs rename '%s' '%s-old'",
				      t->name, t->name));
		return;
	}
	if (theirs->guid != common->guid) {
		size_t n = 0;
		for (size_t i = t->points.n; i > 0 && t->points.v[i - 1].guid != common->guid; i--)
			n += t->points.v[i - 1].kind == POINT_SNAPSHOT;
		const struct point *base = dataset_snapshot_by_guid(t, common->guid);
		conflict(
		    p, CONFLICT_DIVERGED, s, t->name,
		    arena_printf(
			p->a,
			"the target has %zu snapshot%s after '@%s' that the source does not have, the newest '@%s'", n,
			plural(n), base->name, theirs->name),
		    arena_printf(
			p->a,
			"look at them first; to drop them, on the target: zfs rollback -r '%s@%s'; to keep them: "
			"zfs rename '%s' '%s-old'",
			t->name, base->name, t->name, t->name));
		return;
	}
	if (p->target->seen && !p->target->recorded)
		plan_marks(p, s, common);
	if (later_snapshots(s, common) == 0 && t->written > 0) {
		char bytes[NUM_TEXT];
		conflict(p, CONFLICT_CHANGED, s, t->name,
			 arena_printf(p->a, "the target has '@%s', and %s were written to it since", theirs->name,
				      num_show_bytes(t->written, bytes)),
			 arena_printf(p->a,
				      "nothing newer can be received there; to drop the change, on the target: zfs "
				      "rollback '%s@%s'; to keep it: zfs rename '%s' '%s-old'",
				      t->name, theirs->name, t->name, t->name));
		return;
	}
	if (later_snapshots(s, common) == 0) {
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
			 arena_printf(p->a, "to give up what has arrived of it, on the target: zfs receive -A '%s'",
				      t->name));
		return true;
	}
	if (to == NULL || (r->why != NULL && strstr(r->why, "cannot resume") != NULL)) {
		*vec_add(&p->out->aborts, p->a) = (struct abort_step){
		    .dataset = t->name,
		    .reason = to == NULL ? "the snapshot of its partial receive is gone here" : r->why};
		return false;
	}
	struct send_step *step = send(p, SEND_RESUME, s, t->name, to);
	step->token = r->token;
	step->reason = "an earlier run was cut off; it goes on where it stopped";
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

static void plan_dataset(struct planning *p, const struct dataset *s)
{
	const char *target = arena_printf(p->a, "%s/%s", p->b->dest, s->name);
	const struct dataset *t = side_find(p->target, target);
	const char *first = "the target does not have it yet";

	p->size = t == NULL || dataset_newest(t) == NULL ? first_copy_size(p, s) : 0;
	p->sizes[s - p->source->datasets.v] = p->size;

	if (dataset_newest(s) == NULL) {
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
	if (t == NULL) {
		send_all(p, s, target, first);
		return;
	}
	if (t->type != s->type) {
		conflict(p, CONFLICT_TYPE, s, target,
			 s->type == DATASET_VOLUME ? "it is a volume here and a file system there"
						   : "it is a file system here and a volume there",
			 arena_printf(p->a, "keep the old one aside: on the target, zfs rename '%s' '%s-old'", target,
				      target));
		return;
	}
	if (t->resume.token != NULL && plan_resume(p, s, t))
		return;
	if (dataset_newest(t) != NULL)
		plan_existing(p, s, t);
	else if (t->resume.token != NULL)
		/* A first receive that is given up takes its dataset along. */
		send_all(p, s, target, "its partial receive is given up");
	else
		conflict(p, CONFLICT_NOT_OURS, s, target, "the target has a dataset of that name without any snapshot",
			 arena_printf(p->a, "if it is not needed: on the target, zfs destroy '%s'; else: zfs rename",
				      target));
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
		if (p->out->sends.v[i].kind == SEND_FULL && strcmp(p->out->sends.v[i].target, name) == 0)
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

void replicate_plan(const struct backup *b, const struct side_state *source, const struct side_state *target,
		    int64_t now, struct arena *a, struct plan *out)
{
	struct planning p = {.b = b, .source = source, .target = target, .a = a, .out = out};

	out->backup = b->name;
	out->now = now;
	p.sizes = arena_alloc(a, (source->datasets.n + 1) * sizeof(p.sizes[0]));
	for (size_t i = 0; i < source->datasets.n; i++) {
		const struct dataset *s = &source->datasets.v[i];
		if (dataset_is_under(s->name, b->source) && !dataset_matches(&b->exclude, s->name))
			plan_dataset(&p, s);
	}
	if (out->sends.n > 1)
		qsort(out->sends.v, out->sends.n, sizeof(out->sends.v[0]), in_order);
	for (size_t i = 0; i < out->sends.n; i++)
		if (out->sends.v[i].kind == SEND_FULL)
			plan_parents(&p, out->sends.v[i].target);
	for (size_t i = 0; i < out->renames.n; i++)
		plan_parents(&p, out->renames.v[i].to);
}
