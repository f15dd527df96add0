#include "plan/mark_plan.h"

const char *backup_tag(const struct backup *b, struct arena *a)
{
	return arena_printf(a, "dormouse:%s", b->name);
}

struct marking {
	const struct backup *b;
	struct arena *a;
	struct mark_steps *out;
};

static void mark(struct marking *m, enum mark_kind kind, const struct dataset *s, const char *snapshot,
		 const char *bookmark, const char *reason)
{
	*vec_add(m->out, m->a) = (struct mark_step){
	    .kind = kind, .dataset = s->name, .snapshot = snapshot, .bookmark = bookmark, .reason = reason};
}

static const char *prefix_of(const struct marking *m)
{
	return arena_printf(m->a, "dormouse_%s_", m->b->name);
}

/* The bookmark is made before the hold. */
static void keep(struct marking *m, const struct dataset *s, const struct point *p, const char *why)
{
	const char *want = arena_printf(m->a, "%s%016llx", prefix_of(m), (unsigned long long)p->guid);
	bool marked = false;

	if (p->kind != POINT_SNAPSHOT)
		return;
	for (size_t i = 0; i < s->points.n; i++)
		marked |= s->points.v[i].kind == POINT_BOOKMARK && strcmp(s->points.v[i].name, want) == 0;
	if (!marked)
		mark(m, MARK_BOOKMARK, s, p->name, want, why);
	if (!marked || p->userrefs == 0)
		mark(m, MARK_HOLD, s, p->name, NULL, why);
}

void mark_coming(const struct backup *b, const struct dataset *s, const struct point *to, struct arena *a,
		 struct mark_steps *out)
{
	struct marking m = {b, a, out};

	keep(&m, s, to, "it is on its way: what has arrived of it is worth nothing without it");
}

void mark_plan(const struct backup *b, const struct dataset *s, const struct point *common, struct arena *a,
	       struct mark_steps *out)
{
	struct marking m = {b, a, out};
	const char *prefix = prefix_of(&m);

	keep(&m, s, common, "the last that both have: it must outlive any clean-up");
	for (size_t i = 0; i < s->points.n; i++) {
		const struct point *p = &s->points.v[i];
		/* A bookmark is the last thread when its snapshot is gone: keep the common one. */
		if (p->kind != POINT_BOOKMARK || strncmp(p->name, prefix, strlen(prefix)) != 0 ||
		    p->guid == common->guid)
			continue;
		const struct point *snap = dataset_snapshot_by_guid(s, p->guid);
		const char *why = "a newer one is on the target";
		if (snap != NULL && snap->userrefs > 0)
			mark(&m, MARK_RELEASE, s, snap->name, NULL, why);
		mark(&m, MARK_UNBOOKMARK, s, p->name, NULL, why);
	}
}
