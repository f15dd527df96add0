/* What is asked about machines: which are on, who started them, and what runs that should not. */
#include "daemon/keeper.h"
#include "sys/clock.h"

static json_t *users_json(struct keeper *k, const struct host *h)
{
	json_t *list = json_array();

	for (const struct client *c = k->clients; c != NULL; c = c->next)
		if (c->host == h && (c->state == CLIENT_LEASED || c->state == CLIENT_CONNECTING))
			(void)json_array_append_new(list, json_any(c->who));
	return list;
}

static json_t *machine_json(struct keeper *k, const struct host *h)
{
	struct err e;
	json_t *j = json_object();
	int64_t next = machine_next(&h->m);

	(void)json_object_set_new(j, "target", json_any(h->target));
	(void)json_object_set_new(j, "state", json_string(machine_state_name(h->m.state)));
	(void)json_object_set_new(j, "since", json_integer(h->since_s));
	(void)json_object_set_new(j, "users", users_json(k, h));
	(void)json_object_set_new(j, "leases", json_integer(h->m.leases));
	(void)json_object_set_new(j, "waiters", json_integer(h->m.waiters));
	(void)json_object_set_new(j, "note", json_any(h->work.op == NULL ? "" : h->note));
	if (next != INT64_MAX && h->work.op == NULL)
		(void)json_object_set_new(j, "until", json_integer(clock_unix_s() + (next - clock_mono_ms()) / 1000));
	if (h->last.kind != ERR_NONE)
		(void)json_object_set_new(j, "error", json_of_err(&h->last));
	json_t *facts = h->facts == NULL ? NULL : json_parse(str_of(h->facts), "facts", &e);
	if (facts != NULL)
		(void)json_object_set_new(j, "facts", facts);
	return j;
}

static bool any_left(struct keeper *k, const struct host *first)
{
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (h->first == first && machine_exists(&h->m))
			return true;
	return false;
}

void client_machines(struct keeper *k, struct client *c)
{
	json_t *list = json_array();

	for (struct host *h = k->hosts; h != NULL; h = h->next)
		if (machine_exists(&h->m) || (h == h->first && !any_left(k, h)))
			(void)json_array_append_new(list, machine_json(k, h));
	client_answer(c, list);
}

void client_starts(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	struct stored_starts starts = {0};
	struct err e;

	if (store_starts(k->store, r->target, 0, &a, &starts, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < starts.n; i++) {
		const struct stored_start *s = &starts.v[i];
		json_t *j = json_object();
		(void)json_object_set_new(j, "target", json_any(s->target));
		(void)json_object_set_new(j, "at", json_integer(s->at));
		(void)json_object_set_new(j, "who", json_any(s->who));
		if (s->error != NULL)
			(void)json_object_set_new(j, "error", json_any(s->error));
		if (s->ended != 0)
			(void)json_object_set_new(j, "ended", json_integer(s->ended));
		(void)json_array_append_new(list, j);
	}
	client_answer(c, list);
}

/* --- reap ------------------------------------------------------------------------------------------ */

void client_reaps(struct keeper *k, struct client *c)
{
	c->state = CLIENT_REAPING;
	for (struct host *h = k->hosts; h != NULL; h = h->next) {
		if (h->first != h)
			continue;
		h->asked = true;
		look_now(k, h);
	}
	clients_looked(k);
}

/* Nothing is under way that a reaper waits for: a look, holders that may come back, or the end of what nobody uses. */
static bool settled(const struct keeper *k)
{
	for (const struct host *h = k->hosts; h != NULL; h = h->next) {
		bool left_over = h != h->first && machine_exists(&h->m) && h->m.leases + h->m.waiters == 0;
		if (h->asked || h->m.adopted || (left_over && h->m.state != MACHINE_FAILED))
			return false;
	}
	return true;
}

static void finding(json_t *list, const struct host *h, const char *what, bool may_run)
{
	json_t *j = json_object();

	(void)json_object_set_new(j, "target", json_any(h->target));
	(void)json_object_set_new(j, "what", json_any(what));
	(void)json_object_set_new(j, "may_run", json_boolean(may_run));
	(void)json_array_append_new(list, j);
}

static json_t *findings(struct keeper *k)
{
	json_t *list = json_array();
	char line[sizeof(k->hosts->last.what) + sizeof(k->hosts->last.why) + 40];

	for (struct host *h = k->hosts; h != NULL; h = h->next) {
		if (h->unexpected != NULL)
			finding(list, h, h->unexpected, h->blind);
		h->unexpected = NULL;
		if (h->m.state != MACHINE_FAILED)
			continue;
		(void)snprintf(line, sizeof(line), "it does not end: ");
		err_line(&h->last, line + strlen(line), sizeof(line) - strlen(line));
		finding(list, h, line, true);
	}
	return list;
}

void clients_looked(struct keeper *k)
{
	if (!settled(k))
		return;
	for (struct client *c = k->clients; c != NULL; c = c->next) {
		if (c->state != CLIENT_REAPING)
			continue;
		c->state = CLIENT_IDLE;
		client_answer(c, findings(k));
	}
}
