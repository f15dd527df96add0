#include "wire/hcloud.h"

#include "wire/json.h"
#include "wire/price_json.h"

static json_t *answer(struct str body, struct err *e)
{
	return json_parse(body, "the answer of Hetzner Cloud", e);
}

static int senseless(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "the answer of Hetzner Cloud makes no sense");
}

/* "2001:db8:1::/64" is the network; the server has the first address in it. */
static const char *address_of(const json_t *j, struct arena *a)
{
	const json_t *net = json_object_get(j, "public_net");
	const char *v4 = json_text(json_object_get(net, "ipv4"), "ip", a);
	const char *v6 = json_text(json_object_get(net, "ipv6"), "ip", a);

	if (v4 != NULL || v6 == NULL)
		return v4;
	size_t n = strcspn(v6, "/");
	return n > 2 && strncmp(v6 + n - 2, "::", 2) == 0 ? arena_printf(a, "%.*s1", (int)n, v6) : NULL;
}

static struct strings read_labels(const json_t *j, struct arena *a)
{
	json_t *labels = json_object_get(j, "labels"), *value;
	struct strings read = {0};
	const char *name;

	json_object_foreach(labels, name, value)
	{
		if (json_is_string(value))
			strings_add_pair(&read, a, arena_strdup(a, name), arena_strdup(a, json_string_value(value)));
	}
	return read;
}

static struct hcloud_numbers read_numbers(const json_t *list, struct arena *a)
{
	struct hcloud_numbers read = {0};
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		*vec_add(&read, a) = json_integer_value(one);
	}
	return read;
}

static int read_server(const json_t *j, struct arena *a, struct hcloud_server *s, struct err *e)
{
	*s = (struct hcloud_server){
	    .id = json_integer_value(json_object_get(j, "id")),
	    .name = json_text(j, "name", a),
	    .status = json_text(j, "status", a),
	    .address = address_of(j, a),
	    .type = json_text(json_object_get(j, "server_type"), "name", a),
	    .location = json_text(json_object_get(j, "location"), "name", a),
	    .labels = read_labels(j, a),
	    .volumes = read_numbers(json_object_get(j, "volumes"), a),
	};
	return s->id > 0 && s->status != NULL ? 0 : senseless(e);
}

static void add_action(const json_t *j, struct arena *a, struct hcloud_numbers *actions)
{
	int64_t id = json_integer_value(json_object_get(j, "id"));
	if (id > 0)
		*vec_add(actions, a) = id;
}

static void add_actions(const json_t *j, struct arena *a, struct hcloud_numbers *actions)
{
	static const char *const lists[] = {"actions", "next_actions"};
	json_t *one;
	size_t i;

	add_action(json_object_get(j, "action"), a, actions);
	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		json_array_foreach(json_object_get(j, lists[k]), i, one)
		{
			add_action(one, a, actions);
		}
}

int hcloud_actions_read(struct str body, struct arena *a, struct hcloud_numbers *actions, struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);

	if (j == NULL)
		return -1;
	add_actions(j, a, actions);
	return json_is_object(j) ? 0 : senseless(e);
}

int hcloud_created_read(struct str body, struct arena *a, struct hcloud_server *s, struct hcloud_numbers *actions,
			struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);

	if (j == NULL)
		return -1;
	add_actions(j, a, actions);
	return actions->n == 0 ? senseless(e) : read_server(json_object_get(j, "server"), a, s, e);
}

/* The list of that name; NULL: there is none, which is not "empty". */
static const json_t *page_of(const json_t *j, const char *what, int64_t *next, struct err *e)
{
	const json_t *pages = json_object_get(json_object_get(j, "meta"), "pagination"),
		     *all = json_object_get(j, what);

	*next = json_integer_value(json_object_get(pages, "next_page"));
	if (!json_is_array(all))
		(void)senseless(e);
	return json_is_array(all) ? all : NULL;
}

int hcloud_servers_read(struct str body, struct arena *a, struct hcloud_servers *v, int64_t *next, struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);
	const json_t *all = j == NULL ? NULL : page_of(j, "servers", next, e);
	json_t *one;
	size_t i;

	if (all == NULL)
		return -1;
	json_array_foreach(all, i, one)
	{
		if (read_server(one, a, vec_add(v, a), e) < 0)
			return -1;
	}
	return 0;
}

/* How a rule is told: the block that it lets in to the port, or all that it says if it is another one. */
static void read_rule(const json_t *rule, int64_t port, struct arena *a, struct strings *from)
{
	const char *way = json_text(rule, "direction", a), *protocol = json_text(rule, "protocol", a),
		   *at = json_text(rule, "port", a);
	bool in = way != NULL && strcmp(way, "in") == 0;
	bool ours = in && protocol != NULL && strcmp(protocol, "tcp") == 0 && at != NULL &&
		    strcmp(at, arena_printf(a, "%lld", (long long)port)) == 0;
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(rule, in ? "source_ips" : "destination_ips"), i, one)
	{
		const char *block = json_is_string(one) ? json_string_value(one) : "?";
		*vec_add(from, a) =
		    ours ? arena_strdup(a, block)
			 : arena_printf(a, "%s-%s-%s-%s", in ? "in" : "out", protocol == NULL ? "?" : protocol,
					at == NULL ? "any" : at, block);
	}
}

static int read_thing(const json_t *j, int64_t port, struct arena *a, struct hcloud_thing *t, struct err *e)
{
	json_t *rule;
	size_t i;

	*t = (struct hcloud_thing){
	    .id = json_integer_value(json_object_get(j, "id")),
	    .name = json_text(j, "name", a),
	    .labels = read_labels(j, a),
	    .size_gib = json_integer_value(json_object_get(j, "size")),
	    .location = json_text(json_object_get(j, "location"), "name", a),
	    .status = json_text(j, "status", a),
	    .server = json_integer_value(json_object_get(j, "server")),
	    .public_key = json_text(j, "public_key", a),
	    .port = port,
	};
	json_array_foreach(json_object_get(j, "rules"), i, rule)
	{
		read_rule(rule, port, a, &t->from);
	}
	return t->id > 0 && t->name != NULL ? 0 : senseless(e);
}

int hcloud_things_read(struct str body, const char *what, int64_t port, struct arena *a, struct hcloud_things *v,
		       int64_t *next, struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);
	const json_t *all = j == NULL ? NULL : page_of(j, what, next, e);
	json_t *one;
	size_t i;

	if (all == NULL)
		return -1;
	json_array_foreach(all, i, one)
	{
		if (read_thing(one, port, a, vec_add(v, a), e) < 0)
			return -1;
	}
	return 0;
}

int hcloud_volume_read(struct str body, struct arena *a, struct hcloud_thing *v, struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);

	return j == NULL ? -1 : read_thing(json_object_get(j, "volume"), 0, a, v, e);
}

/* Without tax. */
static void add_price(const json_t *of, const char *kind, const char *name, struct arena *a, struct prices *v)
{
	int64_t micros;

	if (price_micros(json_text(of, "net", a), &micros))
		*vec_add(v, a) = (struct price){kind, name, micros};
}

/* Of a list of things whose member key is name, what the thing costs at the location. */
static void add_hourly(const json_t *list, const char *key, const char *name, const char *location, struct arena *a,
		       struct prices *v)
{
	json_t *one, *price;
	size_t i, k;

	json_array_foreach(list, i, one)
	{
		const char *is = json_text(one, key, a);
		if (is == NULL || strcmp(is, name) != 0)
			continue;
		json_array_foreach(json_object_get(one, "prices"), k, price)
		{
			const char *where = json_text(price, "location", a);
			if (where == NULL || strcmp(where, location) != 0)
				continue;
			add_price(json_object_get(price, "price_hourly"), "hour", name, a, v);
			add_price(json_object_get(price, "price_monthly"), "month", name, a, v);
		}
	}
}

int hcloud_pricing_read(struct str body, const char *type, const char *location, struct arena *a,
			struct price_list *list, struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);
	const json_t *all = json_object_get(j, "pricing");
	struct prices v = {0};

	if (j == NULL)
		return -1;
	*list = (struct price_list){.currency = json_text(all, "currency", a), .place = location};
	if (list->currency == NULL)
		return senseless(e);
	list->sign = price_sign(list->currency, a);
	add_price(json_object_get(json_object_get(all, "volume"), "price_per_gb_month"), "volume", "", a, &v);
	add_hourly(json_object_get(all, "server_types"), "name", type, location, a, &v);
	add_hourly(json_object_get(all, "primary_ips"), "type", "ipv4", location, a, &v);
	list->v = v.v;
	list->n = v.n;
	return 0;
}

int hcloud_action_read(struct str body, bool *done, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = answer(body, e);
	const json_t *action = json_object_get(j, "action"), *error = json_object_get(action, "error");
	const char *status = json_text(action, "status", &a), *why;

	if (j == NULL)
		return -1;
	if (status == NULL)
		return senseless(e);
	*done = strcmp(status, "success") == 0;
	if (strcmp(status, "error") != 0)
		return 0;
	(void)err_set(e, ERR_SYSTEM, "Hetzner Cloud could not do it");
	why = json_text(error, "message", &a);
	return err_why(e, "%s", why == NULL ? "it does not say why" : why);
}

static const struct rule {
	const char *code;
	enum hcloud_class class;
	enum err_kind kind;
	enum err_retry retry;
	const char *hint;
} rules[] = {
    {"rate_limit_exceeded", HCLOUD_AGAIN, ERR_BUSY, RETRY_LATER, "too many requests of this project; try again later"},
    {"conflict", HCLOUD_AGAIN, ERR_BUSY, RETRY_LATER, "try again later"},
    {"locked", HCLOUD_AGAIN, ERR_BUSY, RETRY_LATER, "something else is done to it at the moment; try again later"},
    {"service_error", HCLOUD_AGAIN, ERR_NET, RETRY_LATER, "a fault at Hetzner; try again later"},
    {"unavailable", HCLOUD_AGAIN, ERR_NET, RETRY_LATER, "a fault at Hetzner; try again later"},
    {"bad_gateway", HCLOUD_AGAIN, ERR_NET, RETRY_LATER, "a fault at Hetzner; try again later"},
    {"timeout", HCLOUD_AGAIN, ERR_NET, RETRY_LATER, "a fault at Hetzner; try again later"},
    {"uniqueness_error", HCLOUD_EXISTS, ERR_EXISTS, RETRY_NEVER, ""},
    {"not_found", HCLOUD_MISSING, ERR_MISSING, RETRY_NEVER, "is it in the project of this token?"},
    {"resource_unavailable", HCLOUD_OTHER, ERR_BUSY, RETRY_LATER,
     "there is none at the moment; another server_type or location may do"},
    {"placement_error", HCLOUD_OTHER, ERR_BUSY, RETRY_LATER,
     "there is none at the moment; another server_type or location may do"},
    {"resource_limit_exceeded", HCLOUD_OTHER, ERR_FULL, RETRY_NEVER,
     "the project may have no more; more: Limits in the console"},
    {"no_space_left_in_location", HCLOUD_OTHER, ERR_FULL, RETRY_LATER, "the location is full"},
    {"volume_already_attached", HCLOUD_OTHER, ERR_CONFLICT, RETRY_NEVER,
     "it is not taken away from another server; if that does not need it: hcloud volume detach"},
    {"resource_in_use", HCLOUD_NOT_NOW, ERR_BUSY, RETRY_LATER, "something still uses it; try again in a few minutes"},
    {"protected", HCLOUD_OTHER, ERR_DENIED, RETRY_NEVER,
     "somebody has protected it: if that is over, take the protection off in the console"},
    {"unauthorized", HCLOUD_OTHER, ERR_DENIED, RETRY_NEVER,
     "is the token right?  it is made in the project: Security, API tokens"},
    {"forbidden", HCLOUD_OTHER, ERR_DENIED, RETRY_NEVER, "the token may not do this"},
    {"token_readonly", HCLOUD_OTHER, ERR_DENIED, RETRY_NEVER, "the token must be one for reading and writing"},
    {"invalid_input", HCLOUD_OTHER, ERR_CONFIG, RETRY_NEVER,
     "a setting in the target's block is not as Hetzner Cloud wants it"},
};

/* "invalid input in field 'image'", and what of it: the first of the details. */
static const char *details(const json_t *error, struct arena *a)
{
	const json_t *field = json_array_get(json_object_get(json_object_get(error, "details"), "fields"), 0);
	const json_t *text = json_array_get(json_object_get(field, "messages"), 0);
	return json_is_string(text) ? arena_strdup(a, json_string_value(text)) : NULL;
}

enum hcloud_class hcloud_fault(int64_t status, struct str body, const char *doing, struct err *e)
{
	static const struct rule broken = {"", HCLOUD_AGAIN, ERR_NET, RETRY_LATER,
					   "a fault at Hetzner; try again later"};
	static const struct rule other = {"", HCLOUD_OTHER, ERR_SYSTEM, RETRY_NEVER, ""};
	AUTO(arena) struct arena a = {0};
	struct err ignored;
	AUTO(json) json_t *j = json_parse(body, "", &ignored);
	const json_t *error = json_object_get(j, "error");
	const char *code = json_text(error, "code", &a), *text = json_text(error, "message", &a),
		   *more = details(error, &a);
	const struct rule *r = status == 429 || status >= 500 ? &broken : &other;

	for (size_t i = 0; code != NULL && i < ARRAY_LEN(rules); i++)
		if (strcmp(rules[i].code, code) == 0)
			r = &rules[i];
	(void)err_set(e, r->kind, "cannot %s", doing);
	if (code == NULL)
		(void)err_why(e, "Hetzner Cloud answers with HTTP status %lld", (long long)status);
	else
		(void)err_why(e, "%s: %s%s%s", code, text == NULL ? "" : text, more == NULL ? "" : ": ",
			      more == NULL ? "" : more);
	e->retry = r->retry;
	(void)err_hint(e, "%s", r->hint);
	return r->class;
}
