#include "plan/attach_plan.h"

static enum attach_step unattached(enum ec2_volume_state s)
{
	switch (s) {
	case VOLUME_AVAILABLE:
		return ATTACH_ASK;
	case VOLUME_GOING:
	case VOLUME_ERROR:
		return ATTACH_BROKEN;
	case VOLUME_UNKNOWN:
	case VOLUME_CREATING:
	case VOLUME_IN_USE: /* between one machine and the next */
		return ATTACH_WAIT;
	}
	return ATTACH_WAIT;
}

/* A machine that ends lets go by itself; one that stops may be started again, and keeps what it has. */
static bool ends(const struct ec2_instance *i)
{
	return i == NULL || i->state == EC2_SHUTTING_DOWN || i->state == EC2_TERMINATED;
}

enum attach_step attach_next(const struct attach_seen *s)
{
	const struct ec2_volume *v = s->volume;
	bool mine = v->instance != NULL && strcmp(v->instance, s->instance) == 0;

	switch (v->attachment) {
	case ATTACHMENT_NONE:
		return unattached(v->state);
	case ATTACHMENT_DETACHING:
		return ATTACH_WAIT;
	case ATTACHMENT_ATTACHING:
		if (!mine)
			break;
		return s->attaching_ms > ATTACH_STUCK_MS && !s->let_go ? ATTACH_RESTART : ATTACH_WAIT;
	case ATTACHMENT_ATTACHED:
		if (!mine)
			break;
		return s->let_go ? ATTACH_WAIT : ATTACH_DONE;
	}
	return ends(s->holder) ? ATTACH_WAIT : ATTACH_IN_USE;
}
