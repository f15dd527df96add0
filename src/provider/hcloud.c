/* Servers of Hetzner Cloud: they are there between a start and a stop.  They are found by their labels; the name, which
 * only one server of a project can have, is made of the start's token, so that a start that is repeated is the same. */
#include "wire/hcloud.h"
#include "drivers/http_curl.h"
#include "provider/cloud.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "wire/form.h"

#define LABEL_OWNER  "dormouse-owner"
#define LABEL_TARGET "dormouse-target"
#define LABEL_TOKEN  "dormouse-token"

enum { CALL_MS = 30000, TRIES = 8, NET_TRIES = 4, PAGES_MAX = 1000, SHUTDOWN_MS = 30000 };

struct project {
	const struct provider_env *env;
	const struct target *target;
	const struct hcloud_settings *settings;
	struct http *http;
};

static void project_auto(struct project *p)
{
	http_free(p->http);
}

static int project_open(struct project *p, const struct provider_env *env, const struct target *t, struct err *e)
{
	*p = (struct project){env, t, t->settings, http_new()};
	if (*p->settings->token != '\0' && p->settings->token[strcspn(p->settings->token, " \t\r\n")] == '\0')
		return 0;
	(void)err_set(e, ERR_CONFIG, "the token of target '%s' is none", t->name);
	return err_hint(e, "one line without blanks; of a file: token = trimspace(file(\"PATH\"))");
}

static int once(struct project *p, const char *method, const char *path, struct str body, struct http_answer *answer,
		struct err *e)
{
	struct arena *a = p->env->arena;
	const char *base = getenv("HCLOUD_ENDPOINT");
	int64_t left = p->env->deadline_ms - clock_mono_ms();
	struct http_request r = {.method = method, .body = body, .timeout_ms = left < CALL_MS ? left : CALL_MS};

	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, "there was no time left to ask Hetzner Cloud");
	r.url = arena_printf(a, "%s%s", base == NULL || *base == '\0' ? "https://api.hetzner.cloud/v1" : base, path);
	*vec_add(&r.headers, a) =
	    (struct http_header){"authorization", arena_printf(a, "Bearer %s", p->settings->token)};
	if (body.n > 0)
		*vec_add(&r.headers, a) = (struct http_header){"content-type", "application/json"};
	return http_send(p->http, &r, a, answer, e);
}

/* The same again where that may help.  -1: *class says what it means, HCLOUD_OTHER if nobody answered. */
static int call(struct project *p, const char *method, const char *path, struct str body, const char *doing,
		struct str *answer, enum hcloud_class *class, struct err *e)
{
	struct http_answer got = {0};

	for (int tried = 0;; tried++) {
		bool answered = once(p, method, path, body, &got, e) == 0;
		*class = HCLOUD_OTHER;
		if (answered && got.status >= 200 && got.status < 300) {
			*answer = got.body;
			return 0;
		}
		if (answered)
			*class = hcloud_fault(got.status, got.body, doing, e);
		bool again = answered ? *class == HCLOUD_AGAIN : e->retry == RETRY_LATER;
		if (!again || tried + 1 == (answered ? TRIES : NET_TRIES) || !tool_rest(p->env, tried))
			return -1;
	}
}

/* --- what there is ----------------------------------------------------------------------------------------- */

static int look(struct project *p, const char *selector, struct hcloud_servers *v, struct err *e)
{
	int64_t page = 1;

	for (int i = 0; page != 0 && i < PAGES_MAX; i++) {
		AUTO(buf) struct buf query = {0};
		enum hcloud_class class;
		struct str answer;
		form_put(&query, "label_selector", selector);
		const char *path =
		    arena_printf(p->env->arena, "/servers?%s&page=%lld", buf_text(&query), (long long)page);
		if (call(p, "GET", path, (struct str){0}, "look for servers", &answer, &class, e) < 0 ||
		    hcloud_servers_read(answer, p->env->arena, v, &page, e) < 0)
			return -1;
	}
	return page == 0 ? 0 : err_set(e, ERR_CORRUPT, "the list of servers has no end");
}

/* Of its start; "": it has lost it, or it is empty. */
static const char *token_of(const struct hcloud_server *s)
{
	const char *token = strings_pair(&s->labels, LABEL_TOKEN);
	return token == NULL ? "" : token;
}

/* By the token of a start; without one, those of the target that have lost theirs. */
static int find(struct project *p, const char *token, struct hcloud_servers *v, struct err *e)
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

static void tell(const struct project *p, const struct hcloud_server *s, struct machine_facts *f)
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
	struct project *p;
	const char *token;
	int64_t id, action; /* 0: there is none to be waited for */
	struct hcloud_server seen;
};

static const char *server_path(const struct project *p, int64_t id)
{
	return arena_printf(p->env->arena, "/servers/%lld", (long long)id);
}

/* 1: it runs. */
static int runs(void *arg, struct err *e)
{
	struct waiting *w = arg;
	struct hcloud_servers v = {0};
	enum hcloud_class class;
	struct str answer;
	bool done = true;

	if (w->action != 0) {
		const char *path = arena_printf(w->p->env->arena, "/actions/%lld", (long long)w->action);
		if (call(w->p, "GET", path, (struct str){0}, "look at the start", &answer, &class, e) < 0 ||
		    hcloud_action_read(answer, &done, e) < 0)
			return -1;
		w->action = done ? 0 : w->action;
	}
	if (!done)
		return 0;
	if (find(w->p, w->token, &v, e) < 0)
		return -1;
	if (v.n == 0)
		return err_set(e, ERR_MISSING, "the server is gone again");
	w->seen = v.v[0];
	if (strcmp(w->seen.status, "running") == 0 && w->seen.address == NULL)
		return err_set(e, ERR_CONFIG, "the server has no public address");
	return strcmp(w->seen.status, "running") == 0;
}

static int gone(void *arg, struct err *e)
{
	struct waiting *w = arg;
	enum hcloud_class class;
	struct str answer;

	if (call(w->p, "GET", server_path(w->p, w->id), (struct str){0}, "look at the server", &answer, &class, e) == 0)
		return 0;
	return class == HCLOUD_MISSING ? 1 : -1;
}

static int delete (struct project *p, int64_t id, struct err *e)
{
	enum hcloud_class class;
	struct str answer;

	if (call(p, "DELETE", server_path(p, id), (struct str){0}, "delete the server", &answer, &class, e) == 0)
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
static void shut_down(struct project *p, const char *token, const struct hcloud_servers *v)
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
		asked |= call(p, "POST", path, (struct str){0}, "shut down the server", &answer, &class, &ignored) == 0;
	}
	if (asked)
		(void)!tool_wait(p->env, half < SHUTDOWN_MS ? half : SHUTDOWN_MS, off, &w, &ignored);
}

static int create(struct project *p, const struct machine_id *id, struct waiting *w, struct err *e)
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
	if (call(p, "POST", "/servers", buf_str(&b), "make a server", &answer, &class, e) == 0)
		return hcloud_created_read(answer, a, &w->seen, &w->action, e);
	/* An answer was lost: it is there. */
	return class == HCLOUD_EXISTS ? 0 : -1;
}

static int hcloud_start(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			struct machine_facts *f, struct err *e)
{
	AUTO(project) struct project p = {0};
	struct hcloud_servers there = {0};
	struct waiting w = {.p = &p, .token = id->token};
	struct err ignored;
	int rc;

	if (project_open(&p, env, t, e) < 0)
		return -1;
	if (find(&p, id->token, &there, e) < 0 || (there.n == 0 && create(&p, id, &w, e) < 0))
		return err_wrap(e, "cannot start target '%s'", t->name);
	rc = tool_wait(env, INT32_MAX, runs, &w, e);
	if (rc > 0) {
		tell(&p, &w.seen, f);
		return 0;
	}
	if (rc == 0) {
		(void)err_set(e, ERR_TIMEOUT, "the server did not run until start_timeout was over");
		(void)err_hint(e, "if it only needs longer, raise start_timeout");
	}
	if (w.seen.id != 0)
		(void)!delete (&p, w.seen.id, &ignored);
	return err_wrap(e, "cannot start target '%s'", t->name);
}

static int hcloud_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
			   struct machine_facts *f, struct err *e)
{
	AUTO(project) struct project p = {0};
	struct hcloud_servers there = {0};

	*f = (struct machine_facts){.power = POWER_ABSENT};
	if (project_open(&p, env, t, e) < 0 || find(&p, id->token, &there, e) < 0)
		return -1;
	if (there.n > 0)
		tell(&p, &there.v[0], f);
	return 0;
}

static int hcloud_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		       struct err *e)
{
	AUTO(project) struct project p = {0};
	struct hcloud_servers there = {0};
	struct err first = {0};

	if (project_open(&p, env, t, e) < 0)
		return -1;
	if (find(&p, id->token, &there, e) < 0)
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
	AUTO(project) struct project p = {0};
	struct hcloud_servers there = {0};

	if (project_open(&p, env, t, e) < 0)
		return -1;
	const char *selector =
	    arena_printf(env->arena, LABEL_OWNER "=%s," LABEL_TARGET "=%s", cloud_owner(env), t->name);
	if (look(&p, selector, &there, e) < 0)
		return err_wrap(e, "cannot look for machines of target '%s'", t->name);
	for (size_t i = 0; i < there.n; i++) {
		struct machine_facts f;
		struct machine_id id = {t->name, token_of(&there.v[i])};
		tell(&p, &there.v[i], &f);
		fn(arg, &id, &f);
	}
	return 0;
}

static int hcloud_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	AUTO(project) struct project p = {0};
	return project_open(&p, env, t, e);
}

const struct provider_ops cloud_hcloud = {
    .kind = {.name = "hcloud"},
    .check = hcloud_check,
    .start = hcloud_start,
    .describe = hcloud_describe,
    .stop = hcloud_stop,
    .list = hcloud_list,
};
