#include "wire/hcloud.h"

#include "base/num.h"
#include "wire/json.h"

static json_t *labels_json(const struct strings *labels)
{
	json_t *j = json_object();

	for (size_t i = 0; i + 1 < labels->n; i += 2)
		(void)json_object_set_new(j, labels->v[i], json_any(labels->v[i + 1]));
	return j;
}

static int number_of(const char *text, const char *what, int64_t *id, struct err *e)
{
	if (num_i64(str_of(text), id) && *id > 0)
		return 0;
	(void)err_set(e, ERR_CONFIG, "'%s' is no number of a %s", text, what);
	return err_hint(e, "those there are: hcloud %s list", what);
}

/* By its number or, as lazyssh has it, its name. */
static json_t *key_json(const char *key)
{
	int64_t id;

	return num_i64(str_of(key), &id) && id > 0 ? json_integer(id) : json_any(key);
}

int hcloud_create(struct buf *b, const struct hcloud_launch *l, struct err *e)
{
	const struct hcloud_settings *s = l->settings;
	AUTO(json) json_t *j = json_object();
	json_t *keys = json_array(), *volumes = json_array(), *walls = json_array();
	int64_t id;

	(void)json_object_set_new(j, "name", json_any(l->name));
	(void)json_object_set_new(j, "server_type", json_any(s->server_type));
	(void)json_object_set_new(j, "image", json_any(s->image));
	(void)json_object_set_new(j, "location", json_any(s->location));
	(void)json_object_set_new(j, "start_after_create", json_boolean(true));
	(void)json_object_set_new(j, "ssh_keys", keys);
	(void)json_object_set_new(j, "labels", labels_json(&l->labels));
	(void)json_object_set_new(j, "volumes", volumes);
	(void)json_object_set_new(j, "automount", json_boolean(false));
	(void)json_array_append_new(keys, key_json(s->ssh_key));
	(void)json_object_set_new(j, "firewalls", walls);
	if (s->user_data != NULL)
		(void)json_object_set_new(j, "user_data", json_any(s->user_data));
	for (size_t i = 0; i < s->volumes.n; i++) {
		if (number_of(s->volumes.v[i], "volume", &id, e) < 0)
			return -1;
		(void)json_array_append_new(volumes, json_integer(id));
	}
	for (size_t i = 0; i < s->firewalls.n; i++) {
		if (number_of(s->firewalls.v[i], "firewall", &id, e) < 0)
			return -1;
		json_t *wall = json_object();
		(void)json_object_set_new(wall, "firewall", json_integer(id));
		(void)json_array_append_new(walls, wall);
	}
	json_write(b, j);
	return 0;
}

/* No rule lets nobody in. */
static json_t *rules_json(const struct hcloud_thing *t)
{
	json_t *all = json_array(), *rule = json_object(), *from = json_array();
	char port[NUM_TEXT];

	for (size_t i = 0; i < t->from.n; i++)
		(void)json_array_append_new(from, json_any(t->from.v[i]));
	(void)snprintf(port, sizeof(port), "%lld", (long long)t->port);
	(void)json_object_set_new(rule, "direction", json_string("in"));
	(void)json_object_set_new(rule, "protocol", json_string("tcp"));
	(void)json_object_set_new(rule, "port", json_string(port));
	(void)json_object_set_new(rule, "source_ips", from);
	if (t->from.n > 0)
		(void)json_array_append(all, rule);
	json_decref(rule);
	return all;
}

void hcloud_thing_write(struct buf *b, const struct hcloud_thing *t)
{
	AUTO(json) json_t *j = json_object();

	json_put_text(j, "name", t->name);
	if (t->labels.n > 0)
		(void)json_object_set_new(j, "labels", labels_json(&t->labels));
	if (t->size_gib != 0)
		(void)json_object_set_new(j, "size", json_integer(t->size_gib));
	json_put_text(j, "location", t->location);
	json_put_text(j, "public_key", t->public_key);
	if (t->port != 0)
		(void)json_object_set_new(j, "rules", rules_json(t));
	json_write(b, j);
}
