#include "wire/observed.h"

#include "wire/zone_json.h"

enum { FORMAT = 1 };

json_t *point_json(const struct point *p)
{
	json_t *j = json_object();

	json_put_text(j, p->kind == POINT_BOOKMARK ? "bookmark" : "snapshot", p->name);
	(void)json_object_set_new(j, "guid", json_u64(p->guid));
	(void)json_object_set_new(j, "createtxg", json_u64(p->createtxg));
	(void)json_object_set_new(j, "creation", json_integer(p->creation));
	if (p->userrefs > 0)
		(void)json_object_set_new(j, "userrefs", json_u64(p->userrefs));
	return j;
}

static json_t *dataset_json(const struct dataset *d)
{
	json_t *j = json_object(), *points = json_array(), *wants = json_object();

	json_put_text(j, "name", d->name);
	json_put_text(j, "type", d->type == DATASET_VOLUME ? "volume" : "filesystem");
	(void)json_object_set_new(j, "guid", json_u64(d->guid));
	(void)json_object_set_new(j, "encrypted", json_boolean(d->encrypted));
	(void)json_object_set_new(j, "placeholder", json_boolean(d->placeholder));
	json_put_text(j, "origin", d->origin);
	json_put_text(j, "backup", d->chosen);
	json_put_text(j, "encryptionroot", d->key_root);
	if (d->open)
		(void)json_object_set_new(j, "open", json_true());
	if (d->gone_since != 0)
		(void)json_object_set_new(j, "gone_since", json_integer(d->gone_since));
	if (d->gone_seen != 0)
		(void)json_object_set_new(j, "gone_seen", json_integer(d->gone_seen));
	for (enum label l = LABEL_FREQUENT; l <= LABEL_NONE; l++)
		json_put_text(wants, l == LABEL_NONE ? "" : label_name(l), d->wants[l]);
	if (json_object_size(wants) > 0)
		(void)json_object_set(j, "auto_snapshot", wants);
	json_decref(wants);
	(void)json_object_set_new(j, "used", json_u64(d->used));
	(void)json_object_set_new(j, "referenced", json_u64(d->referenced));
	(void)json_object_set_new(j, "available", json_u64(d->available));
	(void)json_object_set_new(j, "written", json_u64(d->written));
	if (d->resume.token != NULL) {
		json_t *r = json_object();
		json_put_text(r, "token", d->resume.token);
		(void)json_object_set_new(r, "to_guid", json_u64(d->resume.to_guid));
		json_put_text(r, "to_name", d->resume.to_name);
		json_put_text(r, "why", d->resume.why);
		(void)json_object_set_new(j, "resume", r);
	}
	for (size_t i = 0; i < d->points.n; i++)
		(void)json_array_append_new(points, point_json(&d->points.v[i]));
	(void)json_object_set_new(j, "points", points);
	return j;
}

json_t *side_json(const struct side_state *s)
{
	json_t *j = json_object(), *list = json_array();

	json_put_text(j, "root", s->root);
	(void)json_object_set_new(j, "seen", json_boolean(s->seen));
	(void)json_object_set_new(j, "root_exists", json_boolean(s->root_exists));
	(void)json_object_set_new(j, "recorded", json_boolean(s->recorded));
	(void)json_object_set_new(j, "seen_at", json_integer(s->seen_at));
	for (size_t i = 0; i < s->datasets.n; i++)
		(void)json_array_append_new(list, dataset_json(&s->datasets.v[i]));
	(void)json_object_set_new(j, "datasets", list);
	return j;
}

json_t *observed_json(const struct observed *o)
{
	json_t *j = json_object();

	(void)json_object_set_new(j, "format", json_integer(FORMAT));
	json_put_text(j, "backup", o->backup);
	(void)json_object_set_new(j, "now", json_integer(o->now));
	(void)json_object_set_new(j, "last_seen", json_integer(o->last_seen));
	(void)json_object_set_new(j, "zone", zone_json(&o->zone));
	(void)json_object_set_new(j, "source", side_json(&o->source));
	(void)json_object_set_new(j, "target", side_json(&o->target));
	return j;
}

static bool flag(const json_t *j, const char *name)
{
	return json_is_true(json_object_get(j, name));
}

static bool point_read(const json_t *j, struct arena *a, struct point *p)
{
	*p = (struct point){.kind = POINT_SNAPSHOT, .name = json_text(j, "snapshot", a)};
	if (p->name == NULL) {
		p->kind = POINT_BOOKMARK;
		p->name = json_text(j, "bookmark", a);
	}
	p->creation = json_integer_value(json_object_get(j, "creation"));
	(void)json_get_u64(j, "userrefs", &p->userrefs);
	return p->name != NULL && json_get_u64(j, "guid", &p->guid) && json_get_u64(j, "createtxg", &p->createtxg);
}

static bool dataset_read(const json_t *j, struct arena *a, struct dataset *d)
{
	const json_t *r = json_object_get(j, "resume");
	const char *type = json_text(j, "type", a);
	json_t *point;
	size_t i;

	*d = (struct dataset){.name = json_text(j, "name", a),
			      .encrypted = flag(j, "encrypted"),
			      .placeholder = flag(j, "placeholder"),
			      .open = flag(j, "open"),
			      .origin = json_text(j, "origin", a),
			      .chosen = json_text(j, "backup", a),
			      .key_root = json_text(j, "encryptionroot", a),
			      .gone_since = json_integer_value(json_object_get(j, "gone_since")),
			      .gone_seen = json_integer_value(json_object_get(j, "gone_seen"))};
	for (enum label l = LABEL_FREQUENT; l <= LABEL_NONE; l++)
		d->wants[l] = json_text(json_object_get(j, "auto_snapshot"), l == LABEL_NONE ? "" : label_name(l), a);
	if (d->name == NULL || type == NULL || !json_get_u64(j, "guid", &d->guid))
		return false;
	d->type = strcmp(type, "volume") == 0 ? DATASET_VOLUME : DATASET_FILESYSTEM;
	(void)json_get_u64(j, "used", &d->used);
	(void)json_get_u64(j, "referenced", &d->referenced);
	(void)json_get_u64(j, "available", &d->available);
	(void)json_get_u64(j, "written", &d->written);
	if (json_is_object(r)) {
		d->resume = (struct resume){.token = json_text(r, "token", a),
					    .to_name = json_text(r, "to_name", a),
					    .why = json_text(r, "why", a)};
		(void)json_get_u64(r, "to_guid", &d->resume.to_guid);
	}
	json_array_foreach(json_object_get(j, "points"), i, point)
	{
		struct point p;
		if (!point_read(point, a, &p))
			return false;
		*vec_add(&d->points, a) = p;
	}
	return true;
}

int side_read(const json_t *j, struct arena *a, struct side_state *s, struct err *e)
{
	json_t *one;
	size_t i;

	*s = (struct side_state){.root = json_text(j, "root", a),
				 .seen = flag(j, "seen"),
				 .root_exists = flag(j, "root_exists"),
				 .recorded = flag(j, "recorded"),
				 .seen_at = json_integer_value(json_object_get(j, "seen_at"))};
	if (s->root == NULL || !json_is_array(json_object_get(j, "datasets")))
		return err_set(e, ERR_CORRUPT, "a side of the observation lacks its root or its datasets");
	json_array_foreach(json_object_get(j, "datasets"), i, one)
	{
		struct dataset d;
		if (!dataset_read(one, a, &d))
			return err_set(e, ERR_CORRUPT, "dataset number %zu of the observation cannot be read", i + 1);
		*vec_add(&s->datasets, a) = d;
	}
	side_sort(s);
	return 0;
}

int observed_read(struct str text, struct arena *a, struct observed *o, struct err *e)
{
	AUTO(json) json_t *j = json_parse(text, "the observation", e);

	if (j == NULL)
		return -1;
	if (json_integer_value(json_object_get(j, "format")) != FORMAT || json_text(j, "backup", a) == NULL) {
		(void)err_set(e, ERR_CORRUPT, "this is not an observation that this version can read");
		return err_hint(e, "dormouse observe NAME writes one");
	}
	o->backup = json_text(j, "backup", a);
	o->now = json_integer_value(json_object_get(j, "now"));
	o->last_seen = json_integer_value(json_object_get(j, "last_seen"));
	if (zone_json_read(json_object_get(j, "zone"), a, &o->zone, e) < 0)
		return -1;
	if (side_read(json_object_get(j, "source"), a, &o->source, e) < 0)
		return -1;
	return side_read(json_object_get(j, "target"), a, &o->target, e);
}
