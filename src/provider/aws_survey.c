/* What apply makes for an aws_ec2 target, as the file wants it and as it is there: its key pair, its security group,
 * its volumes.  They are found by their tags, whichever host made them: that is how an empty host finds its archive. */
#include "provider/aws_setup.h"

#include "model/public_key.h"
#include "wire/ec2.h"

enum { GROUPS_PAGES = 1000 };

static void want(const struct aws_machine *m, struct resources *wanted)
{
	const struct ec2_placement *p = m->settings->placement.v;

	cloud_made_want(&m->settings->made, &cloud_made_ec2, p == NULL ? NULL : p->availability_zone, m->env->arena,
			wanted);
}

/* --- what there is ----------------------------------------------------------------------------------------- */

struct strings aws_setup_filters(const struct aws_machine *m)
{
	struct strings f = {0};

	strings_add_pair(&f, m->env->arena, "tag:" AWS_TAG_TARGET, m->target->name);
	strings_add_pair(&f, m->env->arena, "tag-key", AWS_TAG_MADE);
	return f;
}

int aws_setup_find_key(struct aws_machine *m, struct resources *found, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = m->env->arena;
	struct strings filters = aws_setup_filters(m);
	struct ec2_named_keys keys = {0};
	struct aws_fault f;
	struct str answer;
	const char *why;

	ec2_describe_key_pairs(&b, &filters);
	if (aws_machine_call(m, "DescribeKeyPairs", &b, &answer, &f, e) < 0 ||
	    ec2_key_pairs_read(answer, a, &keys, e) < 0)
		return -1;
	for (size_t i = 0; i < keys.n; i++) {
		struct resource *r = vec_add(found, a);
		*r = (struct resource){.kind = RESOURCE_KEY_PAIR, .name = "", .id = keys.v[i].name};
		const char *key =
		    keys.v[i].public_key == NULL ? NULL : public_key_read(str_of(keys.v[i].public_key), a, &why);
		if (key != NULL)
			strings_add_pair(&r->facts, a, "key", key);
	}
	return 0;
}

int aws_setup_find_group(struct aws_machine *m, struct resources *found, struct err *e)
{
	struct arena *a = m->env->arena;
	struct strings filters = aws_setup_filters(m);
	struct ec2_groups groups = {0};
	const char *next = NULL;

	for (int page = 0; page == 0 || (next != NULL && page < GROUPS_PAGES); page++) {
		AUTO(buf) struct buf b = {0};
		struct aws_fault f;
		struct str answer;
		ec2_describe_security_groups(&b, &filters, next);
		if (aws_machine_call(m, "DescribeSecurityGroups", &b, &answer, &f, e) < 0 ||
		    ec2_groups_read(answer, m->target->ssh.port, a, &groups, &next, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < groups.n; i++) {
		struct resource *r = vec_add(found, a);
		*r = (struct resource){.kind = RESOURCE_SECURITY_GROUP, .name = "", .id = groups.v[i].id};
		strings_add_pair(&r->facts, a, "from", cloud_made_list(groups.v[i].from, a));
	}
	return 0;
}

int aws_setup_find_volumes(struct aws_machine *m, struct resources *found, struct err *e)
{
	struct arena *a = m->env->arena;
	struct strings filters = aws_setup_filters(m);
	struct ec2_volumes volumes = {0};

	if (aws_volumes_look(m, &filters, &volumes, e) < 0)
		return -1;
	for (size_t i = 0; i < volumes.n; i++) {
		const struct ec2_volume *v = &volumes.v[i];
		const char *name = strings_pair(&v->tags, AWS_TAG_MADE);
		if (v->state == VOLUME_GOING || name == NULL)
			continue;
		struct resource *r = vec_add(found, a);
		*r = (struct resource){.kind = RESOURCE_VOLUME, .name = name, .id = v->id, .user = v->instance};
		const char *const facts[] = {"type", v->type, "zone",	    v->zone,
					     "iops", v->iops, "throughput", v->throughput};
		strings_add_pair(&r->facts, a, "GiB", arena_printf(a, "%llu", (unsigned long long)v->size_gib));
		cloud_made_put_marks(&m->settings->made, strings_pair(&v->tags, AWS_TAG_POOL),
				     strings_pair(&v->tags, AWS_TAG_TURN), a, r);
		for (size_t k = 0; k < ARRAY_LEN(facts); k += 2)
			if (facts[k + 1] != NULL)
				strings_add_pair(&r->facts, a, facts[k], facts[k + 1]);
	}
	cloud_made_roles(found);
	return 0;
}

static int find(struct aws_machine *m, struct resources *found, struct err *e)
{
	return aws_setup_find_key(m, found, e) < 0 || aws_setup_find_group(m, found, e) < 0 ||
		       aws_setup_find_volumes(m, found, e) < 0
		   ? -1
		   : 0;
}

int aws_setup_survey(const struct provider_env *env, const struct target *t, struct resources *wanted,
		     struct resources *found, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	want(&m, wanted);
	if (find(&m, found, e) < 0)
		return err_wrap(e, "cannot see what target '%s' has", t->name);
	return 0;
}
/* --- for a machine ----------------------------------------------------------------------------------------- */

static struct ec2_attach attach_as(size_t nth, const char *id, struct arena *a)
{
	return (struct ec2_attach){arena_printf(a, "/dev/sd%c", (char)('f' + nth % 11)), id};
}

int aws_setup_settle(struct aws_machine *m, struct ec2_settings *s, enum machine_use use, struct err *e)
{
	struct arena *a = m->env->arena;
	struct resources wanted = {0}, found = {0};
	size_t given = s->volumes.n;

	want(m, &wanted);
	if (wanted.n == 0)
		return 0;
	if (find(m, &found, e) < 0)
		return err_wrap(e, "cannot see what target '%s' has", m->target->name);
	struct ec2_attach *volumes = arena_alloc(a, (given + found.n + 1) * sizeof(*volumes));
	if (given > 0)
		memcpy(volumes, s->volumes.v, given * sizeof(*volumes));
	for (size_t i = 0; i < wanted.n; i++) {
		const struct resource *w = &wanted.v[i], *one = cloud_made_one(&found, w, m->target->name, a, e);
		if (one == NULL)
			return -1;
		if (w->kind == RESOURCE_KEY_PAIR)
			s->key_name = one->id;
		else if (w->kind == RESOURCE_SECURITY_GROUP)
			*vec_add(&s->security_group_ids, a) = one->id;
		else
			volumes[given] = attach_as(given, one->id, a);
		given += w->kind == RESOURCE_VOLUME;
	}
	struct strings next = cloud_made_next(&s->made, &found, a);
	for (size_t i = 0; i < next.n && use == USE_MOVE; i++, given++)
		volumes[given] = attach_as(given, next.v[i], a);
	s->volumes = (struct field_items){volumes, given};
	return 0;
}
