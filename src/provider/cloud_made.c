#include "provider/cloud_made.h"

#include "base/buf.h"
#include "base/num.h"
#include "model/public_key.h"

const struct cloud_made_kind cloud_made_ec2 = {
    .firewall = RESOURCE_SECURITY_GROUP, .place = "zone", .wall_block = "security_group", .least_gib = 1};
const struct cloud_made_kind cloud_made_hcloud = {
    .firewall = RESOURCE_FIREWALL, .place = "location", .wall_block = "firewall", .least_gib = 10, .most_gib = 10240};

/* --- what is said of it ------------------------------------------------------------------------------------ */

static bool pool_name_good(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char *const reserved[] = {"mirror", "raidz", "draid", "spare", "log"};
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strncmp(s, reserved[i], strlen(reserved[i])) == 0)
			return false;
	return strspn(s, letters) > 0 && s[n] == '\0' && n < 200;
}

static const char *volume_wrong(const struct made_volume *v, const struct cloud_made_kind *k, struct arena *a,
				const char **hint)
{
	uint64_t gib = made_volume_gib(v);

	*hint = "size = \"500GiB\"";
	if (v->size < k->least_gib << 30)
		return arena_printf(a, "volume '%s' is smaller than %llu GiB", v->name,
				    (unsigned long long)k->least_gib);
	if (k->most_gib != 0 && gib > k->most_gib)
		return arena_printf(a, "volume '%s' is larger than %llu GiB", v->name, (unsigned long long)k->most_gib);
	*hint = "pool = \"NAME\", a name that zpool takes: letters, digits, '_', '-' and '.', first a letter";
	if (v->pool == NULL && v->datasets.n > 0)
		return arena_printf(a, "volume '%s' has datasets and no pool", v->name);
	if (v->pool != NULL && !pool_name_good(v->pool))
		return arena_printf(a, "'%s' is no name for a pool", v->pool);
	return NULL;
}

const char *cloud_made_wrong(const struct made *m, const struct cloud_made_kind *k, struct arena *a, const char **hint)
{
	const struct made_volume *v = m->volumes.v;
	const struct made_key_pair *key = m->key_pair.v;
	const struct made_firewall *wall = m->firewall.v;
	const char *why;

	*hint = "a line as in id_ed25519.pub: file(\"~/.ssh/id_ed25519.pub\")";
	if (m->key_pair.n > 0 && key->public_key != NULL && public_key_read(str_of(key->public_key), a, &why) == NULL)
		return arena_printf(a, "the key of 'key_pair' is none: %s", why);
	for (size_t i = 0; i < m->volumes.n; i++) {
		why = volume_wrong(&v[i], k, a, hint);
		if (why != NULL)
			return why;
	}
	*hint = "an address and how many of its bits count: \"203.0.113.7/32\"";
	for (size_t i = 0; m->firewall.n > 0 && i < wall->from.n; i++) {
		const char *from = wall->from.v[i];
		if (strchr(from, '/') == NULL || from[strspn(from, "0123456789abcdefABCDEF.:/")] != '\0')
			return arena_printf(a, "'%s' in '%s' is no CIDR block", from, k->wall_block);
	}
	return NULL;
}

void cloud_made_pools(const struct made *m, struct arena *a, struct strings *pools)
{
	const struct made_volume *v = m->volumes.v;

	for (size_t i = 0; i < m->volumes.n; i++)
		if (v[i].pool != NULL)
			*vec_add(pools, a) = v[i].pool;
}

/* --- what is wanted ---------------------------------------------------------------------------------------- */

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

const char *cloud_made_list(struct strings from, struct arena *a)
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

static void want_volume(const struct made_volume *v, const struct cloud_made_kind *k, const char *place,
			struct arena *a, struct resources *wanted)
{
	struct resource *r = vec_add(wanted, a);

	*r = (struct resource){.kind = RESOURCE_VOLUME, .name = v->name};
	strings_add_pair(&r->facts, a, "GiB", arena_printf(a, "%llu", (unsigned long long)made_volume_gib(v)));
	if (v->type != NULL)
		strings_add_pair(&r->facts, a, "type", v->type);
	strings_add_pair(&r->facts, a, k->place, place);
	if (v->iops != 0)
		strings_add_pair(&r->facts, a, "iops", arena_printf(a, "%lld", (long long)v->iops));
	if (v->throughput != 0)
		strings_add_pair(&r->facts, a, "throughput", arena_printf(a, "%lld", (long long)v->throughput));
	if (v->pool != NULL)
		strings_add_pair(&r->facts, a, "pool", v->pool);
}

void cloud_made_want(const struct made *m, const struct cloud_made_kind *k, const char *place, struct arena *a,
		     struct resources *wanted)
{
	const struct made_volume *v = m->volumes.v;
	const char *why;

	if (m->key_pair.n > 0) {
		struct resource *r = vec_add(wanted, a);
		const struct made_key_pair *key = m->key_pair.v;
		*r = (struct resource){.kind = RESOURCE_KEY_PAIR, .name = ""};
		strings_add_pair(&r->facts, a, "key", public_key_read(str_of(key->public_key), a, &why));
	}
	if (m->firewall.n > 0) {
		struct resource *r = vec_add(wanted, a);
		const struct made_firewall *wall = m->firewall.v;
		*r = (struct resource){.kind = k->firewall, .name = ""};
		strings_add_pair(&r->facts, a, "from", cloud_made_list(wall->from, a));
	}
	for (size_t i = 0; i < m->volumes.n; i++)
		want_volume(&v[i], k, place, a, wanted);
}

/* --- what is found ----------------------------------------------------------------------------------------- */

void cloud_made_put_marks(const struct made *m, const char *mark, const char *turn, struct arena *a, struct resource *r)
{
	const struct made_volume *v = made_volume(m, r->name);

	r->mark = mark;
	r->turn = turn;
	if (mark == NULL)
		return;
	strings_add_pair(&r->facts, a, "pool",
			 strcmp(mark, CLOUD_NO_POOL) == 0 ? RESOURCE_NO_POOL
			 : v != NULL && v->pool != NULL	  ? v->pool
							  : mark);
}

static uint64_t turn_of(const struct resource *r)
{
	uint64_t turn;

	return r->turn != NULL && num_u64(str_of(r->turn), &turn) ? turn : 0;
}

static bool is_next(const struct resource *r)
{
	return r->turn != NULL && strcmp(r->turn, CLOUD_TURN_NEXT) == 0;
}

void cloud_made_roles(struct resources *found)
{
	for (size_t i = 0; i < found->n; i++) {
		struct resource *r = &found->v[i];
		r->role = is_next(r) ? ROLE_NEXT : ROLE_NOW;
		for (size_t k = 0; k < found->n && !is_next(r); k++)
			if (found->v[k].kind == r->kind && strcmp(found->v[k].name, r->name) == 0 &&
			    turn_of(&found->v[k]) > turn_of(r))
				r->role = ROLE_OLD;
	}
}

const char *cloud_made_turn_after(const struct resource *now, struct arena *a)
{
	return arena_printf(a, "%llu", (unsigned long long)turn_of(now) + 1);
}

struct strings cloud_made_next(const struct made *m, const struct resources *found, struct arena *a)
{
	struct strings ids = {0};

	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].role == ROLE_NEXT && made_volume(m, found->v[i].name) != NULL)
			*vec_add(&ids, a) = found->v[i].id;
	return ids;
}

const struct resource *cloud_made_one(const struct resources *found, const struct resource *wanted, const char *target,
				      struct arena *a, struct err *e)
{
	const struct resource *one = NULL;
	size_t n = resources_like(found, wanted, &one);

	if (n == 1)
		return one;
	(void)err_set(e, n == 0 ? ERR_MISSING : ERR_CONFLICT, "target '%s' has %s %s", target,
		      n == 0 ? "no" : "more than one", resource_title(wanted, a));
	(void)err_hint(e, n == 0 ? "to make it: dormouse apply" : "to see them: dormouse apply --dry-run");
	return NULL;
}

static bool was_given(const struct cloud_made_seen *s, const char *id)
{
	for (size_t i = 0; i < s->given.n; i++)
		if (strcmp(s->given.v[i], id) == 0)
			return true;
	return false;
}

static struct pool_disk disk_of(const struct cloud_made_seen *s, const struct resource *r, const char *pool,
				struct arena *a)
{
	bool none = r->mark == NULL || strcmp(r->mark, CLOUD_NO_POOL) == 0;

	return (struct pool_disk){
	    .id = r->id, .path = s->path_of(r->id, a), .pool = pool, .guid = none ? NULL : r->mark};
}

static int disks_of(const struct cloud_made_seen *s, const struct made_volume *v, struct arena *a,
		    struct pool_disks *disks, struct err *e)
{
	const struct resource like = {.kind = RESOURCE_VOLUME, .name = v->name};
	const struct resource *now = cloud_made_one(s->found, &like, s->target, a, e);

	if (now == NULL)
		return -1;
	if (now->mark == NULL) {
		(void)err_set(e, ERR_CONFLICT, "volume '%s' (%s) is not marked for a pool", v->name, now->id);
		return err_hint(e, "to see what is: dormouse apply --dry-run");
	}
	struct pool_disk *d = vec_add(disks, a);
	*d = disk_of(s, now, v->pool, a);
	d->datasets = v->datasets.v;
	d->ndatasets = v->datasets.n;
	for (size_t i = 0; i < s->found->n; i++) {
		const struct resource *r = &s->found->v[i];
		if (r->kind != RESOURCE_VOLUME || r->role != ROLE_NEXT || strcmp(r->name, v->name) != 0 ||
		    !was_given(s, r->id))
			continue;
		d = vec_add(disks, a);
		*d = disk_of(s, r, pool_next(v->pool, a), a);
		d->becomes = v->pool;
		d->turn = cloud_made_turn_after(now, a);
	}
	return 0;
}

int cloud_made_disks(const struct cloud_made_seen *s, struct arena *a, struct pool_disks *disks, struct err *e)
{
	const struct made_volume *v = s->made->volumes.v;

	for (size_t i = 0; i < s->made->volumes.n; i++)
		if (v[i].pool != NULL && disks_of(s, &v[i], a, disks, e) < 0)
			return -1;
	return 0;
}
