/* What apply makes for an hcloud target: made, changed, taken away.  There is no token of a request here: that a name
 * can be but once in a project is what keeps a second one away (docs/decisions/0020). */
#include "model/public_key.h"
#include "provider/cloud_made.h"
#include "provider/hcloud_setup.h"
#include "provider/tool.h"

enum { TWIN_MS = 2000 };

/* --- making ------------------------------------------------------------------------------------------------ */

/* The marks count, whatever the block says of labels. */
static struct strings labels_of(const struct hcloud_client *c, const struct resource *r, bool pool)
{
	struct arena *a = c->env->arena;
	struct strings labels = {0};

	for (size_t i = 0; i < c->settings->labels.n; i++)
		*vec_add(&labels, a) = c->settings->labels.v[i];
	strings_add_pair(&labels, a, HCLOUD_LABEL_TARGET, c->target->name);
	strings_add_pair(&labels, a, HCLOUD_LABEL_MADE, r->name);
	if (pool)
		strings_add_pair(&labels, a, HCLOUD_LABEL_POOL, CLOUD_NO_POOL);
	if (r->role == ROLE_NEXT)
		strings_add_pair(&labels, a, HCLOUD_LABEL_TURN, CLOUD_TURN_NEXT);
	return labels;
}

static struct strings words_of(const char *list, struct arena *a)
{
	struct strings words = {0};

	for (struct str rest = str_of(list); rest.n > 0;)
		*vec_add(&words, a) = str_dup(a, str_cut(&rest, ' '));
	return words;
}

/* What is wanted, in the words of the API. */
static struct hcloud_thing thing_of(const struct hcloud_client *c, const struct resource *r)
{
	struct arena *a = c->env->arena;
	struct hcloud_thing t = {.name = *r->name == '\0'
					     ? arena_printf(a, "dormouse-%s", c->target->name)
					     : arena_printf(a, "dormouse-%s-%s", c->target->name, r->name)};
	const struct made_volume *v = made_volume(&c->settings->made, r->name);

	t.labels = labels_of(c, r, r->kind == RESOURCE_VOLUME && v != NULL && v->pool != NULL);
	if (r->kind == RESOURCE_KEY_PAIR)
		t.public_key = strings_pair(&r->facts, "key");
	if (r->kind == RESOURCE_FIREWALL) {
		t.port = c->target->ssh.port;
		t.from = words_of(strings_pair(&r->facts, "from"), a);
	}
	if (r->kind == RESOURCE_VOLUME) {
		t.location = strings_pair(&r->facts, cloud_made_hcloud.place);
		t.size_gib = v == NULL ? 0 : (int64_t)made_volume_gib(v);
	}
	return t;
}

struct seeking {
	struct hcloud_client *c;
	const struct resource *what;
	bool usable; /* it must be */
};

/* 1: there is one of our making. */
static int is_ours(void *arg, struct err *e)
{
	struct seeking *s = arg;
	struct hcloud_things things = {0};

	if (hcloud_setup_find(s->c, s->what->kind, true, &things, e) < 0)
		return -1;
	for (size_t i = 0; i < things.n; i++) {
		const struct hcloud_thing *t = &things.v[i];
		const char *name = strings_pair(&t->labels, HCLOUD_LABEL_MADE);
		const char *turn = strings_pair(&t->labels, HCLOUD_LABEL_TURN);
		bool next = turn != NULL && strcmp(turn, CLOUD_TURN_NEXT) == 0;
		if (name != NULL && strcmp(name, s->what->name) == 0 && next == (s->what->role == ROLE_NEXT) &&
		    (!s->usable || t->status == NULL || strcmp(t->status, "available") == 0))
			return 1;
	}
	return 0;
}

/* What else has the same key, whose making that forbids; NULL: nothing. */
static const char *same_key(struct hcloud_client *c, const struct hcloud_thing *t)
{
	struct hcloud_things all = {0};
	struct err ignored;
	const char *why;

	if (t->public_key == NULL || hcloud_setup_find(c, RESOURCE_KEY_PAIR, false, &all, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < all.n; i++) {
		const char *key = all.v[i].public_key == NULL
				      ? NULL
				      : public_key_read(str_of(all.v[i].public_key), c->env->arena, &why);
		if (key != NULL && strcmp(key, t->public_key) == 0)
			return all.v[i].name;
	}
	return NULL;
}

/* After it was refused because there is one already: it may be ours, from an attempt whose answer nobody heard. */
static int after_refusal(struct hcloud_client *c, const struct resource *r, const struct hcloud_thing *t, struct err *e)
{
	struct seeking s = {c, r, false};
	int rc = tool_wait(c->env, TWIN_MS, is_ours, &s, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	const char *other = same_key(c, t);
	if (other != NULL) {
		(void)err_set(e, ERR_CONFLICT, "the project has that key already, as '%s'", other);
		return err_hint(e, "a project has each key once: ssh_key = \"%s\" in place of the key_pair block",
				other);
	}
	(void)err_set(e, ERR_CONFLICT, "there is a %s '%s' already, and not of our making", resource_kind_name(r->kind),
		      t->name);
	return err_hint(e, "it lacks our labels; if nobody needs it, delete it");
}

/* What was asked for is done, and can be used. */
static int settle_down(struct hcloud_client *c, const struct resource *r, struct hcloud_numbers *actions, struct err *e)
{
	struct seeking s = {c, r, true};

	if (hcloud_client_wait(c, actions, e) < 0)
		return -1;
	int rc = tool_wait(c->env, INT32_MAX, is_ours, &s, e);
	return rc == 0 ? err_set(e, ERR_TIMEOUT, "it does not get ready") : rc < 0 ? -1 : 0;
}

/* The name that the first one had is taken for as long as that is there; the turn makes another of it, and one that is
 * made but once. */
static int name_next(struct hcloud_client *c, const struct resource *r, struct hcloud_thing *t, struct err *e)
{
	struct arena *a = c->env->arena;
	struct resources found = {0};
	struct resource now = {.kind = r->kind, .name = r->name};

	if (hcloud_setup_find_volumes(c, &found, e) < 0)
		return -1;
	const struct resource *one = cloud_made_one(&found, &now, c->target->name, a, e);
	if (one == NULL)
		return -1;
	t->name = arena_printf(a, "%s-%s", t->name, cloud_made_turn_after(one, a));
	return 0;
}

static int make(struct hcloud_client *c, const struct resource *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = c->env->arena;
	struct hcloud_thing t = thing_of(c, r);
	struct hcloud_numbers actions = {0};
	enum hcloud_class class;
	struct str answer;

	if (hcloud_setup_lists[r->kind] == NULL || (r->kind == RESOURCE_VOLUME && t.size_gib == 0))
		return err_set(e, ERR_USAGE, "the file has no %s", resource_title(r, a));
	if (r->role == ROLE_NEXT && name_next(c, r, &t, e) < 0)
		return -1;
	hcloud_thing_write(&b, &t);
	if (hcloud_client_call(c, "POST", arena_printf(a, "/%s", hcloud_setup_lists[r->kind]), buf_str(&b), "make it",
			       &answer, &class, e) == 0) {
		if (hcloud_actions_read(answer, a, &actions, e) < 0)
			return -1;
	} else if (class != HCLOUD_EXISTS || after_refusal(c, r, &t, e) < 0) {
		return -1;
	}
	return settle_down(c, r, &actions, e);
}

int hcloud_setup_make(const struct provider_env *env, const struct target *t, const struct resource *r,
		      const char *token, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client c = {0};

	(void)token;
	if (hcloud_client_open(&c, env, t, e) < 0)
		return -1;
	if (make(&c, r, e) == 0)
		return 0;
	return err_wrap(e, "cannot make the %s of target '%s'", resource_title(r, env->arena), t->name);
}

/* --- changing ---------------------------------------------------------------------------------------------- */

static int get_volume(struct hcloud_client *c, const char *id, struct hcloud_thing *v, struct err *e)
{
	enum hcloud_class class;
	struct str answer;

	if (hcloud_client_call(c, "GET", arena_printf(c->env->arena, "/volumes/%s", id), (struct str){0},
			       "look at the volume", &answer, &class, e) < 0)
		return -1;
	return hcloud_volume_read(answer, c->env->arena, v, e);
}

static int change(struct hcloud_client *c, const struct resource *wanted, const struct resource *found, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = c->env->arena;
	struct hcloud_thing to = thing_of(c, wanted), is;
	bool volume = wanted->kind == RESOURCE_VOLUME;
	struct hcloud_numbers actions = {0};
	enum hcloud_class class;
	struct str answer;
	struct err ignored;

	if (!volume && wanted->kind != RESOURCE_FIREWALL)
		return err_set(e, ERR_USAGE, "it does not change");
	to.name = to.location = NULL;
	to.labels = (struct strings){0};
	hcloud_thing_write(&b, &to);
	const char *path = arena_printf(a, "/%s/%s/actions/%s", hcloud_setup_lists[wanted->kind], found->id,
					volume ? "resize" : "set_rules");
	if (hcloud_client_call(c, "POST", path, buf_str(&b), "change it", &answer, &class, e) == 0)
		return hcloud_actions_read(answer, a, &actions, e) < 0 ? -1 : hcloud_client_wait(c, &actions, e);
	/* It was done already, and the answer was lost. */
	return volume && get_volume(c, found->id, &is, &ignored) == 0 && is.size_gib == to.size_gib ? 0 : -1;
}

int hcloud_setup_change(const struct provider_env *env, const struct target *t, const struct resource *wanted,
			const struct resource *found, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client c = {0};

	if (hcloud_client_open(&c, env, t, e) < 0)
		return -1;
	if (change(&c, wanted, found, e) == 0)
		return 0;
	return err_wrap(e, "cannot change the %s of target '%s'", resource_title(wanted, env->arena), t->name);
}

/* Labels are changed all at once: the others are put back as they are. */
int hcloud_setup_mark(const struct provider_env *env, const struct target *t, const struct pool_disk *disk,
		      struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client c = {0};
	AUTO(buf) struct buf b = {0};
	struct hcloud_thing is, to = {0};
	enum hcloud_class class;

	if (hcloud_client_open(&c, env, t, e) < 0)
		return -1;
	if (get_volume(&c, disk->id, &is, e) == 0) {
		to.labels = is.labels;
		strings_add_pair(&to.labels, env->arena, HCLOUD_LABEL_POOL, disk->guid);
		if (disk->moved)
			strings_add_pair(&to.labels, env->arena, HCLOUD_LABEL_TURN, disk->turn);
		hcloud_thing_write(&b, &to);
		if (hcloud_client_call(&c, "PUT", arena_printf(env->arena, "/volumes/%s", disk->id), buf_str(&b),
				       "label the volume", NULL, &class, e) == 0)
			return 0;
	}
	return err_wrap(e, "cannot mark volume %s with its pool '%s'", disk->id, disk->pool);
}

/* --- taking away ------------------------------------------------------------------------------------------- */

struct removal {
	struct hcloud_client *c;
	const struct resource *what;
};

/* 1: it is gone.  A server that is being deleted has it until then. */
static int removed(void *arg, struct err *e)
{
	struct removal *x = arg;
	const char *path = arena_printf(x->c->env->arena, "/%s/%s", hcloud_setup_lists[x->what->kind], x->what->id);
	enum hcloud_class class;

	if (hcloud_client_call(x->c, "DELETE", path, (struct str){0}, "delete it", NULL, &class, e) == 0 ||
	    class == HCLOUD_MISSING)
		return 1;
	return class == HCLOUD_NOT_NOW ? 0 : -1;
}

int hcloud_setup_remove(const struct provider_env *env, const struct target *t, const struct resource *found,
			struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client c = {0};
	struct removal x = {&c, found};

	if (hcloud_client_open(&c, env, t, e) < 0)
		return -1;
	int rc = hcloud_setup_lists[found->kind] == NULL ? err_set(e, ERR_USAGE, "there is none of that kind")
							 : tool_wait(env, INT32_MAX, removed, &x, e);
	if (rc > 0)
		return 0;
	if (rc == 0) {
		(void)err_set(e, ERR_BUSY, "something still uses %s", found->id);
		(void)err_hint(e, "try again in a few minutes; what is on: dormouse machines");
	}
	return err_wrap(e, "cannot take away the %s of target '%s'", resource_title(found, env->arena), t->name);
}
