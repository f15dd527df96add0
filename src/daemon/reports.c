/* The spool: what is to be told to the file's sinks, and the process that tells it. */
#include <signal.h>
#include <stdlib.h>

#include "daemon/keeper.h"
#include "drivers/store_reports.h"
#include "plan/report_plan.h"
#include "sys/clock.h"
#include "wire/report_json.h"

enum { TELLER_MS = 180000, LEAVING_MS = 15000, HOLD_MS = 30000, RUNNING_MS = 250, DUE_MAX = 100 };

void reports_look(struct keeper *k)
{
	struct err e;

	if (store_reports_next(k->store, clock_unix_ms(), &k->reports.next_ms, &e) == 0)
		return;
	(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
	k->reports.next_ms = INT64_MAX;
}

int reports_add(struct keeper *k, const json_t *sinks, const struct report *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	AUTO(json) json_t *j = report_json(r);
	const json_t *name;
	size_t i;

	json_write(&b, j);
	json_array_foreach(sinks, i, name)
	{
		int64_t dropped;
		const char *sink = json_string_value(name);
		if (sink == NULL)
			return err_set(e, ERR_USAGE, "who is to be told must be a list of names");
		if (store_report_add(k->store, sink, r->at_ms, buf_text(&b), clock_unix_ms(), &dropped, e) < 0)
			return -1;
		if (dropped > 0)
			(void)fprintf(stderr,
				      "<3>dormouse: %lld reports could not be told to '%s' for too long, and are given "
				      "up: dormouse history --sinks says why\n",
				      (long long)dropped, sink);
	}
	return 0;
}

static int tell(struct keeper *k, const char *text, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = json_parse(str_of(text), "what is to be told", e);
	struct report r;

	if (j == NULL || report_read(json_object_get(j, "report"), &a, &r, e) < 0 || store_begin(k->store, e) < 0)
		return -1;
	int rc = reports_add(k, json_object_get(j, "sinks"), &r, e);
	return store_end(k->store, rc, e);
}

static void client_tell(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (tell(k, r->json, &e) < 0)
		client_fail(c, &e);
	else
		client_answer(c, json_object());
	reports_look(k);
}

static void client_sinks(struct keeper *k, struct client *c)
{
	AUTO(arena) struct arena a = {0};
	struct stored_sinks all = {0};
	struct err e;

	if (store_sinks(k->store, &a, &all, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < all.n; i++) {
		const struct stored_sink *s = &all.v[i];
		json_t *j = json_object();
		const struct {
			const char *name;
			int64_t value;
		} numbers[] = {{"waiting", s->waiting}, {"oldest_ms", s->oldest}, {"ok_ms", s->ok},
			       {"error_ms", s->failed}, {"refused", s->refused},  {"dropped", s->dropped},
			       {"tries", s->tries},	{"again_ms", s->again},	  {"memo", s->memo}};
		(void)json_object_set_new(j, "sink", json_any(s->name));
		(void)json_object_set_new(j, "error", json_any(s->error));
		for (size_t n = 0; n < ARRAY_LEN(numbers); n++)
			(void)json_object_set_new(j, numbers[n].name, json_integer(numbers[n].value));
		(void)json_array_append_new(list, j);
	}
	client_answer(c, list);
}

static void client_due(struct keeper *k, struct client *c, const struct control_request *r)
{
	AUTO(arena) struct arena a = {0};
	struct stored_reports due = {0};
	int64_t limit = r->number < 1 ? 1 : r->number > DUE_MAX ? DUE_MAX : r->number;
	struct err e;

	if (store_reports_due(k->store, clock_unix_ms(), limit, &a, &due, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < due.n; i++) {
		const struct stored_report *s = &due.v[i];
		json_t *j = json_object(), *report = json_parse(str_of(s->json), "a report", &e);
		(void)json_object_set_new(j, "id", json_integer(s->id));
		(void)json_object_set_new(j, "sink", json_any(s->sink));
		(void)json_object_set_new(j, "tries", json_integer(s->tries));
		(void)json_object_set_new(j, "lost", json_integer(s->lost));
		(void)json_object_set_new(j, "left", json_any(s->rest));
		(void)json_object_set_new(j, "report", report == NULL ? json_null() : report);
		(void)json_array_append_new(list, j);
	}
	client_answer(c, list);
}

/* For tests, which cannot wait for minutes: how much faster time goes by. */
static int64_t wait_ms(int64_t tries, int64_t asked, int64_t id, int64_t now)
{
	const char *faster = getenv("DORMOUSE_REPORT_HASTE");
	int64_t by = faster == NULL ? 1 : strtoll(faster, NULL, 10);

	return report_wait_ms(tries, asked, (uint64_t)(now * 31 + id)) / (by < 1 ? 1 : by);
}

static int told(struct keeper *k, const char *text, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = json_parse(str_of(text), "what became of a report", e);
	int64_t now = clock_unix_ms(), id = json_integer_value(json_object_get(j, "id")), tries;
	const char *said = json_text(j, "said", &a), *error = json_text(j, "error", &a),
		   *left = json_text(j, "left", &a);

	if (j == NULL)
		return -1;
	if (said == NULL || error == NULL || left == NULL)
		return err_set(e, ERR_USAGE, "what became of a report lacks something");
	if (strcmp(said, "taken") == 0)
		return store_report_taken(k->store, id, now, json_integer_value(json_object_get(j, "memo")), error, e);
	if (strcmp(said, "passed") == 0)
		return store_report_pass(k->store, id, e);
	if (strcmp(said, "refused") == 0)
		return store_report_refused(k->store, id, now, error, e);
	if (store_report_tries(k->store, id, &tries, e) < 0)
		return -1;
	int64_t asked = json_integer_value(json_object_get(j, "wait_ms"));
	return store_report_later(k->store, id, now, now + wait_ms(tries + 1, asked, id, now), left, error, e);
}

static void client_told(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;
	int rc = store_begin(k->store, &e);

	if (rc == 0)
		rc = store_end(k->store, told(k, r->json, &e), &e);
	if (rc < 0)
		client_fail(c, &e);
	else
		client_answer(c, json_object());
	k->reports.told++;
	reports_look(k);
}

void client_report(struct keeper *k, struct client *c, const struct control_request *r)
{
	if (r->op == CONTROL_TELL)
		client_tell(k, c, r);
	else if (r->op == CONTROL_SINKS)
		client_sinks(k, c);
	else if (r->op == CONTROL_DUE)
		client_due(k, c, r);
	else
		client_told(k, c, r);
}

/* --- the process ----------------------------------------------------------------------------------- */

static bool due(const struct keeper *k)
{
	return k->reports.next_ms <= clock_unix_ms() && k->reports.hold_ms <= clock_mono_ms();
}

static void begin(struct keeper *k)
{
	const char *const argv[] = {k->paths->self, "deliver", "-c", k->config_path, NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL, .out = PROC_NULL, .err = PROC_INHERIT, .tied = true};
	struct err e;

	k->reports.told = 0;
	k->reports.until_ms = clock_mono_ms() + TELLER_MS;
	if (proc_spawn(&spec, &k->reports.proc, &e) == 0)
		return;
	(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
	k->reports.proc = (struct proc){0};
	k->reports.hold_ms = clock_mono_ms() + HOLD_MS;
}

void reports_tick(struct keeper *k)
{
	int64_t now = clock_mono_ms();
	struct err e;
	int status;

	if (k->reports.proc.pid != 0) {
		if (k->leaving && k->reports.until_ms > now + LEAVING_MS)
			k->reports.until_ms = now + LEAVING_MS;
		if (now >= k->reports.until_ms)
			proc_signal(&k->reports.proc, SIGKILL);
		if (!proc_ended(&k->reports.proc, &status))
			return;
		/* One that tells nothing at all would be started again at once, for ever. */
		if (k->reports.told == 0)
			k->reports.hold_ms = now + HOLD_MS;
		reports_look(k);
	}
	if (!due(k) || k->ending)
		return;
	/* What could not be recorded as told would be told again and again. */
	if (store_works(k->store, &e) < 0)
		k->reports.hold_ms = now + HOLD_MS;
	else
		begin(k);
}

int64_t reports_timer(const struct keeper *k)
{
	int64_t hold = k->reports.hold_ms - clock_mono_ms(), wait = k->reports.next_ms - clock_unix_ms();

	if (k->reports.proc.pid != 0)
		return RUNNING_MS;
	if (k->reports.next_ms == INT64_MAX)
		return -1;
	wait = wait > hold ? wait : hold;
	return wait < 0 ? 0 : wait;
}

bool reports_busy(const struct keeper *k)
{
	return k->reports.proc.pid != 0 || due(k);
}

void reports_end(struct keeper *k)
{
	proc_end(&k->reports.proc);
}
