/* What apply makes for an aws_ec2 target: made, changed, taken away. */
#include "provider/aws_setup.h"

#include "drivers/sha256.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "wire/ec2.h"

enum { TWIN_MS = 15000, SEEN_MS = 60000 };

/* What EC2 calls the key pair and the security group. */
static const char *name_of(const struct target *t, struct arena *a)
{
	return arena_printf(a, "dormouse-%s", t->name);
}

/* --- making ------------------------------------------------------------------------------------------------ */

static struct strings tags_of(const struct aws_machine *m, const char *name)
{
	struct strings tags = {0};
	struct arena *a = m->env->arena;

	strings_add_pair(&tags, a, "Name",
			 *name == '\0' ? m->target->name : arena_printf(a, "%s %s", m->target->name, name));
	strings_add_pair(&tags, a, AWS_TAG_TARGET, m->target->name);
	strings_add_pair(&tags, a, AWS_TAG_MADE, name);
	aws_machine_add_tags(m, &tags);
	return tags;
}

struct twin {
	struct aws_machine *m;
	int (*find)(struct aws_machine *m, struct resources *found, struct err *e);
	const char *id;
};

/* 1: there is one of our making. */
static int is_ours(void *arg, struct err *e)
{
	struct twin *x = arg;
	struct resources found = {0};

	if (x->find(x->m, &found, e) < 0)
		return -1;
	x->id = found.n > 0 ? found.v[0].id : NULL;
	return found.n > 0;
}

/* After it was refused: because of one of the same name, which may be ours, from an attempt that nobody heard the
 * answer of; or else e stays as it is. */
static int after_refusal(struct twin *x, const struct aws_fault *f, const char *what, const char *name, struct err *e)
{
	if (f->code == NULL || strstr(f->code, ".Duplicate") == NULL)
		return -1;
	int rc = tool_wait(x->m->env, TWIN_MS, is_ours, x, e);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	(void)err_set(e, ERR_CONFLICT, "there is a %s '%s' already, and not of our making", what, name);
	return err_hint(e, "it lacks our tags; if nobody needs it, delete it");
}

static int make_key(struct aws_machine *m, const struct resource *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	const char *name = name_of(m->target, m->env->arena);
	struct strings tags = tags_of(m, "");
	struct twin x = {m, aws_setup_find_key, NULL};
	struct aws_fault f;

	ec2_import_key_pair(&b, name, strings_pair(&r->facts, "key"), &tags);
	if (aws_machine_call(m, "ImportKeyPair", &b, NULL, &f, e) == 0)
		return 0;
	return after_refusal(&x, &f, "key pair", name, e);
}

/* Of the subnet that the machines are in; NULL: the default one. */
static int vpc_of(struct aws_machine *m, const char **vpc, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct aws_fault f;
	struct str answer;

	*vpc = NULL;
	if (m->settings->subnet_id == NULL)
		return 0;
	ec2_describe_subnet(&b, m->settings->subnet_id);
	if (aws_machine_call(m, "DescribeSubnets", &b, &answer, &f, e) < 0)
		return -1;
	return ec2_subnet_read(answer, m->env->arena, vpc, e);
}

struct ingress {
	struct aws_machine *m;
	const char *group, *from;
	bool allow;
};

/* 1: it is so.  One that was made just now may not be to be seen everywhere. */
static int ingress(void *arg, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct ingress *x = arg;
	struct aws_fault f;

	ec2_ingress(&b, x->allow, x->group, x->m->target->ssh.port, x->from);
	if (aws_machine_call(x->m, x->allow ? "AuthorizeSecurityGroupIngress" : "RevokeSecurityGroupIngress", &b, NULL,
			     &f, e) == 0)
		return 1;
	if (f.code != NULL &&
	    strcmp(f.code, x->allow ? "InvalidPermission.Duplicate" : "InvalidPermission.NotFound") == 0)
		return 1;
	return f.code != NULL && strcmp(f.code, "InvalidGroup.NotFound") == 0 ? 0 : -1;
}

static bool in_list(struct str list, struct str word)
{
	while (list.n > 0) {
		struct str one = str_cut(&list, ' ');
		if (one.n == word.n && memcmp(one.p, word.p, word.n) == 0)
			return true;
	}
	return false;
}

/* What is in one list and not in the other is allowed, or not any more. */
static int let_in(struct aws_machine *m, const char *group, bool allow, const char *list, const char *other,
		  struct err *e)
{
	struct str rest = str_of(list);

	while (rest.n > 0) {
		struct str one = str_cut(&rest, ' ');
		struct ingress x = {m, group, str_dup(m->env->arena, one), allow};
		if (in_list(str_of(other), one))
			continue;
		int rc = tool_wait(m->env, INT32_MAX, ingress, &x, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return err_set(e, ERR_TIMEOUT, "%s is not to be seen", group);
	}
	return 0;
}

static int make_group(struct aws_machine *m, const struct resource *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	const char *name = name_of(m->target, m->env->arena), *vpc;
	struct strings tags = tags_of(m, "");
	struct twin x = {m, aws_setup_find_group, NULL};
	struct aws_fault f;
	struct str answer;

	if (vpc_of(m, &vpc, e) < 0)
		return -1;
	ec2_create_security_group(&b, name, vpc, &tags);
	if (aws_machine_call(m, "CreateSecurityGroup", &b, &answer, &f, e) == 0) {
		if (ec2_group_read(answer, m->env->arena, &x.id, e) < 0)
			return -1;
	} else if (after_refusal(&x, &f, "security group", name, e) < 0) {
		return -1;
	}
	return let_in(m, x.id, true, strings_pair(&r->facts, "from"), "", e);
}

struct being {
	struct aws_machine *m;
	const char *volume;
	struct ec2_volume seen;
	int64_t until_ms; /* until then it may be not to be seen yet */
};

/* 1: it can be used. */
static int is_there(void *arg, struct err *e)
{
	struct being *x = arg;

	if (aws_volume_get(x->m, x->volume, &x->seen, e) < 0) {
		if (e->kind != ERR_MISSING || clock_mono_ms() < x->until_ms)
			return e->kind == ERR_MISSING ? 0 : -1;
		(void)err_set(e, ERR_MISSING, "volume '%s' is not to be seen a minute after it was made", x->volume);
		return err_hint(e, "an attempt before made it, and somebody deleted it?  then again: dormouse apply");
	}
	if (x->seen.state == VOLUME_ERROR || x->seen.state == VOLUME_GOING) {
		(void)err_set(e, ERR_SYSTEM, "volume '%s' is in state '%s'", x->volume, x->seen.state_name);
		return err_hint(e, "a key that may not be used? (kms_key_id)");
	}
	return x->seen.state == VOLUME_AVAILABLE || x->seen.state == VOLUME_IN_USE;
}

/* At most 64 characters, and another one for everything that is otherwise. */
static const char *client_token(const struct resource *r, const char *token, struct arena *a)
{
	AUTO(buf) struct buf b = {0};
	unsigned char sum[32];

	buf_printf(&b, "%s\n%s", token, r->name);
	if (r->role == ROLE_NEXT)
		buf_puts(&b, "\n" CLOUD_TURN_NEXT);
	for (size_t i = 0; i < r->facts.n; i++)
		buf_printf(&b, "\n%s", r->facts.v[i]);
	sha256(b.p, b.n, sum);
	buf_clear(&b);
	for (size_t i = 0; i < sizeof(sum); i++)
		buf_printf(&b, "%02x", sum[i]);
	return arena_strdup(a, buf_text(&b));
}

static int make_volume(struct aws_machine *m, const struct resource *r, const char *token, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = m->env->arena;
	struct ec2_new_volume v = {.zone = strings_pair(&r->facts, "zone"),
				   .token = client_token(r, token, a),
				   .as = made_volume(&m->settings->made, r->name),
				   .tags = tags_of(m, r->name)};
	bool pool = v.as != NULL && v.as->pool != NULL;
	struct being x = {.m = m};
	struct ec2_volume made;
	struct aws_fault f;
	struct str answer;

	if (v.as == NULL)
		return err_set(e, ERR_USAGE, "the file has no volume '%s'", r->name);
	if (pool)
		strings_add_pair(&v.tags, a, AWS_TAG_POOL, CLOUD_NO_POOL);
	if (r->role == ROLE_NEXT)
		strings_add_pair(&v.tags, a, AWS_TAG_TURN, CLOUD_TURN_NEXT);
	ec2_create_volume(&b, &v);
	if (aws_machine_call(m, "CreateVolume", &b, &answer, &f, e) < 0 || ec2_volume_read(answer, a, &made, e) < 0)
		return -1;
	aws_machine_progress(m, "%s is being made", made.id);
	x.volume = made.id;
	x.until_ms = clock_mono_ms() + SEEN_MS;
	int rc = tool_wait(m->env, INT32_MAX, is_there, &x, e);
	if (rc == 0)
		return err_set(e, ERR_TIMEOUT, "%s does not get ready", made.id);
	return rc < 0 ? -1 : 0;
}

int aws_setup_make(const struct provider_env *env, const struct target *t, const struct resource *r, const char *token,
		   struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	int rc = -1;

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	switch (r->kind) {
	case RESOURCE_KEY_PAIR:
		rc = make_key(&m, r, e);
		break;
	case RESOURCE_SECURITY_GROUP:
		rc = make_group(&m, r, e);
		break;
	case RESOURCE_VOLUME:
		rc = make_volume(&m, r, token, e);
		break;
	case RESOURCE_FIREWALL:
	case RESOURCE_DATASET:
	case RESOURCE_RECIPIENT:
	case RESOURCE_TRIGGER:
	case RESOURCE_CHECK:
	case RESOURCE_KINDS:
		break;
	}
	return rc == 0 ? 0 : err_wrap(e, "cannot make the %s of target '%s'", resource_title(r, env->arena), t->name);
}

/* --- changing ---------------------------------------------------------------------------------------------- */

/* 1: the new size can be used. */
static int modified(void *arg, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct being *x = arg;
	const char *state, *why;
	struct aws_fault f;
	struct str answer;

	ec2_describe_modification(&b, x->volume);
	if (aws_machine_call(x->m, "DescribeVolumesModifications", &b, &answer, &f, e) < 0 ||
	    ec2_modification_read(answer, x->m->env->arena, &state, &why, e) < 0)
		return -1;
	if (strcmp(state, "failed") == 0)
		return err_set(e, ERR_SYSTEM, "EC2 could not change %s: %s", x->volume, why == NULL ? "" : why);
	return strcmp(state, "optimizing") == 0 || strcmp(state, "completed") == 0;
}

static int change_volume(struct aws_machine *m, const struct resource *wanted, const struct resource *found,
			 struct err *e)
{
	AUTO(buf) struct buf b = {0};
	const struct made_volume *v = made_volume(&m->settings->made, wanted->name);
	struct being x = {.m = m, .volume = found->id};
	struct aws_fault f;

	if (v == NULL)
		return err_set(e, ERR_USAGE, "the file has no volume '%s'", wanted->name);
	ec2_modify_volume(&b, found->id, v);
	if (aws_machine_call(m, "ModifyVolume", &b, NULL, &f, e) < 0)
		return -1;
	aws_machine_progress(m, "%s is being changed", found->id);
	int rc = tool_wait(m->env, INT32_MAX, modified, &x, e);
	if (rc == 0)
		return err_set(e, ERR_TIMEOUT, "%s is still being changed", found->id);
	return rc < 0 ? -1 : 0;
}

static int change_group(struct aws_machine *m, const struct resource *wanted, const struct resource *found,
			struct err *e)
{
	const char *to = strings_pair(&wanted->facts, "from"), *was = strings_pair(&found->facts, "from");

	was = was == NULL ? "" : was;
	/* First who may, so that nobody is shut out meanwhile. */
	return let_in(m, found->id, true, to, was, e) < 0 || let_in(m, found->id, false, was, to, e) < 0 ? -1 : 0;
}

int aws_setup_change(const struct provider_env *env, const struct target *t, const struct resource *wanted,
		     const struct resource *found, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	int rc = -1;

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	if (wanted->kind == RESOURCE_VOLUME)
		rc = change_volume(&m, wanted, found, e);
	else if (wanted->kind == RESOURCE_SECURITY_GROUP)
		rc = change_group(&m, wanted, found, e);
	else
		(void)err_set(e, ERR_USAGE, "it does not change");
	return rc == 0
		   ? 0
		   : err_wrap(e, "cannot change the %s of target '%s'", resource_title(wanted, env->arena), t->name);
}

/* --- taking away ------------------------------------------------------------------------------------------- */

struct removal {
	struct aws_machine *m;
	const struct resource *what;
};

/* 1: it is gone.  What was with a machine is let go of minutes after its end. */
static int removed(void *arg, struct err *e)
{
	static const char *const actions[] = {[RESOURCE_KEY_PAIR] = "DeleteKeyPair",
					      [RESOURCE_SECURITY_GROUP] = "DeleteSecurityGroup",
					      [RESOURCE_VOLUME] = "DeleteVolume"};
	AUTO(buf) struct buf b = {0};
	struct removal *x = arg;
	struct aws_fault f;

	switch (x->what->kind) {
	case RESOURCE_KEY_PAIR:
		ec2_delete_key_pair(&b, x->what->id);
		break;
	case RESOURCE_SECURITY_GROUP:
		ec2_delete_security_group(&b, x->what->id);
		break;
	case RESOURCE_VOLUME:
		ec2_delete_volume(&b, x->what->id);
		break;
	case RESOURCE_FIREWALL:
	case RESOURCE_DATASET:
	case RESOURCE_RECIPIENT:
	case RESOURCE_TRIGGER:
	case RESOURCE_CHECK:
	case RESOURCE_KINDS:
		return -1;
	}
	if (aws_machine_call(x->m, actions[x->what->kind], &b, NULL, &f, e) == 0 || f.class == AWS_NOT_SEEN ||
	    (f.code != NULL && strcmp(f.code, "InvalidGroup.NotFound") == 0))
		return 1;
	return f.class == AWS_NOT_NOW ? 0 : -1;
}

int aws_setup_remove(const struct provider_env *env, const struct target *t, const struct resource *found,
		     struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	struct removal x = {&m, found};
	const char *title = resource_title(found, env->arena);

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	int rc = tool_wait(env, INT32_MAX, removed, &x, e);
	if (rc > 0)
		return 0;
	if (rc == 0) {
		(void)err_set(e, ERR_BUSY, "something still uses %s", found->id);
		(void)err_hint(e, "try again in a few minutes; what is on: dormouse machines");
	}
	return err_wrap(e, "cannot take away the %s of target '%s'", title, t->name);
}
