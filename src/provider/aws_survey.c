/* What apply makes for an aws_ec2 target, as the file wants it and as it is there: its key pair, its security group,
 * its volumes.  They are found by their tags, whichever host made them: that is how an empty host finds its archive. */
#include "provider/aws_setup.h"

#include "model/public_key.h"
#include "wire/ec2.h"

enum { GROUPS_PAGES = 1000, GIB = 1 << 30 };

const struct ec2_made_volume *aws_setup_volume(const struct aws_machine *m, const char *name)
{
	const struct field_items *all = &m->settings->made;

	for (size_t i = 0; i < all->n; i++) {
		const struct ec2_made_volume *v = &((const struct ec2_made_volume *)all->v)[i];
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

/* --- what is wanted ---------------------------------------------------------------------------------------- */

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* In one order, each once. */
static const char *list_of(struct strings from, struct arena *a)
{
	AUTO(buf) struct buf b = {0};
	struct strings v = {0};

	for (size_t i = 0; i < from.n; i++)
		*vec_add(&v, a) = from.v[i];
	if (v.n > 1)
		qsort(v.v, v.n, sizeof(v.v[0]), by_text);
	for (size_t i = 0; i < v.n; i++)
		if (i == 0 || strcmp(v.v[i], v.v[i - 1]) != 0)
			buf_printf(&b, "%s%s", i == 0 ? "" : " ", v.v[i]);
	return arena_strdup(a, buf_text(&b));
}

static void want_volume(const struct aws_machine *m, const struct ec2_made_volume *v, struct resources *wanted)
{
	struct arena *a = m->env->arena;
	const struct ec2_placement *p = m->settings->placement.v;
	struct resource *r = vec_add(wanted, a);

	*r = (struct resource){.kind = RESOURCE_VOLUME, .name = v->name};
	strings_add_pair(&r->facts, a, "GiB", arena_printf(a, "%llu", (unsigned long long)((v->size + GIB - 1) / GIB)));
	strings_add_pair(&r->facts, a, "type", v->type);
	strings_add_pair(&r->facts, a, "zone", p->availability_zone);
	if (v->iops != 0)
		strings_add_pair(&r->facts, a, "iops", arena_printf(a, "%lld", (long long)v->iops));
	if (v->throughput != 0)
		strings_add_pair(&r->facts, a, "throughput", arena_printf(a, "%lld", (long long)v->throughput));
	if (v->pool != NULL)
		strings_add_pair(&r->facts, a, "pool", v->pool);
}

static void want(const struct aws_machine *m, struct resources *wanted)
{
	struct arena *a = m->env->arena;
	const struct ec2_settings *s = m->settings;
	const char *why;

	if (s->key_pair.n > 0) {
		struct resource *r = vec_add(wanted, a);
		const struct ec2_key_pair *k = s->key_pair.v;
		*r = (struct resource){.kind = RESOURCE_KEY_PAIR, .name = ""};
		strings_add_pair(&r->facts, a, "key", public_key_read(str_of(k->public_key), a, &why));
	}
	if (s->security_group.n > 0) {
		struct resource *r = vec_add(wanted, a);
		const struct ec2_security_group *g = s->security_group.v;
		*r = (struct resource){.kind = RESOURCE_SECURITY_GROUP, .name = ""};
		strings_add_pair(&r->facts, a, "from", list_of(g->from, a));
	}
	for (size_t i = 0; i < s->made.n; i++)
		want_volume(m, &((const struct ec2_made_volume *)s->made.v)[i], wanted);
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
		strings_add_pair(&r->facts, a, "from", list_of(groups.v[i].from, a));
	}
	return 0;
}

/* Which one it is, its GUID says; the file, what it is called. */
static void put_pool(const struct aws_machine *m, const struct ec2_volume *v, struct resource *r)
{
	const char *mark = strings_pair(&v->tags, AWS_TAG_POOL);
	const struct ec2_made_volume *made = aws_setup_volume(m, r->name);

	if (mark == NULL)
		return;
	bool none = strcmp(mark, AWS_NO_POOL) == 0;
	strings_add_pair(&r->facts, m->env->arena, "pool",
			 none				      ? RESOURCE_NO_POOL
			 : made != NULL && made->pool != NULL ? made->pool
							      : mark);
}

static int find_volumes(struct aws_machine *m, struct resources *found, struct err *e)
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
		put_pool(m, v, r);
		for (size_t k = 0; k < ARRAY_LEN(facts); k += 2)
			if (facts[k + 1] != NULL)
				strings_add_pair(&r->facts, a, facts[k], facts[k + 1]);
	}
	return 0;
}

static int find(struct aws_machine *m, struct resources *found, struct err *e)
{
	return aws_setup_find_key(m, found, e) < 0 || aws_setup_find_group(m, found, e) < 0 ||
		       find_volumes(m, found, e) < 0
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

int aws_setup_settle(struct aws_machine *m, struct ec2_settings *s, struct err *e)
{
	struct arena *a = m->env->arena;
	struct resources wanted = {0}, found = {0};
	size_t given = s->volumes.n;

	want(m, &wanted);
	if (wanted.n == 0)
		return 0;
	if (find(m, &found, e) < 0)
		return err_wrap(e, "cannot see what target '%s' has", m->target->name);
	struct ec2_attach *volumes = arena_alloc(a, (given + s->made.n + 1) * sizeof(*volumes));
	if (given > 0)
		memcpy(volumes, s->volumes.v, given * sizeof(*volumes));
	for (size_t i = 0; i < wanted.n; i++) {
		const struct resource *w = &wanted.v[i], *one = NULL;
		size_t n = resources_like(&found, w, &one);
		if (n != 1 || one == NULL) {
			(void)err_set(e, n == 0 ? ERR_MISSING : ERR_CONFLICT, "target '%s' has %s %s", m->target->name,
				      n == 0 ? "no" : "more than one", resource_title(w, a));
			return err_hint(e, n == 0 ? "to make it: dormouse apply"
						  : "to see them: dormouse apply --dry-run");
		}
		if (w->kind == RESOURCE_KEY_PAIR)
			s->key_name = one->id;
		else if (w->kind == RESOURCE_SECURITY_GROUP)
			*vec_add(&s->security_group_ids, a) = one->id;
		else
			volumes[given] =
			    (struct ec2_attach){arena_printf(a, "/dev/sd%c", (char)('f' + given % 11)), one->id};
		given += w->kind == RESOURCE_VOLUME;
	}
	s->volumes = (struct field_items){volumes, given};
	return 0;
}
