/* The check of healthchecks that a report block tells of its one backup. */
#include "engine/secret.h"
#include "engine/watch.h"
#include "plan/watch_plan.h"
#include "wire/form.h"
#include "wire/healthchecks_setup.h"

static const char *const key_hint =
    "api_key is that of the check's project, for reading and writing: its settings show it";

/* The block says where pings go; by a slug that is a check that has yet to be made. */
static int find_slug(struct watching *w, struct err *e)
{
	const char *check = NULL;

	if (w->slug != NULL)
		return 0;
	if (secret_read(&w->sink->key, "check", w->arena, &check, e) < 0)
		return -1;
	const char *slash = check == NULL ? NULL : strchr(check, '/');
	if (slash != NULL && slash[1] != '\0' &&
	    slash[1 + strspn(slash + 1, "abcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0') {
		w->slug = slash + 1;
		*vec_add(&w->hidden, w->arena) = arena_strndup(w->arena, check, (size_t)(slash - check));
		return 0;
	}
	(void)err_set(e, ERR_CONFIG, "the check of report '%s' cannot be set up", w->sink->name);
	return err_hint(e, "with api_key, check is PING-KEY/SLUG, where SLUG has small letters, digits, '-' and '_'");
}

static struct healthchecks_check check_of(const struct watching *w, const struct watch *one)
{
	return (struct healthchecks_check){.host = watch_host(w),
					   .backup = one->backup,
					   .slug = w->slug,
					   .timeout_s = watch_timeout_s(one->within_s),
					   .grace_s = watch_grace_s(one->within_s)};
}

static const char *only_backup(const struct watching *w)
{
	return w->sink->backups.n > 0 ? w->sink->backups.v[0] : w->config->backups.v[0].name;
}

static int find(struct watching *w, struct resources *found, const char **uuid, struct err *e)
{
	const struct healthchecks_check of = check_of(w, &(struct watch){.backup = only_backup(w)});
	const struct watch_call call = {"GET", arena_printf(w->arena, "/api/v3/checks/?slug=%s", w->slug), NULL,
					"look for the checks of healthchecks", key_hint};
	struct str answer;

	return watch_send(w, &call, &answer, e) < 0 ? -1 : healthchecks_read(answer, &of, w->arena, found, uuid, e);
}

int watch_healthchecks_survey(struct watching *w, struct resources *wanted, struct resources *found, struct err *e)
{
	const char *uuid;

	if (find_slug(w, e) < 0 || find(w, found, &uuid, e) < 0)
		return -1;
	const struct watches all = watch_wanted(w);
	for (size_t i = 0; i < all.n; i++) {
		const struct healthchecks_check c = check_of(w, &all.v[i]);
		struct resource *r = vec_add(wanted, w->arena);
		*r = (struct resource){.kind = RESOURCE_CHECK,
				       .name = all.v[i].backup,
				       .cannot = all.v[i].cannot,
				       .way_out = all.v[i].hint};
		healthchecks_facts(&c, w->arena, &r->facts);
	}
	return 0;
}

static int put(struct watching *w, const char *path, const struct buf *body, const char *doing, struct err *e)
{
	const struct watch_call call = {body == NULL ? "DELETE" : "POST", path, body == NULL ? NULL : buf_text(body),
					doing, key_hint};

	return watch_send(w, &call, NULL, e);
}

/* By its UUID, which is looked up where it is used, and kept nowhere. */
static int change(struct watching *w, const struct setup_step *s, const struct buf *body, struct err *e)
{
	struct resources now = {0};
	const char *uuid;

	if (find(w, &now, &uuid, e) < 0)
		return -1;
	if (uuid == NULL)
		return s->kind == SETUP_REMOVE ? 0 : err_set(e, ERR_MISSING, "the check has gone meanwhile");
	if (uuid[0] == '\0') {
		(void)err_set(e, ERR_DENIED, "api_key of report '%s' is one for reading only", w->sink->name);
		return err_hint(e, "%s", key_hint);
	}
	AUTO(buf) struct buf path = {0};
	*vec_add(&w->hidden, w->arena) = uuid;
	buf_puts(&path, "/api/v3/checks/");
	form_escape(&path, uuid);
	if (put(w, buf_text(&path), body, body == NULL ? "take away the check" : "change the check", e) == 0)
		return 0;
	return body == NULL && e->kind == ERR_MISSING ? 0 : -1;
}

int watch_healthchecks_do(struct watching *w, const struct setup_step *step, struct err *e)
{
	const struct watches all = watch_wanted(w);
	AUTO(buf) struct buf body = {0};

	if (step->kind == SETUP_REMOVE)
		return change(w, step, NULL, e);
	if (all.n != 1)
		return err_set(e, ERR_CONFLICT, "the file is another one by now");
	const struct healthchecks_check c = check_of(w, &all.v[0]);
	if (step->kind == SETUP_CHANGE) {
		healthchecks_change_write(&body, &c);
		return change(w, step, &body, e);
	}
	healthchecks_make_write(&body, &c);
	return put(w, "/api/v3/checks/", &body, "make the check", e);
}
