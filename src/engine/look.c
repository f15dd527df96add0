#include "engine/look.h"

#include "engine/side_run.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/known.h"
#include "wire/program.h"
#include "wire/zfs_blame.h"
#include "wire/zfs_text.h"

enum { KNOWN_MAX = 512 << 20, TRIES = 3 };
/* Bytes of what is known; so few snapshots are looked at sooner than recalled and then asked for. */
enum { FEW = 2048 };

/* A program on its way, for a look. */
struct question {
	const struct look *look;
	struct str program;
	struct proc_result said;
};

static struct str kept(const struct look *l, struct buf *b)
{
	struct str text = {str_dup(l->where->arena, buf_str(b)), b->n};

	buf_release(b);
	return text;
}

/* All at once.  What goes wrong with one on its way is asked again by itself, which tells better. */
static int ask(struct question *q, size_t n, struct err *e)
{
	struct side_job jobs[LOOKS];

	assert(n > 0 && n <= LOOKS);
	for (size_t i = 0; i < n; i++) {
		if (reach_wake(q[i].look->where, e) < 0)
			return -1;
		jobs[i] = (struct side_job){.side = &q[i].look->where->side, .program = q[i].program};
	}
	side_run_jobs(jobs, n, REACH_MS, q[0].look->where->arena);
	for (size_t i = 0; i < n; i++) {
		q[i].said = jobs[i].said;
		if (jobs[i].err.kind == ERR_NONE)
			continue;
		if (jobs[i].err.retry == RETRY_NEVER)
			return *e = jobs[i].err, -1;
		if (reach_ask(q[i].look->where, q[i].program, &q[i].said, e) < 0)
			return -1;
	}
	return 0;
}

static struct question question(const struct look *l, bool names)
{
	struct buf b = {0};

	if (names)
		program_look_names(&b, l->root, l->properties);
	else
		program_look(&b, l->root, !l->only_datasets, l->properties);
	return (struct question){.look = l, .program = kept(l, &b)};
}

static int read_answer(const struct question *q, struct err *e)
{
	const struct look *l = q->look;

	*l->to = (struct side_state){.root = l->root, .ours_too = l->ours_too, .seen_at = clock_unix_s()};
	if (q->said.out.n > 0 || q->said.err.n == 0)
		return look_parse(q->said.out, l->where->arena, l->to, e);
	zfs_blame(q->said.err, e);
	return -1;
}

/* The answer to a look in full, asked again as long as that may help. */
static int in_full(struct question *q, struct err *e)
{
	const struct look *l = q->look;
	const char *what = *l->root == '\0' ? "the pools" : arena_printf(l->where->arena, "'%s'", l->root);

	for (int tries = 1; read_answer(q, e) < 0; tries++) {
		if (e->retry == RETRY_NEVER || tries == TRIES)
			return err_wrap(e, "cannot look at %s on %s", what, l->where->side.label);
		if (reach_ask(l->where, q->program, &q->said, e) < 0)
			return -1;
	}
	return 0;
}

/* --- what earlier looks saw ------------------------------------------------------------------------------------- */

static const char *known_file(const struct reach *r)
{
	return arena_printf(r->arena, "%s/snapshots%s%s", r->paths->state_dir, r->target == NULL ? "" : "-",
			    r->target == NULL ? "" : r->target->name);
}

static bool known(const struct look *l, struct str *text)
{
	struct err ignored;

	return l->recall && fd_read_file(known_file(l->where), KNOWN_MAX, l->where->arena, text, &ignored) == 0;
}

void look_forget(const struct look *l, const struct verdicts *dropped)
{
	AUTO(buf) struct buf b = {0};
	struct str before = {0};
	struct err ignored;

	(void)known(l, &before);
	known_write(l->to, before, dropped, &b);
	(void)!fd_replace_file(known_file(l->where), buf_str(&b), 0600, &ignored);
}

static struct str program_of(const struct look *l, const struct point_refs *some)
{
	struct strings names = {0};
	struct buf b = {0};

	for (size_t i = 0; i < some->n; i++)
		*vec_add(&names, l->where->arena) =
		    arena_printf(l->where->arena, "%s@%s", some->v[i].dataset->name, some->v[i].point->name);
	program_look_points(&b, &names);
	return kept(l, &b);
}

int look_again(const struct look *looks, const struct point_refs *some, size_t n, bool *changed, struct err *e)
{
	struct question q[LOOKS];
	const struct point_refs *of[LOOKS];
	size_t asked = 0;

	*changed = false;
	for (size_t i = 0; i < n; i++) {
		if (some[i].n == 0)
			continue;
		of[asked] = &some[i];
		q[asked++] = (struct question){.look = &looks[i], .program = program_of(&looks[i], &some[i])};
	}
	if (asked == 0)
		return 0;
	if (ask(q, asked, e) < 0)
		return -1;
	for (size_t i = 0; i < asked; i++) {
		bool other = false;
		if (points_parse(q[i].said.out, q[i].look->to, &other, e) < 0)
			return -1;
		*changed |= other;
		for (size_t k = 0; k < of[i]->n; k++)
			*changed |= of[i]->v[k].point->recalled;
	}
	return 0;
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

/* The answer to a look at names; which of them nobody has seen. */
static int by_names(const struct question *q, struct str text, struct point_refs *new, struct err *e)
{
	struct side_state *s = q->look->to;
	size_t snapshots = 0;

	if (read_answer(q, e) < 0 || known_fill(text, s, e) < 0)
		return -1;
	for (size_t i = 0; i < s->datasets.n; i++) {
		const struct dataset *d = &s->datasets.v[i];
		for (size_t k = 0; k < d->points.n; k++) {
			const struct point *p = &d->points.v[k];
			snapshots += p->kind == POINT_SNAPSHOT;
			if (p->guid == 0)
				*vec_add(new, q->look->where->arena) = (struct point_ref){d, p};
		}
	}
	/* To be asked for by name is dearer than to be listed. */
	return new->n > snapshots / 3 ? err_set(e, ERR_MISSING, "too few are known") : 0;
}

int look_at(const struct look *looks, size_t n, struct err *e)
{
	struct question q[LOOKS];
	struct str text[LOOKS];
	struct point_refs new[LOOKS] = {0};
	bool names[LOOKS], changed;

	assert(n > 0 && n <= LOOKS);
	for (size_t i = 0; i < n; i++) {
		names[i] = known(&looks[i], &text[i]) && text[i].n > FEW;
		q[i] = question(&looks[i], names[i]);
	}
	if (ask(q, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (names[i] && by_names(&q[i], text[i], &new[i], e) == 0)
			continue;
		/* Whatever is wrong with the short way, the long one tells better. */
		new[i].n = 0;
		if (names[i]) {
			q[i] = question(&looks[i], false);
			if (ask(&q[i], 1, e) < 0)
				return -1;
		}
		if (in_full(&q[i], e) < 0)
			return -1;
		names[i] = false;
	}
	if (look_again(looks, new, n, &changed, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (names[i]) {
			remove_gone(looks[i].to);
			side_sort(looks[i].to);
		}
		if (looks[i].recall && (!names[i] || new[i].n > 0))
			look_forget(&looks[i], &(struct verdicts){0});
	}
	return 0;
}

int look_tokens(struct reach *sender, struct side_state *target, struct err *e)
{
	struct strings tokens = {0};
	AUTO(buf) struct buf b = {0};
	struct proc_result out;

	for (size_t i = 0; i < target->datasets.n; i++)
		if (target->datasets.v[i].resume.token != NULL)
			*vec_add(&tokens, sender->arena) = target->datasets.v[i].resume.token;
	if (tokens.n == 0)
		return 0;
	program_tokens(&b, &tokens);
	if (reach_ask(sender, buf_str(&b), &out, e) < 0)
		return -1;
	return tokens_parse(out.out, sender->arena, target, e);
}
