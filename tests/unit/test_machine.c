/* Every sequence of events to depth 8, against the promises of the life cycle. */
#include "check.h"

#include "plan/machine_step.h"

/* What a world around the machine would have seen. */
struct watch {
	struct machine m;
	int machines; /* started and not ended */
	int waiting, having;
};

static bool possible(const struct watch *w, enum machine_event ev)
{
	bool working = w->m.state != MACHINE_ABSENT && w->m.state != MACHINE_READY && w->m.state != MACHINE_LINGERING &&
		       w->m.state != MACHINE_FAILED;
	switch (ev) {
	case MACHINE_UNWAITED:
		return w->waiting > 0;
	case MACHINE_RELEASED:
		return w->having > 0;
	case MACHINE_DONE:
	case MACHINE_FAULT:
		return working;
	case MACHINE_WANTED:
		return w->waiting + w->having < 3;
	case MACHINE_TIMER:
		return w->m.state == MACHINE_LINGERING || w->m.state == MACHINE_FAILED;
	case MACHINE_FOUND:
		return w->m.state == MACHINE_ABSENT && w->waiting == 0;
	case MACHINE_SLEEP:
		return true;
	}
	return false;
}

static void step(struct watch *w, enum machine_event ev)
{
	enum machine_state before = w->m.state;

	w->waiting += ev == MACHINE_WANTED;
	w->waiting -= ev == MACHINE_UNWAITED;
	w->having -= ev == MACHINE_RELEASED;
	if (before == MACHINE_STOPPING && ev == MACHINE_DONE)
		w->machines = 0;
	unsigned actions = machine_step(&w->m, ev);
	if (ev == MACHINE_FOUND)
		w->machines++;
	if (actions & DO_REFUSE)
		w->waiting = 0;
	if (actions & DO_CUT)
		w->having = 0;
	if (actions & DO_GRANT) {
		w->having += w->waiting;
		w->waiting = 0;
	}
	if (actions & DO_START)
		w->machines++;
	assert_true(w->machines <= 1);				/* never two machines */
	assert_true(w->machines == 0 || machine_exists(&w->m)); /* never a forgotten one */
	assert_int_equal(w->waiting, w->m.waiters);
	assert_int_equal(w->having, w->m.leases);
	assert_true(w->having == 0 || w->m.state == MACHINE_READY); /* who has it, has it running */
	assert_true(w->m.state != MACHINE_READY || w->having > 0);
	int works = !!(actions & DO_START) + !!(actions & DO_PREPARE) + !!(actions & DO_DRAIN) + !!(actions & DO_STOP);
	assert_true(works <= 1);
	bool was_working = before == MACHINE_STARTING || before == MACHINE_PREPARING;
	if (works == 1 && was_working && ev != MACHINE_DONE && ev != MACHINE_FAULT)
		assert_true(actions & DO_CANCEL); /* one worker at a time */
}

/* When everybody leaves and everything succeeds, the machine is gone after a few steps. */
static void ends_stopped(struct watch w)
{
	for (int i = 0; i < 30 && (machine_exists(&w.m) || w.waiting > 0); i++) {
		if (w.waiting > 0 && !w.m.adopted && w.m.state != MACHINE_DRAINING && w.m.state != MACHINE_STOPPING)
			step(&w, MACHINE_UNWAITED);
		else if (w.having > 0)
			step(&w, MACHINE_RELEASED);
		else if (possible(&w, MACHINE_TIMER))
			step(&w, MACHINE_TIMER);
		else if (possible(&w, MACHINE_DONE))
			step(&w, MACHINE_DONE);
	}
	assert_false(machine_exists(&w.m));
	assert_int_equal(w.machines, 0);
}

static size_t walked;

static void walk(struct watch w, int depth)
{
	walked++;
	ends_stopped(w);
	if (depth == 0)
		return;
	for (int ev = 0; ev < MACHINE_EVENTS; ev++) {
		struct watch next = w;
		if (!possible(&w, (enum machine_event)ev))
			continue;
		step(&next, (enum machine_event)ev);
		walk(next, depth - 1);
	}
}

static void every_sequence(void **state)
{
	(void)state;
	walk((struct watch){0}, 8);
	print_message("# %zu sequences\n", walked);
	assert_true(walked > 10000);
}

/* Events that mean nothing where they come change nothing. */
static void out_of_place(void **state)
{
	(void)state;
	for (int s = 0; s < MACHINE_STATES; s++) {
		for (int ev = 0; ev < MACHINE_EVENTS; ev++) {
			struct machine m = {.state = (enum machine_state)s, .leases = s == MACHINE_READY};
			enum machine_state before = m.state;
			(void)machine_step(&m, (enum machine_event)ev);
			assert_true(m.state == before || machine_edge(before, m.state) || before == MACHINE_STOPPING);
		}
		assert_true(machine_state_name((enum machine_state)s)[0] != '\0');
	}
}

/* Who comes while a machine that was left behind turns out to be none gets one all the same. */
static void found_and_broken(void **state)
{
	static const struct {
		enum machine_event ev;
		unsigned actions;
	} t[] = {{MACHINE_FOUND, DO_PREPARE}, {MACHINE_WANTED, 0},	    {MACHINE_FAULT, DO_DRAIN},
		 {MACHINE_FAULT, DO_STOP},    {MACHINE_DONE, DO_START},	    {MACHINE_DONE, DO_PREPARE},
		 {MACHINE_DONE, DO_GRANT},    {MACHINE_RELEASED, DO_LINGER}};
	struct machine m = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(machine_step(&m, t[i].ev), t[i].actions);
	/* Once: what was started afresh and fails is refused. */
	assert_int_equal(machine_step(&m, MACHINE_TIMER), DO_DRAIN);
	(void)machine_step(&m, MACHINE_DONE);
	(void)machine_step(&m, MACHINE_DONE);
	assert_int_equal(machine_step(&m, MACHINE_WANTED), DO_START);
	(void)machine_step(&m, MACHINE_DONE);
	assert_int_equal(machine_step(&m, MACHINE_FAULT), DO_REFUSE | DO_DRAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_sequence), cmocka_unit_test(out_of_place),
					   cmocka_unit_test(found_and_broken)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
