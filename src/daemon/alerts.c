/* What was told of what is wrong, and the process that looks whether there is something to tell. */
#include <signal.h>
#include <stdlib.h>

#include "daemon/keeper.h"
#include "drivers/store_summary.h"
#include "sys/clock.h"
#include "wire/report_json.h"

enum { CHECKER_MS = 2 * 60 * 1000, RUNNING_MS = 250, FIRST_MS = 60 * 1000, EVERY_MS = 5 * 60 * 1000 };

static const char memo[] = "alerts";

static void client_alerts(struct keeper *k, struct client *c)
{
	AUTO(arena) struct arena a = {0};
	const char *text;
	struct err e;

	if (store_memo_get(k->store, memo, &a, &text, &e) < 0) {
		client_fail(c, &e);
		return;
	}
	json_t *j = text == NULL ? json_array() : json_parse(str_of(text), "alerts", &e);
	client_answer(c, j == NULL ? json_array() : j);
}

/* What is remembered and what is told are one: neither is without the other. */
static int take(struct keeper *k, const char *text, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	AUTO(json) json_t *j = json_parse(str_of(text), "alerts", e);
	const json_t *list = json_object_get(j, "alerts");
	json_t *one;
	struct report r;
	size_t i;

	if (j == NULL)
		return -1;
	if (!json_is_array(list))
		return err_set(e, ERR_USAGE, "there are no alerts in what is to be remembered");
	json_write(&b, list);
	if (store_memo_put(k->store, memo, buf_text(&b), e) < 0)
		return -1;
	json_array_foreach(json_object_get(j, "reports"), i, one)
	{
		if (report_read(one, &a, &r, e) < 0 || reports_add(k, json_object_get(j, "sinks"), &r, e) < 0)
			return -1;
	}
	return 0;
}

void client_alert(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (r->op == CONTROL_ALERTS) {
		client_alerts(k, c);
		return;
	}
	int rc = store_begin(k->store, &e);
	if (rc == 0)
		rc = store_end(k->store, take(k, r->json, &e), &e);
	if (rc < 0)
		client_fail(c, &e);
	else
		client_answer(c, json_object());
	reports_look(k);
}

/* --- the process ----------------------------------------------------------------------------------- */

void alerts_load(struct keeper *k, const struct config *c)
{
	const char *often = getenv("DORMOUSE_ALERT_MS"); /* for tests, which cannot wait for minutes */

	k->alerts.every_ms = often != NULL ? strtoll(often, NULL, 10) : EVERY_MS;
	/* At the beginning much is still to be looked at. */
	if (!c->alerting.set)
		k->alerts.next_ms = 0;
	else if (k->alerts.next_ms == 0)
		k->alerts.next_ms = clock_mono_ms() + (often != NULL ? k->alerts.every_ms : FIRST_MS);
}

void alerts_soon(struct keeper *k)
{
	if (k->alerts.next_ms != 0)
		k->alerts.next_ms = clock_mono_ms();
}

static void begin(struct keeper *k)
{
	const char *const argv[] = {k->paths->self, "alert", "check", "-c", k->config_path, NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL, .out = PROC_NULL, .err = PROC_INHERIT, .tied = true};
	struct err e;

	k->alerts.until_ms = clock_mono_ms() + CHECKER_MS;
	k->alerts.next_ms = clock_mono_ms() + k->alerts.every_ms;
	if (proc_spawn(&spec, &k->alerts.proc, &e) == 0)
		return;
	(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
	k->alerts.proc = (struct proc){0};
}

void alerts_tick(struct keeper *k)
{
	int64_t now = clock_mono_ms();
	int status;

	if (k->alerts.proc.pid != 0) {
		if (now >= k->alerts.until_ms || k->leaving)
			proc_signal(&k->alerts.proc, SIGKILL);
		if (!proc_ended(&k->alerts.proc, &status))
			return;
	}
	if (k->alerts.next_ms != 0 && now >= k->alerts.next_ms && !k->leaving)
		begin(k);
}

int64_t alerts_timer(const struct keeper *k)
{
	int64_t wait = k->alerts.next_ms - clock_mono_ms();

	if (k->alerts.proc.pid != 0)
		return RUNNING_MS;
	return k->alerts.next_ms == 0 || k->leaving ? -1 : wait < 0 ? 0 : wait;
}

void alerts_end(struct keeper *k)
{
	proc_end(&k->alerts.proc);
}
