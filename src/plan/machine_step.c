#include "plan/machine_step.h"

enum {
	HOUR_MS = 3600 * 1000,
	PAUSE_MS = 5 * 1000, /* after the first failure; doubles */
	PAUSE_MAX_MS = 300 * 1000,
	STOP_AGAIN_MS = 30 * 1000, /* between two tries to end a machine */
};

#define TO(s) (1u << (s))

static const unsigned edges[MACHINE_STATES] = {
    [MACHINE_ABSENT] = TO(MACHINE_STARTING) | TO(MACHINE_PREPARING) | TO(MACHINE_DRAINING),
    [MACHINE_STARTING] = TO(MACHINE_PREPARING) | TO(MACHINE_STOPPING),
    [MACHINE_PREPARING] = TO(MACHINE_READY) | TO(MACHINE_LINGERING) | TO(MACHINE_DRAINING),
    [MACHINE_READY] = TO(MACHINE_LINGERING) | TO(MACHINE_DRAINING) | TO(MACHINE_STOPPING),
    [MACHINE_LINGERING] = TO(MACHINE_READY) | TO(MACHINE_DRAINING) | TO(MACHINE_STOPPING),
    [MACHINE_DRAINING] = TO(MACHINE_STOPPING),
    [MACHINE_STOPPING] = TO(MACHINE_ABSENT) | TO(MACHINE_FAILED),
    [MACHINE_FAILED] = TO(MACHINE_STOPPING),
};

/* One step under way. */
struct step {
	struct machine *m;
	struct machine_past *past;
	const struct machine_rules *r;
	int64_t now;
};

bool machine_edge(enum machine_state from, enum machine_state to)
{
	return (edges[from] & TO(to)) != 0;
}

bool machine_exists(const struct machine *m)
{
	return m->state != MACHINE_ABSENT;
}

/* --- pauses and limits ------------------------------------------------------------------------------------------- */

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A start costs the time in which one start is earned; up to an hour's worth may be owed. */
static int64_t price(const struct machine_rules *r)
{
	return r->starts_per_hour == 0 ? 0 : HOUR_MS / r->starts_per_hour;
}

static void pay(struct machine_past *past, const struct machine_rules *r, int64_t at)
{
	past->paid_until = (past->paid_until > at ? past->paid_until : at) + price(r);
}

static void failed(struct machine_past *past, int64_t at)
{
	int64_t pause = PAUSE_MS;

	for (unsigned i = 0; i < past->failures && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	past->failures++;
	past->pause_until = at + earliest(pause, PAUSE_MAX_MS);
}

static void succeeded(struct machine_past *past)
{
	past->failures = 0;
	past->pause_until = 0;
}

void machine_remember(struct machine *m, const struct machine_rules *r, int64_t age_ms, int64_t now)
{
	int64_t age = age_ms < 0 ? 0 : earliest(age_ms, r->lifetime_ms);

	m->expires_at = r->lifetime_ms == 0 ? 0 : now + r->lifetime_ms - age;
}

void machine_recall(struct machine_past *past, const struct machine_rules *r, int64_t at, bool had_failed)
{
	pay(past, r, at);
	if (had_failed)
		failed(past, at);
	else
		succeeded(past);
}

enum machine_refusal machine_refuses(const struct machine *m, const struct machine_past *past,
				     const struct machine_rules *r, bool insisted, int64_t now, int64_t *until)
{
	switch (m->state) {
	case MACHINE_STARTING:
	case MACHINE_PREPARING:
	case MACHINE_READY:
	case MACHINE_LINGERING:
		return REFUSE_NOT;
	case MACHINE_ABSENT:
	case MACHINE_DRAINING:
	case MACHINE_STOPPING:
	case MACHINE_FAILED:
		break;
	}
	*until = past->paid_until - HOUR_MS + price(r);
	if (r->starts_per_hour > 0 && *until > now)
		return REFUSE_LIMIT;
	*until = past->pause_until;
	return !insisted && *until > now ? REFUSE_PAUSE : REFUSE_NOT;
}

/* --- what a step does -------------------------------------------------------------------------------------------- */

bool machine_is_up(enum machine_state s)
{
	return s == MACHINE_READY || s == MACHINE_LINGERING;
}

static unsigned go(struct step *s, enum machine_state to, unsigned actions)
{
	struct machine *m = s->m;

	assert(machine_edge(m->state, to));
	m->timer_at = 0;
	if (!machine_is_up(m->state) || !machine_is_up(to)) {
		if (machine_is_up(m->state) && m->work_until != 0)
			actions |= DO_CANCEL;
		m->work_until = 0;
		/* What prepares it has just told it. */
		m->feed_at = machine_is_up(to) && s->r->feed_ms > 0 ? s->now + s->r->feed_ms : 0;
	}
	m->state = to;
	if (to == MACHINE_LINGERING)
		m->timer_at =
		    s->now + (m->adopted && s->r->linger_ms < s->r->grace_ms ? s->r->grace_ms : s->r->linger_ms);
	if (to == MACHINE_FAILED)
		m->timer_at = s->now + STOP_AGAIN_MS;
	if (actions & (DO_START | DO_PREPARE))
		m->work_until = s->now + s->r->start_ms;
	if (actions & DO_DRAIN)
		m->work_until = s->now + s->r->drain_ms;
	if (actions & DO_STOP)
		m->work_until = s->now + s->r->stop_ms;
	return actions;
}

static unsigned refuse(struct step *s)
{
	s->m->waiters = 0;
	return DO_REFUSE;
}

static unsigned cut(struct step *s)
{
	unsigned action = s->m->leases > 0 ? DO_CUT : 0;
	s->m->leases = 0;
	return action;
}

static unsigned grant(struct step *s)
{
	s->m->leases += s->m->waiters;
	s->m->waiters = 0;
	s->m->adopted = false;
	return DO_GRANT;
}

static unsigned start(struct step *s)
{
	int64_t until;

	if (machine_refuses(s->m, s->past, s->r, true, s->now, &until) != REFUSE_NOT)
		return refuse(s);
	pay(s->past, s->r, s->now);
	s->m->expires_at = s->r->lifetime_ms == 0 ? 0 : s->now + s->r->lifetime_ms;
	s->m->broken = false;
	return go(s, MACHINE_STARTING, DO_START);
}

/* Not for ever: what cannot be looked at, or does not go, is told at last. */
static unsigned start_if_sure(struct step *s)
{
	if (s->m->unsure && s->m->work_until == 0)
		s->m->work_until = s->now + s->r->start_ms;
	return s->m->unsure ? 0 : start(s);
}

static unsigned on_wanted(struct step *s)
{
	s->m->waiters++;
	switch (s->m->state) {
	case MACHINE_ABSENT:
		return start_if_sure(s);
	case MACHINE_READY:
		return grant(s);
	case MACHINE_LINGERING:
		return go(s, MACHINE_READY, grant(s));
	case MACHINE_STARTING:
	case MACHINE_PREPARING:
	case MACHINE_DRAINING: /* served by the next start */
	case MACHINE_STOPPING:
	case MACHINE_FAILED:
		return 0;
	}
	return 0;
}

static unsigned stop_starting(struct step *s, unsigned actions)
{
	s->m->broken = true;
	return go(s, MACHINE_STOPPING, actions | DO_STOP);
}

static unsigned on_unwaited(struct step *s)
{
	struct machine *m = s->m;

	if (m->waiters > 0)
		m->waiters--;
	if (m->waiters > 0 || m->adopted)
		return 0;
	if (m->state == MACHINE_STARTING)
		return stop_starting(s, DO_CANCEL);
	if (m->state == MACHINE_PREPARING)
		return go(s, MACHINE_DRAINING, DO_CANCEL | DO_DRAIN);
	return 0;
}

static unsigned on_released(struct step *s)
{
	if (s->m->leases > 0)
		s->m->leases--;
	return s->m->state == MACHINE_READY && s->m->leases == 0 ? go(s, MACHINE_LINGERING, 0) : 0;
}

void machine_doubt(struct machine *m, const struct machine_rules *r, int64_t now)
{
	m->doubt_until = now + r->doubt_ms;
}

static unsigned on_gone(struct step *s)
{
	struct machine *m = s->m;

	m->adopted = false;
	m->expires_at = 0;
	if (m->broken)
		machine_doubt(m, s->r, s->now);
	(void)go(s, MACHINE_ABSENT, 0);
	return m->waiters > 0 ? start_if_sure(s) : 0;
}

static unsigned fed(struct step *s, int64_t again_ms)
{
	if (s->m->work_until == 0)
		return 0;
	s->m->work_until = 0;
	s->m->feed_at = s->now + again_ms;
	return 0;
}

static unsigned on_hungry(struct step *s)
{
	if (!machine_is_up(s->m->state) || s->r->feed_ms == 0 || s->m->work_until != 0)
		return 0;
	s->m->feed_at = 0;
	s->m->work_until = s->now + 2 * s->r->feed_ms;
	return DO_FEED;
}

static unsigned on_done(struct step *s)
{
	switch (s->m->state) {
	case MACHINE_STARTING:
		return go(s, MACHINE_PREPARING, DO_PREPARE);
	case MACHINE_PREPARING:
		succeeded(s->past);
		return s->m->waiters > 0 ? go(s, MACHINE_READY, grant(s)) : go(s, MACHINE_LINGERING, 0);
	case MACHINE_DRAINING:
		return go(s, MACHINE_STOPPING, DO_STOP);
	case MACHINE_STOPPING:
		return on_gone(s);
	case MACHINE_READY:
	case MACHINE_LINGERING:
		return fed(s, s->r->feed_ms);
	case MACHINE_ABSENT:
	case MACHINE_FAILED:
		return 0;
	}
	return 0;
}

static unsigned on_fault(struct step *s)
{
	struct machine *m = s->m;

	switch (m->state) {
	case MACHINE_STARTING:
		failed(s->past, s->now);
		return stop_starting(s, refuse(s));
	case MACHINE_PREPARING:
		/* What was only remembered or found may be half a machine: a start of our own comes first. */
		if (m->adopted) {
			m->adopted = false;
			m->broken = true;
			return go(s, MACHINE_DRAINING, DO_DRAIN);
		}
		failed(s->past, s->now);
		return go(s, MACHINE_DRAINING, refuse(s) | DO_DRAIN);
	case MACHINE_DRAINING: /* a pool that cannot be exported is no reason to pay for the machine */
		return go(s, MACHINE_STOPPING, DO_STOP);
	case MACHINE_STOPPING:
		return go(s, MACHINE_FAILED, refuse(s));
	case MACHINE_ABSENT:
		m->work_until = 0;
		return m->waiters > 0 ? refuse(s) : 0;
	case MACHINE_READY:
	case MACHINE_LINGERING: /* there is time for another try, and another */
		return fed(s, s->r->feed_ms / 4 + 1);
	case MACHINE_FAILED:
		return 0;
	}
	return 0;
}

static unsigned on_timer(struct step *s)
{
	if (s->m->state == MACHINE_LINGERING)
		return go(s, MACHINE_DRAINING, DO_DRAIN);
	return s->m->state == MACHINE_FAILED ? go(s, MACHINE_STOPPING, DO_STOP) : 0;
}

/* Off, now, whoever uses it or waits for it. */
static unsigned on_sleep(struct step *s)
{
	unsigned refused = s->m->waiters > 0 ? refuse(s) : 0;

	switch (s->m->state) {
	case MACHINE_STARTING:
		return stop_starting(s, DO_CANCEL | refused);
	case MACHINE_PREPARING:
		return go(s, MACHINE_DRAINING, DO_CANCEL | refused | DO_DRAIN);
	case MACHINE_READY:
	case MACHINE_LINGERING:
		return go(s, MACHINE_DRAINING, cut(s) | DO_DRAIN);
	case MACHINE_FAILED:
		return go(s, MACHINE_STOPPING, refused | DO_STOP);
	case MACHINE_ABSENT:
		s->m->work_until = 0;
		return refused;
	case MACHINE_DRAINING:
	case MACHINE_STOPPING:
		return refused;
	}
	return 0;
}

/* Who waits for the end of this one has nothing to do with its age. */
static unsigned on_expired(struct step *s)
{
	bool ends = s->m->state == MACHINE_ABSENT || s->m->state == MACHINE_DRAINING ||
		    s->m->state == MACHINE_STOPPING || s->m->state == MACHINE_FAILED;

	s->m->expires_at = 0;
	return ends ? 0 : on_sleep(s);
}

/* It runs, and nobody here has started it; when somebody did is known, or not. */
static unsigned on_found(struct step *s)
{
	struct machine *m = s->m;

	m->unsure = false;
	if (m->state != MACHINE_ABSENT)
		return 0;
	m->adopted = true;
	if (m->expires_at == 0 && s->r->lifetime_ms > 0)
		m->expires_at = s->now + s->r->lifetime_ms;
	return go(s, MACHINE_PREPARING, DO_PREPARE);
}

static unsigned on_not_found(struct step *s)
{
	struct machine *m = s->m;

	if (!m->unsure)
		return 0;
	m->unsure = false;
	if (m->state != MACHINE_ABSENT)
		return 0;
	m->work_until = 0;
	return m->waiters > 0 ? start(s) : 0;
}

/* It is stopped all the same: what is left of it (a disk, a rule) may cost something too. */
static unsigned on_lost(struct step *s)
{
	return machine_is_up(s->m->state) ? go(s, MACHINE_STOPPING, cut(s) | DO_STOP) : 0;
}

unsigned machine_step(struct machine *m, struct machine_past *past, const struct machine_rules *r,
		      enum machine_event ev, int64_t now)
{
	struct step s = {m, past, r, now};

	switch (ev) {
	case MACHINE_WANTED:
		return on_wanted(&s);
	case MACHINE_UNWAITED:
		return on_unwaited(&s);
	case MACHINE_RELEASED:
		return on_released(&s);
	case MACHINE_DONE:
		return on_done(&s);
	case MACHINE_FAULT:
		return on_fault(&s);
	case MACHINE_TIMER:
		return on_timer(&s);
	case MACHINE_FOUND:
		return on_found(&s);
	case MACHINE_UNSURE:
		m->unsure = true;
		return 0;
	case MACHINE_NOT_FOUND:
		return on_not_found(&s);
	case MACHINE_STRAY:
		return m->state == MACHINE_ABSENT ? go(&s, MACHINE_DRAINING, DO_DRAIN) : 0;
	case MACHINE_LOST:
		return on_lost(&s);
	case MACHINE_HUNGRY:
		return on_hungry(&s);
	case MACHINE_EXPIRED:
		return on_expired(&s);
	case MACHINE_SLEEP:
		return on_sleep(&s);
	}
	return 0;
}

bool machine_due(const struct machine *m, int64_t now, enum machine_event *ev)
{
	if (m->work_until != 0 && now >= m->work_until)
		*ev = MACHINE_FAULT;
	else if (m->timer_at != 0 && now >= m->timer_at)
		*ev = MACHINE_TIMER;
	else if (m->expires_at != 0 && now >= m->expires_at)
		*ev = MACHINE_EXPIRED;
	else if (m->feed_at != 0 && now >= m->feed_at)
		*ev = MACHINE_HUNGRY;
	else
		return false;
	return true;
}

int64_t machine_next(const struct machine *m)
{
	const int64_t times[] = {m->work_until, m->timer_at, m->feed_at, m->expires_at};
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (times[i] != 0)
			next = earliest(next, times[i]);
	return next;
}
