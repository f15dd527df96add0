#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/keeper.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/machine_json.h"

enum { RETRY_MS = 30000, DRAIN_MS = 60000, ADOPT_MS = 30000 };

struct host *host_find(struct keeper *k, const char *target)
{
	for (struct host *h = k->hosts; h != NULL; h = h->next)
		if (strcmp(h->target, target) == 0)
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

static struct host *host_make(struct keeper *k, const char *target)
{
	struct host *h = host_find(k, target);

	if (h != NULL)
		return h;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		abort();
	replace(&h->target, target);
	replace(&h->token, "");
	replace(&h->config, "");
	h->worker = (struct proc){.in = -1, .out = -1, .err = -1};
	h->since_s = clock_unix_s();
	h->next = k->hosts;
	k->hosts = h;
	return h;
}

static void take_settings(struct host *h, const struct target *t)
{
	AUTO(buf) struct buf b = {0};

	conf_write_target(&b, t, &provider_find(t->kind)->kind);
	replace(&h->config, buf_text(&b));
	h->linger_ms = t->linger_ms;
	h->start_timeout_ms = t->start_timeout_ms;
	h->stop_timeout_ms = t->stop_timeout_ms;
}

struct host *host_of(struct keeper *k, const char *target, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct host *h = host_find(k, target);

	/* What runs keeps what it was started with. */
	if (h != NULL && machine_exists(&h->m))
		return h;
	const struct config *c = k->load(k->config_path, &a, e);
	if (c == NULL)
		return NULL;
	const struct target *t = config_target(c, target);
	if (t == NULL) {
		(void)err_set(e, ERR_CONFIG, "there is no target '%s'", target);
		(void)err_hint(e, "the targets are in '%s'", k->paths->config);
		return NULL;
	}
	h = host_make(k, target);
	take_settings(h, t);
	return h;
}

/* --- the worker ----------------------------------------------------------------------------------- */

/* A token of 128 random bits: the same start, however often it is asked for. */
static void new_token(struct host *h)
{
	unsigned char raw[16];
	char text[2 * sizeof(raw) + 1];
	AUTO(fd) int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, raw, sizeof(raw)) != sizeof(raw))
		abort();
	for (size_t i = 0; i < sizeof(raw); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", raw[i]);
	replace(&h->token, text);
}

static void worker_end(struct host *h)
{
	proc_end(&h->worker);
	fd_close(&h->worker.out);
	fd_close(&h->worker.in);
	h->op = NULL;
	buf_clear(&h->in);
	h->worker_until_ms = 0;
}

static void fault(struct keeper *k, struct host *h, const struct err *e)
{
	h->last = *e;
	host_event(k, h, MACHINE_FAULT);
}

static void worker_start(struct keeper *k, struct host *h, const char *op, int64_t timeout_ms)
{
	const char *const argv[] = {k->paths->self, "worker", op, h->target, NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_PIPE, .out = PROC_PIPE, .err = PROC_INHERIT};
	AUTO(json) json_t *order = json_object();
	AUTO(buf) struct buf b = {0};
	struct err e;

	(void)json_object_set_new(order, "op", json_string(op));
	(void)json_object_set_new(order, "token", json_any(h->token));
	(void)json_object_set_new(order, "config", json_any(h->config));
	(void)json_object_set_new(order, "target", json_any(h->target));
	(void)json_object_set_new(order, "runtime_dir", json_any(k->paths->runtime_dir));
	(void)json_object_set_new(order, "timeout_ms", json_integer(timeout_ms));
	if (h->facts != NULL) {
		json_t *facts = json_parse(str_of(h->facts), "facts", &e);
		if (facts != NULL)
			(void)json_object_set_new(order, "facts", facts);
	}
	json_write(&b, order);
	h->note[0] = '\0';
	if (proc_spawn(&spec, &h->worker, &e) < 0) {
		fault(k, h, &e);
		return;
	}
	h->op = op;
	/* An order fits into a pipe; a worker that is gone already is noticed by its end. */
	(void)!fd_write_all(h->worker.in, b.p, b.n, &e);
	fd_close(&h->worker.in);
	fd_nonblock(h->worker.out);
	h->worker_until_ms = clock_mono_ms() + timeout_ms + 10000;
}

static void worker_answer(struct keeper *k, struct host *h, const json_t *j)
{
	AUTO(arena) struct arena a = {0};
	struct machine_facts f;
	struct err e;
	bool ok = json_is_true(json_object_get(j, "ok"));

	(void)waitpid(h->worker.pid, NULL, 0);
	h->worker.pid = 0;
	worker_end(h);
	if (!ok) {
		json_to_err(json_object_get(j, "error"), &e);
		fault(k, h, &e);
		return;
	}
	if (json_object_get(j, "power") != NULL && machine_facts_read(j, &a, &f, &e) == 0) {
		AUTO(json) json_t *facts = machine_facts_json(&f);
		AUTO(buf) struct buf b = {0};
		json_write(&b, facts);
		replace(&h->facts, buf_text(&b));
	}
	host_event(k, h, MACHINE_DONE);
}

void host_worker_ready(struct keeper *k, struct host *h)
{
	struct err e;
	int n = fd_read_some(h->worker.out, &h->in, 64 * 1024);

	for (const char *end; h->op != NULL && h->in.n > 0 && (end = memchr(h->in.p, '\n', h->in.n)) != NULL;) {
		size_t len = (size_t)(end - h->in.p);
		AUTO(arena) struct arena a = {0};
		AUTO(json) json_t *j = json_parse((struct str){h->in.p, len}, "what the worker says", &e);
		buf_drop(&h->in, len + 1);
		const char *text = j == NULL ? NULL : json_text(j, "progress", &a);
		if (text != NULL) {
			(void)snprintf(h->note, sizeof(h->note), "%s", text);
			clients_progress(k, h, text);
		} else if (j != NULL) {
			worker_answer(k, h, j);
			return;
		}
	}
	if (n != 0 && n != -1)
		return;
	const char *op = h->op;
	worker_end(h);
	(void)err_set(&e, ERR_SYSTEM, "the worker for target '%s' ended in the middle of its work (%s)", h->target, op);
	(void)err_hint(&e, "the keeper's log may say why");
	fault(k, h, &e);
}

/* --- what a step asks for ------------------------------------------------------------------------- */

/* Before anything that starts or ends a machine; on disk when it returns.  False: do not do it. */
static bool journal(struct keeper *k, struct host *h, struct err *e)
{
	struct stored_machine m = {h->target, h->token, machine_state_name(h->m.state), h->config, clock_unix_s()};

	if (machine_exists(&h->m))
		return store_machine_put(k->store, &m, e) == 0;
	return store_machine_drop(k->store, h->target, e) == 0;
}

static void act(struct keeper *k, struct host *h, unsigned actions)
{
	struct err e;

	if (actions & DO_CANCEL)
		worker_end(h);
	if (actions & DO_REFUSE)
		clients_refuse(k, h, &h->last);
	if (actions & DO_CUT)
		clients_cut(k, h);
	if (actions & DO_GRANT)
		clients_grant(k, h);
	if (actions & DO_START) {
		new_token(h);
		replace(&h->facts, NULL);
	}
	if (!journal(k, h, &e)) {
		(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
		/* No machine is started that would not be remembered; one that is there is stopped all the same. */
		if (actions & DO_START) {
			fault(k, h, &e);
			return;
		}
	}
	if (actions & DO_START) {
		clients_progress(k, h, "starting");
		worker_start(k, h, "start", h->start_timeout_ms);
	}
	if (actions & DO_PREPARE)
		worker_start(k, h, "prepare", h->start_timeout_ms);
	if (actions & DO_DRAIN)
		worker_start(k, h, "drain", DRAIN_MS);
	if (actions & DO_STOP)
		worker_start(k, h, "stop", h->stop_timeout_ms);
	if (actions & DO_LINGER)
		h->timer_ms =
		    clock_mono_ms() + (h->m.adopted && h->linger_ms < k->grace_ms ? k->grace_ms : h->linger_ms);
	if (actions & DO_RETRY)
		h->timer_ms = clock_mono_ms() + RETRY_MS;
}

void host_event(struct keeper *k, struct host *h, enum machine_event ev)
{
	enum machine_state before = h->m.state;

	unsigned actions = machine_step(&h->m, ev);
	if (h->m.state != before) {
		h->since_s = clock_unix_s();
		h->timer_ms = 0;
	}
	if (before == MACHINE_STOPPING && ev == MACHINE_DONE) {
		replace(&h->facts, NULL);
		clients_gone(k, h);
		/* The file may say something else by now. */
		struct err ignored;
		if (h->m.state == MACHINE_STARTING) {
			AUTO(arena) struct arena a = {0};
			const struct config *c = k->load(k->config_path, &a, &ignored);
			const struct target *t = c == NULL ? NULL : config_target(c, h->target);
			if (t != NULL)
				take_settings(h, t);
		}
	}
	if (h->m.state != before || actions != 0)
		act(k, h, actions);
}

void host_timers(struct keeper *k, struct host *h, int64_t now)
{
	struct err e;

	if (h->timer_ms != 0 && now >= h->timer_ms) {
		h->timer_ms = 0;
		host_event(k, h, MACHINE_TIMER);
	}
	if (h->op != NULL && h->worker_until_ms != 0 && now >= h->worker_until_ms) {
		(void)err_set(&e, ERR_TIMEOUT, "target '%s' takes too long (%s)", h->target, h->op);
		(void)err_hint(&e, "start_timeout and stop_timeout in its block say how long it may");
		worker_end(h);
		fault(k, h, &e);
	}
}

/* --- after a start of the keeper ------------------------------------------------------------------ */

/* Asks the provider what exists of a target: blocks, before anybody is served.  1, 0, or -1. */
static int ask_list(struct keeper *k, const struct target *t, char token[64], struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *order = json_object();
	AUTO(buf) struct buf b = {0};
	AUTO(buf) struct buf config = {0};
	const char *const argv[] = {k->paths->self, "worker", "list", t->name, NULL};
	struct proc_result r;

	conf_write_target(&config, t, &provider_find(t->kind)->kind);
	(void)json_object_set_new(order, "op", json_string("list"));
	(void)json_object_set_new(order, "token", json_string(""));
	(void)json_object_set_new(order, "config", json_any(buf_text(&config)));
	(void)json_object_set_new(order, "target", json_any(t->name));
	(void)json_object_set_new(order, "runtime_dir", json_any(k->paths->runtime_dir));
	(void)json_object_set_new(order, "timeout_ms", json_integer(ADOPT_MS));
	json_write(&b, order);
	struct str input = buf_str(&b);
	if (proc_run(argv, NULL, &input, 1 << 20, ADOPT_MS, &a, &r, e) < 0)
		return -1;
	/* The last line is the answer. */
	struct str out = str_trim(r.out), line = out;
	while (out.n > 0)
		line = str_cut(&out, '\n');
	AUTO(json) json_t *j = json_parse(line, "what the worker says", e);
	if (j == NULL)
		return -1;
	if (!json_is_true(json_object_get(j, "ok"))) {
		json_to_err(json_object_get(j, "error"), e);
		return -1;
	}
	const json_t *first = json_array_get(json_object_get(j, "machines"), 0);
	const char *found = first == NULL ? NULL : json_text(first, "token", &a);
	(void)snprintf(token, 64, "%s", found == NULL ? "" : found);
	return first != NULL;
}

static void adopt(struct keeper *k, const struct target *t, const char *token)
{
	struct host *h = host_make(k, t->name);

	if (machine_exists(&h->m))
		return;
	take_settings(h, t);
	replace(&h->token, token);
	host_event(k, h, MACHINE_FOUND);
}

int hosts_adopt(struct keeper *k, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct stored_machines stored = {0};
	struct err problem;
	char token[64];

	if (store_machines(k->store, &a, &stored, e) < 0)
		return -1;
	/* What the journal knows of exists until the provider has ended it, whatever list may say. */
	for (size_t i = 0; i < stored.n; i++) {
		struct conf_env none = {0};
		struct diags d = {0};
		struct config c;
		if (!conf_load(str_of(stored.v[i].config), "", false, provider_kinds(), PROVIDERS, &none, &a, &c, &d) ||
		    c.targets.n != 1) {
			(void)fprintf(stderr, "<3>dormouse: what is remembered of target '%s' cannot be read\n",
				      stored.v[i].target);
			continue;
		}
		adopt(k, &c.targets.v[0], stored.v[i].token);
	}
	const struct config *c = k->load(k->config_path, &a, &problem);
	for (size_t i = 0; c != NULL && i < c->targets.n; i++) {
		if (host_find(k, c->targets.v[i].name) != NULL)
			continue;
		int found = ask_list(k, &c->targets.v[i], token, &problem);
		if (found > 0)
			adopt(k, &c->targets.v[i], token);
		else if (found < 0)
			(void)fprintf(stderr, "<4>dormouse: cannot see whether target '%s' runs: %s: %s\n",
				      c->targets.v[i].name, problem.what, problem.why);
	}
	return 0;
}

void hosts_free(struct keeper *k)
{
	for (struct host *h = k->hosts, *next; h != NULL; h = next) {
		next = h->next;
		worker_end(h);
		buf_release(&h->in);
		free(h->target);
		free(h->token);
		free(h->config);
		free(h->facts);
		free(h);
	}
	k->hosts = NULL;
}
