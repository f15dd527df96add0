/* The world of cloud_life: clocks, a network on which requests get lost, and the account at its other end. */
#include "cloud_sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "drivers/http_curl.h"
#include "engine/look.h"
#include "engine/move.h"
#include "engine/prepare.h"
#include "sys/clock.h"

/* --- the clocks, and what is not to differ from one time to the next -------------------------------------------- */

/* For one that is dead, all time is over: it comes to its end. */
static int64_t dead_time(void)
{
	static int64_t t = INT64_MAX / 4;
	return t += 1000 * SECOND;
}

int64_t clock_unix_s(void)
{
	return (play.t + sim.wall) / SECOND;
}

int64_t clock_unix_ms(void)
{
	return play.t + sim.wall;
}

int64_t clock_mono_ms(void)
{
	return is_dead() ? dead_time() : play.t + play.mono;
}

void clock_sleep_ms(int64_t ms)
{
	for (int64_t until = play.t + ms; play.t < until && fiber_wait(until);)
		;
}

struct zone clock_zone(int64_t now, struct arena *a)
{
	(void)now;
	(void)a;
	return (struct zone){0};
}

ssize_t getrandom(void *bytes, size_t n, unsigned flags)
{
	(void)flags;
	for (size_t i = 0; i < n; i++)
		((unsigned char *)bytes)[i] = (unsigned char)roll(256);
	return (ssize_t)n;
}

/* Nothing here has to outlive a power cut. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	return fsync(fd);
}

/* --- the account ------------------------------------------------------------------------------------------------ */

/* Takes the question, gives the answer. */
json_t *ask(const char *what, json_t *q)
{
	static char *line;
	static size_t cap;
	struct err e;

	(void)json_object_set_new(q, "do", json_string(what));
	(void)json_object_set_new(q, "at", json_integer(play.t + birth()));
	AUTO(buf) struct buf b = {0};
	json_write(&b, q);
	json_decref(q);
	(void)fprintf(sim.out, "%s\n", buf_text(&b));
	(void)fflush(sim.out);
	ssize_t n = getline(&line, &cap, sim.in);
	if (n <= 0) /* it has said why */
		exit(1);
	json_t *answer = json_parse((struct str){line, (size_t)n}, "the account", &e);
	if (answer == NULL)
		wrong("the account says nothing", e.what);
	return answer;
}

int64_t number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

const char *text(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

/* The fake reads the time that is signed; its clock knows nothing of ours being wrong. */
static json_t *request(const struct http_request *r)
{
	json_t *q = json_object(), *headers = json_object();

	for (size_t i = 0; i < r->headers.n; i++)
		(void)json_object_set_new(headers, r->headers.v[i].name, json_string(r->headers.v[i].value));
	(void)json_object_set_new(q, "headers", headers);
	(void)json_object_set_new(q, "body", json_stringn(r->body.p, r->body.n));
	return q;
}

struct http {
	int unused;
};

struct http *http_new(void)
{
	return calloc(1, sizeof(struct http));
}

void http_free(struct http *h)
{
	free(h);
}

int http_check_url(const char *url, struct err *e)
{
	if (strcmp(url, "https://ec2.us-east-1.amazonaws.com") != 0)
		wrong("another address is asked", url);
	(void)e;
	return 0;
}

static int no_answer(enum err_kind kind, const char *why, struct err *e)
{
	(void)err_set(e, kind, "no answer");
	(void)err_why(e, "%s", why);
	e->retry = is_dead() ? RETRY_NEVER : RETRY_LATER;
	return -1;
}

/* Whoever makes this call is killed in it. */
static bool killed_here(void)
{
	if (sim.kill_in == 0 || --sim.kill_in > 0 || sim.calm)
		return false;
	struct fiber *f = fiber_here();
	uint32_t who = roll(3);

	if (who == 0 && f->parent == NULL)
		sim.keeper_doomed = true;
	else
		sim.doomed = who == 1 && f->parent != NULL ? f->parent : f;
	(void)fiber_wait(INT64_MAX);
	return true;
}

/* The one call that goes wrong on purpose has been executed; true: nobody hears of it. */
static bool struck_here(struct str action)
{
	bool looks = str_starts(action, "Action=Describe");

	if (sim.strike_in == 0 || (looks && sim.strike != HOST_DIES) || --sim.strike_in > 0)
		return false;
	tell("  struck");
	if (sim.strike == ITS_ANSWER)
		return true;
	if (sim.strike == HOST_DIES)
		sim.host_doomed = true;
	else
		sim.doomed = fiber_here();
	(void)fiber_wait(INT64_MAX);
	return true;
}

static const char *refusal(void)
{
	static const char *const codes[] = {"RequestLimitExceeded", "InternalError", "Unavailable", "Throttling"};
	static char body[256];

	(void)snprintf(body, sizeof(body),
		       "<Response><Errors><Error><Code>%s</Code><Message>m</Message></Error></Errors></Response>",
		       codes[roll(4)]);
	return body;
}

void do_late(struct late *l)
{
	json_t *q = l->request;

	*l = (struct late){0};
	json_t *answer = ask("call", q);
	tell("executed late: %s", text(answer, "outcome"));
	json_decref(answer);
}

static void later(json_t *q, int64_t at)
{
	struct late *l = sim.late;

	while (l->at != 0)
		if (++l == sim.late + MANY)
			wrong("too much is late", "");
	*l = (struct late){at, q};
}

int http_send(struct http *h, const struct http_request *r, struct arena *a, struct http_answer *answer, struct err *e)
{
	int64_t until = play.t + r->timeout_ms, back = 5 + roll(100);
	struct str rest = r->body, action = str_cut(&rest, '&');
	bool takes_away =
	    str_starts(action, "Action=Delete"); /* what is made in its place meanwhile has the same name */

	(void)h;
	*answer = (struct http_answer){0};
	if (is_dead())
		return no_answer(ERR_NET, "killed", e);
	if (goes_wrong(SLOW, 15))
		back = roll(40 * SECOND);
	clock_sleep_ms(5 + roll(100));
	if (is_dead() || killed_here())
		return no_answer(ERR_NET, "killed", e);
	if (goes_wrong(CUT, 15)) {
		tell("  %.*s is cut", (int)action.n, action.p);
		return no_answer(ERR_NET, "cut", e);
	}
	if (goes_wrong(LATE, 25) && !takes_away) {
		tell("  %.*s is late", (int)action.n, action.p);
		later(request(r), play.t + roll(60 * SECOND) + 1);
		return no_answer(ERR_NET, "late", e);
	}
	if (goes_wrong(REFUSED, 12)) {
		answer->status = 503;
		answer->body = str_of(arena_strdup(a, refusal()));
		return 0;
	}
	AUTO(json) json_t *got = ask("call", request(r));
	tell("  %.*s: %s", (int)action.n, action.p, text(got, "outcome"));
	if (killed_here())
		return no_answer(ERR_NET, "killed", e);
	if (struck_here(action))
		return no_answer(ERR_NET, "struck", e);
	if (goes_wrong(LOST, 15)) {
		tell("  its answer is lost");
		return no_answer(ERR_NET, "lost", e);
	}
	clock_sleep_ms(back < until - play.t ? back : until - play.t);
	if (is_dead())
		return no_answer(ERR_NET, "killed", e);
	if (play.t >= until)
		return no_answer(ERR_TIMEOUT, "late", e);
	answer->status = number(got, "status");
	answer->date = number(got, "date");
	answer->body = str_of(arena_strdup(a, goes_wrong(GARBLED, 25) ? "<html>504" : text(got, "body")));
	return 0;
}

/* --- inside of a machine ---------------------------------------------------------------------------------------- */

static json_t *in_machine(const struct machine_facts *f, const char *what, json_t *with, struct err *e)
{
	json_t *q = json_object();

	(void)json_object_set_new(q, "address", json_string(f->address == NULL ? "" : f->address));
	(void)json_object_set_new(q, "what", json_string(what));
	(void)json_object_set_new(q, "with", with);
	clock_sleep_ms(SECOND + roll(goes_wrong(SLOW, 3) ? 30 * SECOND : SECOND));
	if (is_dead()) {
		json_decref(q);
		(void)err_set(e, ERR_NET, "killed");
		return NULL;
	}
	json_t *answer = ask("guest", q);
	const char *error = text(answer, "error");
	tell("  in %s: %s: %s", f->address, what, error == NULL ? "ok" : error);
	if (error == NULL)
		return answer;
	(void)err_set(e, ERR_TIMEOUT, "%s", error);
	json_decref(answer);
	return NULL;
}

bool machine_door_for(const struct machine_facts *f, int64_t port, const char **host, int64_t *at)
{
	*host = f->address;
	*at = port;
	return f->address != NULL;
}

int machine_known_hosts(const char *runtime_dir, const char *state_dir, const struct target *t, struct arena *a,
			const char **path, struct err *e)
{
	(void)runtime_dir;
	(void)state_dir;
	(void)t;
	(void)a;
	(void)e;
	*path = NULL;
	return 0;
}

int machine_feed(const struct provider_env *env, const struct target *t, const struct machine_facts *f, int64_t more_ms,
		 struct err *e)
{
	(void)env;
	AUTO(json) json_t *answer = in_machine(f, "feed", json_integer((t->watchdog_ms + more_ms) / SECOND), e);
	return answer == NULL ? -1 : 0;
}

/* One that does not answer yet is asked again. */
int machine_prepare(const struct provider_env *env, const struct target *t, const struct machine_facts *f,
		    struct pool_disks *disks, struct err *e)
{
	while (machine_feed(env, t, f, t->start_timeout_ms, e) < 0)
		if (clock_mono_ms() + SECOND >= env->deadline_ms)
			return -1;
	json_t *list = json_array();
	for (size_t i = 0; i < disks->n; i++) {
		json_t *d = json_object();
		(void)json_object_set_new(d, "id", json_string(disks->v[i].id));
		if (disks->v[i].becomes != NULL)
			(void)json_object_set_new(d, "becomes", json_string(disks->v[i].becomes));
		(void)json_object_set_new(d, "pool", json_string(disks->v[i].pool));
		(void)json_object_set_new(d, "guid",
					  disks->v[i].guid == NULL ? json_null() : json_string(disks->v[i].guid));
		(void)json_array_append_new(list, d);
	}
	AUTO(json) json_t *answer = in_machine(f, "prepare", list, e);
	if (answer == NULL)
		return -1;
	for (size_t i = 0; i < disks->n; i++) {
		disks->v[i].fresh = disks->v[i].guid == NULL;
		disks->v[i].moved = json_is_true(json_array_get(json_object_get(answer, "moved"), i));
		disks->v[i].guid =
		    arena_strdup(env->arena, json_string_value(json_array_get(json_object_get(answer, "guids"), i)));
	}
	return 0;
}

/* A pool's data goes to the one beside it; or only looks whether it could. */
static int copy_there(const char *what, struct err *e)
{
	json_t *q = json_object();

	(void)json_object_set_new(q, "what", json_string(what));
	clock_sleep_ms(3 * SECOND);
	if (is_dead()) {
		json_decref(q);
		return err_set(e, ERR_NET, "killed");
	}
	AUTO(json) json_t *answer = ask("move", q);
	const char *error = text(answer, "error");
	tell("  %s: %s", what, error == NULL ? "ok" : error);
	return error == NULL ? 0 : err_set(e, ERR_NET, "%s", error);
}

int move_fits(struct reach *r, const char *pool, uint64_t disk, struct err *e)
{
	(void)r;
	(void)pool;
	(void)disk;
	return copy_there("fits", e);
}

int move_copy(struct reach *r, const char *pool, void (*say)(const char *text), struct err *e)
{
	(void)r;
	(void)pool;
	(void)say;
	return copy_there("copy", e);
}

/* Is the pool in use there, before what is old goes? */
int look_at(const struct look *looks, size_t n, struct err *e)
{
	(void)n;
	looks->to->seen = looks->to->root_exists = true;
	return reach_wake(looks->where, e) < 0 ? -1 : copy_there("fits", e);
}

int machine_drain(const struct provider_env *env, const struct target *t, const struct machine_facts *f, struct err *e)
{
	(void)env;
	(void)t;
	if (goes_wrong(GUEST, 5))
		return err_set(e, ERR_BUSY, "pool is busy");
	AUTO(json) json_t *answer = in_machine(f, "drain", json_null(), e);
	return answer == NULL ? -1 : 0;
}
