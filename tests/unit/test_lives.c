/* Ten thousand lives of a keeper: its real parts (hosts.c, looks.c, users.c and what they plan with), and around them
 * a world made of nothing but numbers: a provider that is slow, fails, crashes or lies, a journal, clocks that jump,
 * people who come and go, and a keeper that dies and starts again.  A number says all about a life:
 * DORMOUSE_LIFE=N lives only that one. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "people.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/ipc.h"

enum {
	LIVES = 10000,
	SECOND = 1000,
	CALM_MS = 900 * SECOND, /* after so long without faults, all is in order */
	MANY = 64,
};

/* What may go wrong in a life. */
enum { SLOW = 1, FAILS = 2, CRASHES = 4, LIES = 8, DIES = 16, JUMPS = 32, DISK = 64, VANISHES = 128, KINDS = 256 };

struct body { /* a machine that exists, of all that the provider has */
	char *target, *token;
	bool ours; /* a keeper has started it */
};
struct job {
	bool used, changes, ok, crashes;
	const char *op;
	char *target, *token;
	int64_t at, due, late; /* when it does what it does, and answers */
	char *seen;	       /* list: its answer */
};
struct row {
	char *target, *token, *state, *config;
	int64_t started;
};
struct noted {
	char *target, *who, *client, *error;
	int64_t at;
};

static struct {
	uint32_t seed;
	int life;
	unsigned faults;
	int64_t wall; /* what the wall clock shows beyond the time */
	struct body bodies[MANY];
	struct job jobs[MANY];
	struct row rows[MANY];
	struct noted starts[1024];
	size_t nstarts;
	struct config *config;
	bool calm; /* nothing goes wrong any more */
} w;

static uint32_t roll(uint32_t n)
{
	return draw(&w.seed) % n;
}

static bool goes_wrong(unsigned fault, uint32_t one_in)
{
	return !w.calm && (w.faults & fault) && roll(one_in) == 0;
}

void wrong(const char *what, const char *about)
{
	printf("# life %d, after %lld s: %s (%s)\n", w.life, (long long)(play.t / SECOND), what, about);
	for (const struct host *h = play.k.hosts; h != NULL; h = h->next)
		printf("#   %s%s %.6s %s: waiters %u, leases %u%s%s%s\n", h->target, h == h->first ? "" : "+", h->token,
		       machine_state_name(h->m.state), h->m.waiters, h->m.leases, h->m.unsure ? ", unsure" : "",
		       h->blind ? ", blind" : "", h->work.op == NULL ? "" : ", at work");
	for (const struct body *b = w.bodies; b < w.bodies + MANY; b++)
		if (b->target != NULL)
			printf("#   there is: %s %.6s%s\n", b->target, b->token, b->ours ? "" : ", not ours");
	(void)fflush(stdout);
	fail();
}

/* --- the clocks, the journal, the sockets ------------------------------------------------------------------------- */

int64_t clock_unix_s(void)
{
	return (play.t + w.wall) / SECOND;
}

int64_t clock_mono_ms(void)
{
	return play.t + play.mono;
}

/* The rest of sys/clock.c, which must not come in beside these. */
void clock_sleep_ms(int64_t ms)
{
	(void)ms;
	wrong("it sleeps", "");
}

struct zone clock_zone(int64_t now, struct arena *a)
{
	(void)now;
	(void)a;
	return (struct zone){0};
}

static int disk(struct err *e)
{
	return goes_wrong(DISK, 12) ? err_set(e, ERR_SYSTEM, "the disk is full") : 0;
}

static struct row *row_of(const char *target, const char *token)
{
	for (size_t i = 0; i < MANY; i++)
		if (w.rows[i].target != NULL && strcmp(w.rows[i].target, target) == 0 &&
		    strcmp(w.rows[i].token, token) == 0)
			return &w.rows[i];
	return NULL;
}

static void row_free(struct row *r)
{
	free(r->target);
	free(r->token);
	free(r->state);
	free(r->config);
	*r = (struct row){0};
}

int store_machine_put(struct store *s, const struct stored_machine *m, struct err *e)
{
	struct row *r = row_of(m->target, m->token);

	(void)s;
	if (disk(e) < 0)
		return -1;
	if (r != NULL)
		row_free(r);
	for (r = w.rows; r->target != NULL; r++)
		if (r == &w.rows[MANY - 1])
			wrong("the journal grows", m->target);
	*r = (struct row){copy(m->target), copy(m->token), copy(m->state), copy(m->config), m->started};
	return 0;
}

int store_machine_drop(struct store *s, const char *target, const char *token, struct err *e)
{
	struct row *r = row_of(target, token);

	(void)s;
	if (disk(e) < 0)
		return -1;
	if (r != NULL)
		row_free(r);
	return 0;
}

int store_machines(struct store *s, struct arena *a, struct stored_machines *out, struct err *e)
{
	(void)s;
	(void)e;
	for (const struct row *r = w.rows; r < w.rows + MANY; r++)
		if (r->target != NULL)
			*vec_add(out, a) =
			    (struct stored_machine){arena_strdup(a, r->target), arena_strdup(a, r->token),
						    arena_strdup(a, r->state), arena_strdup(a, r->config), r->started};
	return 0;
}

int store_start_begin(struct store *s, const char *target, const char *token, const char *who, const char *client,
		      int64_t now, int64_t *id, struct err *e)
{
	(void)s;
	(void)token;
	if (disk(e) < 0)
		return -1;
	if (w.nstarts == ARRAY_LEN(w.starts))
		wrong("it is started again and again", target);
	w.starts[w.nstarts] = (struct noted){copy(target), copy(who), copy(client), NULL, now};
	*id = (int64_t)++w.nstarts;
	return 0;
}

int store_start_end(struct store *s, int64_t id, const char *error, struct err *e)
{
	struct noted *n = &w.starts[id - 1];

	(void)s;
	if (disk(e) < 0)
		return -1;
	free(n->error);
	n->error = copy(error);
	return 0;
}

int store_start_gone(struct store *s, const char *target, const char *token, int64_t now, struct err *e)
{
	(void)s;
	(void)target;
	(void)token;
	(void)now;
	return disk(e);
}

int store_client_starts(struct store *s, const char *client, int64_t since, int64_t until, int64_t *n, struct err *e)
{
	(void)s;
	(void)e;
	*n = 0;
	for (size_t i = 0; i < w.nstarts; i++)
		*n += strcmp(w.starts[i].client, client) == 0 && w.starts[i].at >= since && w.starts[i].at <= until;
	return 0;
}

int store_starts(struct store *s, const char *target, int64_t since, struct arena *a, struct stored_starts *out,
		 struct err *e)
{
	(void)s;
	(void)e;
	for (const struct noted *n = w.starts; n < w.starts + w.nstarts; n++)
		if (n->at >= since && (target == NULL || strcmp(n->target, target) == 0))
			*vec_add(out, a) = (struct stored_start){n->target, n->at, n->who, n->error, 0};
	return 0;
}

int ipc_dial(const char *host, int64_t port, int *fd, struct err *e)
{
	(void)host;
	(void)port;
	*fd = goes_wrong(FAILS, 2) ? -1 : socket(AF_UNIX, SOCK_STREAM, 0);
	return *fd < 0 ? err_set(e, ERR_NET, "nothing answers") : 0;
}

/* --- the provider ------------------------------------------------------------------------------------------------- */

static struct body *body_of(const char *target, const char *token)
{
	for (struct body *b = w.bodies; b < w.bodies + MANY; b++)
		if (b->target != NULL && strcmp(b->target, target) == 0 && strcmp(b->token, token) == 0)
			return b;
	return NULL;
}

static void appear(const char *target, const char *token, bool ours)
{
	struct body *b = body_of(target, token);

	if (b != NULL)
		return;
	for (b = w.bodies; b->target != NULL; b++)
		if (b == &w.bodies[MANY - 1])
			wrong("too many machines", target);
	*b = (struct body){copy(target), copy(token), ours};
}

static void vanish(struct body *b)
{
	free(b->target);
	free(b->token);
	*b = (struct body){0};
}

static char *listing(const char *target)
{
	AUTO(buf) struct buf b = {0};
	const char *comma = "";

	buf_puts(&b, "{\"ok\":true,\"machines\":[");
	for (const struct body *m = w.bodies; m < w.bodies + MANY; m++) {
		if (m->target == NULL || strcmp(m->target, target) != 0 || goes_wrong(LIES, 6))
			continue;
		buf_printf(&b, "%s{\"power\":\"running\",\"token\":\"%s\"}", comma, m->token);
		comma = ",";
	}
	if (goes_wrong(LIES, 40)) /* one that has been gone for a while, or never was */
		buf_printf(&b, "%s{\"power\":\"running\",\"token\":\"ghost%u\"}", comma, roll(3));
	buf_puts(&b, "]}");
	return copy(buf_text(&b));
}

static void effect(struct job *j)
{
	struct body *b = body_of(j->target, j->token);

	j->changes = false;
	if (strcmp(j->op, "start") == 0)
		appear(j->target, j->token, true);
	else if (strcmp(j->op, "stop") == 0 && b != NULL)
		vanish(b);
	else if (strcmp(j->op, "list") == 0)
		j->seen = listing(j->target);
}

static void job_free(struct job *j)
{
	free(j->target);
	free(j->token);
	free(j->seen);
	*j = (struct job){0};
}

static bool shared(const char *target)
{
	return strcmp(target, "own") != 0;
}

/* A keeper that starts a second machine of a shared target has not looked, or not remembered. */
static void may_start(const struct worker_order *o)
{
	const struct row *r = row_of(o->target, o->token);

	if (r == NULL || strcmp(r->state, "starting") != 0)
		wrong("started, and not in the journal", o->target);
	if (!shared(o->target))
		return;
	for (const struct host *h = play.k.hosts; h != NULL; h = h->next)
		if (h != h->first && h->first->work.op == NULL && strcmp(h->target, o->target) == 0 &&
		    machine_exists(&h->m))
			wrong("a second one is started while one is known to run", o->target);
	for (const struct body *b = w.bodies; b < w.bodies + MANY; b++)
		if (!(w.faults & LIES) && b->target != NULL && strcmp(b->target, o->target) == 0)
			wrong("a second one is started", o->target);
}

int task_begin(struct task *t, const char *self, const struct worker_order *o, struct err *e)
{
	struct job *j = w.jobs;
	bool start = strcmp(o->op, "start") == 0, list = strcmp(o->op, "list") == 0;

	(void)self;
	if (t->op != NULL)
		wrong("two things at once", o->op);
	if (start)
		may_start(o);
	if (goes_wrong(FAILS, 30))
		return err_set(e, ERR_SYSTEM, "no process can be made");
	while (j->used)
		if (++j == w.jobs + MANY)
			wrong("too much at once", o->op);
	int64_t lasts = 100 + roll(3 * SECOND);
	if (goes_wrong(SLOW, 4))
		lasts = roll(2) == 0 ? 90000 * SECOND : 10 + roll(60 * SECOND);
	*j = (struct job){.used = true, .op = o->op, .target = copy(o->target), .token = copy(o->token)};
	j->due = play.t + lasts;
	j->at = play.t + roll((uint32_t)lasts + 1);
	j->crashes = goes_wrong(CRASHES, 10);
	j->ok = !j->crashes && !goes_wrong(FAILS, 5);
	j->changes = j->ok || list || roll(2) == 0;
	if (start && goes_wrong(LIES, 5)) { /* comes up when nobody expects it any more */
		j->changes = false;
		j->late = play.t + roll(90 * SECOND) + 1;
	}
	if (strcmp(o->op, "stop") == 0 && goes_wrong(LIES, 6))
		j->changes = false;
	t->op = o->op;
	t->proc.pid = (pid_t)(j - w.jobs) + 1;
	return 0;
}

static void over(struct task *t)
{
	struct job *j = &w.jobs[t->proc.pid - 1];

	t->op = NULL;
	t->proc.pid = 0;
	if (j->late != 0)
		j->used = true, j->due = INT64_MAX; /* its machine is still to come */
	else
		job_free(j);
}

void task_end(struct task *t)
{
	if (t->op != NULL)
		over(t);
}

void task_release(struct task *t)
{
	task_end(t);
}

enum task_said task_hear(struct task *t, struct arena *a, const char **text, json_t **answer, struct err *e)
{
	struct job *j = &w.jobs[t->proc.pid - 1];
	const char *facts = "{\"ok\":true,\"power\":\"running\",\"address\":\"there\"}";
	bool needs = strcmp(j->op, "prepare") == 0;

	(void)a;
	*text = "it goes on";
	*answer = NULL;
	if (j->due > play.t)
		return roll(20) == 0 && play.t == j->at ? TASK_PROGRESS : TASK_GOES_ON;
	if (!j->ok || (needs && body_of(j->target, j->token) == NULL))
		(void)err_set(e, ERR_SYSTEM, "%s", j->crashes ? "the worker died" : "it does not work");
	else
		*answer = json_parse(str_of(j->seen == NULL ? facts : j->seen), "a test", e);
	over(t);
	return TASK_ANSWERED;
}

/* --- people, and the keeper --------------------------------------------------------------------------------------- */

static void asks(enum control_op op, const char *target, const char *token, int64_t leave)
{
	struct control_request r = {.op = op, .target = target, .token = token, .port = 22, .text = "a test"};

	if (op == CONTROL_SLEEP)
		r.force = roll(2) == 0;
	else if (op != CONTROL_REAP)
		r.client = roll(3) == 0 ? "eve" : NULL;
	(void)person_asks(&r, play.t + leave, NULL);
}

static const struct config *load(const char *path, struct arena *a, struct err *e)
{
	(void)path;
	(void)a;
	(void)e;
	return w.config;
}

static void keeper_starts(void)
{
	static const struct paths paths = {.self = "x", .config = "x", .runtime_dir = "x"};
	struct err e;

	play.k = (struct keeper){
	    .paths = &paths, .load = load, .listener = -1, .grace_ms = 10000, .doubt_ms = 120000, .look_ms = 300000};
	play.alive = true;
	assert_int_equal(hosts_adopt(&play.k, &e), 0);
}

static void check(void)
{
	for (struct client *c = play.k.clients; c != NULL; c = c->next) {
		const struct person *p = person_of(c);
		if (p->since != 0 && c->state != CLIENT_REAPING && play.t - p->since > CALM_MS)
			wrong("somebody waits, and gets no answer", p->target);
		for (struct client *d = c->next; d != NULL && c->state == CLIENT_LEASED; d = d->next) {
			const struct person *q = person_of(d);
			if (d->state != CLIENT_LEASED || strcmp(p->target, q->target) != 0 || p->holder || q->holder)
				continue;
			if (shared(p->target) != (strcmp(p->token, q->token) == 0))
				wrong("two people, and not the right machines", p->target);
		}
	}
	for (const struct body *b = w.bodies; b < w.bodies + MANY; b++)
		if (!(w.faults & LIES) && b->target != NULL && b->ours && row_of(b->target, b->token) == NULL)
			wrong("a machine that the journal does not know", b->target);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return b > play.t && b < a ? b : a;
}

/* When the next thing happens. */
static int64_t next_time(int64_t until)
{
	int64_t at = until;

	for (const struct job *j = w.jobs; j < w.jobs + MANY; j++) {
		if (!j->used)
			continue;
		at = sooner(at, j->late);
		at = sooner(at, j->at);
		at = sooner(at, j->due);
	}
	return play.alive ? play_next(at) : at;
}

static void live_until(int64_t until)
{
	int turns = 0;

	while (play.t < until) {
		int64_t at = next_time(until);
		turns = at == play.t ? turns + 1 : 0;
		if (turns > 100)
			wrong("the keeper turns and turns", "time stands still");
		play.t = at;
		for (struct job *j = w.jobs; j < w.jobs + MANY; j++) {
			if (j->used && j->late != 0 && j->late <= play.t) {
				appear(j->target, j->token, true);
				j->late = 0;
				if (j->due == INT64_MAX)
					job_free(j);
			}
			if (j->used && j->changes && j->at <= play.t)
				effect(j);
		}
		if (play.alive)
			play_serve();
		check();
	}
}

/* --- a life ------------------------------------------------------------------------------------------------------- */

static const char *any_target(void)
{
	return (const char *[]){"arch", "arch", "other", "own"}[roll(4)];
}

static void jump(void)
{
	int64_t far = roll(7200) * SECOND;

	if (roll(2) == 0) {
		w.wall += roll(2) == 0 ? far : -far;
		return;
	}
	play.t += far; /* suspended: everything is late */
	for (struct client *c = play.k.clients; c != NULL; c = c->next)
		if (person_of(c)->since != 0)
			person_of(c)->since += far;
}

static void dies_and_returns(void)
{
	char *held[MANY], *target[MANY];
	size_t n = 0;

	for (struct client *c = play.k.clients; c != NULL && n < MANY; c = c->next) {
		if (c->state != CLIENT_LEASED || roll(2) == 0)
			continue;
		target[n] = copy(person_of(c)->target);
		held[n++] = copy(person_of(c)->token);
	}
	play_dies();
	live_until(play.t + (roll(2) == 0 ? 0 : roll(120 * SECOND)));
	if (roll(4) == 0)
		play.mono = 1 - play.t; /* the host starts anew */
	keeper_starts();
	live_until(play.t + roll(5 * SECOND));
	while (n-- > 0) {
		asks(CONTROL_LEASE, target[n], held[n], roll(300 * SECOND));
		free(target[n]);
		free(held[n]);
	}
}

static void something_happens(void)
{
	uint32_t what = roll(100);

	if (what < 60)
		asks(roll(2) == 0 ? CONTROL_LEASE : CONTROL_OPEN, any_target(), NULL, roll(120 * SECOND));
	else if (what < 66)
		asks(CONTROL_SLEEP, any_target(), NULL, CALM_MS);
	else if (what < 72)
		asks(CONTROL_REAP, "", NULL, CALM_MS);
	else if (what < 82 && (w.faults & DIES))
		dies_and_returns();
	else if (what < 88 && (w.faults & JUMPS))
		jump();
	else if (what < 94 && (w.faults & VANISHES) && w.bodies[what % 4].target != NULL)
		vanish(&w.bodies[what % 4]);
	else if (what < 96 && (w.faults & LIES))
		appear(any_target(), roll(2) == 0 ? "" : "nobody's", false);
}

/* Nothing runs but what somebody has, everybody has what was said, and nobody waits. */
static void in_order(void)
{
	for (const struct body *b = w.bodies; b < w.bodies + MANY; b++) {
		bool used = b->target == NULL;
		/* One without a token may be anybody's. */
		for (struct client *c = play.k.clients; c != NULL && !used; c = c->next)
			used = c->state == CLIENT_LEASED && strcmp(c->host->target, b->target) == 0 &&
			       (b->token[0] == '\0' || strcmp(c->host->token, b->token) == 0);
		if (!used)
			wrong("a machine is forgotten", b->target);
	}
	for (struct client *c = play.k.clients; c != NULL; c = c->next) {
		if (person_of(c)->since != 0)
			wrong("nobody answers", person_of(c)->target);
		if (c->state == CLIENT_LEASED && body_of(person_of(c)->target, c->host->token) == NULL &&
		    body_of(person_of(c)->target, "") == NULL)
			wrong("somebody has a machine that is gone", person_of(c)->target);
	}
}

static void live(int life)
{
	AUTO(arena) struct arena a = {0};
	struct diags d = {0};
	struct config c;
	char text[600];
	static const char *const lifetimes[] = {"0s", "0s", "5m"}, *const lingers[] = {"0s", "30s", "60s"};

	w.life = life;
	w.seed = (uint32_t)life * 2654435761u + 1;
	w.faults = roll(KINDS);
	play.t = 1;
	w.calm = false;
	play.mono = 1000;
	w.wall = 1800000000ll * SECOND;
	(void)snprintf(
	    text, sizeof(text),
	    "target \"arch\" \"exec\" {\n  command = [\"x\"]\n  linger = \"%s\"\n  start_timeout = \"60s\"\n"
	    "  max_lifetime = \"%s\"\n}\ntarget \"other\" \"exec\" {\n  command = [\"x\"]\n  linger = \"10s\"\n"
	    "  starts_per_hour = %u\n}\ntarget \"own\" \"exec\" {\n  command = [\"x\"]\n  shared = false\n}\n"
	    "limits {\n  machines = %u\n}\n",
	    lingers[roll(3)], lifetimes[roll(3)], 1 + roll(6), roll(3));
	assert_true(conf_load(str_of(text), "x", false, provider_kinds(), PROVIDERS, NULL, &a, &c, &d));
	w.config = &c;
	keeper_starts();
	for (uint32_t n = 10 + roll(40); n > 0; n--) {
		live_until(play.t + roll(roll(4) == 0 ? 120 * SECOND : 5 * SECOND));
		something_happens();
	}
	w.calm = true;
	people_stay(INT64_MAX);
	live_until(play.t + CALM_MS);
	in_order();
	people_stay(play.t + 1);
	live_until(play.t + CALM_MS);
	in_order();
	for (const struct host *h = play.k.hosts; h != NULL; h = h->next)
		if (host_matters(h))
			wrong("it is not over", h->target);
	for (struct row *r = w.rows; r < w.rows + MANY; r++)
		if (r->target != NULL && !(w.faults & DISK))
			wrong("the journal is not empty", r->state);
		else
			row_free(r);
	play_dies();
	for (struct job *j = w.jobs; j < w.jobs + MANY; j++)
		if (j->used)
			wrong("a worker is forgotten", j->op);
	for (size_t i = 0; i < w.nstarts; i++) {
		free(w.starts[i].target);
		free(w.starts[i].who);
		free(w.starts[i].client);
		free(w.starts[i].error);
	}
	w.nstarts = 0;
}

static void lives(void **state)
{
	const char *one = getenv("DORMOUSE_LIFE");

	(void)state;
	if (one == NULL) /* what the keeper writes for people */
		assert_non_null(freopen("/dev/null", "w", stderr));
	long first = one == NULL ? 0 : strtol(one, NULL, 10), n = one == NULL ? LIVES : 1;
	for (long i = first; i < first + n; i++)
		live((int)i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
