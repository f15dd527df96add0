#include "wire/honeycomb_setup.h"

#define NAME_MIDDLE ": no successful run of "
#define TAG	    "dormouse"

static const char *const columns[][2] = {
    {"name", "string"}, {"outcome", "string"}, {"backup", "string"}, {"host.name", "string"}};

static int corrupt(struct err *e, const char *what)
{
	(void)err_set(e, ERR_CORRUPT, "what Honeycomb says of %s makes no sense", what);
	return err_hint(e, "is the address that of Honeycomb's API?");
}

/* An answer that is a list; NULL: it is none. */
static json_t *list_of(struct str body, const char *what, struct err *e)
{
	json_t *all = json_parse(body, "an answer", e);

	if (json_is_array(all))
		return all;
	json_decref(all);
	(void)corrupt(e, what);
	return NULL;
}

/* --- triggers -------------------------------------------------------------------------------------- */

static const char *prefix_of(const struct honeycomb_trigger *t, struct arena *a)
{
	return arena_printf(a, "dormouse %s/%s" NAME_MIDDLE, t->host, t->sink);
}

const char *honeycomb_trigger_name(const struct honeycomb_trigger *t, struct arena *a)
{
	return arena_printf(a, "%s%s", prefix_of(t, a), t->backup);
}

static json_t *filter(const char *column, const char *value)
{
	json_t *j = json_object();

	(void)json_object_set_new(j, "column", json_string(column));
	(void)json_object_set_new(j, "op", json_string("="));
	(void)json_object_set_new(j, "value", json_any(value));
	return j;
}

static json_t *query_json(const struct honeycomb_trigger *t)
{
	json_t *j = json_object(), *count = json_object(), *calculations = json_array(), *filters = json_array();

	(void)json_object_set_new(count, "op", json_string("COUNT"));
	(void)json_array_append_new(calculations, count);
	(void)json_array_append_new(filters, filter("name", "backup.run"));
	(void)json_array_append_new(filters, filter("outcome", "success"));
	(void)json_array_append_new(filters, filter("backup", t->backup));
	(void)json_array_append_new(filters, filter("host.name", t->host));
	(void)json_object_set_new(j, "time_range", json_integer(t->within_s));
	(void)json_object_set_new(j, "calculations", calculations);
	(void)json_object_set_new(j, "filters", filters);
	(void)json_object_set_new(j, "filter_combination", json_string("AND"));
	return j;
}

static json_t *recipients_json(const struct honeycomb_trigger *t, const struct strings *known)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->to.n; i++) {
		json_t *one = json_object();
		const char *to = t->to.v[i], *id = strchr(to, '@') == NULL ? to : strings_pair(known, to);
		json_put_text(one, "id", id);
		if (id == NULL) {
			json_put_text(one, "type", "email");
			json_put_text(one, "target", to);
		}
		(void)json_array_append_new(all, one);
	}
	return all;
}

static json_t *trigger_json(const struct honeycomb_trigger *t, const struct strings *recipients)
{
	AUTO(arena) struct arena a = {0};
	json_t *j = json_object(), *threshold = json_object(), *tags = json_array(), *tag = json_object();

	(void)json_object_set_new(j, "name", json_any(honeycomb_trigger_name(t, &a)));
	(void)json_object_set_new(j, "description",
				  json_any(arena_printf(&a,
							"No run of backup '%s' that succeeded has arrived from %s in "
							"time: the host, its network or the backup is broken. There: "
							"dormouse status",
							t->backup, t->host)));
	(void)json_object_set_new(j, "query", query_json(t));
	(void)json_object_set_new(j, "frequency", json_integer(t->frequency_s));
	(void)json_object_set_new(j, "alert_type", json_string("on_change"));
	(void)json_object_set_new(threshold, "op", json_string("<"));
	(void)json_object_set_new(threshold, "value", json_integer(1));
	(void)json_object_set_new(threshold, "exceeded_limit", json_integer(1));
	(void)json_object_set_new(j, "threshold", threshold);
	(void)json_object_set_new(j, "evaluation_schedule_type", json_string("frequency"));
	(void)json_object_set_new(j, "disabled", json_false());
	(void)json_object_set_new(j, "recipients", recipients_json(t, recipients));
	(void)json_object_set_new(tag, "key", json_string("managedby"));
	(void)json_object_set_new(tag, "value", json_string(TAG));
	(void)json_array_append_new(tags, tag);
	(void)json_object_set_new(j, "tags", tags);
	return j;
}

void honeycomb_trigger_write(struct buf *b, const struct honeycomb_trigger *t, const struct strings *recipients)
{
	AUTO(json) json_t *j = trigger_json(t, recipients);

	json_write(b, j);
}

/* "COUNT where name = backup.run AND …": what decides whether it fires, so that whatever somebody changes is seen. */
static const char *asks(json_t *query, struct arena *a)
{
	const json_t *calculations = json_object_get(query, "calculations"),
		     *filters = json_object_get(query, "filters");
	const char *both = json_text(query, "filter_combination", a), *name;
	AUTO(buf) struct buf b = {0};
	json_t *one;
	size_t i;

	if (!json_is_object(query))
		return "nothing that can be seen";
	json_array_foreach(calculations, i, one)
	{
		const char *op = json_text(one, "op", a), *column = json_text(one, "column", a);
		buf_printf(&b, "%s%s%s%s", i == 0 ? "" : ", ", op == NULL ? "?" : op, column == NULL ? "" : " ",
			   column == NULL ? "" : column);
	}
	json_array_foreach(filters, i, one)
	{
		const char *column = json_text(one, "column", a), *op = json_text(one, "op", a);
		buf_printf(&b, " %s %s %s ",
			   i == 0	  ? "where"
			   : both == NULL ? "AND"
					  : both,
			   column == NULL ? "?" : column, op == NULL ? "?" : op);
		if (json_is_string(json_object_get(one, "value")))
			buf_puts(&b, json_string_value(json_object_get(one, "value")));
		else if (json_object_get(one, "value") != NULL)
			json_write(&b, json_object_get(one, "value"));
	}
	/* What is none of ours narrows it down as well. */
	json_object_foreach(query, name, one)
	{
		static const char *const ours[] = {"time_range",  "calculations", "filters", "filter_combination",
						   "granularity", "limit",	  "orders"};
		bool known = json_is_null(one) || json_is_false(one) ||
			     (!json_is_string(one) && json_number_value(one) == 0 &&
			      json_array_size(one) + json_object_size(one) == 0);
		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			known |= strcmp(ours[k], name) == 0;
		if (!known)
			buf_printf(&b, " with %s", name);
	}
	return str_dup(a, buf_str(&b));
}

static bool is_of(const char *to, const json_t *recipient, struct arena *a)
{
	const char *id = json_text(recipient, "id", a), *target = json_text(recipient, "target", a);

	return (id != NULL && strcmp(id, to) == 0) || (target != NULL && strcmp(target, to) == 0);
}

/* In the order of the file, and whoever else there is behind that. */
static const char *tells(const json_t *recipients, const struct strings *to, struct arena *a)
{
	AUTO(buf) struct buf b = {0};
	json_t *one;
	size_t i;

	for (size_t k = 0; k < to->n; k++)
		json_array_foreach(recipients, i, one)
		{
			if (is_of(to->v[k], one, a))
				buf_printf(&b, "%s%s", b.n == 0 ? "" : ", ", to->v[k]);
		}
	json_array_foreach(recipients, i, one)
	{
		const char *id = json_text(one, "id", a), *target = json_text(one, "target", a);
		bool known = false;
		for (size_t k = 0; k < to->n; k++)
			known |= is_of(to->v[k], one, a);
		if (!known)
			buf_printf(&b, "%s%s", b.n == 0 ? "" : ", ", target != NULL ? target : id != NULL ? id : "?");
	}
	return b.n == 0 ? "nobody" : str_dup(a, buf_str(&b));
}

static bool has_tag(const json_t *trigger, struct arena *a)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(trigger, "tags"), i, one)
	{
		const char *key = json_text(one, "key", a), *value = json_text(one, "value", a);
		if (key != NULL && value != NULL && strcmp(key, "managedby") == 0 && strcmp(value, TAG) == 0)
			return true;
	}
	return false;
}

static const char *number(const json_t *object, const char *name, struct arena *a)
{
	const json_t *v = json_object_get(object, name);

	if (json_is_real(v))
		return arena_printf(a, "%g", json_real_value(v));
	return json_is_integer(v) ? arena_printf(a, "%lld", (long long)json_integer_value(v)) : "?";
}

/* A person reads it. */
static const char *plain(const char *text, struct arena *a)
{
	char *copy = arena_strdup(a, text);

	str_plain(copy, "");
	return copy;
}

static void facts_of(const json_t *j, const struct strings *to, struct arena *a, struct strings *facts)
{
	json_t *query = json_object_get(j, "query"), *threshold = json_object_get(j, "threshold");
	const char *op = json_text(threshold, "op", a), *type = json_text(j, "alert_type", a);
	const char *when = json_text(j, "evaluation_schedule_type", a);

	strings_add_pair(facts, a, "made by", has_tag(j, a) ? "dormouse" : "somebody else");
	strings_add_pair(facts, a, "asks", asks(query, a));
	strings_add_pair(facts, a, "of the past", arena_printf(a, "%s s", number(query, "time_range", a)));
	strings_add_pair(facts, a, "every", arena_printf(a, "%s s", number(j, "frequency", a)));
	strings_add_pair(facts, a, "fires if it is",
			 arena_printf(a, "%s %s, %s times, %s%s%s", op == NULL ? "?" : op,
				      number(threshold, "value", a), number(threshold, "exceeded_limit", a),
				      type == NULL ? "on_change" : type,
				      when == NULL || strcmp(when, "frequency") == 0 ? "" : ", by ",
				      when == NULL || strcmp(when, "frequency") == 0 ? "" : when));
	strings_add_pair(facts, a, "tells", tells(json_object_get(j, "recipients"), to, a));
	strings_add_pair(facts, a, "is", json_is_true(json_object_get(j, "disabled")) ? "off" : "on");
	for (size_t i = 1; i < facts->n; i += 2)
		facts->v[i] = plain(facts->v[i], a);
}

void honeycomb_trigger_facts(const struct honeycomb_trigger *t, struct arena *a, struct strings *facts)
{
	AUTO(json) json_t *j = trigger_json(t, &(struct strings){0});

	facts_of(j, &t->to, a, facts);
}

int honeycomb_triggers_read(struct str body, const struct honeycomb_trigger *of, struct arena *a, struct resources *out,
			    struct err *e)
{
	AUTO(json) json_t *all = list_of(body, "its triggers", e);
	const struct str prefix = str_of(prefix_of(of, a));
	json_t *one;
	size_t i;

	if (all == NULL)
		return -1;
	json_array_foreach(all, i, one)
	{
		const char *id = json_text(one, "id", a), *name = json_text(one, "name", a);
		if (id == NULL || name == NULL)
			return corrupt(e, "its triggers");
		if (!str_starts(str_of(name), prefix.p))
			continue;
		struct resource *r = vec_add(out, a);
		*r = (struct resource){.kind = RESOURCE_TRIGGER, .name = plain(name + prefix.n, a), .id = plain(id, a)};
		if (!has_tag(one, a))
			r->stays = "dormouse did not make it";
		facts_of(one, &of->to, a, &r->facts);
	}
	return 0;
}

/* --- datasets, columns, recipients ----------------------------------------------------------------- */

static void write_pairs(struct buf *b, const char *const *pairs, size_t n)
{
	AUTO(json) json_t *j = json_object();

	for (size_t i = 0; i < n; i += 2)
		json_put_text(j, pairs[i], pairs[i + 1]);
	json_write(b, j);
}

void honeycomb_dataset_write(struct buf *b, const char *name)
{
	const char *const pairs[] = {"name", name};

	write_pairs(b, pairs, ARRAY_LEN(pairs));
}

void honeycomb_column_write(struct buf *b, const char *name, const char *type)
{
	const char *const pairs[] = {"key_name", name, "type", type};

	write_pairs(b, pairs, ARRAY_LEN(pairs));
}

void honeycomb_recipient_write(struct buf *b, const char *address)
{
	AUTO(json) json_t *j = json_object();
	json_t *details = json_object();

	json_put_text(j, "type", "email");
	json_put_text(details, "email_address", address);
	(void)json_object_set_new(j, "details", details);
	json_write(b, j);
}

void honeycomb_columns(struct arena *a, struct strings *out)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		strings_add_pair(out, a, columns[i][0], columns[i][1]);
}

static bool same_name(const char *x, const char *y)
{
	return x != NULL && strcasecmp(x, y) == 0;
}

int honeycomb_datasets_read(struct str body, const char *name, struct arena *a, const char **slug, struct err *e)
{
	AUTO(json) json_t *all = list_of(body, "its datasets", e);
	json_t *one;
	size_t i;

	*slug = NULL;
	if (all == NULL)
		return -1;
	json_array_foreach(all, i, one)
	{
		const char *its = json_text(one, "slug", a);
		if (its == NULL)
			return corrupt(e, "its datasets");
		if (same_name(json_text(one, "name", a), name) || same_name(its, name))
			*slug = its;
	}
	return 0;
}

int honeycomb_columns_read(struct str body, struct arena *a, struct strings *out, struct err *e)
{
	AUTO(json) json_t *all = list_of(body, "the dataset's columns", e);
	json_t *one;
	size_t i;

	if (all == NULL)
		return -1;
	json_array_foreach(all, i, one)
	{
		const char *name = json_text(one, "key_name", a), *type = json_text(one, "type", a);
		if (name == NULL || type == NULL)
			return corrupt(e, "the dataset's columns");
		for (size_t k = 0; k < ARRAY_LEN(columns); k++)
			if (strcmp(columns[k][0], name) == 0)
				strings_add_pair(out, a, name, type);
	}
	return 0;
}

int honeycomb_recipients_read(struct str body, struct arena *a, struct strings *out, struct err *e)
{
	AUTO(json) json_t *all = list_of(body, "its recipients", e);
	json_t *one;
	size_t i;

	if (all == NULL)
		return -1;
	json_array_foreach(all, i, one)
	{
		const char *id = json_text(one, "id", a);
		const char *address = json_text(json_object_get(one, "details"), "email_address", a);
		if (id == NULL)
			return corrupt(e, "its recipients");
		strings_add_pair(out, a, address == NULL ? "" : address, id);
	}
	return 0;
}

int honeycomb_auth_read(struct str body, struct arena *a, const char **lacks, struct err *e)
{
	static const char *const needs[][2] = {{"triggers", "Manage Triggers"},
					       {"recipients", "Manage Recipients"},
					       {"columns", "Manage Queries and Columns"},
					       {"createDatasets", "Create Datasets"}};
	AUTO(json) json_t *j = json_parse(body, "an answer", e);
	const json_t *may = json_object_get(j, "api_key_access");
	AUTO(buf) struct buf b = {0};

	if (!json_is_object(may))
		return corrupt(e, "the key");
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (!json_is_true(json_object_get(may, needs[i][0])))
			buf_printf(&b, "%s%s", b.n == 0 ? "" : ", ", needs[i][1]);
	*lacks = b.n == 0 ? NULL : str_dup(a, buf_str(&b));
	return 0;
}

int honeycomb_made_read(struct str body, const char *member, struct arena *a, const char **out, struct err *e)
{
	AUTO(json) json_t *j = json_parse(body, "an answer", e);

	*out = j == NULL ? NULL : json_text(j, member, a);
	return *out == NULL ? corrupt(e, "what it has made") : 0;
}
