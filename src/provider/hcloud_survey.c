/* What apply makes for an hcloud target: its ssh key, its firewall, its volumes.  They are found by their labels,
 * whichever host made them.  There is no token of a request here: that a name can be but once in a project is what
 * keeps a second one away. */
#include "provider/hcloud_setup.h"

#include "model/public_key.h"
#include "provider/cloud_made.h"

/* What the API calls them. */
const char *const hcloud_setup_lists[RESOURCE_KINDS] = {
    [RESOURCE_KEY_PAIR] = "ssh_keys", [RESOURCE_FIREWALL] = "firewalls", [RESOURCE_VOLUME] = "volumes"};

/* --- what there is ----------------------------------------------------------------------------------------- */

struct reading {
	struct hcloud_client *c;
	enum resource_kind kind;
	struct hcloud_things *things;
};

static int read_page(void *arg, struct str page, int64_t *next, struct err *e)
{
	struct reading *r = arg;

	return hcloud_things_read(page, hcloud_setup_lists[r->kind],
				  r->kind == RESOURCE_FIREWALL ? r->c->target->ssh.port : 0, r->c->env->arena,
				  r->things, next, e);
}

int hcloud_setup_find(struct hcloud_client *c, enum resource_kind kind, bool ours, struct hcloud_things *things,
		      struct err *e)
{
	struct reading r = {c, kind, things};
	const char *selector =
	    arena_printf(c->env->arena, HCLOUD_LABEL_TARGET "=%s," HCLOUD_LABEL_MADE, c->target->name);

	return hcloud_client_list(c, hcloud_setup_lists[kind], ours ? selector : NULL, read_page, &r, e);
}

static const char *number(const struct hcloud_client *c, int64_t id)
{
	return id == 0 ? NULL : arena_printf(c->env->arena, "%lld", (long long)id);
}

static void tell(const struct hcloud_client *c, enum resource_kind kind, const struct hcloud_thing *t,
		 struct resources *found)
{
	struct arena *a = c->env->arena;
	const char *name = strings_pair(&t->labels, HCLOUD_LABEL_MADE), *why;
	struct resource *r = vec_add(found, a);

	*r = (struct resource){
	    .kind = kind, .name = name == NULL ? "" : name, .id = number(c, t->id), .user = number(c, t->server)};
	const char *key = t->public_key == NULL ? NULL : public_key_read(str_of(t->public_key), a, &why);
	if (kind == RESOURCE_KEY_PAIR && key != NULL)
		strings_add_pair(&r->facts, a, "key", key);
	if (kind == RESOURCE_FIREWALL)
		strings_add_pair(&r->facts, a, "from", cloud_made_list(t->from, a));
	if (kind != RESOURCE_VOLUME)
		return;
	strings_add_pair(&r->facts, a, "GiB", arena_printf(a, "%lld", (long long)t->size_gib));
	if (t->location != NULL)
		strings_add_pair(&r->facts, a, cloud_made_hcloud.place, t->location);
	cloud_made_put_marks(&c->settings->made, strings_pair(&t->labels, HCLOUD_LABEL_POOL),
			     strings_pair(&t->labels, HCLOUD_LABEL_TURN), a, r);
}

int hcloud_setup_find_volumes(struct hcloud_client *c, struct resources *found, struct err *e)
{
	struct hcloud_things things = {0};

	if (hcloud_setup_find(c, RESOURCE_VOLUME, true, &things, e) < 0)
		return -1;
	for (size_t i = 0; i < things.n; i++)
		tell(c, RESOURCE_VOLUME, &things.v[i], found);
	cloud_made_roles(found);
	return 0;
}

static int find_all(struct hcloud_client *c, struct resources *found, struct err *e)
{
	for (enum resource_kind k = 0; k < RESOURCE_KINDS; k++) {
		struct hcloud_things things = {0};
		if (hcloud_setup_lists[k] == NULL)
			continue;
		if (hcloud_setup_find(c, k, true, &things, e) < 0)
			return err_wrap(e, "cannot see what target '%s' has", c->target->name);
		for (size_t i = 0; i < things.n; i++)
			tell(c, k, &things.v[i], found);
	}
	cloud_made_roles(found);
	return 0;
}

static void want(const struct hcloud_client *c, struct resources *wanted)
{
	cloud_made_want(&c->settings->made, &cloud_made_hcloud, c->settings->location, c->env->arena, wanted);
}

int hcloud_setup_survey(const struct provider_env *env, const struct target *t, struct resources *wanted,
			struct resources *found, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client c = {0};

	if (hcloud_client_open(&c, env, t, e) < 0)
		return -1;
	want(&c, wanted);
	return find_all(&c, found, e);
}

/* --- for a machine ----------------------------------------------------------------------------------------- */

int hcloud_setup_settle(const struct provider_env *env, struct target *t, enum machine_use use, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client c = {0};
	struct arena *a = env->arena;
	struct resources wanted = {0}, found = {0};
	struct hcloud_settings *s = arena_new(a, struct hcloud_settings);

	if (hcloud_client_open(&c, env, t, e) < 0)
		return -1;
	want(&c, &wanted);
	if (wanted.n == 0)
		return 0;
	if (find_all(&c, &found, e) < 0)
		return -1;
	*s = *c.settings;
	t->settings = s;
	for (size_t i = 0; i < wanted.n; i++) {
		const struct resource *w = &wanted.v[i], *one = cloud_made_one(&found, w, t->name, a, e);
		if (one == NULL)
			return -1;
		const char *place = strings_pair(&one->facts, cloud_made_hcloud.place);
		if (place != NULL && strcmp(place, s->location) != 0) {
			(void)err_set(e, ERR_CONFIG, "cannot start target '%s' in %s", t->name, s->location);
			(void)err_why(e, "its volume '%s' is in %s", w->name, place);
			return err_hint(e, "location = \"%s\"; all its volumes must be there", place);
		}
		if (w->kind == RESOURCE_KEY_PAIR)
			s->ssh_key = one->id;
		else
			*vec_add(w->kind == RESOURCE_FIREWALL ? &s->firewalls : &s->volumes, a) = one->id;
	}
	struct strings next = cloud_made_next(&s->made, &found, a);
	for (size_t i = 0; i < next.n && use == USE_MOVE; i++)
		*vec_add(&s->volumes, a) = next.v[i];
	return 0;
}

static const char *path_of(const char *id, struct arena *a)
{
	return arena_printf(a, "/dev/disk/by-id/scsi-0HC_Volume_%s", id);
}

int hcloud_setup_disks(const struct provider_env *env, const struct target *t, struct pool_disks *disks, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client c = {0};
	struct resources found = {0};

	if (hcloud_client_open(&c, env, t, e) < 0)
		return -1;
	struct cloud_made_seen seen = {.made = &c.settings->made,
				       .target = t->name,
				       .found = &found,
				       .given = c.settings->volumes,
				       .path_of = path_of};
	if (seen.made->volumes.n > 0 && hcloud_setup_find_volumes(&c, &found, e) < 0)
		return -1;
	return cloud_made_disks(&seen, env->arena, disks, e);
}

/* The key is what every start needs, so it is there as long as there may be a machine. */
int hcloud_setup_check_project(struct hcloud_client *c, struct err *e)
{
	const char *wanted = c->settings->ssh_key;
	struct hcloud_things keys = {0};

	if (wanted == NULL)
		return 0;
	if (hcloud_setup_find(c, RESOURCE_KEY_PAIR, false, &keys, e) < 0)
		return -1;
	for (size_t i = 0; i < keys.n; i++) {
		const char *whose = strings_pair(&keys.v[i].labels, HCLOUD_LABEL_TARGET);
		if (strcmp(keys.v[i].name, wanted) == 0 || strcmp(number(c, keys.v[i].id), wanted) == 0 ||
		    (whose != NULL && strcmp(whose, c->target->name) == 0))
			return 0;
	}
	(void)err_set(e, ERR_CONFLICT, "there is no ssh key of target '%s': is it another project?", c->target->name);
	return err_hint(e, "a token sees one project only, and machines in the target's own are believed to be there "
			   "until it is asked; the key that it looks for: ssh_key");
}
