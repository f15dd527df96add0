#include "engine/room.h"

#include "base/num.h"
#include "engine/outcome.h"
#include "plan/space_plan.h"
#include "wire/program.h"
#include "wire/zfs_text.h"

/* For more streams zfs is not asked how long they will take: that costs a command each. */
enum { WEIGHED_FOR_ONE = 100 };

/* How much the target may receive; UINT64_MAX: nobody can tell. */
static uint64_t available(struct run *r)
{
	const struct dataset *root = side_find(&r->seen.target, r->backup->dest);
	AUTO(buf) struct buf b = {0};
	struct proc_result out;
	uint64_t bytes;
	struct err ignored;

	if (root != NULL)
		return root->available;
	program_available(&b, r->backup->dest);
	if (reach_ask(&r->target, buf_str(&b), &out, &ignored) < 0 || !num_u64(str_trim(out.out), &bytes))
		return UINT64_MAX;
	return bytes;
}

static void refuse(struct run *r, const struct space_lack *lack)
{
	char needs[NUM_TEXT], has[NUM_TEXT];
	struct err e;

	(void)err_set(&e, ERR_FULL, "cannot receive '%s'", lack->target);
	(void)err_why(&e, "its stream is of %s, and there is room for %s", num_show_bytes(lack->needs, needs),
		      num_show_bytes(lack->has, has));
	(void)err_hint(&e,
		       "make room on %s, or a larger pool; space_check = false in backup '%s' tries all the same, as "
		       "what is not compressed yet may take less",
		       r->target.side.label, r->backup->name);
	outcome_fail(r, lack->source, &e);
}

/* Of first copies alone it is known without asking: about what they take up. */
static uint64_t of_first_copies(const struct send_steps *todo, uint64_t bound)
{
	for (size_t i = 0; i < todo->n; i++)
		if (todo->v[i].size == 0)
			return 0;
	return bound;
}

bool room_weigh(struct run *r, struct send_steps *todo)
{
	struct space_lacks lacks = {0};
	AUTO(buf) struct buf b = {0};
	struct proc_result out;
	struct err ignored;

	r->total = 0;
	if (todo->n == 0)
		return false;
	uint64_t room = r->backup->any_space ? UINT64_MAX : available(r);
	uint64_t bound = space_bound(&r->seen.source, todo);
	if (bound <= room && (!r->watched || todo->n > WEIGHED_FOR_ONE)) {
		uint64_t first = of_first_copies(todo, bound);
		r->total = first == 0 ? 0 : r->bytes + first;
		return false;
	}
	program_estimate(&b, todo);
	if (reach_ask(&r->source, buf_str(&b), &out, &ignored) < 0 || estimates_parse(out.out, todo, &ignored) < 0)
		return false;
	r->total = r->bytes;
	for (size_t i = 0; i < todo->n; i++)
		r->total += todo->v[i].bytes;
	space_plan(todo, room, r->arena, &lacks);
	for (size_t i = 0; i < lacks.n; i++)
		refuse(r, &lacks.v[i]);
	return lacks.n > 0;
}

bool room_make(struct run *r)
{
	struct abort_steps aborts = {0};
	AUTO(buf) struct buf b = {0};
	struct outcome *full = NULL;
	struct err e;

	for (size_t i = 0; i < r->outcomes.n && full == NULL; i++)
		if (r->outcomes.v[i].err.kind == ERR_FULL && !r->outcomes.v[i].made_room)
			full = &r->outcomes.v[i];
	if (full == NULL)
		return false;
	full->made_room = true;
	for (size_t i = 0; i < r->seen.target.datasets.n; i++) {
		const struct dataset *t = &r->seen.target.datasets.v[i];
		const char *source = t->name + strlen(r->backup->dest) + 1;
		if (t->resume.token == NULL || strcmp(t->name, r->backup->dest) == 0 ||
		    strcmp(source, full->dataset) == 0)
			continue;
		*vec_add(&aborts, r->arena) = (struct abort_step){.dataset = t->name};
		run_note(r,
			 arena_printf(r->arena, "what had arrived of '%s' makes room for '%s'", source, full->dataset));
	}
	if (aborts.n > 0)
		program_make_room(&b, &aborts);
	if (aborts.n == 0 || reach_do(&r->target, buf_str(&b), "give up partial receives", &e) < 0)
		return room_make(r);
	full->err.kind = ERR_NONE;
	return true;
}
