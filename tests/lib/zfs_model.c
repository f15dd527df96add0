#include "zfs_model.h"

static uint64_t txg_of(const struct dataset *d, uint64_t guid)
{
	uint64_t last = 0;
	for (size_t i = 0; i < d->points.n; i++) {
		if (d->points.v[i].guid == guid)
			return d->points.v[i].createtxg;
		last = d->points.v[i].createtxg > last ? d->points.v[i].createtxg : last;
	}
	return last + 1;
}

static void add_point(struct dataset *d, struct arena *a, enum point_kind kind, const char *name, uint64_t guid,
		      uint64_t userrefs)
{
	uint64_t txg = txg_of(d, guid);
	*vec_add(&d->points, a) = (struct point){
	    .kind = kind, .name = name, .guid = guid, .createtxg = txg, .creation = (int64_t)txg, .userrefs = userrefs};
}

struct dataset *model_dataset(struct side_state *s, struct arena *a, const char *name, const char *notation)
{
	struct dataset fresh = {.name = arena_strdup(a, name), .guid = s->datasets.n + 1000};
	struct str rest = str_of(notation);

	while (rest.n > 0) {
		struct str word = str_cut(&rest, ' ');
		if (word.n == 0)
			continue;
		uint64_t guid = word.n > 1 ? (unsigned char)word.p[1] : 0;
		const char *text = arena_strndup(a, word.p + 1, word.n - 1);
		if (word.p[0] == '~') {
			fresh.written = 4096;
		} else if (word.p[0] == '?') {
			fresh.resume = (struct resume){.token = "1-token", .to_guid = guid};
		} else if (word.p[0] == '*') {
			text = arena_printf(a, "dormouse_b_%016llx", (unsigned long long)guid);
			add_point(&fresh, a, POINT_BOOKMARK, text, guid, 0);
		} else {
			bool held = word.p[word.n - 1] == '+';
			text = held ? arena_strndup(a, text, word.n - 2) : text;
			add_point(&fresh, a, word.p[0] == '#' ? POINT_BOOKMARK : POINT_SNAPSHOT, text, guid, held);
		}
	}
	*vec_add(&s->datasets, a) = fresh;
	side_sort(s);
	return (struct dataset *)(uintptr_t)side_find(s, name);
}

static struct dataset *find(struct side_state *s, const char *name)
{
	return (struct dataset *)(uintptr_t)side_find(s, name);
}

static const struct point *base_at_source(const struct dataset *s, const struct point *base)
{
	for (size_t i = 0; i < s->points.n; i++)
		if (s->points.v[i].kind == base->kind && strcmp(s->points.v[i].name, base->name) == 0)
			return &s->points.v[i];
	return NULL;
}

static bool has_origin(struct side_state *target, const struct send_step *step, struct arena *a)
{
	char *name = arena_strdup(a, step->target_origin), *at = strchr(name, '@');

	*at = '\0';
	const struct dataset *o = find(target, name);
	const struct point *there = o == NULL ? NULL : dataset_snapshot_by_guid(o, step->base.guid);
	return there != NULL && strcmp(there->name, at + 1) == 0;
}

void model_parent(struct side_state *target, const struct parent_step *step, struct arena *a)
{
	char *above = arena_strdup(a, step->dataset);

	*strrchr(above, '/') = '\0';
	assert(strchr(above, '/') == NULL || find(target, above) != NULL);
	model_dataset(target, a, step->dataset, "")->placeholder = true;
}

void model_parents(struct side_state *target, const struct send_step *step, struct arena *a)
{
	for (size_t i = 0; i < step->parents.n; i++)
		if (find(target, step->parents.v[i].dataset) == NULL)
			model_parent(target, &step->parents.v[i], a);
}

bool model_send(struct side_state *source, struct side_state *target, const struct send_step *step, struct arena *a)
{
	struct dataset *s = find(source, step->source), *t = find(target, step->target);
	const struct point *to = s == NULL ? NULL : dataset_snapshot_by_guid(s, step->to.guid);

	if (to == NULL)
		return false;
	model_parents(target, step, a);
	uint64_t after = to->createtxg - 1;
	if (send_is_first(step) || (step->kind == SEND_RESUME && t != NULL && dataset_newest(t) == NULL)) {
		bool stand_in = step->replaces && t != NULL && t->placeholder && t->points.n == 0;
		if (send_is_first(step) && t != NULL && !stand_in)
			return false;
		if (step->kind == SEND_CLONE && !has_origin(target, step, a))
			return false;
		if (t == NULL) {
			char *parent = arena_strdup(a, step->target);
			*strrchr(parent, '/') = '\0';
			if (strchr(parent, '/') != NULL && find(target, parent) == NULL)
				return false;
			t = model_dataset(target, a, step->target, "");
			t->type = s->type;
		}
		if (step->kind == SEND_CLONE)
			t->origin = step->target_origin;
		t->placeholder = false;
	} else if (step->kind == SEND_RESUME) {
		if (t == NULL || t->resume.to_guid != step->to.guid)
			return false;
	} else {
		const struct point *base = base_at_source(s, &step->base);
		if (t == NULL || t->resume.token != NULL || base == NULL || dataset_newest(t) == NULL ||
		    dataset_newest(t)->guid != base->guid)
			return false;
		if (step->kind == SEND_INTERMEDIATE && base->kind == POINT_BOOKMARK)
			return false;
		if (step->kind == SEND_INTERMEDIATE)
			after = base->createtxg;
	}
	t->resume = (struct resume){0};
	for (size_t i = 0; i < s->points.n; i++) {
		const struct point *p = &s->points.v[i];
		if (p->kind != POINT_SNAPSHOT || p->createtxg <= after || p->createtxg > to->createtxg)
			continue;
		add_point(t, a, POINT_SNAPSHOT, p->name, p->guid, 0);
		t->points.v[t->points.n - 1].creation = p->creation;
	}
	return true;
}

bool model_mark(struct side_state *source, const struct mark_step *step, struct arena *a)
{
	struct dataset *d = find(source, step->dataset);

	for (size_t i = 0; i < d->points.n; i++) {
		struct point *p = &d->points.v[i];
		bool snapshot = p->kind == POINT_SNAPSHOT;
		if (strcmp(p->name, step->snapshot) != 0 || snapshot != (step->kind != MARK_UNBOOKMARK))
			continue;
		if (step->kind == MARK_HOLD) {
			p->userrefs = 1; /* there is but one tag, and one of it */
		} else if (step->kind == MARK_RELEASE) {
			p->userrefs = 0;
		} else if (step->kind == MARK_BOOKMARK) {
			add_point(d, a, POINT_BOOKMARK, step->bookmark, p->guid, 0);
		} else {
			memmove(p, p + 1, (d->points.n - i - 1) * sizeof(*p));
			d->points.n--;
		}
		side_sort(source);
		return true;
	}
	return false;
}

void model_abort(struct side_state *target, const struct abort_step *step)
{
	struct dataset *t = find(target, step->dataset);

	t->resume = (struct resume){0};
	if (dataset_newest(t) != NULL || t->placeholder)
		return;
	/* A first receive that is given up takes its dataset along. */
	size_t i = (size_t)(t - target->datasets.v);
	memmove(t, t + 1, (target->datasets.n - i - 1) * sizeof(*t));
	target->datasets.n--;
}
