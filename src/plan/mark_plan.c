#include "plan/mark_plan.h"

const char *backup_tag(const struct backup *b, struct arena *a)
{
	return arena_printf(a, "dormouse:%s", b->name);
}

struct marking {
	struct arena *a;
	struct mark_steps *out;
};

static void mark(struct marking *m, enum mark_kind kind, const struct dataset *s, const char *snapshot,
		 const char *bookmark, const char *reason)
{
	*vec_add(m->out, m->a) = (struct mark_step){
	    .kind = kind, .dataset = s->name, .snapshot = snapshot, .bookmark = bookmark, .reason = reason};
}

void mark_plan(const struct backup *b, const struct dataset *s, const struct point *common, struct arena *a,
	       struct mark_steps *out)
{
	struct marking m = {a, out};
	const char *prefix = arena_printf(a, "dormouse_%s_", b->name);
	const char *want = arena_printf(a, "%s%016llx", prefix, (unsigned long long)common->guid);
	bool marked = false;

	for (size_t i = 0; i < s->points.n; i++)
		marked |= s->points.v[i].kind == POINT_BOOKMARK && strcmp(s->points.v[i].name, want) == 0;
	if (common->kind == POINT_SNAPSHOT) {
		const char *why = "the last that both have: it must outlive any clean-up";
		if (!marked)
			mark(&m, MARK_BOOKMARK, s, common->name, want, why);
		if (!marked || common->userrefs == 0)
			mark(&m, MARK_HOLD, s, common->name, NULL, why);
	}
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
