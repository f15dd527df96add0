#include "wire/known.h"

#include "base/num.h"

static const char head[] = "dormouse snapshots 1", foot[] = "end";

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
		buf_printf(b, "=%s\t%llu\n", d->name, (unsigned long long)d->guid);
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

/* One dataset of the text. */
struct recalling {
	struct dataset *d; /* NULL: it is not there, or is another one */
	size_t n;	   /* its snapshots, which come first in a look at names, sorted by name */
	bool lacks;	   /* one that it had is not there */
};

static struct point *find(const struct recalling *r, struct str name)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct point *p = &r->d->points.v[mid];
		int c = strncmp(p->name, name.p, name.n);
		if (c == 0 && p->name[name.n] == '\0')
			return p;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void forget(struct recalling *r)
{
	for (size_t i = 0; r->lacks && i < r->n; i++)
		r->d->points.v[i] = (struct point){.kind = POINT_SNAPSHOT, .name = r->d->points.v[i].name};
	*r = (struct recalling){0};
}

static bool begin(struct recalling *r, struct side_state *s, struct str line)
{
	AUTO(arena) struct arena a = {0};
	struct str name = str_cut(&line, '\t');
	uint64_t guid;

	forget(r);
	if (name.n == 0 || !num_u64(line, &guid))
		return false;
	/* What side_find looks into is ours to change. */
	r->d = (struct dataset *)side_find(s, str_dup(&a, name));
	if (r->d == NULL || r->d->guid != guid) {
		r->d = NULL;
		return true;
	}
	while (r->n < r->d->points.n && r->d->points.v[r->n].kind == POINT_SNAPSHOT)
		r->n++;
	return true;
}

static bool one(struct recalling *r, struct str line)
{
	struct point was = {.kind = POINT_SNAPSHOT, .recalled = true};
	struct str name = str_cut(&line, '\t'), guid = str_cut(&line, '\t'), txg = str_cut(&line, '\t');

	if (name.n == 0 || !num_u64(guid, &was.guid) || was.guid == 0 || !num_u64(txg, &was.createtxg) ||
	    !num_i64(line, &was.creation))
		return false;
	if (r->d == NULL)
		return true;
	struct point *p = find(r, name);
	if (p == NULL) {
		r->lacks = true;
	} else {
		was.name = p->name;
		*p = was;
	}
	return true;
}

int known_fill(struct str text, struct side_state *s, struct err *e)
{
	struct recalling r = {0};
	bool fine = str_eq(str_cut(&text, '\n'), head), whole = false;

	while (fine && text.n > 0) {
		struct str line = str_cut(&text, '\n');
		whole = str_eq(line, foot);
		fine = whole		       ? text.n == 0
		       : str_starts(line, "=") ? begin(&r, s, (struct str){line.p + 1, line.n - 1})
					       : one(&r, line);
	}
	forget(&r);
	return fine && whole ? 0 : err_set(e, ERR_CORRUPT, "cannot read what was known of snapshots");
}
