#include "plan/retain_plan.h"

#include "plan/snapshot_plan.h"

struct retaining {
	const struct snapshot_policy *p; /* may be NULL on the archive */
	const struct zone *z;
	int64_t now, min_age_ms;
	struct strings origins; /* "pool/ds@snap", sorted */
	struct arena *a;
	struct verdicts *out;
};

/* --- what protects -------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct strings retain_origins(const struct side_state *s, struct arena *a)
{
	struct strings origins = {0};

	for (size_t i = 0; i < s->datasets.n; i++)
		if (s->datasets.v[i].origin != NULL)
			*vec_add(&origins, a) = s->datasets.v[i].origin;
	if (origins.n > 1)
		qsort(origins.v, origins.n, sizeof(origins.v[0]), by_text);
	return origins;
}

static bool is_origin(const struct retaining *r, const struct dataset *d, const struct point *p)
{
	AUTO(arena) struct arena a = {0};

	if (r->origins.n == 0)
		return false;
	const char *name = arena_printf(&a, "%s@%s", d->name, p->name);
	return bsearch(&name, r->origins.v, r->origins.n, sizeof(r->origins.v[0]), by_text) != NULL;
}

/* A backup's mark: the bookmark is made before the hold, so it protects too. */
static bool is_marked(const struct dataset *d, const struct point *p)
{
	static const char prefix[] = "dormouse_";

	/* A bookmark sorts right before its snapshot. */
	for (const struct point *b = p; b-- > d->points.v && b->createtxg == p->createtxg;)
		if (b->kind == POINT_BOOKMARK && b->guid == p->guid &&
		    strncmp(b->name, prefix, sizeof(prefix) - 1) == 0)
			return true;
	return false;
}

static enum verdict_why protection(const struct retaining *r, const struct dataset *d, const struct point *p)
{
	if (p->userrefs > 0)
		return KEEP_HELD;
	if (is_marked(d, p))
		return KEEP_COMMON;
	if (is_origin(r, d, p))
		return KEEP_ORIGIN;
	if ((r->now - p->creation) * 1000 < r->min_age_ms)
		return KEEP_YOUNG;
	return DROP;
}

static struct verdict *add(struct retaining *r, const struct dataset *d, const struct point *p, enum verdict_why why)
{
	struct verdict *v = vec_add(r->out, r->a);
	*v = (struct verdict){.dataset = d, .point = p, .why = why, .label = LABEL_NONE};
	return v;
}

/* The maker, as far as the policy lets it count. */
static enum maker maker_of(const struct retaining *r, const struct point *p, enum label *l)
{
	enum maker m = snapshot_maker(p->name, l);

	if ((m == MAKER_SANOID && (r->p == NULL || !r->p->sanoid)) ||
	    (m == MAKER_ZREPL && (r->p == NULL || !r->p->zrepl)))
		return MAKER_FOREIGN;
	return m;
}

/* --- periods -------------------------------------------------------------------------------------- */

/* Of the verdicts from first on that are still DROP, newest first: keeps the first snapshot of each of the
 * newest periods, so many for each label. */
static void keep_periods(struct retaining *r, size_t first, const int64_t *count)
{
	struct verdicts *v = r->out;

	for (enum label l = LABEL_FREQUENT; l < LABELS; l++) {
		const struct verdict *last = NULL; /* the one before, of those that count */
		struct verdict *best = NULL;
		int64_t n = 0, period = 0;
		for (size_t i = first; i <= v->n && count[l] > 0 && n <= count[l]; i++) {
			struct verdict *one = i < v->n ? &v->v[i] : NULL;
			if (one != NULL && one->why != DROP && one->why != KEEP_PERIOD)
				continue;
			int64_t its = one == NULL ? 0 : label_period(l, r->z, one->point->creation);
			if (one != NULL && last != NULL && its == period) {
				best = one;
				last = one;
				continue;
			}
			/* The period before is whole: its first one is best. */
			if (best != NULL && n <= count[l] && best->why == DROP) {
				best->why = KEEP_PERIOD;
				best->label = l;
				best->rank = (size_t)n;
				best->keep = count[l];
			}
			n++;
			period = its;
			last = best = one;
		}
	}
}

/* What nothing keeps may be protected all the same. */
static void protect(struct retaining *r, size_t first)
{
	for (size_t i = first; i < r->out->n; i++) {
		struct verdict *v = &r->out->v[i];
		if (v->why == DROP)
			v->why = protection(r, v->dataset, v->point);
	}
}

/* --- the host ------------------------------------------------------------------------------------- */

/* zrepl's have no label: the first of a period counts for the labels of that period. */
static void judge_zrepl(struct retaining *r, const struct dataset *d, size_t at, const bool *selects, int64_t *rank)
{
	const struct point *p = &d->points.v[at], *before = NULL;
	struct verdict *v = add(r, d, p, DROP);
	enum label l;

	for (size_t i = at; i-- > 0 && before == NULL;)
		if (d->points.v[i].kind == POINT_SNAPSHOT && maker_of(r, &d->points.v[i], &l) == MAKER_ZREPL)
			before = &d->points.v[i];
	for (l = LABEL_FREQUENT; l < LABELS; l++) {
		if (!selects[l] ||
		    (before != NULL && label_period(l, r->z, before->creation) == label_period(l, r->z, p->creation)))
			continue;
		if (++rank[l] <= r->p->keep[l] && v->why == DROP)
			*v = (struct verdict){d, p, KEEP_PERIOD, l, (size_t)rank[l], r->p->keep[l]};
	}
	if (v->why == DROP)
		v->why = protection(r, d, p);
}

static void judge_labels(struct retaining *r, const struct dataset *d, const bool *fresh)
{
	int64_t rank[LABELS];
	bool selects[LABELS], any = false;

	for (enum label l = LABEL_FREQUENT; l < LABELS; l++) {
		rank[l] = fresh[l];
		selects[l] = r->p->takes[l] && policy_selects(r->p, d, l);
		any |= selects[l];
	}
	for (size_t i = d->points.n; i > 0; i--) {
		const struct point *p = &d->points.v[i - 1];
		enum label l;
		if (p->kind != POINT_SNAPSHOT)
			continue;
		enum maker m = maker_of(r, p, &l);
		if (m == MAKER_ZREPL && any) {
			judge_zrepl(r, d, i - 1, selects, rank);
			continue;
		}
		if (m == MAKER_FOREIGN || m == MAKER_ZREPL) {
			(void)add(r, d, p, m == MAKER_FOREIGN ? KEEP_FOREIGN : KEEP_UNSELECTED);
			continue;
		}
		struct verdict *v = add(r, d, p, KEEP_UNSELECTED);
		v->label = l;
		v->keep = r->p->keep[l];
		if (!selects[l])
			continue;
		v->rank = (size_t)++rank[l];
		v->why = rank[l] <= v->keep ? KEEP_LABEL : protection(r, d, p);
	}
}

void retain_host(const struct snapshot_policy *p, const struct side_state *host, const struct snap_steps *snaps,
		 const struct zone *z, int64_t now, struct arena *a, struct verdicts *out)
{
	struct retaining r = {.p = p, .z = z, .now = now, .min_age_ms = p->min_age_ms, .a = a, .out = out};
	size_t *next = arena_alloc(a, (snaps->n + 1) * sizeof(*next));

	r.origins = retain_origins(host, a);
	for (size_t i = 0; i < host->datasets.n; i++) {
		const struct dataset *d = &host->datasets.v[i];
		bool fresh[LABELS] = {false};
		/* The datasets of a step stand in the order of the look. */
		for (size_t k = 0; k < snaps->n; k++) {
			const struct snap_step *s = &snaps->v[k];
			if (next[k] < s->datasets.n && strcmp(s->datasets.v[next[k]], d->name) == 0) {
				fresh[s->label] = true;
				next[k]++;
			}
		}
		judge_labels(&r, d, fresh);
	}
}

/* --- the archive ---------------------------------------------------------------------------------- */

static void judge_copy(struct retaining *r, const struct keep *keep, const struct dataset *s, const struct dataset *t)
{
	const struct point *newest = dataset_newest(t);
	/* Where the source has the newest one no longer, not even as a bookmark, the sides are in conflict. */
	bool frozen =
	    t->resume.token != NULL || (s != NULL ? !dataset_has_guid(s, newest->guid) : dataset_is_aside(t->name));
	size_t first = r->out->n;

	for (size_t i = t->points.n; i > 0; i--) {
		const struct point *p = &t->points.v[i - 1];
		enum label l;
		if (p->kind == POINT_SNAPSHOT)
			(void)add(r, t, p,
				  frozen				? KEEP_FROZEN
				  : maker_of(r, p, &l) == MAKER_FOREIGN ? KEEP_FOREIGN
									: DROP);
	}
	keep_periods(r, first, keep->count);
	for (size_t i = first; i < r->out->n; i++) {
		struct verdict *v = &r->out->v[i];
		if (v->why == DROP && v->point == newest)
			v->why = s != NULL ? KEEP_COMMON : KEEP_NEWEST;
		else if (v->why == DROP && (newest->creation - v->point->creation) * 1000 < keep->within_ms)
			v->why = KEEP_WITHIN;
	}
	protect(r, first);
}

void retain_archive(const struct backup *b, const struct snapshot_policy *p, const struct side_state *source,
		    const struct side_state *target, const struct zone *z, int64_t now, struct arena *a,
		    struct verdicts *out)
{
	struct retaining r = {.p = p, .z = z, .now = now, .min_age_ms = b->keep.min_age_ms, .a = a, .out = out};
	size_t dest = strlen(b->dest);

	if (!b->keep.set)
		return;
	r.origins = retain_origins(target, a);
	for (size_t i = 0; i < target->datasets.n; i++) {
		const struct dataset *t = &target->datasets.v[i];
		if (strlen(t->name) <= dest || !dataset_is_under(t->name, b->dest))
			continue;
		const char *name = t->name + dest + 1;
		if (dataset_is_under(name, b->source) && dataset_newest(t) != NULL)
			judge_copy(&r, &b->keep, side_find(source, name), t);
	}
}

void retain_arrivals(const struct backup *b, const struct snapshot_policy *p, const struct strings *origins,
		     const struct dataset *s, const struct dataset *t, size_t from, const struct zone *z, int64_t now,
		     bool *wanted)
{
	AUTO(arena) struct arena a = {0};
	struct verdicts out = {0};
	struct retaining r = {.p = p, .z = z, .now = now, .min_age_ms = b->keep.min_age_ms, .a = &a, .out = &out};
	struct dataset arrived = {.name = s->name};
	size_t *index = arena_alloc(&a, (s->points.n + 1) * sizeof(*index));

	if (!b->keep.set)
		return;
	r.origins = *origins;
	for (size_t i = 0; t != NULL && i < t->points.n; i++)
		if (t->points.v[i].kind == POINT_SNAPSHOT)
			*vec_add(&arrived.points, &a) = t->points.v[i];
	size_t there = arrived.points.n;
	for (size_t i = from; i < s->points.n; i++) {
		if (s->points.v[i].kind != POINT_SNAPSHOT || !wanted[i])
			continue;
		index[arrived.points.n - there] = i;
		struct point *one = vec_add(&arrived.points, &a);
		*one = s->points.v[i];
		one->userrefs = 0; /* a hold stays behind */
	}
	if (arrived.points.n == there)
		return;
	judge_copy(&r, &b->keep, s, &arrived);
	for (size_t i = 0; i < out.n; i++) {
		size_t at = (size_t)(out.v[i].point - arrived.points.v);
		if (at >= there && out.v[i].why == DROP)
			wanted[index[at - there]] = false;
	}
}

/* --- telling -------------------------------------------------------------------------------------- */

const char *verdict_text(const struct verdict *v, struct arena *a)
{
	const char *label = v->label == LABEL_NONE ? "" : label_name(v->label);
	const char *held = v->point->userrefs > 0 ? ", and held (zfs holds shows by whom)" : "";

	switch (v->why) {
	case KEEP_FOREIGN:
		return "it was not made by an automatic snapshot, and what others made is never touched";
	case KEEP_UNSELECTED:
		return "its dataset is not chosen for that label";
	case KEEP_LABEL:
		return arena_printf(a, "it is number %zu of the %lld newest %s ones%s", v->rank, (long long)v->keep,
				    label, held);
	case KEEP_PERIOD:
		return arena_printf(a, "it is the first of its period, number %zu of the %lld newest %s ones%s",
				    v->rank, (long long)v->keep, label, held);
	case KEEP_WITHIN:
		return "it is younger than within, counted from the newest";
	case KEEP_NEWEST:
		return "it is the newest";
	case KEEP_COMMON:
		return "it is the last that both sides have: the next increment begins there";
	case KEEP_HELD:
		return "it is held (zfs holds shows by whom)";
	case KEEP_ORIGIN:
		return "a clone depends on it";
	case KEEP_YOUNG:
		return "it is younger than min_age";
	case KEEP_FROZEN:
		return "its dataset is in conflict, half received, or was set aside: nothing is destroyed there";
	case DROP:
		break;
	}
	if (v->rank == 0)
		return "nothing keeps it any more";
	return arena_printf(a, "it is number %zu of the %s ones, and %lld are kept", v->rank, label,
			    (long long)v->keep);
}

int64_t verdict_until(const struct verdict *v, const struct zone *z, int64_t now)
{
	if (v->why == DROP)
		return now;
	if ((v->why != KEEP_LABEL && v->why != KEEP_PERIOD) || v->point->userrefs > 0)
		return INT64_MAX;
	struct calendar c = label_calendar(v->label);
	/* Each time its label strikes it moves back by one. */
	for (int64_t left = v->keep - (int64_t)v->rank + 1; left > 0 && now != INT64_MAX; left--)
		now = calendar_next(&c, z, now);
	return now;
}
