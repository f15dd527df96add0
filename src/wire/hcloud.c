#include "wire/hcloud.h"

#include "base/num.h"
#include "wire/json.h"

int hcloud_create(struct buf *b, const struct hcloud_launch *l, struct err *e)
{
	const struct hcloud_settings *s = l->settings;
	AUTO(json) json_t *j = json_object();
	json_t *keys = json_array(), *labels = json_object(), *volumes = json_array();

	(void)json_object_set_new(j, "name", json_any(l->name));
	(void)json_object_set_new(j, "server_type", json_any(s->server_type));
	(void)json_object_set_new(j, "image", json_any(s->image));
	(void)json_object_set_new(j, "location", json_any(s->location));
	(void)json_object_set_new(j, "start_after_create", json_boolean(true));
	(void)json_object_set_new(j, "ssh_keys", keys);
	(void)json_object_set_new(j, "labels", labels);
	(void)json_object_set_new(j, "volumes", volumes);
	(void)json_object_set_new(j, "automount", json_boolean(false));
	(void)json_array_append_new(keys, json_any(s->ssh_key));
	if (s->user_data != NULL)
		(void)json_object_set_new(j, "user_data", json_any(s->user_data));
	for (size_t i = 0; i + 1 < l->labels.n; i += 2)
		(void)json_object_set_new(labels, l->labels.v[i], json_any(l->labels.v[i + 1]));
	for (size_t i = 0; i < s->volumes.n; i++) {
		int64_t id;
		if (!num_i64(str_of(s->volumes.v[i]), &id) || id <= 0) {
			(void)err_set(e, ERR_CONFIG, "'%s' is no number of a volume", s->volumes.v[i]);
			return err_hint(e, "those there are: hcloud volume list");
		}
		(void)json_array_append_new(volumes, json_integer(id));
	}
	json_write(b, j);
	return 0;
}

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

static int read_server(const json_t *j, struct arena *a, struct hcloud_server *s, struct err *e)
{
	json_t *labels = json_object_get(j, "labels"), *value;
	const char *name;

	*s = (struct hcloud_server){
	    .id = json_integer_value(json_object_get(j, "id")),
	    .name = json_text(j, "name", a),
	    .status = json_text(j, "status", a),
	    .address = address_of(j, a),
	    .type = json_text(json_object_get(j, "server_type"), "name", a),
	    .location = json_text(json_object_get(j, "location"), "name", a),
	};
	json_object_foreach(labels, name, value)
	{
		if (!json_is_string(value))
			continue;
		*vec_add(&s->labels, a) = arena_strdup(a, name);
		*vec_add(&s->labels, a) = arena_strdup(a, json_string_value(value));
	}
	return s->id > 0 && s->status != NULL ? 0 : senseless(e);
}

int hcloud_created_read(struct str body, struct arena *a, struct hcloud_server *s, int64_t *action, struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);

	if (j == NULL)
		return -1;
	*action = json_integer_value(json_object_get(json_object_get(j, "action"), "id"));
	return *action <= 0 ? senseless(e) : read_server(json_object_get(j, "server"), a, s, e);
}

int hcloud_servers_read(struct str body, struct arena *a, struct hcloud_servers *v, int64_t *next, struct err *e)
{
	AUTO(json) json_t *j = answer(body, e);
	const json_t *all = json_object_get(j, "servers");
	json_t *one;
	size_t i;

	if (j == NULL)
		return -1;
	if (!json_is_array(all)) /* nothing is not "none" */
		return senseless(e);
	json_array_foreach(all, i, one)
	{
		if (read_server(one, a, vec_add(v, a), e) < 0)
			return -1;
	}
	*next =
	    json_integer_value(json_object_get(json_object_get(json_object_get(j, "meta"), "pagination"), "next_page"));
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
