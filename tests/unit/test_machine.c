/* Every life of a machine to depth 8, breadth first, against what the life cycle promises. */
#include "check.h"

#include "base/buf.h"
#include "plan/machine_step.h"
#include "plan/reconcile_plan.h"

enum { HOUR = 3600 * 1000, DEPTH = 8 };

/* What a world around the machine would have seen. */
struct watch {
	struct machine m;
	struct machine_past past;
	int64_t now, born;
	int machines; /* started, or found, and not ended */
	int waiting, having, starts;
};

static const struct machine_rules plain = {
    .start_ms = 1000, .drain_ms = 100, .stop_ms = 200, .linger_ms = 500, .grace_ms = 700, .doubt_ms = 9000};
static const struct machine_rules strict = {.start_ms = 1000,
					    .drain_ms = 100,
					    .stop_ms = 200,
					    .linger_ms = 0,
					    .grace_ms = 700,
					    .doubt_ms = 9000,
					    .lifetime_ms = 1300,
					    .starts_per_hour = 2};

/* Its watchdog is told that it is wanted, often enough that two tries may fail. */
static const struct machine_rules watched = {.start_ms = 1000,
					     .drain_ms = 100,
					     .stop_ms = 200,
					     .linger_ms = 500,
					     .grace_ms = 700,
					     .doubt_ms = 9000,
					     .feed_ms = 120};

static bool works(const struct machine *m)
{
	switch (m->state) {
	case MACHINE_STARTING:
	case MACHINE_PREPARING:
	case MACHINE_DRAINING:
	case MACHINE_STOPPING:
		return true;
	case MACHINE_READY:
	case MACHINE_LINGERING:
		return m->work_until != 0; /* its watchdog is being told */
	case MACHINE_ABSENT:
	case MACHINE_FAILED:
		return false;
	}
	return false;
}

/* May the world bring this about now?  MACHINE_TIMER stands for time: whatever is due next. */
static bool possible(const struct watch *w, const struct machine_rules *r, enum machine_event ev)
{
	int64_t until;

	switch (ev) {
	case MACHINE_UNWAITED:
		return w->waiting > 0;
	case MACHINE_RELEASED:
		return w->having > 0;
	case MACHINE_DONE:
	case MACHINE_FAULT:
		return works(&w->m);
	case MACHINE_WANTED:
		return w->waiting + w->having < 3 &&
		       machine_refuses(&w->m, &w->past, r, true, w->now, &until) == REFUSE_NOT;
	case MACHINE_TIMER:
		return machine_next(&w->m) != INT64_MAX;
	case MACHINE_FOUND:
	case MACHINE_NOT_FOUND:
		return w->m.unsure;
	case MACHINE_UNSURE:
		return w->m.state == MACHINE_ABSENT;
	case MACHINE_STRAY: /* of one beside it, which nobody ever waits for */
		return w->m.state == MACHINE_ABSENT && !w->m.unsure && w->waiting == 0;
	case MACHINE_LOST:
		return w->m.state == MACHINE_READY || w->m.state == MACHINE_LINGERING;
	case MACHINE_HUNGRY: /* time brings these */
	case MACHINE_EXPIRED:
		return false;
	case MACHINE_SLEEP:
		return true;
	}
	return false;
}

static void before(struct watch *w, enum machine_event ev)
{
	w->waiting += ev == MACHINE_WANTED;
	w->waiting -= ev == MACHINE_UNWAITED;
	w->having -= ev == MACHINE_RELEASED;
	if (ev == MACHINE_FOUND || (ev == MACHINE_STRAY && w->m.state == MACHINE_ABSENT)) {
		w->machines++;
		w->born = w->now;
	}
	if (w->m.state == MACHINE_STOPPING && ev == MACHINE_DONE)
		w->machines = 0;
}

static void after(struct watch *w, unsigned actions)
{
	if (actions & DO_REFUSE)
		w->waiting = 0;
	if (actions & DO_CUT)
		w->having = 0;
	if (actions & DO_GRANT) {
		w->having += w->waiting;
		w->waiting = 0;
	}
	if (actions & DO_START) {
		w->machines++;
		w->starts++;
		w->born = w->now;
	}
}

static void keeps_its_promises(const struct watch *w, const struct machine_rules *r)
{
	const struct machine *m = &w->m;
	bool on = m->state == MACHINE_STARTING || m->state == MACHINE_PREPARING || m->state == MACHINE_READY ||
		  m->state == MACHINE_LINGERING;

	assert_true(w->machines <= 1);			    /* never two machines */
	assert_true(w->machines == 0 || machine_exists(m)); /* never a forgotten one */
	assert_int_equal(w->waiting, m->waiters);	    /* everybody is told what became of it */
	assert_int_equal(w->having, m->leases);
	assert_int_equal(w->having > 0, m->state == MACHINE_READY); /* who has it, has it running */
	assert_int_equal(works(m), m->state != MACHINE_ABSENT && m->work_until != 0);
	assert_true(w->waiting == 0 || m->state != MACHINE_ABSENT || m->work_until != 0); /* nobody waits for ever */
	assert_true(!m->unsure || m->state == MACHINE_ABSENT);
	/* What may cost money is not left to chance: something will happen to it by itself, unless somebody uses it. */
	assert_true(!machine_exists(m) || w->having > 0 || machine_next(m) != INT64_MAX);
	/* It is told in time, or being told, as long as it is up, and only then. */
	bool up = m->state == MACHINE_READY || m->state == MACHINE_LINGERING;
	int64_t told = m->feed_at != 0 ? m->feed_at : up ? m->work_until : 0;
	assert_int_equal(told != 0, up && r->feed_ms > 0);
	assert_true(told <= w->now + 2 * r->feed_ms);
	if (r->lifetime_ms > 0 && on)
		assert_true(m->expires_at != 0 && m->expires_at <= w->born + r->lifetime_ms);
	if (r->starts_per_hour > 0)
		assert_true(w->starts <= r->starts_per_hour + w->now / (HOUR / r->starts_per_hour));
}

static void step(struct watch *w, const struct machine_rules *r, enum machine_event ev)
{
	enum machine_state was = w->m.state;
	bool was_working = works(&w->m);

	if (ev == MACHINE_TIMER) {
		if (machine_next(&w->m) > w->now)
			w->now = machine_next(&w->m);
		assert_true(machine_due(&w->m, w->now, &ev));
	}
	before(w, ev);
	unsigned actions = machine_step(&w->m, &w->past, r, ev, w->now);
	after(w, actions);
	keeps_its_promises(w, r);
	int begun = !!(actions & DO_START) + !!(actions & DO_PREPARE) + !!(actions & DO_DRAIN) + !!(actions & DO_STOP) +
		    !!(actions & DO_FEED);
	assert_true(begun <= 1);
	bool goes_on = was_working && was != w->m.state && (was == MACHINE_READY || was == MACHINE_LINGERING) &&
		       (w->m.state == MACHINE_READY || w->m.state == MACHINE_LINGERING);
	assert_int_equal(begun, works(&w->m) && ((w->m.state != was && !goes_on) || begun > 0));
	if (begun == 1 && was_working && ev != MACHINE_DONE && ev != MACHINE_FAULT)
		assert_true(actions & DO_CANCEL); /* one worker at a time */
}

/* When everybody leaves and everything succeeds, the machine is gone after a few steps. */
static void ends_stopped(struct watch w, const struct machine_rules *r)
{
	for (int i = 0; i < 30 && (machine_exists(&w.m) || w.waiting > 0); i++) {
		if (w.waiting > 0)
			step(&w, r, MACHINE_UNWAITED);
		else if (w.having > 0)
			step(&w, r, MACHINE_RELEASED);
		else if (possible(&w, r, MACHINE_DONE))
			step(&w, r, MACHINE_DONE);
		else
			step(&w, r, MACHINE_TIMER);
	}
	assert_false(machine_exists(&w.m));
	assert_int_equal(w.machines, 0);
}

/* Whether all goes well or nothing does, who waits is answered. */
static void is_answered(struct watch w, const struct machine_rules *r, enum machine_event always)
{
	for (int i = 0; i < 12 && w.waiting > 0; i++)
		step(&w, r, possible(&w, r, always) ? always : MACHINE_TIMER);
	assert_int_equal(w.waiting, 0);
}

/* --- breadth first -------------------------------------------------------------------------------------------------
 */

struct lives {
	struct watch *v;
	size_t n, cap;
	size_t *slots; /* of 1 + index, 0 = free */
	size_t nslots;
};

static bool same(const struct watch *a, const struct watch *b)
{
	return a->m.state == b->m.state && a->m.waiters == b->m.waiters && a->m.leases == b->m.leases &&
	       a->m.adopted == b->m.adopted && a->m.unsure == b->m.unsure && a->m.broken == b->m.broken &&
	       a->m.doubt_until == b->m.doubt_until && a->m.work_until == b->m.work_until &&
	       a->m.timer_at == b->m.timer_at && a->m.feed_at == b->m.feed_at && a->m.expires_at == b->m.expires_at &&
	       a->past.failures == b->past.failures && a->past.pause_until == b->past.pause_until &&
	       a->past.paid_until == b->past.paid_until && a->now == b->now && a->born == b->born &&
	       a->machines == b->machines && a->starts == b->starts;
}

static size_t mix(const struct watch *w)
{
	const int64_t parts[] = {w->m.state,	w->m.waiters,	  w->m.leases,	    w->m.unsure,	w->m.work_until,
				 w->m.timer_at, w->m.expires_at,  w->past.failures, w->past.paid_until, w->now,
				 w->starts,	w->m.doubt_until, w->m.feed_at};
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		h = (h ^ (uint64_t)parts[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 29);
}

static void add(struct lives *l, const struct watch *w)
{
	size_t i = mix(w) & (l->nslots - 1);

	for (; l->slots[i] != 0; i = (i + 1) & (l->nslots - 1))
		if (same(&l->v[l->slots[i] - 1], w))
			return;
	assert_true(l->n < l->cap);
	l->v[l->n++] = *w;
	l->slots[i] = l->n;
}

static void every_life(const struct machine_rules *r, bool unsure)
{
	struct lives l = {.cap = 1 << 21, .nslots = 1 << 22};
	struct watch first = {.m.unsure = unsure};
	size_t from = 0;

	l.v = test_malloc(l.cap * sizeof(*l.v));
	l.slots = test_calloc(l.nslots, sizeof(*l.slots));
	add(&l, &first);
	for (int depth = 0; depth <= DEPTH; depth++) {
		size_t to = l.n;
		for (; from < to; from++) {
			ends_stopped(l.v[from], r);
			is_answered(l.v[from], r, MACHINE_DONE);
			is_answered(l.v[from], r, MACHINE_FAULT);
			for (int ev = 0; ev < MACHINE_EVENTS && depth < DEPTH; ev++) {
				struct watch next = l.v[from];
				if (!possible(&next, r, (enum machine_event)ev))
					continue;
				step(&next, r, (enum machine_event)ev);
				add(&l, &next);
			}
		}
	}
	print_message("# %zu different lives\n", l.n);
	assert_true(l.n > 1000);
	test_free(l.v);
	test_free(l.slots);
}

static void every_sequence(void **state)
{
	(void)state;
	every_life(&plain, true);
	every_life(&strict, false);
	every_life(&watched, false);
}

/* Events that mean nothing where they come change nothing. */
static void out_of_place(void **state)
{
	(void)state;
	for (int s = 0; s < MACHINE_STATES; s++) {
		for (int ev = 0; ev < MACHINE_EVENTS; ev++) {
			struct machine m = {.state = (enum machine_state)s, .leases = s == MACHINE_READY};
			struct machine_past past = {0};
			enum machine_state was = m.state;
			(void)machine_step(&m, &past, &plain, (enum machine_event)ev, 1);
			assert_true(m.state == was || machine_edge(was, m.state) || was == MACHINE_STOPPING);
		}
		assert_true(machine_state_name((enum machine_state)s)[0] != '\0');
	}
}

/* --- by hand -------------------------------------------------------------------------------------------------------
 */

/* Who comes while a machine that was left behind turns out to be none gets one all the same. */
static void found_and_broken(void **state)
{
	static const struct {
		enum machine_event ev;
		unsigned actions;
	} t[] = {{MACHINE_FOUND, DO_PREPARE}, {MACHINE_WANTED, 0},
		 {MACHINE_FAULT, DO_DRAIN},   {MACHINE_FAULT, DO_STOP},
		 {MACHINE_DONE, DO_START},    {MACHINE_DONE, DO_PREPARE},
		 {MACHINE_DONE, DO_GRANT},    {MACHINE_RELEASED, 0},
		 {MACHINE_TIMER, DO_DRAIN},   {MACHINE_DONE, DO_STOP},
		 {MACHINE_DONE, 0},	      {MACHINE_WANTED, DO_START},
		 {MACHINE_DONE, DO_PREPARE},  {MACHINE_FAULT, DO_REFUSE | DO_DRAIN}};
	struct machine m = {0};
	struct machine_past past = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(machine_step(&m, &past, &plain, t[i].ev, 5), t[i].actions);
	assert_int_equal(past.failures, 1);
}

/* Twice as long after each failure, and as if nothing had been after a success; not for who insists. */
static void pauses(void **state)
{
	static const int64_t want[] = {5000, 10000, 20000, 40000, 80000, 160000, 300000, 300000};
	struct machine_past past = {0};
	struct machine m = {0};
	int64_t now = 0, until;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(machine_refuses(&m, &past, &plain, false, now, &until), REFUSE_NOT);
		(void)machine_step(&m, &past, &plain, MACHINE_WANTED, now);
		(void)machine_step(&m, &past, &plain, MACHINE_FAULT, now);
		/* It is being stopped: who comes now is refused with the reason, at once. */
		assert_int_equal(machine_refuses(&m, &past, &plain, false, now, &until), REFUSE_PAUSE);
		assert_int_equal(until, now + want[i]);
		assert_int_equal(machine_refuses(&m, &past, &plain, true, now, &until), REFUSE_NOT);
		(void)machine_step(&m, &past, &plain, MACHINE_DONE, now);
		now += want[i];
	}
	(void)machine_step(&m, &past, &plain, MACHINE_WANTED, now);
	(void)machine_step(&m, &past, &plain, MACHINE_DONE, now);
	(void)machine_step(&m, &past, &plain, MACHINE_DONE, now);
	assert_int_equal(past.failures, 0);
}

static void starts_per_hour(void **state)
{
	struct machine_past past = {0};
	const struct machine m = {0};
	int64_t until, now = 10 * HOUR;

	(void)state;
	/* Two that the keeper before this one has made, one of them long ago. */
	machine_recall(&past, &strict, now - 2 * HOUR, false);
	machine_recall(&past, &strict, now - 60000, false);
	assert_int_equal(machine_refuses(&m, &past, &strict, true, now, &until), REFUSE_NOT);
	machine_recall(&past, &strict, now, true);
	assert_int_equal(machine_refuses(&m, &past, &strict, true, now, &until), REFUSE_LIMIT);
	assert_int_equal(until, now - 60000 + HOUR / 2);
	assert_int_equal(machine_refuses(&m, &past, &strict, true, until, &until), REFUSE_NOT);
	assert_int_equal(past.failures, 1);
}

/* The lifetime goes on through a restart of the keeper; a clock that has jumped makes it neither longer nor endless. */
static void lifetime_is_remembered(void **state)
{
	static const struct {
		int64_t age, left;
	} t[] = {{0, 1300}, {400, 900}, {1300, 0}, {99999999, 0}, {-5000, 1300}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct machine m = {0};
		struct machine_past past = {0};
		enum machine_event ev;
		machine_remember(&m, &strict, t[i].age, 50000);
		assert_int_equal(machine_step(&m, &past, &strict, MACHINE_FOUND, 50000), DO_PREPARE);
		assert_int_equal(m.expires_at, 50000 + t[i].left);
		assert_int_equal(machine_due(&m, m.expires_at, &ev), true);
		assert_true(t[i].left == 1300 || ev == MACHINE_EXPIRED);
	}
}

/* --- looks -----------------------------------------------------------------------------------------------------------
 */

/* "state[!][~]:token" for each known one (! = missed before, ~ = unsure, first look), "token" for each listed one; what
 * comes of it as "index EVENT token". */
static void check_look(const char *known, bool shared, const char *listed, const char *want)
{
	static const char *const names[] = {[MACHINE_FOUND] = "found",
					    [MACHINE_NOT_FOUND] = "none",
					    [MACHINE_UNSURE] = "unsure",
					    [MACHINE_STRAY] = "stray",
					    [MACHINE_LOST] = "lost"};
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf got = {0};
	struct known_machines k = {0};
	struct sightings out = {0};
	struct strings l = {0};

	for (struct str rest = str_of(known); rest.n > 0;) {
		struct str word = str_cut(&rest, ' '), state = str_cut(&word, ':');
		struct machine *m = arena_new(&a, struct machine);
		struct known_machine one = {str_dup(&a, word), m, false, false, NULL};
		for (; state.n > 0 && strchr("!~", state.p[state.n - 1]) != NULL; state.n--) {
			one.missed |= state.p[state.n - 1] == '!';
			one.first_look = m->unsure |= state.p[state.n - 1] == '~';
		}
		for (int s = 0; s < MACHINE_STATES; s++)
			if (str_eq(state, machine_state_name((enum machine_state)s)))
				m->state = (enum machine_state)s;
		*vec_add(&k, &a) = one;
	}
	for (struct str rest = str_of(listed); rest.n > 0;) {
		struct str word = str_cut(&rest, ' ');
		*vec_add(&l, &a) = str_eq(word, "-") ? "" : str_dup(&a, word);
	}
	reconcile_plan(&k, shared, &l, &a, &out);
	for (size_t i = 0; i < out.n; i++)
		buf_printf(&got, "%s%zu %s %s", i == 0 ? "" : ", ", out.v[i].known, names[out.v[i].event],
			   out.v[i].token);
	assert_string_equal(buf_text(&got), want);
}

static void looks(void **state)
{
	static const struct {
		const char *known;
		bool shared;
		const char *listed, *want;
	} t[] = {
	    {"absent~:", true, "", "0 none "},
	    {"absent~:", true, "A", "0 found A"},			    /* the state was lost: taken up */
	    {"absent~:", true, "A B A", "0 found A, 1 stray B, 0 unsure "}, /* but one only */
	    {"absent:", true, "A", "1 stray A, 0 unsure "}, /* later, none is taken up; no start meanwhile */
	    {"absent: draining:A", true, "A", "0 unsure "}, /* it goes; no start meanwhile */
	    {"ready:A", true, "A", ""},
	    {"ready:A", true, "A B", "1 stray B, 0 unsure A"}, /* the next start waits for the end of B, too */
	    {"stopping~:A draining:B", true, "B", ""},
	    {"stopping~:A draining:B", true, "A B", ""},
	    {"stopping~:A", true, "", "0 none A"},
	    {"ready:A", true, "", ""}, /* one look is no proof */
	    {"ready!:A", true, "", "0 lost A"},
	    {"lingering!:A", true, "", "0 lost A"},
	    {"ready!:A", true, "A", ""},
	    {"starting!:A", true, "", ""}, /* not there yet */
	    {"stopping!:A", true, "", ""}, /* not there any more */
	    {"failed:A", true, "A", ""},
	    {"ready!:A", true, "-", ""}, /* a provider that knows no tokens */
	    {"absent~:", true, "-", "0 found "},
	    {"absent:", true, "-", "1 stray , 0 unsure "},
	    {"absent: ready:A starting:B", false, "A B", ""},
	    {"absent: ready:A ready!:B", false, "A C", "3 stray C, 2 lost B"},
	    {"absent:", false, "A", "1 stray A"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		check_look(t[i].known, t[i].shared, t[i].listed, t[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_sequence),
					   cmocka_unit_test(out_of_place),
					   cmocka_unit_test(found_and_broken),
					   cmocka_unit_test(pauses),
					   cmocka_unit_test(starts_per_hour),
					   cmocka_unit_test(lifetime_is_remembered),
					   cmocka_unit_test(looks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
