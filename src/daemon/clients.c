#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/keeper.h"
#include "engine/prepare.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "wire/machine_json.h"

enum { DIAL_MS = 15000, DIAL_AGAIN_MS = 100, CLIENTS_MAX = 500 };

void client_accept(struct keeper *k)
{
	size_t n = 0;
	int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (struct client *c = k->clients; c != NULL; c = c->next)
		n++;
	struct client *c = n < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL) {
		(void)close(fd);
		return;
	}
	*c = (struct client){.next = k->clients, .fd = fd, .pass = -1, .dial = -1};
	k->clients = c;
}

static void leave_host(struct keeper *k, struct client *c)
{
	struct host *h = c->host;
	enum client_state was = c->state;

	c->host = NULL;
	c->state = CLIENT_IDLE;
	if (h == NULL)
		return;
	if (was == CLIENT_WAITING)
		host_event(k, h, MACHINE_UNWAITED);
	else if (was == CLIENT_LEASED || was == CLIENT_CONNECTING)
		host_event(k, h, MACHINE_RELEASED);
}

void client_close(struct keeper *k, struct client *c)
{
	struct err e;

	for (struct client **p = &k->clients; *p != NULL; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			break;
		}
	}
	leave_host(k, c);
	if (c->run != 0 && store_run_end(k->store, c->run, clock_unix_s(), -1, "{}", &e) < 0)
		(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
	fd_close(&c->fd);
	fd_close(&c->pass);
	fd_close(&c->dial);
	buf_release(&c->in);
	buf_release(&c->out);
	free(c->backup);
	free(c);
}

void client_reply(struct client *c, const struct control_reply *r)
{
	control_write_reply(&c->out, r);
}

void client_fail(struct client *c, const struct err *e)
{
	struct control_reply r = {.event = CONTROL_ERROR, .err = *e};

	client_reply(c, &r);
	c->closing = true;
}

static void answer(struct client *c, json_t *j)
{
	AUTO(buf) struct buf b = {0};

	json_write(&b, j);
	json_decref(j);
	client_reply(c, &(struct control_reply){.event = CONTROL_ANSWER, .text = buf_text(&b)});
}

/* --- machines -------------------------------------------------------------------------------------- */

static void progress_to(struct client *c, const char *text)
{
	client_reply(c, &(struct control_reply){.event = CONTROL_PROGRESS, .text = text});
}

void clients_progress(struct keeper *k, struct host *h, const char *text)
{
	for (struct client *c = k->clients; c != NULL; c = c->next)
		if (c->host == h && (c->state == CLIENT_WAITING || c->state == CLIENT_SLEEPING))
			progress_to(c, text);
}

/* Begins to connect to the port that was asked for. */
static void dial(struct keeper *k, struct client *c)
{
	AUTO(arena) struct arena a = {0};
	struct machine_facts f;
	struct err e;
	const char *host;
	int64_t at;

	(void)k;
	AUTO(json) json_t *j = json_parse(str_of(c->host->facts == NULL ? "{}" : c->host->facts), "facts", &e);
	if (j == NULL || machine_facts_read(j, &a, &f, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	if (!machine_door_for(&f, c->port, &host, &at)) {
		(void)err_set(&e, ERR_DENIED, "target '%s' has no door to port %lld", c->host->target,
			      (long long)c->port);
		(void)err_hint(&e, "its block says which ports can be reached");
		client_fail(c, &e);
		return;
	}
	if (ipc_dial(host, at, &c->dial, &e) < 0)
		c->dial_again_ms = clock_mono_ms() + DIAL_AGAIN_MS;
}

void clients_grant(struct keeper *k, struct host *h)
{
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->host != h || c->state != CLIENT_WAITING)
			continue;
		c->state = c->port == 0 ? CLIENT_LEASED : CLIENT_CONNECTING;
		if (c->port == 0) {
			client_reply(c, &(struct control_reply){.event = CONTROL_READY});
		} else {
			c->dial_until_ms = clock_mono_ms() + DIAL_MS;
			dial(k, c);
		}
	}
}

void clients_refuse(struct keeper *k, struct host *h, const struct err *e)
{
	struct err plain;

	if (e->kind == ERR_NONE) {
		(void)err_set(&plain, ERR_CANCELLED, "target '%s' was told to sleep", h->target);
		(void)err_hint(&plain, "ask again");
		e = &plain;
	}
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		bool waits = c->state == CLIENT_WAITING;
		if (c->host != h || (!waits && !(c->state == CLIENT_SLEEPING && h->m.state == MACHINE_FAILED)))
			continue;
		c->host = NULL;
		c->state = CLIENT_IDLE;
		client_fail(c, e);
	}
}

void clients_cut(struct keeper *k, struct host *h)
{
	struct err e;

	(void)err_set(&e, ERR_CANCELLED, "target '%s' was put to sleep", h->target);
	(void)err_hint(&e, "somebody used: dormouse sleep --force %s", h->target);
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->host != h || (c->state != CLIENT_LEASED && c->state != CLIENT_CONNECTING))
			continue;
		c->host = NULL;
		c->state = CLIENT_IDLE;
		client_fail(c, &e);
	}
}

void clients_gone(struct keeper *k, struct host *h)
{
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->host != h || c->state != CLIENT_SLEEPING)
			continue;
		c->host = NULL;
		c->state = CLIENT_IDLE;
		client_reply(c, &(struct control_reply){.event = CONTROL_READY});
	}
}

static void want(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;
	struct host *h = host_of(k, r->target, &e);

	if (h != NULL && k->leaving) {
		(void)err_set(&e, ERR_BUSY, "the keeper is ending");
		(void)err_hint(&e, "try again in a moment");
		h = NULL;
	}
	if (h == NULL) {
		client_fail(c, &e);
		return;
	}
	h->last.kind = ERR_NONE;
	c->host = h;
	c->port = r->op == CONTROL_OPEN ? r->port : 0;
	c->state = CLIENT_WAITING;
	if (h->m.state == MACHINE_DRAINING || h->m.state == MACHINE_STOPPING)
		progress_to(c, "it is just going to sleep; it is woken again after that");
	else if (h->note[0] != '\0' && (h->m.state == MACHINE_STARTING || h->m.state == MACHINE_PREPARING))
		progress_to(c, h->note);
	host_event(k, h, MACHINE_WANTED);
}

static void sleep_now(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;
	struct host *h = host_of(k, r->target, &e);

	if (h == NULL) {
		client_fail(c, &e);
		return;
	}
	unsigned users = h->m.leases + h->m.waiters;
	if (users > 0 && !r->force) {
		(void)err_set(&e, ERR_BUSY, "target '%s' is in use by %u", h->target, users);
		(void)err_hint(&e, "wait for them, or cut them off: dormouse sleep --force %s", h->target);
		client_fail(c, &e);
		return;
	}
	h->last.kind = ERR_NONE;
	if (!machine_exists(&h->m)) {
		client_reply(c, &(struct control_reply){.event = CONTROL_READY});
		return;
	}
	c->host = h;
	c->state = CLIENT_SLEEPING;
	host_event(k, h, MACHINE_SLEEP);
}

static void machines(struct keeper *k, struct client *c)
{
	json_t *list = json_array();

	for (struct host *h = k->hosts; h != NULL; h = h->next) {
		json_t *j = json_object();
		struct err e;
		(void)json_object_set_new(j, "target", json_any(h->target));
		(void)json_object_set_new(j, "state", json_string(machine_state_name(h->m.state)));
		(void)json_object_set_new(j, "since", json_integer(h->since_s));
		(void)json_object_set_new(j, "leases", json_integer(h->m.leases));
		(void)json_object_set_new(j, "waiters", json_integer(h->m.waiters));
		(void)json_object_set_new(j, "note", json_any(h->op == NULL ? "" : h->note));
		if (h->timer_ms != 0)
			(void)json_object_set_new(
			    j, "until", json_integer(clock_unix_s() + (h->timer_ms - clock_mono_ms()) / 1000));
		if (h->last.kind != ERR_NONE)
			(void)json_object_set_new(j, "error", json_of_err(&h->last));
		json_t *facts = h->facts == NULL ? NULL : json_parse(str_of(h->facts), "facts", &e);
		if (facts != NULL)
			(void)json_object_set_new(j, "facts", facts);
		(void)json_array_append_new(list, j);
	}
	answer(c, list);
}

void client_dial_ready(struct keeper *k, struct client *c)
{
	int code = 0;
	socklen_t n = sizeof(code);

	(void)k;
	if (getsockopt(c->dial, SOL_SOCKET, SO_ERROR, &code, &n) < 0 || code != 0) {
		fd_close(&c->dial);
		c->dial_again_ms = clock_mono_ms() + DIAL_AGAIN_MS;
		return;
	}
	/* Whoever gets it expects a plain descriptor. */
	fd_block(c->dial);
	c->pass = c->dial;
	c->dial = -1;
	c->state = CLIENT_LEASED;
	client_reply(c, &(struct control_reply){.event = CONTROL_READY});
}

void client_timers(struct keeper *k, struct client *c, int64_t now)
{
	struct err e;

	if (c->state != CLIENT_CONNECTING || c->closing)
		return;
	if (now >= c->dial_until_ms) {
		(void)err_set(&e, ERR_NET, "port %lld of target '%s' does not answer", (long long)c->port,
			      c->host->target);
		(void)err_hint(&e, "the machine is up; is the service?");
		client_fail(c, &e);
	} else if (c->dial < 0 && now >= c->dial_again_ms) {
		dial(k, c);
	}
}

/* --- runs ------------------------------------------------------------------------------------------ */

static void run_begin(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	for (struct client *o = k->clients; o != NULL; o = o->next) {
		if (o->backup == NULL || strcmp(o->backup, r->backup) != 0)
			continue;
		(void)err_set(&e, ERR_BUSY, "backup '%s' is running already", r->backup);
		(void)err_hint(&e, "to watch it: dormouse status; it is run %lld of dormouse history",
			       (long long)o->run);
		client_fail(c, &e);
		return;
	}
	if (c->run != 0 || store_run_begin(k->store, r->backup, clock_unix_s(), &c->run, &e) < 0) {
		if (c->run != 0)
			(void)err_set(&e, ERR_USAGE, "this connection has a run already");
		client_fail(c, &e);
		return;
	}
	c->backup = strdup(r->backup);
	if (c->backup == NULL)
		abort();
	json_t *j = json_object();
	(void)json_object_set_new(j, "id", json_integer(c->run));
	answer(c, j);
}

static void run_end(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (c->run == 0)
		(void)err_set(&e, ERR_USAGE, "no run was begun here");
	if (c->run == 0 || store_run_end(k->store, c->run, clock_unix_s(), (int)r->number, r->json, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	c->run = 0;
	free(c->backup);
	c->backup = NULL;
	answer(c, json_object());
}

static json_t *run_json(const struct stored_run *r)
{
	struct err e;
	json_t *j = json_object(), *result = r->result == NULL ? NULL : json_parse(str_of(r->result), "result", &e);

	(void)json_object_set_new(j, "id", json_integer(r->id));
	(void)json_object_set_new(j, "backup", json_any(r->backup));
	(void)json_object_set_new(j, "began", json_integer(r->began));
	if (r->ended != 0) {
		(void)json_object_set_new(j, "ended", json_integer(r->ended));
		(void)json_object_set_new(j, "exit", json_integer(r->exit));
	}
	if (result != NULL)
		(void)json_object_set_new(j, "result", result);
	return j;
}

static void history(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	struct stored_runs runs = {0};
	struct err e;

	if (store_history(k->store, r->backup, r->number, &a, &runs, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < runs.n; i++)
		(void)json_array_append_new(list, run_json(&runs.v[i]));
	answer(c, list);
}

static void run_events(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	struct stored_events events = {0};
	struct err e;

	if (store_run_events(k->store, r->number, &a, &events, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < events.n; i++) {
		json_t *j = json_object();
		(void)json_object_set_new(j, "at", json_integer(events.v[i].at));
		(void)json_object_set_new(j, "text", json_any(events.v[i].text));
		(void)json_array_append_new(list, j);
	}
	answer(c, list);
}

static void recall(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	const char *json;
	int64_t at = 0;
	struct err e;

	if (store_look_get(k->store, r->backup, &a, &at, &json, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *j = json_object();
	if (json != NULL) {
		(void)json_object_set_new(j, "at", json_integer(at));
		(void)json_object_set_new(j, "json", json_any(json));
	}
	answer(c, j);
}

/* --- requests -------------------------------------------------------------------------------------- */

static void request(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (c->state != CLIENT_IDLE) {
		(void)err_set(&e, ERR_USAGE, "a lease's connection takes no more requests");
		client_fail(c, &e);
		return;
	}
	switch (r->op) {
	case CONTROL_OPEN:
	case CONTROL_LEASE:
		want(k, c, r);
		break;
	case CONTROL_SLEEP:
		sleep_now(k, c, r);
		break;
	case CONTROL_MACHINES:
		machines(k, c);
		break;
	case CONTROL_RUN_BEGIN:
		run_begin(k, c, r);
		break;
	case CONTROL_RUN_EVENT:
		if (c->run == 0 || store_run_event(k->store, c->run, clock_unix_s(), r->text, &e) < 0)
			(void)fprintf(stderr, "<4>dormouse: an event of a run could not be recorded\n");
		break;
	case CONTROL_RUN_END:
		run_end(k, c, r);
		break;
	case CONTROL_RECORD:
		if (store_look_put(k->store, r->backup, clock_unix_s(), r->json, &e) < 0)
			client_fail(c, &e);
		else
			answer(c, json_object());
		break;
	case CONTROL_RECALL:
		recall(k, c, r);
		break;
	case CONTROL_HISTORY:
		history(k, c, r);
		break;
	case CONTROL_RUN:
		run_events(k, c, r);
		break;
	}
}

void client_readable(struct keeper *k, struct client *c)
{
	int passed = -1;
	struct err e;
	int n = ipc_receive(c->fd, &c->in, &passed);

	fd_close(&passed); /* nobody has a descriptor for us */
	if (n == 0 || n == -1) {
		client_close(k, c);
		return;
	}
	for (const char *end; !c->closing && c->in.n > 0 && (end = memchr(c->in.p, '\n', c->in.n)) != NULL;) {
		AUTO(arena) struct arena a = {0};
		struct control_request r;
		size_t len = (size_t)(end - c->in.p);
		if (control_read_request((struct str){c->in.p, len}, &a, &r, &e) < 0)
			client_fail(c, &e);
		else
			request(k, c, &r);
		buf_drop(&c->in, len + 1);
	}
	if (c->in.n > CONTROL_MAX) {
		(void)err_set(&e, ERR_USAGE, "a request is longer than %d bytes", CONTROL_MAX);
		client_fail(c, &e);
		buf_clear(&c->in);
	}
}

void client_writable(struct keeper *k, struct client *c)
{
	while (c->out.n > 0) {
		int n = ipc_send(c->fd, c->out.p, c->out.n, c->pass);
		if (n == -2)
			return;
		if (n < 0) {
			client_close(k, c);
			return;
		}
		fd_close(&c->pass);
		buf_drop(&c->out, (size_t)n);
	}
	if (c->closing)
		client_close(k, c);
}
