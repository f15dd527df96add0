#include "wire/plan_json.h"

#include "wire/observed.h"

static json_t *send_json(const struct send_step *s)
{
	static const char *const kinds[] = {[SEND_FULL] = "full",
					    [SEND_CLONE] = "clone",
					    [SEND_INCREMENTAL] = "incremental",
					    [SEND_INTERMEDIATE] = "incremental",
					    [SEND_RESUME] = "resume"};
	json_t *j = json_object();

	json_put_text(j, "kind", kinds[s->kind]);
	json_put_text(j, "source", s->source);
	json_put_text(j, "target", s->target);
	if (s->base.name != NULL)
		(void)json_object_set_new(j, "base", point_json(&s->base));
	(void)json_object_set_new(j, "to", point_json(&s->to));
	(void)json_object_set_new(j, "snapshots", json_integer((json_int_t)s->snapshots));
	(void)json_object_set_new(j, "raw", json_boolean(s->raw));
	json_put_text(j, "origin", s->origin);
	json_put_text(j, "reason", s->reason);
	return j;
}

static json_t *pair_json(const char *dataset, const char *reason)
{
	json_t *j = json_object();
	json_put_text(j, "dataset", dataset);
	json_put_text(j, "reason", reason);
	return j;
}

static json_t *list_in(json_t *j, const char *name)
{
	json_t *list = json_array();

	(void)json_object_set_new(j, name, list);
	return list;
}

static void put_texts(json_t *j, const char *name, const struct strings *texts)
{
	json_t *list = list_in(j, name);

	for (size_t i = 0; i < texts->n; i++)
		(void)json_array_append_new(list, json_any(texts->v[i]));
}

static void put_prunes(json_t *j, const char *name, const struct prune_steps *steps)
{
	json_t *list = list_in(j, name);

	for (size_t i = 0; i < steps->n; i++) {
		json_t *s = pair_json(steps->v[i].dataset, NULL);
		(void)json_object_set_new(s, "below", json_boolean(steps->v[i].below));
		put_texts(s, "snapshots", &steps->v[i].snapshots);
		(void)json_array_append_new(list, s);
	}
}

json_t *pass_json(const struct pass *pass)
{
	json_t *j = json_object(), *list = list_in(j, "snapshots");

	json_put_text(j, "doubt", pass->doubt);
	for (size_t i = 0; i < pass->snaps.n; i++) {
		json_t *s = json_object();
		json_put_text(s, "label", label_name(pass->snaps.v[i].label));
		json_put_text(s, "name", pass->snaps.v[i].name);
		put_texts(s, "datasets", &pass->snaps.v[i].datasets);
		json_put_text(s, "reason", pass->snaps.v[i].reason);
		(void)json_array_append_new(list, s);
	}
	put_prunes(j, "prunes", &pass->prunes);
	put_texts(j, "notes", &pass->notes);
	return j;
}

json_t *plan_json(const struct pass *pass, const struct plan *p, const struct archive *archive)
{
	static const char *const marks[] = {[MARK_HOLD] = "hold",
					    [MARK_BOOKMARK] = "bookmark",
					    [MARK_RELEASE] = "release",
					    [MARK_UNBOOKMARK] = "unbookmark"};
	static const char *const tidies[] = {[TIDY_RENAME] = "rename",
					     [TIDY_GONE] = "gone",
					     [TIDY_BACK] = "back",
					     [TIDY_CLOSE] = "close",
					     [TIDY_FORGET] = "forget"};
	json_t *j = pass_json(pass), *list;

	json_put_text(j, "backup", p->backup);
	(void)json_object_set_new(j, "now", json_integer(p->now));
	list = list_in(j, "parents");
	for (size_t i = 0; i < p->parents.n; i++)
		(void)json_array_append_new(list, pair_json(p->parents.v[i].dataset, p->parents.v[i].reason));
	list = list_in(j, "renames");
	for (size_t i = 0; i < p->renames.n; i++) {
		json_t *t = pair_json(p->renames.v[i].dataset, p->renames.v[i].reason);
		json_put_text(t, "to", p->renames.v[i].to);
		(void)json_array_append_new(list, t);
	}
	list = list_in(j, "aborts");
	for (size_t i = 0; i < p->aborts.n; i++)
		(void)json_array_append_new(list, pair_json(p->aborts.v[i].dataset, p->aborts.v[i].reason));
	list = list_in(j, "sends");
	for (size_t i = 0; i < p->sends.n; i++)
		(void)json_array_append_new(list, send_json(&p->sends.v[i]));
	list = list_in(j, "marks");
	for (size_t i = 0; i < p->marks.n; i++) {
		json_t *m = pair_json(p->marks.v[i].dataset, p->marks.v[i].reason);
		json_put_text(m, "kind", marks[p->marks.v[i].kind]);
		json_put_text(m, "name", p->marks.v[i].snapshot);
		(void)json_array_append_new(list, m);
	}
	list = list_in(j, "conflicts");
	for (size_t i = 0; i < p->conflicts.n; i++) {
		json_t *c = pair_json(p->conflicts.v[i].source, p->conflicts.v[i].why);
		json_put_text(c, "target", p->conflicts.v[i].target);
		json_put_text(c, "hint", p->conflicts.v[i].hint);
		(void)json_array_append_new(list, c);
	}
	list = list_in(j, "current");
	for (size_t i = 0; i < p->skips.n; i++)
		(void)json_array_append_new(list, pair_json(p->skips.v[i].source, p->skips.v[i].reason));
	put_prunes(j, "archive_prunes", &archive->prunes);
	list = list_in(j, "archive_tidies");
	for (size_t i = 0; i < archive->tidies.n; i++) {
		json_t *t = pair_json(archive->tidies.v[i].dataset, archive->tidies.v[i].reason);
		json_put_text(t, "kind", tidies[archive->tidies.v[i].kind]);
		(void)json_array_append_new(list, t);
	}
	return j;
}
