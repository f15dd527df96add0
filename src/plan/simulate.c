#include "plan/simulate.h"

#include "plan/archive_plan.h"
#include "plan/foresee.h"
#include "plan/replicate_plan.h"
#include "plan/schedule_plan.h"
#include "plan/snapshot_plan.h"

struct simulating {
	const struct snapshot_policy *p;
	const struct backup *b;
	const struct zone *z;
	struct arena *a; /* of the result; the sides live in one of ours */
	struct arena sides;
	struct side_state source, target;
	uint64_t guid;
};

static struct side_state one_of(const struct side_state *s, const char *name, struct arena *a)
{
	const struct dataset *d = side_find(s, name);
	struct side_state one = *s;

	one.datasets = (struct datasets){0};
	if (d != NULL)
		*vec_add(&one.datasets, a) = *d;
	return foresee_copy(&one, a);
}

static void count(const struct dataset *d, size_t *by_label, size_t *others, int64_t *oldest)
{
	for (size_t i = 0; d != NULL && i < d->points.n; i++) {
		enum label l;
		if (d->points.v[i].kind != POINT_SNAPSHOT)
			continue;
		*oldest = *oldest == 0 ? d->points.v[i].creation : *oldest;
		(void)snapshot_maker(d->points.v[i].name, &l);
		if (l == LABEL_NONE)
			++*others;
		else
			by_label[l]++;
	}
}

static void note(struct simulating *s, int64_t at, struct simulation *out)
{
	struct simulated *one = vec_add(out, s->a);

	one->at = at;
	count(side_find(&s->source, s->b->source), one->source, &one->source_others, &one->source_oldest);
	count(s->target.datasets.n == 0 ? NULL : &s->target.datasets.v[0], one->archive, &one->archive_others,
	      &one->archive_oldest);
}

static void pass(struct simulating *s, int64_t now)
{
	AUTO(arena) struct arena scratch = {0};
	struct pass pass;

	pass_plan(s->p, &s->source, s->z, now, CLOCK_TRUSTED, &scratch, &pass);
	/* Names outlive the plan. */
	for (size_t i = 0; i < pass.snaps.n; i++)
		pass.snaps.v[i].name = arena_strdup(&s->sides, pass.snaps.v[i].name);
	foresee_snaps(&s->source, &pass.snaps, now, &s->guid, &s->sides);
	foresee_prunes(&s->source, &pass.prunes);
}

static void run(struct simulating *s, int64_t now)
{
	AUTO(arena) struct arena scratch = {0};
	struct plan plan = {0}, after = {0};
	struct archive archive;

	replicate_plan(s->b, s->p, &s->source, &s->target, s->z, now, &scratch, &plan);
	for (size_t i = 0; i < plan.sends.n; i++)
		plan.sends.v[i].target = arena_strdup(&s->sides, plan.sends.v[i].target);
	foresee_sends(&s->target, &s->source, &plan, &s->sides);
	replicate_plan(s->b, s->p, &s->source, &s->target, s->z, now, &scratch, &after);
	for (size_t i = 0; i < after.marks.n; i++)
		if (after.marks.v[i].bookmark != NULL)
			after.marks.v[i].bookmark = arena_strdup(&s->sides, after.marks.v[i].bookmark);
	foresee_marks(&s->source, &after.marks, &s->sides);
	archive_plan(s->b, s->p, &s->source, &s->target, s->z, now, NULL, &scratch, &archive);
	foresee_prunes(&s->target, &archive.prunes);
}

void simulate(const struct snapshot_policy *p, const struct backup *b, const struct side_state *source,
	      const struct side_state *target, const struct zone *z, int64_t now, int64_t seconds, struct arena *a,
	      struct simulation *out)
{
	enum { HOUR = 3600, DAY = 86400 };
	static const int64_t first_looks[] = {HOUR, DAY, 7 * DAY};
	struct simulating s = {.p = p, .b = b, .z = z, .a = a, .guid = foresee_guid(source, target)};
	int64_t end = now + seconds, last = 0, begin = now, look = now, t = now;
	bool follows = b->run.kind == SCHEDULE_NONE || b->run.kind == SCHEDULE_AFTER_SNAPSHOT;
	size_t looks = 0;

	s.source = one_of(source, b->source, &s.sides);
	s.target = one_of(target, arena_printf(&s.sides, "%s/%s", b->dest, b->source), &s.sides);
	s.target.seen = s.target.root_exists = true;
	s.target.recorded = false;
	while (t <= end) {
		int64_t strike = p == NULL ? INT64_MAX : policy_next(p, z, t);
		int64_t due = follows ? strike : schedule_next(&b->run, b->name, z, last, t);
		int64_t next = strike < due ? strike : due;
		while (look <= end && look < (next <= t ? t + 1 : next)) {
			note(&s, look, out);
			looks++;
			look = looks <= ARRAY_LEN(first_looks) ? begin + first_looks[looks - 1] : look + 30 * DAY;
		}
		if (next == INT64_MAX)
			break;
		t = next > t ? next : t + 1;
		if (t > end)
			break;
		if (strike <= t)
			pass(&s, t);
		if (due <= t) {
			run(&s, t);
			last = t;
		}
	}
	if (out->n == 0 || out->v[out->n - 1].at < end)
		note(&s, end, out);
	arena_release(&s.sides);
}
