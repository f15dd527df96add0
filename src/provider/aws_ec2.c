/* Machines of EC2: they are there between a start and a stop.  What they are found by are their tags, which they have
 * from birth: whose they are, of which target, and the token of their start. */
#include "provider/aws_setup.h"
#include "provider/cloud.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "wire/ec2.h"

#define TAG_OWNER  "dormouse:owner"
#define TAG_TARGET AWS_TAG_TARGET
#define TAG_TOKEN  "dormouse:token"

enum { SEEN_MS = 60000, UNDO_MS = 8000 };

/* --- what there is ----------------------------------------------------------------------------------------- */

/* All but those that have ended; and, if ending is false, but those that are about to. */
static void put_alive(struct strings *filters, bool ending, struct arena *a)
{
	static const char *const alive[] = {"pending", "running", "stopping", "stopped"};

	for (size_t i = 0; i < ARRAY_LEN(alive); i++)
		strings_add_pair(filters, a, "instance-state-name", alive[i]);
	if (ending)
		strings_add_pair(filters, a, "instance-state-name", "shutting-down");
}

/* Of its start; "": it has lost it, or it is empty. */
static const char *token_of(const struct ec2_instance *i)
{
	const char *token = strings_pair(&i->tags, TAG_TOKEN);
	return token == NULL ? "" : token;
}

/* By the token of a start: one, or none, or what an attempt before the last one left.  Without a token: those of the
 * target that have lost theirs. */
static int find(struct aws_machine *m, const char *token, bool ending, struct ec2_instances *v, struct err *e)
{
	struct strings filters = {0};
	struct ec2_instances found = {0};
	/* Somebody may have written something else into the tag, which a filter would not take literally. */
	bool known = *token != '\0' && token[strspn(token, "0123456789abcdef")] == '\0';

	strings_add_pair(&filters, m->env->arena, known ? "tag:" TAG_TOKEN : "tag:" TAG_OWNER,
			 known ? token : cloud_owner(m->env));
	strings_add_pair(&filters, m->env->arena, "tag:" TAG_TARGET, m->target->name);
	put_alive(&filters, ending, m->env->arena);
	if (aws_machine_look(m, &filters, &found, e) < 0)
		return -1;
	for (size_t i = 0; i < found.n; i++)
		if (strcmp(token_of(&found.v[i]), token) == 0)
			*vec_add(v, m->env->arena) = found.v[i];
	return 0;
}

static const char *address_of(const struct aws_machine *m, const struct ec2_instance *i)
{
	const char *wanted = m->settings->address;

	if (strcmp(wanted, "private") == 0)
		return i->private_ip;
	if (strcmp(wanted, "ipv6") == 0)
		return i->ipv6;
	if (m->settings->associate_public_ip == OPTION_YES)
		return i->public_ip;
	return i->public_ip != NULL ? i->public_ip : i->ipv6 != NULL ? i->ipv6 : i->private_ip;
}

static void tell(const struct aws_machine *m, const struct ec2_instance *i, struct machine_facts *f)
{
	*f = (struct machine_facts){
	    .power = POWER_STOPPING,
	    .id = i->id,
	    .address = address_of(m, i),
	    .detail = arena_printf(m->env->arena, "%s in %s, %s", i->type == NULL ? "instance" : i->type,
				   i->zone == NULL ? m->client.region : i->zone, i->state_name),
	};
	if (i->state == EC2_PENDING || (i->state == EC2_RUNNING && f->address == NULL))
		f->power = POWER_STARTING;
	else if (i->state == EC2_RUNNING)
		f->power = POWER_RUNNING;
}

/* --- starting ---------------------------------------------------------------------------------------------- */

struct waiting {
	struct aws_machine *m;
	const char *id;
	struct ec2_instance seen;
	int64_t until_ms; /* until then it may be not to be seen yet */
	bool no_room;
	bool told; /* to end, and EC2 knows it */
};
struct waitings VEC(struct waiting);

/* Ended before it ran. */
static int died(struct waiting *w, const struct ec2_instance *i, struct err *e)
{
	static const char *const no_room[] = {"Server.InsufficientInstanceCapacity", "Server.SpotInstanceTermination",
					      "Server.SpotInstanceShutdown"};

	for (size_t k = 0; i->reason_code != NULL && k < ARRAY_LEN(no_room); k++)
		w->no_room = w->no_room || strcmp(i->reason_code, no_room[k]) == 0;
	(void)err_set(e, w->no_room ? ERR_BUSY : ERR_SYSTEM, "%s ended before it ran", i->id);
	(void)err_why(e, "%s", i->reason == NULL ? "EC2 does not say why" : i->reason);
	e->retry = w->no_room ? RETRY_LATER : RETRY_NEVER;
	return err_hint(
	    e,
	    "an encrypted disk whose key may not be used, a quota of volumes, or no room: to see more: aws ec2 "
	    "describe-instances --instance-ids %s",
	    i->id);
}

/* 1: it runs, and has its address. */
static int runs(void *arg, struct err *e)
{
	struct waiting *w = arg;
	const struct ec2_instance *i;

	if (aws_machine_get(w->m, w->id, &i, e) < 0)
		return -1;
	if (i == NULL && clock_mono_ms() < w->until_ms)
		return 0;
	if (i == NULL)
		return err_set(e, ERR_MISSING, "%s is not to be seen a minute after its start", w->id);
	w->seen = *i;
	if (i->state == EC2_RUNNING)
		return address_of(w->m, i) != NULL;
	return i->state == EC2_PENDING || i->state == EC2_UNKNOWN ? 0 : died(w, i, e);
}

static int wait_running(struct waiting *w, struct err *e)
{
	w->until_ms = clock_mono_ms() + SEEN_MS;
	int rc = tool_wait(w->m->env, INT32_MAX, runs, w, e);

	if (rc > 0)
		return 0;
	if (rc < 0)
		return -1;
	(void)err_set(e, ERR_TIMEOUT, "%s did not run until start_timeout was over", w->id);
	if (w->seen.state == EC2_RUNNING) {
		(void)err_set(e, ERR_CONFIG, "%s runs, and has no %s address", w->id, w->m->settings->address);
		return err_hint(e,
				"its subnet decides; associate_public_ip and address in its block say what is wanted");
	}
	return err_hint(e, "it was %s; if it only needs longer, raise start_timeout",
			w->seen.state_name == NULL ? "not to be seen" : w->seen.state_name);
}

static void terminate(struct aws_machine *m, const char *id)
{
	AUTO(buf) struct buf b = {0};
	struct provider_env more = *m->env;
	const struct provider_env *before = m->client.env;
	struct aws_fault f;
	struct err ignored;

	/* Also when it is late: the keeper will stop it as well, if it is still there to do it. */
	if (more.deadline_ms < clock_mono_ms() + UNDO_MS)
		more.deadline_ms = clock_mono_ms() + UNDO_MS;
	m->client.env = &more;
	ec2_terminate_instances(&b, id);
	(void)!aws_machine_call(m, "TerminateInstances", &b, NULL, &f, &ignored);
	m->client.env = before;
}

/* One way to have a machine: a type, and how it is paid. */
struct way {
	const char *type;
	bool spot;
};
struct ways VEC(struct way);

static struct ways ways_of(const struct ec2_settings *s, struct arena *a)
{
	struct ways v = {0};

	for (int spot = s->spot; spot >= 0; spot--) {
		*vec_add(&v, a) = (struct way){s->instance_type, spot};
		for (size_t i = 0; i < s->instance_types.n; i++)
			*vec_add(&v, a) = (struct way){s->instance_types.v[i], spot};
	}
	return v;
}

/* Other parameters must have another token, and another attempt the same. */
static const char *client_token(const struct machine_id *id, size_t way, struct arena *a)
{
	return way == 0 ? id->token : arena_printf(a, "%s-%zu", id->token, way);
}

static int launch(struct aws_machine *m, const struct machine_id *id, const struct way *way, size_t n, const char *zone,
		  const char **instance, bool *no_room, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = m->env->arena;
	const struct ec2_settings *s = m->settings;
	struct ec2_launch l = {
	    .settings = s, .type = way->type, .zone = zone, .token = client_token(id, n, a), .spot = way->spot};
	struct ec2_instance i;
	struct aws_fault f;
	struct str answer;

	*no_room = false;
	if (aws_image_find(m, way->type, &l.image, e) < 0)
		return -1;
	strings_add_pair(&l.tags, a, "Name", m->target->name);
	strings_add_pair(&l.tags, a, TAG_OWNER, cloud_owner(m->env));
	strings_add_pair(&l.tags, a, TAG_TARGET, m->target->name);
	strings_add_pair(&l.tags, a, TAG_TOKEN, id->token);
	aws_machine_add_tags(m, &l.tags);
	aws_machine_progress(m, "asking for a %s%s", way->type, way->spot ? " (spot)" : "");
	ec2_run_instances(&b, &l);
	if (aws_machine_call(m, "RunInstances", &b, &answer, &f, e) < 0) {
		*no_room = f.class == AWS_NO_ROOM;
		return -1;
	}
	if (ec2_launched_read(answer, a, &i, e) < 0)
		return -1;
	*instance = i.id;
	return 0;
}

/* A machine that runs, of the first way in which there is one. */
static int have_one(struct aws_machine *m, const struct machine_id *id, struct waiting *w, struct err *e)
{
	struct ways ways = ways_of(m->settings, m->env->arena);
	const struct ec2_placement *p = m->settings->placement.n > 0 ? m->settings->placement.v : NULL;
	const char *zone;
	bool no_room;

	if (aws_volumes_check(m, &zone, e) < 0)
		return -1;
	zone = m->settings->subnet_id != NULL ? NULL : zone; /* which has a zone */
	zone = p != NULL && p->availability_zone != NULL ? p->availability_zone : zone;
	for (size_t i = 0; i < ways.n; i++) {
		*w = (struct waiting){.m = m};
		int rc = launch(m, id, &ways.v[i], i, zone, &w->id, &no_room, e);
		if (rc == 0) {
			aws_machine_progress(m, "%s is starting", w->id);
			if (wait_running(w, e) == 0)
				return 0;
			terminate(m, w->id);
		}
		if (!no_room && !w->no_room)
			break;
		aws_machine_progress(m, "there is no %s%s", ways.v[i].type, ways.v[i].spot ? " (spot)" : "");
	}
	return err_wrap(e, "cannot start target '%s'", m->target->name);
}

/* Before it is asked for, its settings get what it is given. */
static int give_key(struct aws_machine *m, const struct machine_id *id, struct err *e)
{
	struct ec2_settings *own = arena_alloc(m->env->arena, sizeof(*own));

	*own = *m->settings;
	m->settings = own;
	if (cloud_user_data(m->env, m->target, id, cloud_ec2_format(own), own->user_data, EC2_USER_DATA_MAX,
			    &own->user_data, e) == 0)
		return 0;
	return err_wrap(e, "cannot start target '%s'", m->target->name);
}

/* In front of the others, which are as good where there is none of them. */
static void prefer_bulk(struct ec2_settings *s, struct arena *a)
{
	struct strings rest = {0};

	if (s->bulk_instance_type.n == 0)
		return;
	for (size_t i = 1; i < s->bulk_instance_type.n; i++)
		*vec_add(&rest, a) = s->bulk_instance_type.v[i];
	*vec_add(&rest, a) = s->instance_type;
	for (size_t i = 0; i < s->instance_types.n; i++)
		*vec_add(&rest, a) = s->instance_types.v[i];
	s->instance_type = s->bulk_instance_type.v[0];
	s->instance_types = rest;
}

static int ec2_settle(const struct provider_env *env, struct target *t, enum machine_use use, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	struct ec2_settings *s = arena_new(env->arena, struct ec2_settings);
	*s = *m.settings;
	s->region = m.client.region;
	if (use != USE_PLAIN)
		prefer_bulk(s, env->arena);
	t->settings = s;
	return aws_setup_settle(&m, s, use, e);
}

static int ec2_start(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		     struct machine_facts *f, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	struct ec2_instances there = {0};
	struct waiting w = {.m = &m};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	if (find(&m, id->token, false, &there, e) < 0)
		return err_wrap(e, "cannot start target '%s'", t->name);
	if (there.n > 0) {
		w.id = there.v[0].id;
		if (wait_running(&w, e) < 0)
			return err_wrap(e, "cannot start target '%s'", t->name);
	} else if (give_key(&m, id, e) < 0 || have_one(&m, id, &w, e) < 0) {
		return -1;
	}
	if (aws_volumes_attach(&m, w.id, e) < 0) {
		terminate(&m, w.id);
		return -1;
	}
	tell(&m, &w.seen, f);
	return 0;
}

/* --- the rest ---------------------------------------------------------------------------------------------- */

static int ec2_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			struct machine_facts *f, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	struct ec2_instances there = {0};

	*f = (struct machine_facts){.power = POWER_ABSENT};
	if (aws_machine_open(&m, env, t, e) < 0 || find(&m, id->token, false, &there, e) < 0)
		return -1;
	if (there.n > 0)
		tell(&m, &there.v[0], f);
	return 0;
}

/* That EC2 does not know it is no proof that it is not there: it is told again. */
static int tell_to_end(struct waiting *w, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct aws_fault f;

	ec2_terminate_instances(&b, w->id);
	w->told = aws_machine_call(w->m, "TerminateInstances", &b, NULL, &f, e) == 0;
	return w->told || f.class == AWS_NOT_SEEN ? 0 : -1;
}

/* 1: it has ended. */
static int ended(void *arg, struct err *e)
{
	struct waiting *w = arg;
	const struct ec2_instance *i;

	if ((!w->told && tell_to_end(w, e) < 0) || aws_machine_get(w->m, w->id, &i, e) < 0)
		return -1;
	if (i == NULL)
		return w->told;
	if (i->state == EC2_TERMINATED)
		return 1;
	w->seen = *i;
	return 0;
}

static int begin_end(struct waiting *w, struct err *e)
{
	/* What is in use is not taken away: the machine lets go of it in order when it shuts down. */
	if (w->m->env->exported && w->seen.state == EC2_RUNNING)
		aws_volumes_detach(w->m, w->id);
	aws_machine_progress(w->m, "ending %s", w->id);
	return tell_to_end(w, e);
}

static int wait_ended(struct waiting *w, struct err *e)
{
	int rc = tool_wait(w->m->env, INT32_MAX, ended, w, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	(void)err_set(e, ERR_TIMEOUT, "%s is still %s", w->id, w->seen.state_name);
	e->retry = RETRY_LATER;
	return err_hint(e, "it was told to end%s; to see it: aws ec2 describe-instances --instance-ids %s",
			w->told ? "" : ", and EC2 does not know it", w->id);
}

static int ec2_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	struct ec2_instances there = {0};
	struct waitings ending = {0};
	struct err first = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	if (find(&m, id->token, true, &there, e) < 0)
		return err_wrap(e, "cannot end target '%s'", t->name);
	/* All are told before one is waited for: none stays because of another. */
	for (size_t i = 0; i < there.n; i++) {
		struct waiting w = {.m = &m, .id = there.v[i].id, .seen = there.v[i]};
		if (begin_end(&w, e) == 0)
			*vec_add(&ending, env->arena) = w;
		else if (first.kind == ERR_NONE)
			first = *e;
	}
	for (size_t i = 0; i < ending.n; i++)
		if (wait_ended(&ending.v[i], e) < 0 && first.kind == ERR_NONE)
			first = *e;
	if (first.kind == ERR_NONE) {
		cloud_forget_key(env, t, id);
		return 0;
	}
	*e = first;
	return err_wrap(e, "cannot end target '%s'", t->name);
}

static int ec2_list(const struct provider_env *env, const struct target *t, machine_fn *fn, void *arg, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	struct ec2_instances there = {0};
	struct strings filters = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	strings_add_pair(&filters, env->arena, "tag:" TAG_OWNER, cloud_owner(env));
	strings_add_pair(&filters, env->arena, "tag:" TAG_TARGET, t->name);
	put_alive(&filters, false, env->arena);
	if (aws_machine_look(&m, &filters, &there, e) < 0)
		return err_wrap(e, "cannot look for machines of target '%s'", t->name);
	for (size_t i = 0; i < there.n; i++) {
		struct machine_facts f;
		struct machine_id id = {t->name, token_of(&there.v[i])};
		tell(&m, &there.v[i], &f);
		fn(arg, &id, &f);
	}
	return 0;
}

/* What can be known without asking EC2, which a start does in any case. */
static int ec2_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	if (aws_chain_find(&m.client, &m.client.keys, e) < 0)
		return err_wrap(e, "cannot use AWS for target '%s'", t->name);
	return 0;
}

const struct provider_ops cloud_aws_ec2 = {
    .kind = {.name = "aws_ec2"},
    .check = ec2_check,
    .settle = ec2_settle,
    .start = ec2_start,
    .describe = ec2_describe,
    .stop = ec2_stop,
    .list = ec2_list,
    .survey = aws_setup_survey,
    .make = aws_setup_make,
    .change = aws_setup_change,
    .remove = aws_setup_remove,
    .disks = aws_setup_disks,
    .mark = aws_setup_mark,
    .prices = aws_setup_prices,
};
