#include <fcntl.h>
#include <unistd.h>

#include "base/num.h"
#include "conf/conf.h"
#include "daemon/keeper.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/token.h"
#include "wire/machine_json.h"

/* A worker keeps its own time, and says better what it was that took too long. */
enum { SLACK_MS = 10000, DRAIN_MS = 60000, HOUR_S = 3600 };
/* In the time after which a machine ends itself. */
enum { FEEDINGS = 4 };

struct host *host_find(struct keeper *k, const char *target)
{
	for (struct host *h = k->hosts; h != NULL; h = h->next)
		if (h->first == h && strcmp(h->target, target) == 0)
			return h;
	return NULL;
}

static void replace(char **slot, const char *text)
{
	char *copy = text == NULL ? NULL : strdup(text);
	if (text != NULL && copy == NULL)
		abort();
	free(*slot);
	*slot = copy;
}

static struct host *make(struct keeper *k, const char *target)
{
	struct host *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	replace(&h->target, target);
	replace(&h->token, "");
	replace(&h->config, "");
	h->work = h->look = (struct task)TASK_INIT;
	h->since_s = h->started_s = clock_unix_s();
	h->first = h;
	h->next = k->hosts;
	k->hosts = h;
	return h;
}

static void take_settings(struct keeper *k, struct host *h, const struct target *t)
{
	AUTO(buf) struct buf b = {0};

	conf_write_target(&b, t, &provider_find(t->kind)->kind);
	replace(&h->config, buf_text(&b));
	h->shared = t->shared;
	h->rules = (struct machine_rules){.start_ms = t->start_timeout_ms + SLACK_MS,
					  .drain_ms = DRAIN_MS + SLACK_MS,
					  .stop_ms = t->stop_timeout_ms + SLACK_MS,
					  .linger_ms = t->shared ? t->linger_ms : 0, /* nobody could come back */
					  .grace_ms = k->grace_ms,
					  .doubt_ms = k->doubt_ms,
					  .lifetime_ms = t->max_lifetime_ms,
					  .feed_ms = t->watchdog_ms / FEEDINGS,
					  .starts_per_hour = t->starts_per_hour};
}

/* What keepers before this one have started, and how that went. */
static void recall(struct keeper *k, struct host *h)
{
	AUTO(arena) struct arena a = {0};
	struct stored_starts starts = {0};
	struct err ignored;
	int64_t now_s = clock_unix_s(), now = clock_mono_ms();

	if (store_starts(k->store, h->target, now_s - HOUR_S, &a, &starts, &ignored) < 0)
		return;
	for (size_t i = 0; i < starts.n; i++) {
		const struct stored_start *s = &starts.v[i];
		bool failed = s->error != NULL && s->error[0] != '\0';
		if (s->at > now_s) /* the clock has been set back */
			continue;
		machine_recall(&h->past, &h->rules, now - (now_s - s->at) * 1000, failed);
		if (failed)
			(void)err_set(&h->last, ERR_SYSTEM, "%s", s->error);
	}
}

struct host *host_first(struct keeper *k, const struct target *t)
{
	struct host *h = host_find(k, t->name);
	bool new = h == NULL;

	/* What runs keeps what it was started with. */
	if (!new &&machine_exists(&h->m))
		return h;
	if (new)
		h = make(k, t->name);
	take_settings(k, h, t);
	if (new) {
		recall(k, h);
		h->m.unsure = h->shared;
		look_now(k, h);
	}
	return h;
}

const struct config *keeper_config(struct keeper *k, struct arena *a, struct err *e)
{
	const struct config *c = k->load(k->config_path, a, e);

	if (c != NULL)
		k->limits = c->limits;
	return c;
}

struct host *host_of(struct keeper *k, const char *target, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct host *h = host_find(k, target);

	if (h != NULL && machine_exists(&h->m))
		return h;
	const struct config *c = keeper_config(k, &a, e);
	if (c == NULL)
		return NULL;
	const struct target *t = config_target(c, target);
	if (t == NULL) {
		(void)err_set(e, ERR_CONFIG, "there is no target '%s'", target);
		(void)err_hint(e, "the targets are in '%s'", k->paths->config);
		return NULL;
	}
	return host_first(k, t);
}

struct host *host_another(struct keeper *k, struct host *first)
{
	struct host *h = make(k, first->target);

	h->first = first;
	h->shared = first->shared;
	h->rules = first->rules;
	replace(&h->config, first->config);
	return h;
}

void host_set_token(struct host *h, const char *token)
{
	replace(&h->token, token);
}

/* --- the worker ----------------------------------------------------------------------------------- */

/* The same start, however often it is asked for. */
static void new_token(struct host *h)
{
	char text[TOKEN_TEXT];

	replace(&h->token, token_new(text));
}

bool host_matters(const struct host *h)
{
	return machine_exists(&h->m) || h->m.doubt_until != 0;
}

/* Before anything that starts or ends a machine; on disk when it returns.  -1: do not do it. */
static int journal(struct keeper *k, struct host *h, struct err *e)
{
	struct stored_machine m = {h->target, h->token, machine_state_name(h->m.state), h->config, h->started_s};

	if (host_matters(h))
		return store_machine_put(k->store, &m, e);
	return store_machine_drop(k->store, h->target, h->token, e);
}

void host_set_config(struct host *h, const char *block)
{
	replace(&h->config, block);
}

static void complain(const struct err *e)
{
	(void)fprintf(stderr, "<3>dormouse: %s%s%s\n", e->what, e->why[0] == '\0' ? "" : ": ", e->why);
}

static void work(struct keeper *k, struct host *h, const char *op, int64_t timeout_ms);

static void fault(struct keeper *k, struct host *h, const struct err *e)
{
	if (e->kind == ERR_DENIED && host_renew(k, h)) {
		work(k, h, h->op, h->op_ms);
		return;
	}
	/* Only its watchdog was told something; who has the machine still has it. */
	if (machine_is_up(h->m.state))
		complain(e);
	else
		h->last = *e;
	host_event(k, h, MACHINE_FAULT);
}

static void work(struct keeper *k, struct host *h, const char *op, int64_t timeout_ms)
{
	struct worker_order o = {.op = op,
				 .target = h->target,
				 .token = h->token,
				 .config = h->config,
				 .runtime_dir = k->paths->runtime_dir,
				 .use = machine_use_name(clients_use(k, h)),
				 .facts = h->facts,
				 .drained = h->drained,
				 .timeout_ms = timeout_ms - SLACK_MS};
	struct err e;

	h->note[0] = '\0';
	h->op = op;
	h->op_ms = timeout_ms;
	if (task_begin(&h->work, k->paths->self, &o, &e) < 0)
		fault(k, h, &e);
}

static void done(struct keeper *k, struct host *h, const json_t *j)
{
	AUTO(arena) struct arena a = {0};
	struct machine_facts f;
	struct err ignored;

	if (json_object_get(j, "power") != NULL && machine_facts_read(j, &a, &f, &ignored) == 0) {
		AUTO(json) json_t *facts = machine_facts_json(&f);
		AUTO(buf) struct buf b = {0};
		json_write(&b, facts);
		replace(&h->facts, buf_text(&b));
	}
	h->drained = h->drained || h->m.state == MACHINE_DRAINING;
	host_event(k, h, MACHINE_DONE);
}

void host_worker_ready(struct keeper *k, struct host *h)
{
	AUTO(arena) struct arena a = {0};
	const char *text;
	json_t *answer;
	struct err e;

	for (;;) {
		switch (task_hear(&h->work, &a, &text, &answer, &e)) {
		case TASK_GOES_ON:
			return;
		case TASK_PROGRESS:
			(void)snprintf(h->note, sizeof(h->note), "%s", text);
			clients_progress(k, h, text);
			break;
		case TASK_SETTLED:
			replace(&h->config, text);
			if (journal(k, h, &e) < 0)
				complain(&e);
			break;
		case TASK_ANSWERED:
			if (answer == NULL)
				fault(k, h, &e);
			else
				done(k, h, answer);
			json_decref(answer);
			return;
		}
	}
}

/* --- what a step asks for ------------------------------------------------------------------------- */

bool host_refuses(const struct host *h, bool insisted, struct err *e)
{
	int64_t until = 0, now = clock_mono_ms();
	char text[NUM_TEXT];
	enum machine_refusal why = machine_refuses(&h->m, &h->first->past, &h->rules, insisted, now, &until);

	if (why == REFUSE_NOT)
		return false;
	(void)num_show_duration(until - now < 1000 ? 1000 : until - now, text);
	if (why == REFUSE_LIMIT) {
		(void)err_set(e, ERR_BUSY, "target '%s' has been started too often", h->target);
		(void)err_why(e, "more than %lld starts an hour", (long long)h->rules.starts_per_hour);
		(void)err_hint(e,
			       "the next start is free in %s; who started it: dormouse machines --starts; the limit is "
			       "starts_per_hour",
			       text);
		return true;
	}
	*e = h->first->last;
	if (e->kind == ERR_NONE)
		(void)err_set(e, ERR_BUSY, "target '%s' did not start the last time", h->target);
	e->kind = ERR_BUSY;
	(void)err_hint(e, "it is tried again in %s at the earliest; at once, by hand: dormouse wake %s", text,
		       h->target);
	return true;
}

/* How the start went, for the records; what was called off is neither. */
static void record(struct keeper *k, struct host *h, enum machine_event ev)
{
	struct err e;
	char line[sizeof(h->last.what) + sizeof(h->last.why) + 8] = "";
	bool up = machine_is_up(h->m.state);

	if (h->start == 0 || h->m.state == MACHINE_STARTING || h->m.state == MACHINE_PREPARING)
		return;
	if (ev == MACHINE_FAULT)
		err_line(&h->last, line, sizeof(line));
	if ((up || ev == MACHINE_FAULT) && store_start_end(k->store, h->start, line, &e) < 0)
		complain(&e);
	if (up)
		h->last.kind = ERR_NONE;
	else if (ev == MACHINE_FAULT && h != h->first)
		h->first->last = h->last;
	h->start = 0;
}

/* A start is remembered before it is made, or not made. */
static int prepare_start(struct keeper *k, struct host *h, struct err *e)
{
	AUTO(arena) struct arena a = {0};

	if (store_machine_drop(k->store, h->target, h->token, e) < 0)
		return -1;
	new_token(h);
	h->drained = false;
	h->started_s = clock_unix_s();
	replace(&h->facts, NULL);
	if (journal(k, h, e) < 0)
		return -1;
	const char *client, *who = clients_who(k, h, &a, &client);
	(void)fprintf(stderr, "<6>dormouse: target '%s' is started for %s\n", h->target, who);
	return store_start_begin(k->store, h->target, h->token, who, client, h->started_s, &h->start, e);
}

static void act(struct keeper *k, struct host *h, unsigned actions)
{
	struct err e;

	if (actions & DO_CANCEL)
		task_end(&h->work);
	if (actions & DO_REFUSE)
		clients_refuse(k, h, !machine_exists(&h->m) && host_refuses(h, true, &e) ? &e : &h->last);
	if (actions & DO_CUT)
		clients_cut(k, h, &h->last);
	if (actions & DO_GRANT)
		clients_grant(k, h);
	if ((actions & DO_START ? prepare_start(k, h, &e) : journal(k, h, &e)) < 0) {
		complain(&e);
		/* No machine is started that would not be remembered; one that is there is stopped all the same. */
		if (actions & DO_START) {
			fault(k, h, &e);
			return;
		}
	}
	if (actions & DO_START) {
		clients_progress(k, h, "starting");
		work(k, h, "start", h->rules.start_ms);
	}
	if (actions & DO_PREPARE)
		work(k, h, "prepare", h->rules.start_ms);
	if (actions & DO_DRAIN)
		work(k, h, "drain", h->rules.drain_ms);
	if (actions & DO_STOP)
		work(k, h, "stop", h->rules.stop_ms);
	if (actions & DO_FEED)
		work(k, h, "feed", 2 * h->rules.feed_ms);
}

/* A machine has gone: the next may be of another file, and what waited for the end of this one goes on. */
static void gone(struct keeper *k, struct host *h)
{
	AUTO(arena) struct arena a = {0};
	struct err e, ignored;

	replace(&h->facts, NULL);
	if (store_start_gone(k->store, h->target, h->token, clock_unix_s(), &e) < 0)
		complain(&e);
	h->first->stale = h->first->look.op != NULL;
	clients_gone(k, h->first);
	if (h->first->m.unsure)
		look_now(k, h->first);
	else if (h->m.doubt_until != 0)
		look_soon(k, h->first);
	if (h->m.state != MACHINE_STARTING)
		return;
	const struct config *c = keeper_config(k, &a, &ignored);
	const struct target *t = c == NULL ? NULL : config_target(c, h->target);
	if (t != NULL)
		take_settings(k, h, t);
}

void host_event(struct keeper *k, struct host *h, enum machine_event ev)
{
	enum machine_state before = h->m.state;
	unsigned actions = machine_step(&h->m, &h->first->past, &h->rules, ev, clock_mono_ms());

	if (h->m.state != before)
		h->since_s = clock_unix_s();
	record(k, h, ev);
	if (before == MACHINE_STOPPING && ev == MACHINE_DONE)
		gone(k, h);
	if (h->m.state != before || actions != 0)
		act(k, h, actions);
}

/* What time has brought about, in words. */
static void say_why(struct host *h, enum machine_event ev)
{
	char text[NUM_TEXT];
	struct err e;

	if (ev == MACHINE_FAULT && machine_is_up(h->m.state)) {
		(void)err_set(&e, ERR_TIMEOUT, "target '%s' does not answer its watchdog's question", h->target);
		complain(&e);
	} else if (ev == MACHINE_EXPIRED) {
		(void)err_set(&h->last, ERR_CANCELLED, "target '%s' has been on for %s", h->target,
			      num_show_duration(h->rules.lifetime_ms, text));
		(void)err_hint(&h->last, "max_lifetime in its block allows no more; what was under way can be resumed");
	} else if (ev == MACHINE_FAULT && h->work.op == NULL) {
		(void)err_set(&h->last, ERR_TIMEOUT, "target '%s' runs already, and not for us", h->target);
		(void)err_why(&h->last, "or its provider does not tell whether it does");
		(void)err_hint(&h->last, "what is known: dormouse machines; end what nobody uses: dormouse reap");
	} else if (ev == MACHINE_FAULT) {
		(void)err_set(&h->last, ERR_TIMEOUT, "target '%s' takes too long (%s)", h->target, h->work.op);
		(void)err_hint(&h->last, "start_timeout and stop_timeout in its block say how long it may");
	}
}

void host_timers(struct keeper *k, struct host *h, int64_t now)
{
	enum machine_event ev;
	struct err e;

	if (machine_due(&h->m, now, &ev)) {
		say_why(h, ev);
		if (ev == MACHINE_FAULT)
			task_end(&h->work);
		host_event(k, h, ev);
	}
	if (h->m.doubt_until != 0 && now >= h->m.doubt_until) {
		h->m.doubt_until = 0;
		if (journal(k, h, &e) < 0)
			complain(&e);
	}
	if (h->first == h)
		look_timers(k, h, now);
}

int64_t host_next(const struct host *h)
{
	/* One look at a time: the next begins when the one under way is over. */
	const int64_t times[] = {h->m.doubt_until, h->look.op == NULL ? h->look_at : h->look_until};
	int64_t next = machine_next(&h->m);

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (times[i] != 0 && times[i] < next)
			next = times[i];
	return next;
}

static void host_free(struct host *h)
{
	task_release(&h->work);
	task_release(&h->look);
	free(h->target);
	free(h->token);
	free(h->config);
	free(h->facts);
	free(h);
}

void hosts_sweep(struct keeper *k)
{
	for (struct host **p = &k->hosts; *p != NULL;) {
		struct host *h = *p;
		bool used = h->first == h || host_matters(h);
		for (struct client *c = k->clients; c != NULL && !used; c = c->next)
			used = c->host == h;
		if (used) {
			p = &h->next;
			continue;
		}
		*p = h->next;
		host_free(h);
	}
}

void hosts_free(struct keeper *k)
{
	for (struct host *h = k->hosts, *next; h != NULL; h = next) {
		next = h->next;
		host_free(h);
	}
	k->hosts = NULL;
}
