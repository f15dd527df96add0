#include "wire/known.h"

#include "base/num.h"

static const char head[] = "dormouse snapshots 2", foot[] = "end";

enum { BELIEVED_S = 24 * 3600 };

struct dropped {
	const struct point *point;
};

static int by_address(const void *a, const void *b)
{
	const struct dropped *x = a, *y = b;
	return (x->point > y->point) - (x->point < y->point);
}

/* What the text before says of datasets that are not below the root. */
static void write_others(const struct side_state *s, struct str before, struct buf *b)
{
	bool others = false;

	if (*s->root == '\0' || !str_eq(str_cut(&before, '\n'), head))
		return;
	while (before.n > 0) {
		AUTO(arena) struct arena a = {0};
		struct str line = str_cut(&before, '\n'), name = {line.p + 1, line.n - 1};
		if (str_eq(line, foot))
			return;
		if (str_starts(line, "="))
			others = !dataset_is_under(str_dup(&a, str_cut(&name, '\t')), s->root);
		if (others)
			buf_printf(b, "%.*s\n", (int)line.n, line.p);
	}
}

void known_write(const struct side_state *s, struct str before, const struct verdicts *v, struct buf *b)
{
	AUTO(arena) struct arena a = {0};
	struct gone VEC(struct dropped) gone = {0};

	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].why == DROP)
			*vec_add(&gone, &a) = (struct dropped){v->v[i].point};
	if (gone.n > 1)
		qsort(gone.v, gone.n, sizeof(gone.v[0]), by_address);
	buf_printf(b, "%s\n", head);
	write_others(s, before, b);
	for (size_t i = 0; i < s->datasets.n; i++) {
		const struct dataset *d = &s->datasets.v[i];
		buf_printf(b, "=%s\t%llu\t%lld\n", d->name, (unsigned long long)d->guid,
			   (long long)(d->listed_at != 0 ? d->listed_at : s->seen_at));
		for (size_t k = 0; k < d->points.n; k++) {
			const struct point *p = &d->points.v[k];
			const struct dropped wanted = {p};
			if (p->kind == POINT_SNAPSHOT &&
			    (gone.n == 0 || bsearch(&wanted, gone.v, gone.n, sizeof(gone.v[0]), by_address) == NULL))
				buf_printf(b, "%s\t%llu\t%llu\t%lld\n", p->name, (unsigned long long)p->guid,
					   (unsigned long long)p->createtxg, (long long)p->creation);
		}
	}
	buf_printf(b, "%s\n", foot);
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool dataset_line(struct str line, struct arena *a, struct side_state *s)
{
	struct str name = str_cut(&line, '\t'), guid = str_cut(&line, '\t');
	struct dataset d = {0};

	if (name.n == 0 || !num_u64(guid, &d.guid) || !num_i64(line, &d.listed_at))
		return false;
	d.name = str_dup(a, name);
	*vec_add(&s->datasets, a) = d;
	return true;
}

static bool snapshot_line(struct str line, struct arena *a, struct side_state *s)
{
	struct point p = {.kind = POINT_SNAPSHOT, .recalled = true};
	struct str name = str_cut(&line, '\t'), guid = str_cut(&line, '\t'), txg = str_cut(&line, '\t');

	if (s->datasets.n == 0 || name.n == 0 || !num_u64(guid, &p.guid) || p.guid == 0 ||
	    !num_u64(txg, &p.createtxg) || !num_i64(line, &p.creation))
		return false;
	p.name = str_dup(a, name);
	*vec_add(&s->datasets.v[s->datasets.n - 1].points, a) = p;
	return true;
}

int known_read(struct str text, struct arena *a, struct side_state *known, struct err *e)
{
	bool fine = str_eq(str_cut(&text, '\n'), head), whole = false;

	*known = (struct side_state){.root = ""};
	while (fine && text.n > 0) {
		struct str line = str_cut(&text, '\n');
		whole = str_eq(line, foot);
		fine = whole		       ? text.n == 0
		       : str_starts(line, "=") ? dataset_line((struct str){line.p + 1, line.n - 1}, a, known)
					       : snapshot_line(line, a, known);
	}
	if (!fine || !whole)
		return err_set(e, ERR_CORRUPT, "cannot read what was known of snapshots");
	side_sort(known);
	return 0;
}

/* --- recalling -------------------------------------------------------------------------------------------------- */

static const struct dataset *same(const struct side_state *s, const struct dataset *d)
{
	const struct dataset *other = side_find(s, d->name);

	return other != NULL && other->guid == d->guid ? other : NULL;
}

/* Of the first n, which are sorted by name. */
static struct point *find(struct points *points, size_t n, const char *name)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(points->v[mid].name, name);
		if (c == 0)
			return &points->v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

void known_fill(const struct side_state *known, struct side_state *s)
{
	for (size_t i = 0; i < s->datasets.n; i++) {
		struct dataset *d = &s->datasets.v[i];
		const struct dataset *was = same(known, d);
		size_t n = 0, there = 0;
		/* In a look at names they come first, sorted by name. */
		while (n < d->points.n && d->points.v[n].kind == POINT_SNAPSHOT)
			n++;
		for (size_t k = 0; was != NULL && k < was->points.n; k++)
			there += find(&d->points, n, was->points.v[k].name) != NULL;
		if (was == NULL || there < was->points.n)
			continue;
		for (size_t k = 0; k < was->points.n; k++) {
			struct point *p = find(&d->points, n, was->points.v[k].name);
			const char *name = p->name;
			*p = was->points.v[k];
			p->name = name;
		}
	}
}

void known_expect(struct side_state *known, const struct send_steps *sends, const struct side_state *source,
		  struct arena *a)
{
	for (size_t i = 0; i < sends->n; i++) {
		const struct send_step *s = &sends->v[i];
		/* What side_find looks into is ours to change. */
		struct dataset *d = (struct dataset *)side_find(known, s->target);
		const struct dataset *of = side_find(source, s->source);
		if (d == NULL || of == NULL || (s->kind != SEND_INCREMENTAL && s->kind != SEND_INTERMEDIATE) ||
		    d->points.n == 0 || d->points.v[d->points.n - 1].guid != s->base.guid)
			continue;
		for (size_t k = 0; k < of->points.n; k++) {
			const struct point *p = &of->points.v[k];
			bool comes = s->kind == SEND_INTERMEDIATE
					 ? p->createtxg > s->base.createtxg && p->createtxg <= s->to.createtxg
					 : p->guid == s->to.guid;
			if (comes && p->kind == POINT_SNAPSHOT)
				*vec_add(&d->points, a) = (struct point){.kind = POINT_SNAPSHOT, .name = p->name};
		}
	}
}

void known_recall(const struct side_state *known, struct side_state *s, struct arena *a, struct dataset_refs *unlisted)
{
	for (size_t i = 0; i < s->datasets.n; i++) {
		struct dataset *d = &s->datasets.v[i];
		const struct dataset *was = same(known, d);
		if (d->newest == NULL)
			continue;
		if (was != NULL && was->points.n > 0 && strcmp(was->points.v[was->points.n - 1].name, d->newest) == 0 &&
		    was->listed_at <= s->seen_at && s->seen_at - was->listed_at < BELIEVED_S) {
			d->points = was->points;
			d->listed_at = was->listed_at;
		} else {
			*vec_add(unlisted, a) = (struct dataset_ref){d};
		}
	}
}
