#include "provider/hcloud_client.h"

#include "provider/tool.h"
#include "sys/clock.h"
#include "wire/form.h"

enum { CALL_MS = 30000, TRIES = 8, NET_TRIES = 4, PAGES_MAX = 1000 };

void hcloud_client_auto(struct hcloud_client *c)
{
	http_free(c->http);
}

/* As Hetzner Cloud has it: what a target and its volumes are found by. */
static bool label_good(const char *s)
{
	static const char ends[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = strlen(s);

	return n > 0 && n <= 63 && strchr(ends, s[0]) != NULL && strchr(ends, s[n - 1]) != NULL;
}

static int names_good(const struct hcloud_client *c, struct err *e)
{
	const struct made_volume *v = c->settings->made.volumes.v;
	const char *bad = label_good(c->target->name) ? NULL : c->target->name;

	for (size_t i = 0; bad == NULL && i < c->settings->made.volumes.n; i++)
		bad = label_good(v[i].name) ? NULL : v[i].name;
	if (bad == NULL)
		return 0;
	(void)err_set(e, ERR_CONFIG, "'%s' cannot be a label of Hetzner Cloud", bad);
	return err_hint(e, "a name of at most 63 characters, which begins and ends with a letter or a digit");
}

int hcloud_client_open(struct hcloud_client *c, const struct provider_env *env, const struct target *t, struct err *e)
{
	*c = (struct hcloud_client){env, t, t->settings, http_new()};
	if (*c->settings->token != '\0' && c->settings->token[strcspn(c->settings->token, " \t\r\n")] == '\0')
		return names_good(c, e);
	(void)err_set(e, ERR_CONFIG, "the token of target '%s' is none", t->name);
	return err_hint(e, "one line without blanks; of a file: token = trimspace(file(\"PATH\"))");
}

static int once(struct hcloud_client *c, const char *method, const char *path, struct str body,
		struct http_answer *answer, struct err *e)
{
	struct arena *a = c->env->arena;
	const char *base = getenv("HCLOUD_ENDPOINT");
	int64_t left = c->env->deadline_ms - clock_mono_ms();
	struct http_request r = {.method = method, .body = body, .timeout_ms = left < CALL_MS ? left : CALL_MS};

	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, "there was no time left to ask Hetzner Cloud");
	r.url = arena_printf(a, "%s%s", base == NULL || *base == '\0' ? "https://api.hetzner.cloud/v1" : base, path);
	*vec_add(&r.headers, a) =
	    (struct http_header){"authorization", arena_printf(a, "Bearer %s", c->settings->token)};
	if (body.n > 0)
		*vec_add(&r.headers, a) = (struct http_header){"content-type", "application/json"};
	return http_send(c->http, &r, a, answer, e);
}

int hcloud_client_call(struct hcloud_client *c, const char *method, const char *path, struct str body,
		       const char *doing, struct str *answer, enum hcloud_class *class, struct err *e)
{
	struct http_answer got = {0};

	for (int tried = 0;; tried++) {
		bool answered = once(c, method, path, body, &got, e) == 0;
		*class = HCLOUD_OTHER;
		if (answered && got.status >= 200 && got.status < 300) {
			if (answer != NULL)
				*answer = got.body;
			return 0;
		}
		if (answered)
			*class = hcloud_fault(got.status, got.body, doing, e);
		bool again = answered ? *class == HCLOUD_AGAIN : e->retry == RETRY_LATER;
		if (!again || tried + 1 == (answered ? TRIES : NET_TRIES) || !tool_rest(c->env, tried))
			return -1;
	}
}

int hcloud_client_list(struct hcloud_client *c, const char *what, const char *selector,
		       int (*read)(void *arg, struct str page, int64_t *next, struct err *e), void *arg, struct err *e)
{
	const char *doing = arena_printf(c->env->arena, "look for %s", what);
	int64_t page = 1;

	for (int i = 0; page != 0 && i < PAGES_MAX; i++) {
		AUTO(buf) struct buf query = {0};
		enum hcloud_class class;
		struct str answer;
		if (selector != NULL)
			form_put(&query, "label_selector", selector);
		const char *path = arena_printf(c->env->arena, "/%s?%s%spage=%lld", what, buf_text(&query),
						selector == NULL ? "" : "&", (long long)page);
		if (hcloud_client_call(c, "GET", path, (struct str){0}, doing, &answer, &class, e) < 0 ||
		    read(arg, answer, &page, e) < 0)
			return -1;
	}
	return page == 0 ? 0 : err_set(e, ERR_CORRUPT, "the list of %s has no end", what);
}

int hcloud_client_done(struct hcloud_client *c, struct hcloud_numbers *actions, struct err *e)
{
	while (actions->n > 0) {
		const char *path = arena_printf(c->env->arena, "/actions/%lld", (long long)actions->v[actions->n - 1]);
		enum hcloud_class class;
		struct str answer;
		bool done;
		if (hcloud_client_call(c, "GET", path, (struct str){0}, "see how far it is", &answer, &class, e) < 0 ||
		    hcloud_action_read(answer, &done, e) < 0)
			return -1;
		if (!done)
			return 0;
		actions->n--;
	}
	return 1;
}

struct waiting {
	struct hcloud_client *c;
	struct hcloud_numbers *actions;
};

static int done(void *arg, struct err *e)
{
	struct waiting *w = arg;
	return hcloud_client_done(w->c, w->actions, e);
}

int hcloud_client_wait(struct hcloud_client *c, struct hcloud_numbers *actions, struct err *e)
{
	struct waiting w = {c, actions};
	int rc = tool_wait(c->env, INT32_MAX, done, &w, e);

	if (rc == 0)
		return err_set(e, ERR_TIMEOUT, "Hetzner Cloud is not done with it yet");
	return rc < 0 ? -1 : 0;
}
