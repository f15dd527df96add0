#include "wire/healthchecks_setup.h"

#define TAG "dormouse"

static void put_times(json_t *j, const struct healthchecks_check *c)
{
	(void)json_object_set_new(j, "timeout", json_integer(c->timeout_s));
	(void)json_object_set_new(j, "grace", json_integer(c->grace_s));
}

void healthchecks_make_write(struct buf *b, const struct healthchecks_check *c)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = json_object();
	json_t *unique = json_array();

	json_put_text(j, "name", arena_printf(&a, "%s: backup %s", c->host, c->backup));
	json_put_text(j, "slug", c->slug);
	json_put_text(j, "tags", TAG);
	json_put_text(j, "desc", "Told by dormouse of each run. If it is down, look there: dormouse status");
	put_times(j, c);
	/* One without integrations tells nobody. */
	json_put_text(j, "channels", "*");
	(void)json_array_append_new(unique, json_string("slug"));
	(void)json_object_set_new(j, "unique", unique);
	json_write(b, j);
}

void healthchecks_change_write(struct buf *b, const struct healthchecks_check *c)
{
	AUTO(json) json_t *j = json_object();

	put_times(j, c);
	json_write(b, j);
}

void healthchecks_facts(const struct healthchecks_check *c, struct arena *a, struct strings *facts)
{
	strings_add_pair(facts, a, "timeout", arena_printf(a, "%lld s", (long long)c->timeout_s));
	strings_add_pair(facts, a, "grace", arena_printf(a, "%lld s", (long long)c->grace_s));
}

static bool has_tag(const char *tags)
{
	struct str rest = str_of(tags == NULL ? "" : tags);

	while (rest.n > 0)
		if (str_eq(str_cut(&rest, ' '), TAG))
			return true;
	return false;
}

static void tell(const json_t *j, const struct healthchecks_check *of, struct arena *a, struct resource *r)
{
	static const char *const times[] = {"timeout", "grace"};

	*r = (struct resource){.kind = RESOURCE_CHECK, .name = of->backup, .id = of->slug};
	if (!has_tag(json_text(j, "tags", a)))
		r->stays = "dormouse did not make it";
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		const json_t *v = json_object_get(j, times[i]);
		if (json_is_integer(v))
			strings_add_pair(&r->facts, a, times[i],
					 arena_printf(a, "%lld s", (long long)json_integer_value(v)));
	}
}

int healthchecks_read(struct str body, const struct healthchecks_check *of, struct arena *a, struct resources *out,
		      const char **uuid, struct err *e)
{
	AUTO(json) json_t *j = json_parse(body, "an answer", e);
	const json_t *all = json_object_get(j, "checks");
	json_t *one;
	size_t i;

	*uuid = NULL;
	if (!json_is_array(all)) {
		(void)err_set(e, ERR_CORRUPT, "what healthchecks says of its checks makes no sense");
		return err_hint(e, "is api_url the address of a healthchecks?");
	}
	json_array_foreach(all, i, one)
	{
		const char *slug = json_text(one, "slug", a), *id = json_text(one, "uuid", a);
		if (slug == NULL || strcmp(slug, of->slug) != 0)
			continue;
		tell(one, of, a, vec_add(out, a));
		*uuid = id == NULL ? "" : id;
	}
	return 0;
}
