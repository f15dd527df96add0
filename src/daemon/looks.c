/* Looks at what exists, says the provider: at the start, every few minutes, and often while something is in doubt. */
#include "conf/conf.h"
#include "daemon/keeper.h"
#include "plan/reconcile_plan.h"
#include "provider/registry.h"
#include "sys/clock.h"

enum { TAKES_MS = 60000, SOON_MS = 15000 };

static void begin(struct keeper *k, struct host *first)
{
	struct worker_order o = {.op = "list",
				 .target = first->target,
				 .token = "",
				 .config = first->config,
				 .runtime_dir = k->paths->runtime_dir,
				 .timeout_ms = TAKES_MS / 2};
	struct err e;

	first->look_at = 0;
	first->stale = false;
	first->look_until = clock_mono_ms() + TAKES_MS;
	if (task_begin(&first->look, k->paths->self, &o, &e) == 0)
		return;
	(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
	first->look_at = clock_mono_ms() + SOON_MS;
	first->look_until = 0;
}

void look_now(struct keeper *k, struct host *first)
{
	if (first->look.op == NULL)
		begin(k, first);
	else
		first->look_at = clock_mono_ms();
}

void look_soon(struct keeper *k, struct host *first)
{
	int64_t soon = clock_mono_ms() + SOON_MS;

	if (first->look_at > soon && SOON_MS < k->look_ms)
		first->look_at = soon;
}

/* All machines of the target, the first one first. */
static void known_ones(struct keeper *k, struct host *first, struct arena *a, struct known_machines *known)
{
	for (int others = 0; others < 2; others++)
		for (struct host *h = k->hosts; h != NULL; h = h->next)
			if (h->first == first && (h != first) == others)
				*vec_add(known, a) =
				    (struct known_machine){h->token, &h->m, h->missed, !first->looked, h};
}

static void apply(struct keeper *k, struct host *first, struct host *h, const struct sighting *s)
{
	if (h == NULL) {
		h = host_another(k, first);
		(void)fprintf(stderr, "<4>dormouse: a machine of target '%s' runs that should not: it is ended\n",
			      first->target);
		first->unexpected = "a machine ran that should not; it was ended";
	}
	if (s->event == MACHINE_FOUND || s->event == MACHINE_STRAY) {
		host_set_token(h, s->token);
		h->started_s = clock_unix_s();
	}
	if (s->event == MACHINE_FOUND)
		first->unexpected = "a machine ran that nobody knew of; it was ended unless somebody used it";
	if (s->event == MACHINE_LOST) {
		(void)err_set(&h->last, ERR_NET, "the machine of target '%s' is gone", h->target);
		(void)err_hint(&h->last, "somebody else ended it, or it ended itself; the next use starts it again");
		first->unexpected = "its machine was gone, and nobody here had ended it";
	}
	host_event(k, h, s->event);
}

static bool others(const struct keeper *k, const struct host *first)
{
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (h->first == first && h != first && machine_exists(&h->m))
			return true;
	return false;
}

static bool in_doubt(struct keeper *k, const struct host *first)
{
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (h->first == first &&
		    (h->m.unsure || h->missed || h->m.doubt_until != 0 || (h != first && h->shared)))
			return true;
	return false;
}

static void over(struct keeper *k, struct host *first)
{
	int64_t next = clock_mono_ms() + (in_doubt(k, first) && SOON_MS < k->look_ms ? SOON_MS : k->look_ms);

	first->looked = true;
	/* Who asked while this look was under way waits for the next: only that saw what was there then. */
	first->asked = first->asked && first->look_at != 0;
	first->look_until = 0;
	if (first->look_at == 0 || first->look_at > next)
		first->look_at = next;
	clients_looked(k);
}

static void seen(struct keeper *k, struct host *first, const json_t *machines)
{
	AUTO(arena) struct arena a = {0};
	struct known_machines known = {0};
	struct sightings found = {0};
	struct strings listed = {0};
	const json_t *one;
	size_t i;

	json_array_foreach(machines, i, one)
	{
		const char *token = json_text(one, "token", &a);
		*vec_add(&listed, &a) = token == NULL ? "" : token;
	}
	first->blind = false;
	if (first->stale) {
		begin(k, first);
		return;
	}
	known_ones(k, first, &a, &known);
	reconcile_plan(&known, first->shared, &listed, &a, &found);
	for (i = 0; i < known.n; i++) {
		struct host *h = known.v[i].whose;
		h->missed = reconcile_missing(&known.v[i], &listed);
	}
	for (i = 0; i < found.n; i++) {
		const struct sighting *s = &found.v[i];
		apply(k, first, s->known < known.n ? known.v[s->known].whose : NULL, s);
	}
	over(k, first);
}

/* It cannot be seen; that stops nobody, because a start of ours is remembered anyway: only what is known to run does.
 */
static void blind(struct keeper *k, struct host *first, const struct err *e)
{
	if (e->kind == ERR_DENIED && host_renew(k, first)) {
		begin(k, first);
		return;
	}
	(void)fprintf(stderr, "<4>dormouse: cannot see whether target '%s' runs: %s%s%s\n", first->target, e->what,
		      e->why[0] == '\0' ? "" : ": ", e->why);
	first->blind = true;
	first->unexpected = "its provider does not tell whether a machine runs";
	if (!others(k, first))
		host_event(k, first, MACHINE_NOT_FOUND);
	over(k, first);
}

void look_ready(struct keeper *k, struct host *first)
{
	AUTO(arena) struct arena a = {0};
	const char *text;
	json_t *answer;
	struct err e;

	for (;;) {
		switch (task_hear(&first->look, &a, &text, &answer, &e)) {
		case TASK_GOES_ON:
			return;
		case TASK_PROGRESS:
		case TASK_SETTLED:
			break;
		case TASK_ANSWERED:
			if (answer == NULL)
				blind(k, first, &e);
			else
				seen(k, first, json_object_get(answer, "machines"));
			json_decref(answer);
			return;
		}
	}
}

void look_timers(struct keeper *k, struct host *first, int64_t now)
{
	struct err e;

	if (first->look.op != NULL && now >= first->look_until) {
		task_end(&first->look);
		(void)err_set(&e, ERR_TIMEOUT, "its provider does not answer");
		blind(k, first, &e);
	} else if (first->look.op == NULL && first->look_at != 0 && now >= first->look_at) {
		begin(k, first);
	}
}

/* On its way off when the keeper died: nobody has it, and its disks may be going already. */
static bool was_ending(const char *state)
{
	static const enum machine_state ending[] = {MACHINE_DRAINING, MACHINE_STOPPING, MACHINE_FAILED};

	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		if (strcmp(state, machine_state_name(ending[i])) == 0)
			return true;
	return false;
}

/* What the journal knows of exists until the provider has ended it, whatever a look may say. */
static void take_up(struct keeper *k, const struct stored_machine *m)
{
	AUTO(arena) struct arena a = {0};
	struct diags d = {0};
	struct config c;

	if (!conf_load(str_of(m->config), "", false, provider_kinds(), PROVIDERS, NULL, &a, &c, &d) ||
	    c.targets.n != 1) {
		(void)fprintf(stderr, "<3>dormouse: what is remembered of target '%s' cannot be read\n", m->target);
		return;
	}
	struct host *first = host_first(k, &c.targets.v[0]), *h = first;
	bool off = strcmp(m->state, machine_state_name(MACHINE_ABSENT)) == 0;
	if (off || !first->shared || machine_exists(&first->m))
		h = host_another(k, first);
	host_set_token(h, m->token);
	h->started_s = m->started;
	if (off) {
		machine_doubt(&h->m, &h->rules, clock_mono_ms());
		return;
	}
	machine_remember(&h->m, &h->rules, (clock_unix_s() - m->started) * 1000, clock_mono_ms());
	first->unexpected = "a machine was left on by a keeper that died; it was ended unless somebody used it";
	bool stray = h->shared && h != first;
	host_event(k, h, stray || was_ending(m->state) ? MACHINE_STRAY : MACHINE_FOUND);
	if (stray)
		host_event(k, first, MACHINE_UNSURE);
}

int hosts_adopt(struct keeper *k, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct stored_machines stored = {0};
	struct err problem;

	if (store_machines(k->store, &a, &stored, e) < 0)
		return -1;
	for (size_t i = 0; i < stored.n; i++)
		take_up(k, &stored.v[i]);
	const struct config *c = keeper_config(k, &a, &problem);
	for (size_t i = 0; c != NULL && i < c->targets.n; i++)
		(void)host_first(k, &c->targets.v[i]);
	return 0;
}
