#include "plan/archive_plan.h"

#include "plan/retain_plan.h"

static bool may_be_forgotten(const struct side_state *target, const struct dataset *t)
{
	AUTO(arena) struct arena a = {0};
	const char *own = arena_printf(&a, "%s@", t->name);

	for (size_t i = 0; i < t->points.n; i++) {
		enum label l;
		const struct point *p = &t->points.v[i];
		if (p->userrefs > 0 || (p->kind == POINT_SNAPSHOT && snapshot_maker(p->name, &l) == MAKER_FOREIGN))
			return false;
	}
	for (size_t i = 0; i < target->datasets.n; i++) {
		const char *origin = target->datasets.v[i].origin;
		if (origin != NULL && strncmp(origin, own, strlen(own)) == 0)
			return false;
	}
	return t->resume.token == NULL;
}

/* The source of t is missed.  A clock that leapt would end a dataset that went yesterday: of the time between two looks
 * no more counts than a quarter of forget_after, so that at least four looks, spread over it, found the source gone. */
static bool plan_gone(const struct backup *b, const struct side_state *target, const struct dataset *t, int64_t now,
		      struct tidy_step *step)
{
	int64_t forget = b->keep.forget_ms / 1000;
	int64_t seen = t->gone_seen > t->gone_since ? t->gone_seen : t->gone_since, gap = now - seen;

	gap = gap < 0 ? 0 : gap > forget / 4 ? forget / 4 : gap;
	int64_t gone = seen - t->gone_since + gap;
	if (t->gone_since == 0) {
		step->kind = TIDY_GONE;
		step->since = step->at = now;
		step->reason = "its source is gone";
		return true;
	}
	if (forget == 0)
		return false;
	if (gone >= forget && backup_covers(b, step->source) && may_be_forgotten(target, t)) {
		step->kind = TIDY_FORGET;
		step->reason = "its source has been gone for longer than forget_after";
		return true;
	}
	step->kind = TIDY_GONE;
	step->since = now - gone;
	step->at = now;
	step->reason = "its source is still gone";
	return now < seen || gap >= forget / 8;
}

void archive_plan(const struct backup *b, const struct snapshot_policy *p, const struct side_state *source,
		  const struct side_state *target, const struct zone *z, int64_t now, const char *doubt,
		  struct arena *a, struct archive *out)
{
	size_t dest = strlen(b->dest);

	*out = (struct archive){.doubt = doubt};
	if (doubt != NULL)
		return;
	retain_archive(b, p, source, target, z, now, a, &out->verdicts);
	/* What is below comes first: a dataset goes only when nothing is left below it. */
	for (size_t i = target->datasets.n; i > 0; i--) {
		const struct dataset *t = &target->datasets.v[i - 1];
		if (strlen(t->name) <= dest || !dataset_is_under(t->name, b->dest))
			continue;
		const char *name = t->name + dest + 1;
		if (!dataset_is_under(name, b->source) || t->placeholder || dataset_newest(t) == NULL ||
		    (dataset_is_aside(name) && side_find(source, name) == NULL))
			continue;
		if (t->open)
			*vec_add(&out->tidies, a) =
			    (struct tidy_step){.kind = TIDY_CLOSE,
					       .dataset = t->name,
					       .source = name,
					       .is_volume = t->type == DATASET_VOLUME,
					       .reason = "a copy that is written to, or mounted, is one no longer"};
		struct tidy_step step = {.dataset = t->name, .source = name};
		if (side_find(source, name) != NULL) {
			step.kind = TIDY_BACK;
			step.reason = "its source is there again";
			if (t->gone_since == 0)
				continue;
		} else if (!plan_gone(b, target, t, now, &step)) {
			continue;
		}
		*vec_add(&out->tidies, a) = step;
	}
	prune_plan(&out->verdicts, a, &out->prunes);
}
