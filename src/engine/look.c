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

enum how { IN_FULL, BY_NAMES, BY_NEWEST };

/* A program on its way, for a look. */
struct question {
	const struct look *look;
	enum how how;
	bool learnt; /* more than was known */
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

static struct question question(const struct look *l, enum how how)
{
	struct buf b = {0};

	if (how == BY_NEWEST)
		program_look_newest(&b, l->root, l->properties, l->pool);
	else if (how == BY_NAMES)
		program_look_names(&b, l->root, l->properties, l->pool);
	else
		program_look(&b, l->root, !l->only_datasets, l->properties, l->pool);
	return (struct question){.look = l, .how = how, .program = kept(l, &b)};
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

static enum how how_to(const struct look *l, struct side_state *of)
{
	struct str text;
	struct err ignored;

	if (!known(l, &text) || text.n <= FEW || known_read(text, l->where->arena, of, &ignored) < 0)
		return IN_FULL;
	return l->brief ? BY_NEWEST : BY_NAMES;
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

int look_list(const struct look *l, const struct dataset_refs *datasets, struct err *e)
{
	struct question q = {.look = l};
	struct strings names = {0};
	struct buf b = {0};

	if (datasets->n == 0)
		return 0;
	for (size_t i = 0; i < datasets->n; i++) {
		struct dataset *d = datasets->v[i].dataset;
		*vec_add(&names, l->where->arena) = d->name;
		d->points = (struct points){0};
		d->listed_at = 0;
	}
	program_look_below(&b, &names);
	q.program = kept(l, &b);
	return ask(&q, 1, e) < 0 ? -1 : listed_parse(q.said.out, l->where->arena, l->to, e);
}

/* The answer to a look that is not in full; which snapshots nobody has seen. */
static int by_known(struct question *q, struct side_state *of, struct point_refs *new, struct err *e)
{
	const struct look *l = q->look;
	struct dataset_refs unlisted = {0};
	size_t snapshots = 0;

	if (read_answer(q, e) < 0)
		return -1;
	if (q->how == BY_NAMES) {
		known_fill(of, l->to);
	} else {
		if (l->sent != NULL)
			known_expect(of, l->sent, l->sender, l->where->arena);
		known_recall(of, l->to, l->where->arena, &unlisted);
		if (look_list(l, &unlisted, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < l->to->datasets.n; i++) {
		const struct dataset *d = &l->to->datasets.v[i];
		for (size_t k = 0; k < d->points.n; k++) {
			const struct point *p = &d->points.v[k];
			snapshots += p->kind == POINT_SNAPSHOT;
			if (p->guid == 0)
				*vec_add(new, l->where->arena) = (struct point_ref){d, p};
		}
	}
	q->learnt = new->n + unlisted.n > 0;
	/* To be asked for by name is dearer than to be listed. */
	return new->n > snapshots / 3 ? err_set(e, ERR_MISSING, "too few are known") : 0;
}

int look_at(const struct look *looks, size_t n, struct err *e)
{
	struct question q[LOOKS];
	struct side_state of[LOOKS];
	struct point_refs new[LOOKS] = {0};
	bool changed;

	assert(n > 0 && n <= LOOKS);
	for (size_t i = 0; i < n; i++)
		q[i] = question(&looks[i], how_to(&looks[i], &of[i]));
	if (ask(q, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (q[i].how != IN_FULL && by_known(&q[i], &of[i], &new[i], e) == 0)
			continue;
		/* Whatever is wrong with the short way, the long one tells better. */
		new[i].n = 0;
		if (q[i].how != IN_FULL) {
			q[i] = question(&looks[i], IN_FULL);
			if (ask(&q[i], 1, e) < 0)
				return -1;
		}
		if (in_full(&q[i], e) < 0)
			return -1;
	}
	if (look_again(looks, new, n, &changed, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (q[i].how != IN_FULL) {
			remove_gone(looks[i].to);
			side_sort(looks[i].to);
		}
		if (looks[i].recall && (q[i].how == IN_FULL || q[i].learnt))
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
