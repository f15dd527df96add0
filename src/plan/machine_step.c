#include "plan/machine_step.h"

#define TO(s) (1u << (s))

static const unsigned edges[MACHINE_STATES] = {
    [MACHINE_ABSENT] = TO(MACHINE_STARTING) | TO(MACHINE_PREPARING),
    [MACHINE_STARTING] = TO(MACHINE_PREPARING) | TO(MACHINE_STOPPING),
    [MACHINE_PREPARING] = TO(MACHINE_READY) | TO(MACHINE_LINGERING) | TO(MACHINE_DRAINING),
    [MACHINE_READY] = TO(MACHINE_LINGERING) | TO(MACHINE_DRAINING),
    [MACHINE_LINGERING] = TO(MACHINE_READY) | TO(MACHINE_DRAINING),
    [MACHINE_DRAINING] = TO(MACHINE_STOPPING),
    [MACHINE_STOPPING] = TO(MACHINE_ABSENT) | TO(MACHINE_FAILED),
    [MACHINE_FAILED] = TO(MACHINE_STOPPING),
};

bool machine_edge(enum machine_state from, enum machine_state to)
{
	return (edges[from] & TO(to)) != 0;
}

bool machine_exists(const struct machine *m)
{
	return m->state != MACHINE_ABSENT;
}

static unsigned go(struct machine *m, enum machine_state to, unsigned actions)
{
	assert(machine_edge(m->state, to));
	m->state = to;
	return actions;
}

static unsigned refuse(struct machine *m)
{
	m->waiters = 0;
	return DO_REFUSE;
}

static unsigned cut(struct machine *m)
{
	unsigned action = m->leases > 0 ? DO_CUT : 0;
	m->leases = 0;
	return action;
}

static unsigned grant(struct machine *m)
{
	m->leases += m->waiters;
	m->waiters = 0;
	m->adopted = false;
	return DO_GRANT;
}

static unsigned on_wanted(struct machine *m)
{
	m->waiters++;
	switch (m->state) {
	case MACHINE_ABSENT:
		return go(m, MACHINE_STARTING, DO_START);
	case MACHINE_READY:
		return grant(m);
	case MACHINE_LINGERING:
		return go(m, MACHINE_READY, grant(m));
	case MACHINE_STARTING:
	case MACHINE_PREPARING:
	case MACHINE_DRAINING: /* served by the next start */
	case MACHINE_STOPPING:
	case MACHINE_FAILED:
		return 0;
	}
	return 0;
}

static unsigned on_unwaited(struct machine *m)
{
	if (m->waiters > 0)
		m->waiters--;
	if (m->waiters > 0 || m->adopted)
		return 0;
	if (m->state == MACHINE_STARTING)
		return go(m, MACHINE_STOPPING, DO_CANCEL | DO_STOP);
	if (m->state == MACHINE_PREPARING)
		return go(m, MACHINE_DRAINING, DO_CANCEL | DO_DRAIN);
	return 0;
}

static unsigned on_released(struct machine *m)
{
	if (m->leases > 0)
		m->leases--;
	return m->state == MACHINE_READY && m->leases == 0 ? go(m, MACHINE_LINGERING, DO_LINGER) : 0;
}

static unsigned on_done(struct machine *m)
{
	switch (m->state) {
	case MACHINE_STARTING:
		return go(m, MACHINE_PREPARING, DO_PREPARE);
	case MACHINE_PREPARING:
		return m->waiters > 0 ? go(m, MACHINE_READY, grant(m)) : go(m, MACHINE_LINGERING, DO_LINGER);
	case MACHINE_DRAINING:
		return go(m, MACHINE_STOPPING, DO_STOP);
	case MACHINE_STOPPING:
		m->adopted = false;
		(void)go(m, MACHINE_ABSENT, 0);
		return m->waiters > 0 ? go(m, MACHINE_STARTING, DO_START) : 0;
	case MACHINE_ABSENT:
	case MACHINE_READY:
	case MACHINE_LINGERING:
	case MACHINE_FAILED:
		return 0;
	}
	return 0;
}

static unsigned on_fault(struct machine *m)
{
	switch (m->state) {
	case MACHINE_STARTING:
		return go(m, MACHINE_STOPPING, refuse(m) | DO_STOP);
	case MACHINE_PREPARING:
		/* What was only remembered or found may be half a machine: a start of our own comes first. */
		if (m->adopted) {
			m->adopted = false;
			return go(m, MACHINE_DRAINING, DO_DRAIN);
		}
		return go(m, MACHINE_DRAINING, refuse(m) | DO_DRAIN);
	case MACHINE_DRAINING: /* a pool that cannot be exported is no reason to pay for the machine */
		return go(m, MACHINE_STOPPING, DO_STOP);
	case MACHINE_STOPPING:
		return go(m, MACHINE_FAILED, refuse(m) | DO_RETRY);
	case MACHINE_ABSENT:
	case MACHINE_READY:
	case MACHINE_LINGERING:
	case MACHINE_FAILED:
		return 0;
	}
	return 0;
}

static unsigned on_timer(struct machine *m)
{
	if (m->state == MACHINE_LINGERING)
		return go(m, MACHINE_DRAINING, DO_DRAIN);
	return m->state == MACHINE_FAILED ? go(m, MACHINE_STOPPING, DO_STOP) : 0;
}

static unsigned on_sleep(struct machine *m)
{
	switch (m->state) {
	case MACHINE_STARTING:
		return go(m, MACHINE_STOPPING, DO_CANCEL | refuse(m) | DO_STOP);
	case MACHINE_PREPARING:
		return go(m, MACHINE_DRAINING, DO_CANCEL | refuse(m) | DO_DRAIN);
	case MACHINE_READY:
	case MACHINE_LINGERING:
		return go(m, MACHINE_DRAINING, cut(m) | DO_DRAIN);
	case MACHINE_FAILED:
		return go(m, MACHINE_STOPPING, DO_STOP);
	case MACHINE_ABSENT:
	case MACHINE_DRAINING:
	case MACHINE_STOPPING:
		return 0;
	}
	return 0;
}

unsigned machine_step(struct machine *m, enum machine_event ev)
{
	switch (ev) {
	case MACHINE_WANTED:
		return on_wanted(m);
	case MACHINE_UNWAITED:
		return on_unwaited(m);
	case MACHINE_RELEASED:
		return on_released(m);
	case MACHINE_DONE:
		return on_done(m);
	case MACHINE_FAULT:
		return on_fault(m);
	case MACHINE_TIMER:
		return on_timer(m);
	case MACHINE_FOUND:
		if (m->state != MACHINE_ABSENT)
			return 0;
		m->adopted = true;
		return go(m, MACHINE_PREPARING, DO_PREPARE);
	case MACHINE_SLEEP:
		return on_sleep(m);
	}
	return 0;
}
