/* Who wants machines: leases, connections, and people who put them to sleep. */
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/keeper.h"
#include "engine/prepare.h"
#include "plan/jump_session.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "wire/machine_json.h"

enum { DIAL_MS = 15000, DIAL_AGAIN_MS = 100, HOUR_S = 3600 };

void client_leaves(struct keeper *k, struct client *c)
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

/* It has what it asked for, or will not get it. */
static void settle(struct client *c)
{
	c->host = NULL;
	c->state = CLIENT_IDLE;
}

static void refuse(struct client *c, const struct err *e)
{
	settle(c);
	client_fail(c, e);
}

static void ready(struct client *c)
{
	c->state = CLIENT_LEASED;
	client_reply(c, &(struct control_reply){.event = CONTROL_READY, .text = c->host->token});
}

void clients_progress(struct keeper *k, struct host *h, const char *text)
{
	for (struct client *c = k->clients; c != NULL; c = c->next)
		if ((c->host == h && c->state == CLIENT_WAITING) ||
		    (c->host == h->first && c->state == CLIENT_SLEEPING))
			client_progress(c, text);
}

/* Begins to connect to the port that was asked for. */
static void dial(struct client *c)
{
	AUTO(arena) struct arena a = {0};
	struct machine_facts f;
	struct err e;
	const char *host;
	int64_t at;

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
		if (c->port == 0) {
			ready(c);
		} else {
			c->state = CLIENT_CONNECTING;
			c->dial_until_ms = clock_mono_ms() + DIAL_MS;
			dial(c);
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
	for (struct client *c = k->clients; c != NULL; c = c->next)
		if ((c->host == h && c->state == CLIENT_WAITING) ||
		    (c->host == h->first && c->state == CLIENT_SLEEPING && h->m.state == MACHINE_FAILED))
			refuse(c, e);
}

void clients_cut(struct keeper *k, struct host *h, const struct err *e)
{
	struct err plain;

	if (e->kind == ERR_NONE) {
		(void)err_set(&plain, ERR_CANCELLED, "target '%s' was put to sleep", h->target);
		(void)err_hint(&plain, "somebody used: dormouse sleep --force %s", h->target);
		e = &plain;
	}
	for (struct client *c = k->clients; c != NULL; c = c->next)
		if (c->host == h && (c->state == CLIENT_LEASED || c->state == CLIENT_CONNECTING))
			refuse(c, e);
}

/* Is it on its way off?  After that, it is another machine. */
static bool ends(const struct host *h)
{
	return h->m.state == MACHINE_DRAINING || h->m.state == MACHINE_STOPPING || h->m.state == MACHINE_FAILED;
}

/* Those that were told to sleep; one that runs has been woken since. */
static bool any_ends(struct keeper *k, const struct host *first)
{
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (h->first == first && ends(h))
			return true;
	return false;
}

void clients_gone(struct keeper *k, struct host *first)
{
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->host != first || c->state != CLIENT_SLEEPING || any_ends(k, first))
			continue;
		settle(c);
		client_reply(c, &(struct control_reply){.event = CONTROL_READY});
	}
	clients_looked(k);
}

const char *clients_who(struct keeper *k, struct host *h, struct arena *a, const char **client)
{
	const char *who = NULL;

	*client = "";
	/* The newest is at the front. */
	for (const struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->host != h || c->state != CLIENT_WAITING)
			continue;
		who = who == NULL ? arena_strdup(a, c->who) : arena_printf(a, "%s, %s", c->who, who);
		*client = c->name == NULL ? "" : arena_strdup(a, c->name);
	}
	return who == NULL ? "nobody any more" : who;
}

enum machine_use clients_use(struct keeper *k, const struct host *h)
{
	enum machine_use most = USE_PLAIN;

	for (const struct client *c = k->clients; c != NULL; c = c->next)
		if (c->host == h && c->state == CLIENT_WAITING && c->use > most)
			most = c->use;
	return most;
}

/* --- what a client of the jump host may have ------------------------------------------------------- */

static bool has_host(struct keeper *k, const char *name, const struct host *h)
{
	for (const struct client *c = k->clients; c != NULL; c = c->next)
		if (c->host == h && c->name != NULL && strcmp(c->name, name) == 0)
			return true;
	return false;
}

static bool more_than(int64_t limit, int64_t n, const char *name, const char *what, struct err *e)
{
	if (limit == 0 || n < limit)
		return false;
	(void)err_set(e, ERR_BUSY, "client '%s' has %lld %s, and may have no more", name, (long long)n, what);
	(void)err_hint(e, "end one, or wait; the limits block in the configuration says how many");
	return true;
}

/* Would it have too much, if it got a machine of that target? */
static bool over_limits(struct keeper *k, const char *name, const struct host *first, struct err *e)
{
	int64_t connections = 0, machines = 0, starts = 0, now = clock_unix_s();
	bool on = first->shared && machine_exists(&first->m);

	for (const struct client *c = k->clients; c != NULL; c = c->next)
		connections += c->host != NULL && c->name != NULL && strcmp(c->name, name) == 0;
	for (struct host *h = k->hosts; h != NULL; h = h->next)
		machines += has_host(k, name, h);
	if (more_than(k->limits.connections, connections, name, "connections", e))
		return true;
	if (!(first->shared && has_host(k, name, first)) &&
	    more_than(k->limits.machines, machines, name, "machines in use", e))
		return true;
	if (on || k->limits.starts_per_hour == 0)
		return false;
	return store_client_starts(k->store, name, now - HOUR_S, now, &starts, e) < 0 ||
	       more_than(k->limits.starts_per_hour, starts, name, "starts within the last hour", e);
}

/* The kernel says who is at the other end; what for is only what it says itself. */
static char *who_is(const struct client *c, const struct control_request *r)
{
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t n = sizeof(cred);
	char text[256], whose[100] = "";

	(void)getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &n);
	const struct passwd *user = getpwuid(cred.uid);
	const char *name = user == NULL ? "somebody" : user->pw_name;
	if (r->client != NULL)
		(void)snprintf(whose, sizeof(whose), "client %s", r->client);
	else
		(void)snprintf(whose, sizeof(whose), "%s", name);
	if (r->text != NULL)
		(void)snprintf(text, sizeof(text), "%s (%s)", whose, r->text);
	else if (r->op == CONTROL_OPEN)
		(void)snprintf(text, sizeof(text), "%s (port %lld)", whose, (long long)r->port);
	else
		(void)snprintf(text, sizeof(text), "%s", whose);
	return strdup(text);
}

/* A holder of the keeper before this one: its machine, or nothing. */
static struct host *held(struct keeper *k, const struct host *first, const char *token, struct err *e)
{
	for (struct host *h = k->hosts; h != NULL; h = h->next)
		if (h->first == first && machine_exists(&h->m) && !ends(h) && strcmp(h->token, token) == 0)
			return h;
	(void)err_set(e, ERR_MISSING, "that machine of target '%s' is gone", first->target);
	return NULL;
}

/* The jump host has checked that, by the file that its connection began with; this one is what counts now. */
static bool may_open(struct keeper *k, const struct control_request *r, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const struct config *c = keeper_config(k, &a, e);

	if (c == NULL)
		return false;
	for (size_t i = 0; i < c->clients.n; i++)
		if (strcmp(c->clients.v[i].name, r->client) == 0 && jump_allowed(&c->clients.v[i], r->target, r->port))
			return true;
	(void)err_set(e, ERR_DENIED, "client '%s' may not go to port %lld of target '%s'", r->client,
		      (long long)r->port, r->target);
	return err_hint(e, "'%s' has no such door any more; connect again", k->paths->config), false;
}

void client_wants(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;
	struct host *h = host_of(k, r->target, &e);

	if (h != NULL && k->leaving) {
		(void)err_set(&e, ERR_BUSY, "the keeper is ending");
		(void)err_hint(&e, "try again in a moment");
		h = NULL;
	}
	if (h != NULL && r->op == CONTROL_OPEN && r->client != NULL && !may_open(k, r, &e))
		h = NULL;
	if (h != NULL && r->token != NULL)
		h = held(k, h, r->token, &e);
	else if (h != NULL && host_refuses(h, r->op == CONTROL_LEASE, &e))
		h = NULL;
	else if (h != NULL && r->client != NULL && over_limits(k, r->client, h, &e))
		h = NULL;
	else if (h != NULL && !h->shared)
		h = host_another(k, h);
	if (h == NULL) {
		client_fail(c, &e);
		return;
	}
	free(c->who);
	c->who = who_is(c, r);
	free(c->name);
	c->name = r->client == NULL ? NULL : strdup(r->client);
	if (c->who == NULL || (r->client != NULL && c->name == NULL))
		abort();
	c->host = h;
	c->use = machine_use_of(r->use);
	c->port = r->op == CONTROL_OPEN ? r->port : 0;
	c->state = CLIENT_WAITING;
	if (h->m.state == MACHINE_DRAINING || h->m.state == MACHINE_STOPPING)
		client_progress(c, "it is just going to sleep; it is woken again after that");
	else if (h->note[0] != '\0' && (h->m.state == MACHINE_STARTING || h->m.state == MACHINE_PREPARING))
		client_progress(c, h->note);
	host_event(k, h, MACHINE_WANTED);
}

void client_sleeps(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;
	struct host *first = host_of(k, r->target, &e);
	unsigned users = 0;

	if (first == NULL) {
		client_fail(c, &e);
		return;
	}
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (h->first == first)
			users += h->m.leases + h->m.waiters;
	if (users > 0 && !r->force) {
		(void)err_set(&e, ERR_BUSY, "target '%s' is in use by %u", first->target, users);
		(void)err_hint(&e, "wait for them, or cut them off: dormouse sleep --force %s", first->target);
		client_fail(c, &e);
		return;
	}
	c->host = first;
	c->state = CLIENT_SLEEPING;
	for (struct host *h = k->hosts; h != NULL; h = h->next) {
		if (h->first != first)
			continue;
		h->last.kind = ERR_NONE;
		host_event(k, h, MACHINE_SLEEP);
	}
	clients_gone(k, first);
}

/* --- connections ----------------------------------------------------------------------------------- */

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
	ready(c);
}

void client_timers(struct keeper *k, struct client *c, int64_t now)
{
	struct err e;

	(void)k;
	if (c->state != CLIENT_CONNECTING || c->closing)
		return;
	if (now >= c->dial_until_ms) {
		(void)err_set(&e, ERR_NET, "port %lld of target '%s' does not answer", (long long)c->port,
			      c->host->target);
		(void)err_hint(&e, "the machine is up; is the service?");
		client_fail(c, &e);
	} else if (c->dial < 0 && now >= c->dial_again_ms) {
		dial(c);
	}
}
