/* The volumes of an aws_ec2 target: they are there before the machine, and stay. */
#include "plan/attach_plan.h"
#include "provider/aws_machine.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "wire/ec2.h"

enum { PAGES_MAX = 1000, DETACH_MS = 60000, RESTARTS = 2, ASKS = 4 };

int aws_volumes_look(struct aws_machine *m, const struct strings *filters, struct ec2_volumes *v, struct err *e)
{
	const char *next = NULL;

	for (int page = 0; page == 0 || (next != NULL && page < PAGES_MAX); page++) {
		AUTO(buf) struct buf b = {0};
		struct aws_fault f;
		struct str answer;
		ec2_describe_volumes(&b, filters, next);
		if (aws_machine_call(m, "DescribeVolumes", &b, &answer, &f, e) < 0 ||
		    ec2_volumes_read(answer, m->env->arena, v, &next, e) < 0)
			return -1;
	}
	return next == NULL ? 0 : err_set(e, ERR_CORRUPT, "the list of volumes has no end");
}

int aws_volume_get(struct aws_machine *m, const char *id, struct ec2_volume *v, struct err *e)
{
	struct ec2_volumes found = {0};
	struct strings filter = {0};

	*vec_add(&filter, m->env->arena) = "volume-id";
	*vec_add(&filter, m->env->arena) = id;
	if (aws_volumes_look(m, &filter, &found, e) < 0)
		return -1;
	if (found.n == 1) {
		*v = found.v[0];
		return 0;
	}
	(void)err_set(e, ERR_MISSING, "there is no volume '%s' in %s", id, m->client.region);
	return err_hint(e, "is it the right volume, region and account?  those there are: aws ec2 describe-volumes");
}

/* --- attaching --------------------------------------------------------------------------------------------- */

struct attaching {
	struct aws_machine *m;
	const char *instance, *volume, *device;
	char next_device;   /* the letter that is tried if that one is taken */
	const char *said;   /* whom it was that we wait for */
	int64_t since_ms;   /* seen attaching since; 0: not */
	int restarts, asks; /* those that were not refused */
	bool let_go;
};

/* The names that EC2 recommends for volumes. */
enum { FIRST_DEVICE = 'f', LAST_DEVICE = 'p' };

static int ask(struct attaching *x, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct aws_fault f;

	if (x->asks == ASKS) {
		(void)err_set(e, ERR_DENIED, "it is taken away again each time");
		return err_hint(
		    e, "if the volume is encrypted: a policy must allow to use its key (kms:CreateGrant, kms:Decrypt)");
	}
	ec2_attach_volume(&b, x->volume, x->instance, x->device);
	if (aws_machine_call(x->m, "AttachVolume", &b, NULL, &f, e) == 0) {
		x->asks++;
		return 0;
	}
	/* Another look will tell. */
	if (f.class == AWS_NOT_NOW || (f.class == AWS_NOT_SEEN && strncmp(f.code, "InvalidInstance", 15) == 0))
		return 0;
	if (f.class != AWS_NAME_TAKEN || x->next_device > LAST_DEVICE)
		return -1;
	x->device = arena_printf(x->m->env->arena, "/dev/sd%c", x->next_device++);
	return 0;
}

static int restart(struct attaching *x, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct aws_fault f;

	if (x->restarts++ == RESTARTS)
		return err_set(e, ERR_TIMEOUT, "it stays in the middle of being attached");
	aws_machine_progress(x->m, "volume %s got stuck: again", x->volume);
	x->let_go = true;
	x->since_ms = 0;
	ec2_detach_volume(&b, x->volume, x->instance);
	if (aws_machine_call(x->m, "DetachVolume", &b, NULL, &f, e) < 0 && f.class != AWS_NOT_NOW)
		return -1;
	return 0;
}

static int in_use(const struct ec2_volume *v, const struct ec2_instance *holder, const struct target *t, struct err *e)
{
	const char *whose = holder == NULL ? NULL : strings_pair(&holder->tags, "dormouse:target");
	bool ours = whose != NULL && strcmp(whose, t->name) == 0;

	(void)err_set(e, ours ? ERR_BUSY : ERR_CONFLICT, "volume '%s' is attached to %s", v->id, v->instance);
	(void)err_why(e, "which is %s%s", holder == NULL ? "unknown" : holder->state_name,
		      ours ? ", a machine of the same target" : ", and not a machine of this target");
	e->retry = ours ? RETRY_LATER : RETRY_NEVER;
	return err_hint(
	    e, ours ? "to end what nobody uses: dormouse reap"
		    : "it is not taken away from another machine; if that does not need it: aws ec2 detach-volume");
}

/* What is seen of it, and what follows. */
static int look(struct aws_machine *m, struct attach_seen *s, struct ec2_volume *v, const char *id, struct err *e)
{
	if (aws_volume_get(m, id, v, e) < 0)
		return -1;
	s->volume = v;
	s->holder = NULL;
	if (v->instance != NULL && strcmp(v->instance, s->instance) != 0 &&
	    aws_machine_get(m, v->instance, &s->holder, e) < 0)
		return -1;
	return 0;
}

/* 1: attached. */
static int step(void *arg, struct err *e)
{
	struct attaching *x = arg;
	struct ec2_volume v = {0};
	int64_t now = clock_mono_ms();
	struct attach_seen s = {.instance = x->instance, .attaching_ms = x->since_ms == 0 ? 0 : now - x->since_ms};

	if (look(x->m, &s, &v, x->volume, e) < 0)
		return -1;
	if (v.attachment == ATTACHMENT_NONE || v.attachment == ATTACHMENT_DETACHING)
		x->let_go = false;
	s.let_go = x->let_go;
	switch (attach_next(&s)) {
	case ATTACH_DONE:
		return 1;
	case ATTACH_ASK:
		x->since_ms = 0;
		return ask(x, e);
	case ATTACH_RESTART:
		return restart(x, e);
	case ATTACH_WAIT:
		x->since_ms = v.attachment != ATTACHMENT_ATTACHING ? 0 : x->since_ms == 0 ? now : x->since_ms;
		if (v.instance != NULL && strcmp(v.instance, x->instance) != 0 && x->said == NULL) {
			x->said = v.instance;
			aws_machine_progress(x->m, "volume %s is still with %s, which is %s", x->volume, v.instance,
					     s.holder == NULL ? "gone" : s.holder->state_name);
		}
		return 0;
	case ATTACH_IN_USE:
		return in_use(&v, s.holder, x->m->target, e);
	case ATTACH_BROKEN:
		return err_set(e, ERR_SYSTEM, "volume '%s' is in state '%s'", v.id, v.state_name);
	}
	return -1;
}

static int attach(struct aws_machine *m, const struct ec2_attach *want, const char *instance, struct err *e)
{
	struct attaching x = {.m = m,
			      .instance = instance,
			      .volume = want->volume_id,
			      .device = want->device_name,
			      .next_device = FIRST_DEVICE};

	aws_machine_progress(m, "attaching %s", want->volume_id);
	int rc = tool_wait(m->env, INT32_MAX, step, &x, e);
	if (rc > 0)
		return 0;
	if (rc == 0) {
		(void)err_set(e, ERR_TIMEOUT, "it did not happen until start_timeout was over");
		(void)err_hint(e, "to see the volume: aws ec2 describe-volumes --volume-ids %s", want->volume_id);
	}
	return err_wrap(e, "cannot attach %s to %s for target '%s'", want->volume_id, instance, m->target->name);
}

int aws_volumes_attach(struct aws_machine *m, const char *instance, struct err *e)
{
	const struct field_items *all = &m->settings->volumes;

	for (size_t i = 0; i < all->n; i++)
		if (attach(m, &((const struct ec2_attach *)all->v)[i], instance, e) < 0)
			return -1;
	return 0;
}

int aws_volumes_check(struct aws_machine *m, const char **zone, struct err *e)
{
	const struct field_items *all = &m->settings->volumes;
	const struct ec2_placement *p = m->settings->placement.n > 0 ? m->settings->placement.v : NULL;

	*zone = NULL;
	for (size_t i = 0; i < all->n; i++) {
		const char *id = ((const struct ec2_attach *)all->v)[i].volume_id;
		struct attach_seen s = {.instance = ""};
		struct ec2_volume v = {0};
		if (look(m, &s, &v, id, e) < 0)
			return err_wrap(e, "cannot start target '%s'", m->target->name);
		enum attach_step next = attach_next(&s);
		if (next == ATTACH_IN_USE)
			(void)in_use(&v, s.holder, m->target, e);
		else if (next == ATTACH_BROKEN)
			(void)err_set(e, ERR_SYSTEM, "volume '%s' is in state '%s'", id, v.state_name);
		if (next == ATTACH_IN_USE || next == ATTACH_BROKEN)
			return err_wrap(e, "cannot start target '%s'", m->target->name);
		const char *wanted = p != NULL && p->availability_zone != NULL ? p->availability_zone : *zone;
		if (wanted != NULL && v.zone != NULL && strcmp(wanted, v.zone) != 0) {
			(void)err_set(e, ERR_CONFIG, "cannot start target '%s' in %s", m->target->name, wanted);
			(void)err_why(e, "its volume '%s' is in %s", id, v.zone);
			return err_hint(e, "placement { availability_zone = \"%s\" }; all volumes must be in the same",
					v.zone);
		}
		*zone = v.zone;
	}
	return 0;
}

/* --- detaching --------------------------------------------------------------------------------------------- */

struct detaching {
	struct aws_machine *m;
	const char *instance, *volume;
	bool asked;
};

/* 1: it is not attached there any more. */
static int let_go(void *arg, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct detaching *x = arg;
	struct ec2_volume v = {0};
	struct aws_fault f;

	if (aws_volume_get(x->m, x->volume, &v, e) < 0)
		return -1;
	if (v.attachment == ATTACHMENT_NONE || v.instance == NULL || strcmp(v.instance, x->instance) != 0)
		return 1;
	if (v.attachment == ATTACHMENT_DETACHING || x->asked)
		return 0;
	aws_machine_progress(x->m, "detaching %s", x->volume);
	ec2_detach_volume(&b, x->volume, x->instance);
	if (aws_machine_call(x->m, "DetachVolume", &b, NULL, &f, e) < 0 && f.class != AWS_NOT_NOW)
		return -1;
	x->asked = true;
	return 0;
}

void aws_volumes_detach(struct aws_machine *m, const char *instance)
{
	const struct field_items *all = &m->settings->volumes;
	int64_t half = (m->env->deadline_ms - clock_mono_ms()) / 2, most = half < DETACH_MS ? half : DETACH_MS;
	int64_t until = clock_mono_ms() + most;
	struct err ignored;

	for (size_t i = all->n; i-- > 0;) {
		struct detaching x = {m, instance, ((const struct ec2_attach *)all->v)[i].volume_id, false};
		if (tool_wait(m->env, until - clock_mono_ms(), let_go, &x, &ignored) <= 0)
			aws_machine_progress(m, "%s is left to the end of %s", x.volume, instance);
	}
}
