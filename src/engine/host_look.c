#include "engine/host_look.h"

#include "engine/pass.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/known.h"
#include "wire/program.h"

enum { KNOWN_MAX = 512 << 20 };

static const char *known_file(const struct reach *r)
{
	return arena_printf(r->arena, "%s/snapshots%s%s", r->paths->state_dir, r->target == NULL ? "" : "-",
			    r->target == NULL ? "" : r->target->name);
}

static void add(struct reach *r, struct strings *names, const struct dataset *d, const struct point *p)
{
	*vec_add(names, r->arena) = arena_printf(r->arena, "%s@%s", d->name, p->name);
}

static int ask_for(struct reach *r, const struct strings *names, struct side_state *s, bool *changed, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result out;

	*changed = false;
	if (names->n == 0)
		return 0;
	program_look_points(&b, names);
	if (reach_ask(r, buf_str(&b), &out, e) < 0)
		return -1;
	return points_parse(out.out, s, changed, e);
}

/* Those that have gone since their names were listed. */
static void remove_gone(struct side_state *s)
{
	for (size_t i = 0; i < s->datasets.n; i++) {
		struct points *p = &s->datasets.v[i].points;
		size_t n = 0;
		for (size_t k = 0; k < p->n; k++)
			if (p->v[k].guid != 0)
				p->v[n++] = p->v[k];
		p->n = n;
	}
}

/* -1: nothing is known, it does not pay, or it failed; *e is for nobody. */
static int look_by_names(struct reach *r, struct side_state *s, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct strings names = {0};
	struct proc_result out;
	struct str known;
	size_t snapshots = 0;
	bool changed;

	if (fd_read_file(known_file(r), KNOWN_MAX, r->arena, &known, e) < 0)
		return -1;
	program_look_names(&b);
	if (reach_ask(r, buf_str(&b), &out, e) < 0 || look_parse(out.out, r->arena, s, e) < 0 ||
	    known_fill(known, s, e) < 0)
		return -1;
	for (size_t i = 0; i < s->datasets.n; i++) {
		const struct dataset *d = &s->datasets.v[i];
		for (size_t k = 0; k < d->points.n; k++) {
			snapshots += d->points.v[k].kind == POINT_SNAPSHOT;
			if (d->points.v[k].guid == 0)
				add(r, &names, d, &d->points.v[k]);
		}
	}
	/* To be asked for by name is three times as dear as to be listed. */
	if (names.n > snapshots / 3)
		return err_set(e, ERR_MISSING, "too few are known");
	if (ask_for(r, &names, s, &changed, e) < 0)
		return -1;
	remove_gone(s);
	side_sort(s);
	return 0;
}

int host_look(struct reach *r, struct side_state *s, struct err *e)
{
	struct err why;

	*s = (struct side_state){.root = "", .seen_at = clock_unix_s()};
	/* Whatever is wrong with the short way, the long one tells better. */
	return look_by_names(r, s, &why) == 0 ? 0 : pass_look(r, "", NULL, s, e);
}

int host_look_confirm(struct reach *r, const struct verdicts *v, struct side_state *s, struct err *e)
{
	struct strings names = {0};
	bool changed;

	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].why == DROP && v->v[i].point->recalled)
			add(r, &names, v->v[i].dataset, v->v[i].point);
	if (names.n == 0)
		return 0;
	if (ask_for(r, &names, s, &changed, e) < 0)
		return -1;
	for (size_t i = 0; i < v->n; i++)
		changed |= v->v[i].why == DROP && v->v[i].point->recalled;
	if (changed && pass_look(r, "", NULL, s, e) < 0)
		return -1;
	return 1;
}

void host_look_remember(struct reach *r, const struct side_state *s, const struct verdicts *v)
{
	AUTO(buf) struct buf b = {0};
	struct err ignored;

	known_write(s, v, &b);
	(void)!fd_replace_file(known_file(r), buf_str(&b), 0600, &ignored);
}
