/* Servers of Hetzner Cloud: they are there between a start and a stop.  They are found by their labels; the name, which
 * only one server of a project can have, is made of the start's token, so that a start that is repeated is the same. */
#include "base/civil.h"
#include "provider/cloud.h"
#include "provider/hcloud_setup.h"
#include "provider/tool.h"
#include "sys/clock.h"

#define LABEL_OWNER  "dormouse-owner"
#define LABEL_TARGET HCLOUD_LABEL_TARGET
#define LABEL_TOKEN  "dormouse-token"

enum { SHUTDOWN_MS = 30000 };

/* --- what there is ----------------------------------------------------------------------------------------- */

struct reading {
	struct arena *arena;
	struct hcloud_servers *servers;
};

static int read_page(void *arg, struct str page, int64_t *next, struct err *e)
{
	struct reading *r = arg;
	return hcloud_servers_read(page, r->arena, r->servers, next, e);
}

static int look(struct hcloud_client *p, const char *selector, struct hcloud_servers *v, struct err *e)
{
	struct reading r = {p->env->arena, v};
	return hcloud_client_list(p, "servers", selector, read_page, &r, e);
}

/* Of its start; "": it has lost it, or it is empty. */
static const char *token_of(const struct hcloud_server *s)
{
	const char *token = strings_pair(&s->labels, LABEL_TOKEN);
	return token == NULL ? "" : token;
}

/* By the token of a start; without one, those of the target that have lost theirs. */
static int find(struct hcloud_client *p, const char *token, struct hcloud_servers *v, struct err *e)
{
	struct arena *a = p->env->arena;
	bool known = *token != '\0';
	const char *selector = arena_printf(a, "%s=%s," LABEL_TARGET "=%s", known ? LABEL_TOKEN : LABEL_OWNER,
					    known ? token : cloud_owner(p->env), p->target->name);
	struct hcloud_servers found = {0};

	if (look(p, selector, &found, e) < 0)
		return -1;
	for (size_t i = 0; i < found.n; i++)
		if (strcmp(token_of(&found.v[i]), token) == 0)
			*vec_add(v, a) = found.v[i];
	return 0;
}

static void tell(const struct hcloud_client *p, const struct hcloud_server *s, struct machine_facts *f)
{
	struct arena *a = p->env->arena;
	bool comes = strcmp(s->status, "initializing") == 0 || strcmp(s->status, "starting") == 0;

	*f = (struct machine_facts){
	    .power = POWER_STOPPING,
	    .id = arena_printf(a, "%lld", (long long)s->id),
	    .address = s->address,
	    .detail = arena_printf(a, "%s in %s, %s", s->type == NULL ? "server" : s->type,
				   s->location == NULL ? "Hetzner Cloud" : s->location, s->status),
	};
	if (strcmp(s->status, "running") == 0)
		f->power = s->address == NULL ? POWER_STARTING : POWER_RUNNING;
	else if (comes)
		f->power = POWER_STARTING;
}

/* --- starting and ending ----------------------------------------------------------------------------------- */

struct waiting {
	struct hcloud_client *p;
	const char *token;
	int64_t id;
	struct hcloud_numbers actions; /* that are to be waited for */
	struct hcloud_server seen;
};

static const char *server_path(const struct hcloud_client *p, int64_t id)
{
	return arena_printf(p->env->arena, "/servers/%lld", (long long)id);
}

static bool has_all_volumes(const struct hcloud_client *p, const struct hcloud_server *s)
{
	for (size_t i = 0; i < p->settings->volumes.n; i++) {
		bool there = false;
		for (size_t k = 0; k < s->volumes.n; k++)
			there |= strcmp(arena_printf(p->env->arena, "%lld", (long long)s->volumes.v[k]),
					p->settings->volumes.v[i]) == 0;
		if (!there)
			return false;
	}
	return true;
}

/* 1: it runs, and has what it is to have. */
static int runs(void *arg, struct err *e)
{
	struct waiting *w = arg;
	struct hcloud_servers v = {0};
	int rc = hcloud_client_done(w->p, &w->actions, e);

	if (rc <= 0)
		return rc;
	if (find(w->p, w->token, &v, e) < 0)
		return -1;
	if (v.n == 0)
		return err_set(e, ERR_MISSING, "the server is gone again");
	w->seen = v.v[0];
	if (strcmp(w->seen.status, "running") != 0 || !has_all_volumes(w->p, &w->seen))
		return 0;
	return w->seen.address != NULL ? 1 : err_set(e, ERR_CONFIG, "the server has no public address");
}

static int gone(void *arg, struct err *e)
{
	struct waiting *w = arg;
	enum hcloud_class class;
	struct str answer;

	if (hcloud_client_call(w->p, "GET", server_path(w->p, w->id), (struct str){0}, "look at the server", &answer,
			       &class, e) == 0)
		return 0;
	return class == HCLOUD_MISSING ? 1 : -1;
}

static int delete (struct hcloud_client *p, int64_t id, struct err *e)
{
	enum hcloud_class class;
	struct str answer;

	if (hcloud_client_call(p, "DELETE", server_path(p, id), (struct str){0}, "delete the server", &answer, &class,
			       e) == 0)
		return 0;
	return class == HCLOUD_MISSING ? 0 : -1;
}

/* 1: none of the start is on. */
static int off(void *arg, struct err *e)
{
	const struct waiting *w = arg;
	struct hcloud_servers v = {0};

	if (find(w->p, w->token, &v, e) < 0)
		return -1;
	for (size_t i = 0; i < v.n; i++)
		if (strcmp(v.v[i].status, "running") == 0 || strcmp(v.v[i].status, "stopping") == 0)
			return 0;
	return 1;
}

/* Deleting cuts the power: what is not on the disks yet gets there before, if the servers do as they are asked. */
static void shut_down(struct hcloud_client *p, const char *token, const struct hcloud_servers *v)
{
	int64_t half = (p->env->deadline_ms - clock_mono_ms()) / 2;
	struct waiting w = {.p = p, .token = token};
	enum hcloud_class class;
	struct str answer;
	struct err ignored;
	bool asked = false;

	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->v[i].status, "running") != 0)
			continue;
		const char *path = arena_printf(p->env->arena, "%s/actions/shutdown", server_path(p, v->v[i].id));
		tool_progress(p->env, arena_printf(p->env->arena, "shutting down server %lld", (long long)v->v[i].id));
		asked |= hcloud_client_call(p, "POST", path, (struct str){0}, "shut down the server", &answer, &class,
					    &ignored) == 0;
	}
	if (asked)
		(void)!tool_wait(p->env, half < SHUTDOWN_MS ? half : SHUTDOWN_MS, off, &w, &ignored);
}

static int create(struct hcloud_client *p, const struct machine_id *id, struct waiting *w, struct err *e)
{
	const char *token = id->token;
	AUTO(buf) struct buf b = {0};
	struct arena *a = p->env->arena;
	struct hcloud_settings given = *p->settings;
	struct hcloud_launch l = {.settings = &given, .name = arena_printf(a, "dormouse-%s", token)};
	const char *const own[] = {LABEL_OWNER, cloud_owner(p->env), LABEL_TARGET, p->target->name, LABEL_TOKEN, token};
	enum hcloud_class class;
	struct str answer;

	for (size_t i = 0; i < p->settings->labels.n; i++)
		*vec_add(&l.labels, a) = p->settings->labels.v[i];
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		*vec_add(&l.labels, a) = own[i];
	if (cloud_user_data(p->env, p->target, id, cloud_hcloud_format(&given), given.user_data, HCLOUD_USER_DATA_MAX,
			    &given.user_data, e) < 0)
		return -1;
	tool_progress(p->env, arena_printf(a, "asking for a %s", p->settings->server_type));
	if (hcloud_create(&b, &l, e) < 0)
		return -1;
	if (hcloud_client_call(p, "POST", "/servers", buf_str(&b), "make a server", &answer, &class, e) == 0)
		return hcloud_created_read(answer, a, &w->seen, &w->actions, e);
	/* An answer was lost: it is there. */
	return class == HCLOUD_EXISTS ? 0 : -1;
}

static int hcloud_start(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			struct machine_facts *f, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client p = {0};
	struct hcloud_servers there = {0};
	struct waiting w = {.p = &p, .token = id->token};
	struct err ignored;
	int rc;

	if (hcloud_client_open(&p, env, t, e) < 0)
		return -1;
	if (find(&p, id->token, &there, e) < 0 || (there.n == 0 && create(&p, id, &w, e) < 0))
		return err_wrap(e, "cannot start target '%s'", t->name);
	rc = tool_wait(env, INT32_MAX, runs, &w, e);
	if (rc > 0) {
		tell(&p, &w.seen, f);
		return 0;
	}
	if (rc == 0) {
		bool on = w.seen.status != NULL && strcmp(w.seen.status, "running") == 0;
		(void)err_set(e, ERR_TIMEOUT, "the server did not %s until start_timeout was over",
			      on ? "have all its volumes" : "run");
		(void)err_hint(e, "if it only needs longer, raise start_timeout");
	}
	if (w.seen.id != 0)
		(void)!delete (&p, w.seen.id, &ignored);
	return err_wrap(e, "cannot start target '%s'", t->name);
}

static int hcloud_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			   struct machine_facts *f, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client p = {0};
	struct hcloud_servers there = {0};

	*f = (struct machine_facts){.power = POWER_ABSENT};
	if (hcloud_client_open(&p, env, t, e) < 0 || find(&p, id->token, &there, e) < 0)
		return -1;
	if (there.n > 0)
		tell(&p, &there.v[0], f);
	return 0;
}

static int hcloud_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		       struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client p = {0};
	struct hcloud_servers there = {0};
	struct err first = {0};

	if (hcloud_client_open(&p, env, t, e) < 0)
		return -1;
	if (find(&p, id->token, &there, e) < 0 || (there.n == 0 && hcloud_setup_check_project(&p, e) < 0))
		return err_wrap(e, "cannot end target '%s'", t->name);
	if (!env->exported)
		shut_down(&p, id->token, &there);
	for (size_t i = 0; i < there.n; i++) {
		tool_progress(env, arena_printf(env->arena, "deleting server %lld", (long long)there.v[i].id));
		if (delete (&p, there.v[i].id, e) < 0 && first.kind == ERR_NONE)
			first = *e;
	}
	if (first.kind != ERR_NONE) {
		*e = first;
		return err_wrap(e, "cannot end target '%s'", t->name);
	}
	for (size_t i = 0; i < there.n; i++) {
		struct waiting w = {.p = &p, .id = there.v[i].id};
		int rc = tool_wait(env, INT32_MAX, gone, &w, e);
		if (rc == 0) {
			(void)err_set(e, ERR_TIMEOUT, "server %lld is still there", (long long)w.id);
			(void)err_hint(e, "to see it: hcloud server list");
		}
		if (rc <= 0)
			return err_wrap(e, "cannot end target '%s'", t->name);
	}
	cloud_forget_key(env, t, id);
	return 0;
}

static int hcloud_list(const struct provider_env *env, const struct target *t, machine_fn *fn, void *arg, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client p = {0};
	struct hcloud_servers there = {0};

	if (hcloud_client_open(&p, env, t, e) < 0)
		return -1;
	const char *selector =
	    arena_printf(env->arena, LABEL_OWNER "=%s," LABEL_TARGET "=%s", cloud_owner(env), t->name);
	if (look(&p, selector, &there, e) < 0 || (there.n == 0 && hcloud_setup_check_project(&p, e) < 0))
		return err_wrap(e, "cannot look for machines of target '%s'", t->name);
	for (size_t i = 0; i < there.n; i++) {
		struct machine_facts f;
		struct machine_id id = {t->name, token_of(&there.v[i])};
		tell(&p, &there.v[i], &f);
		fn(arg, &id, &f);
	}
	return 0;
}

static int hcloud_prices(const struct provider_env *env, const struct target *t, struct price_list *list, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client p = {0};
	char now[CIVIL_TEXT];
	enum hcloud_class class;
	struct str answer;

	if (hcloud_client_open(&p, env, t, e) < 0)
		return -1;
	if (hcloud_client_call(&p, "GET", "/pricing", (struct str){0}, "ask for prices", &answer, &class, e) < 0 ||
	    hcloud_pricing_read(answer, p.settings->server_type, p.settings->location, env->arena, list, e) < 0)
		return err_wrap(e, "cannot say what target '%s' costs", t->name);
	list->date = arena_strndup(env->arena, civil_show(clock_unix_s(), now), strlen("2026-01-01"));
	return 0;
}

static int hcloud_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	AUTO(hcloud_client) struct hcloud_client p = {0};
	return hcloud_client_open(&p, env, t, e);
}

const struct provider_ops cloud_hcloud = {
    .kind = {.name = "hcloud"},
    .check = hcloud_check,
    .settle = hcloud_setup_settle,
    .start = hcloud_start,
    .describe = hcloud_describe,
    .stop = hcloud_stop,
    .list = hcloud_list,
    .survey = hcloud_setup_survey,
    .make = hcloud_setup_make,
    .change = hcloud_setup_change,
    .remove = hcloud_setup_remove,
    .disks = hcloud_setup_disks,
    .mark = hcloud_setup_mark,
    .prices = hcloud_prices,
};
