/* The triggers of Honeycomb, and what they need: a dataset with columns, and recipients. */
#include "engine/watch.h"
#include "plan/watch_plan.h"
#include "wire/form.h"
#include "wire/honeycomb_setup.h"

static const char *const limit_hint =
    "what it says counts; a plan has so many triggers (the free one two), and there is one for each backup: "
    "backups in the report block says of which";

/* "/1/triggers/SLUG" and, if there is an id, "/ID". */
static const char *path(const struct watching *w, const char *what, const char *id)
{
	AUTO(buf) struct buf b = {0};

	buf_printf(&b, "/1/%s/", what);
	form_escape(&b, w->slug);
	if (id != NULL) {
		buf_putc(&b, '/');
		form_escape(&b, id);
	}
	return str_dup(w->arena, buf_str(&b));
}

static struct honeycomb_trigger trigger_of(const struct watching *w, const struct watch *one)
{
	return (struct honeycomb_trigger){.host = watch_host(w),
					  .sink = w->sink->name,
					  .backup = one->backup,
					  .within_s = one->within_s,
					  .frequency_s = watch_frequency_s(one->within_s),
					  .to = w->sink->alert_to};
}

/* --- what there is --------------------------------------------------------------------------------- */

static int check_key(struct watching *w, struct err *e)
{
	const struct watch_call call = {"GET", "/1/auth", NULL, "ask Honeycomb what config_key may do", NULL};
	const char *lacks;
	struct str answer;

	if (watch_send(w, &call, &answer, e) < 0 || honeycomb_auth_read(answer, w->arena, &lacks, e) < 0)
		return -1;
	if (lacks == NULL)
		return 0;
	(void)err_set(e, ERR_DENIED, "config_key of report '%s' may not set up alerts", w->sink->name);
	return err_hint(e, "in Honeycomb, give a configuration key also: %s", lacks);
}

static int find_recipients(struct watching *w, struct resources *found, struct err *e)
{
	const struct watch_call call = {"GET", "/1/recipients", NULL, "look for Honeycomb's recipients", NULL};
	struct strings known = {0};
	struct str answer;

	if (watch_send(w, &call, &answer, e) < 0 || honeycomb_recipients_read(answer, w->arena, &known, e) < 0)
		return -1;
	w->recipients = known;
	for (size_t i = 0; i < w->sink->alert_to.n; i++) {
		const char *to = w->sink->alert_to.v[i];
		bool there = false;
		for (size_t k = 0; k + 1 < known.n && !there; k += 2)
			there = strcmp(known.v[strchr(to, '@') == NULL ? k + 1 : k], to) == 0;
		if (!there && strchr(to, '@') == NULL && !w->away) {
			(void)err_set(e, ERR_CONFIG, "Honeycomb has no recipient '%s'", to);
			return err_hint(e,
					"alert_to of report '%s' has addresses of mail, or ids that its page of "
					"recipients shows",
					w->sink->name);
		}
		if (there && strchr(to, '@') != NULL)
			*vec_add(found, w->arena) =
			    (struct resource){.kind = RESOURCE_RECIPIENT,
					      .name = to,
					      .id = strings_pair(&known, to),
					      .stays = "others may use it, and nobody can tell who made it"};
	}
	return 0;
}

static int find_triggers(struct watching *w, struct resources *found, struct err *e)
{
	const struct honeycomb_trigger of = trigger_of(w, &(struct watch){0});
	const struct watch_call columns = {"GET", path(w, "columns", NULL), NULL, "look for Honeycomb's columns", NULL};
	const struct watch_call triggers = {"GET", path(w, "triggers", NULL), NULL, "look for Honeycomb's triggers",
					    NULL};
	struct resource *set = vec_add(found, w->arena);
	struct str answer;

	*set = (struct resource){
	    .kind = RESOURCE_DATASET, .name = w->sink->dataset, .id = w->slug, .stays = "it has the events"};
	if (watch_send(w, &columns, &answer, e) < 0 || honeycomb_columns_read(answer, w->arena, &set->facts, e) < 0 ||
	    watch_send(w, &triggers, &answer, e) < 0)
		return -1;
	return honeycomb_triggers_read(answer, &of, w->arena, found, e);
}

static void want(const struct watching *w, struct resources *wanted)
{
	const struct watches all = watch_wanted(w);
	struct arena *a = w->arena;
	bool any = false;

	for (size_t i = 0; i < all.n; i++) {
		const struct honeycomb_trigger t = trigger_of(w, &all.v[i]);
		struct resource *r = vec_add(wanted, a);
		*r = (struct resource){
		    .kind = RESOURCE_TRIGGER, .name = t.backup, .cannot = all.v[i].cannot, .way_out = all.v[i].hint};
		if (r->cannot == NULL && strlen(honeycomb_trigger_name(&t, a)) > HONEYCOMB_NAME_MAX) {
			r->cannot = arena_printf(a, "its name would be longer than %d characters", HONEYCOMB_NAME_MAX);
			r->way_out = "give the backup, or the report, a shorter one";
		}
		any |= r->cannot == NULL;
		honeycomb_trigger_facts(&t, a, &r->facts);
	}
	if (!any)
		return;
	struct resource *set = vec_add(wanted, a);
	*set = (struct resource){.kind = RESOURCE_DATASET, .name = w->sink->dataset};
	honeycomb_columns(a, &set->facts);
	for (size_t i = 0; i < w->sink->alert_to.n; i++)
		if (strchr(w->sink->alert_to.v[i], '@') != NULL)
			*vec_add(wanted, a) =
			    (struct resource){.kind = RESOURCE_RECIPIENT, .name = w->sink->alert_to.v[i]};
}

int watch_honeycomb_survey(struct watching *w, struct resources *wanted, struct resources *found, struct err *e)
{
	const struct watch_call call = {"GET", "/1/datasets", NULL, "look for Honeycomb's datasets", NULL};
	struct str answer;

	if (check_key(w, e) < 0 || watch_send(w, &call, &answer, e) < 0 ||
	    honeycomb_datasets_read(answer, w->sink->dataset, w->arena, &w->slug, e) < 0 ||
	    find_recipients(w, found, e) < 0 || (w->slug != NULL && find_triggers(w, found, e) < 0))
		return -1;
	want(w, wanted);
	return 0;
}

/* --- what is done ---------------------------------------------------------------------------------- */

static int make_columns(struct watching *w, const struct setup_step *s, struct err *e)
{
	const struct strings *facts = &s->wanted->facts;

	for (size_t i = 0; i + 1 < facts->n; i += 2) {
		AUTO(buf) struct buf body = {0};
		if (s->found != NULL && strings_pair(&s->found->facts, facts->v[i]) != NULL)
			continue;
		honeycomb_column_write(&body, facts->v[i], facts->v[i + 1]);
		const struct watch_call call = {"POST", path(w, "columns", NULL), buf_text(&body),
						arena_printf(w->arena, "make column '%s' in Honeycomb", facts->v[i]),
						NULL};
		if (watch_send(w, &call, NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int make_dataset(struct watching *w, const struct setup_step *s, struct err *e)
{
	AUTO(buf) struct buf body = {0};
	struct str answer;

	honeycomb_dataset_write(&body, s->wanted->name);
	const struct watch_call call = {"POST", "/1/datasets", buf_text(&body), "make Honeycomb's dataset", NULL};
	if (watch_send(w, &call, &answer, e) < 0 || honeycomb_made_read(answer, "slug", w->arena, &w->slug, e) < 0)
		return -1;
	return make_columns(w, s, e);
}

static int make_recipient(struct watching *w, const struct setup_step *s, struct err *e)
{
	AUTO(buf) struct buf body = {0};
	const char *id;
	struct str answer;

	honeycomb_recipient_write(&body, s->wanted->name);
	const struct watch_call call = {"POST", "/1/recipients", buf_text(&body), "make Honeycomb's recipient", NULL};
	if (watch_send(w, &call, &answer, e) < 0 || honeycomb_made_read(answer, "id", w->arena, &id, e) < 0)
		return -1;
	strings_add_pair(&w->recipients, w->arena, s->wanted->name, id);
	return 0;
}

static int put_trigger(struct watching *w, const struct setup_step *s, struct err *e)
{
	const struct watches all = watch_wanted(w);
	const char *title = resource_title(s->wanted, w->arena);
	AUTO(buf) struct buf body = {0};

	for (size_t i = 0; i < all.n; i++) {
		const struct honeycomb_trigger t = trigger_of(w, &all.v[i]);
		if (strcmp(t.backup, s->wanted->name) == 0)
			honeycomb_trigger_write(&body, &t, &w->recipients);
	}
	if (w->slug == NULL) {
		(void)err_set(e, ERR_MISSING, "cannot make %s: there is no dataset", title);
		return err_hint(e, "dormouse apply does what is left");
	}
	const struct watch_call call = {
	    s->found == NULL ? "POST" : "PUT", path(w, "triggers", s->found == NULL ? NULL : s->found->id),
	    buf_text(&body), arena_printf(w->arena, "%s %s in Honeycomb", s->found == NULL ? "make" : "change", title),
	    limit_hint};
	return watch_send(w, &call, NULL, e);
}

static int remove_trigger(struct watching *w, const struct setup_step *s, struct err *e)
{
	const struct watch_call call = {"DELETE", path(w, "triggers", s->found->id), NULL,
					"take away Honeycomb's trigger", NULL};

	return watch_send(w, &call, NULL, e) == 0 || e->kind == ERR_MISSING ? 0 : -1;
}

int watch_honeycomb_do(struct watching *w, const struct setup_step *step, struct err *e)
{
	if (step->kind == SETUP_REMOVE)
		return remove_trigger(w, step, e);
	if (step->wanted->kind == RESOURCE_RECIPIENT)
		return make_recipient(w, step, e);
	if (step->wanted->kind == RESOURCE_TRIGGER)
		return put_trigger(w, step, e);
	return step->kind == SETUP_MAKE ? make_dataset(w, step, e) : make_columns(w, step, e);
}
