/* history: the runs so far, one of them as a waterfall, and how it stands with those who are told. */
#include "base/civil.h"
#include "base/num.h"
#include "cli/cli.h"
#include "plan/waterfall.h"
#include "sys/clock.h"
#include "wire/trace_json.h"

enum { SHOWN = 30, ALL = 1000000 };

static int64_t number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

static const char *how_it_went(const json_t *run)
{
	return json_object_get(run, "ended") == NULL ? "running" : run_end_text(number(run, "exit"));
}

static void history_line(const json_t *run, struct arena *a)
{
	char when[CIVIL_TEXT], took[NUM_TEXT], bytes[NUM_TEXT];
	const json_t *result = json_object_get(run, "result");
	uint64_t n = 0;

	(void)json_get_u64(result, "bytes", &n);
	(void)printf("%4lld  %s  %-12s  ", (long long)number(run, "id"), civil_show(number(run, "began"), when),
		     json_text(run, "backup", a));
	if (json_object_get(run, "ended") == NULL || number(run, "exit") < 0)
		(void)printf("%s\n", how_it_went(run));
	else
		(void)printf("%-11s  %10s  %s\n", how_it_went(run), num_show_bytes(n, bytes),
			     num_show_duration(number(result, "took_ms"), took));
}

/* What the keeper has, a line for each; none: said where there is nothing. */
static int show_list(struct cli *c, const struct control_request *q, void (*line)(const json_t *, struct arena *),
		     const char *none, struct err *e)
{
	AUTO(json) json_t *list = cli_ask(c, q, e);
	json_t *one;
	size_t i;

	if (list == NULL)
		return -1;
	if (c->json) {
		cli_print_json(list);
		return 0;
	}
	json_array_foreach(list, i, one) line(one, &c->arena);
	if (json_array_size(list) == 0)
		(void)printf("%s\n", none);
	return 0;
}

static int list_runs(struct cli *c, struct err *e)
{
	const struct control_request q = {
	    .op = CONTROL_HISTORY, .number = SHOWN, .backup = c->args.n == 1 ? c->args.v[0] : NULL};
	return show_list(c, &q, history_line, "no run yet", e);
}

/* Everything that is kept of a run: {"run","trace","spans","events"}. */
static json_t *whole_run(struct cli *c, int64_t id, struct err *e)
{
	json_t *j = cli_ask(c, &(struct control_request){.op = CONTROL_TRACE, .number = id}, e);
	json_t *events = j == NULL ? NULL : cli_ask(c, &(struct control_request){.op = CONTROL_RUN, .number = id}, e);

	if (events == NULL) {
		json_decref(j);
		return NULL;
	}
	(void)json_object_set_new(j, "events", events);
	return j;
}

static int show_run(struct cli *c, int64_t id, struct err *e)
{
	AUTO(json) json_t *j = whole_run(c, id, e);
	AUTO(buf) struct buf b = {0};
	const json_t *run = json_object_get(j, "run");
	struct trace t = {0};
	char when[CIVIL_TEXT], money[TRACE_COST_TEXT];
	json_t *ev;
	size_t i;

	if (j == NULL || trace_spans_read(json_object_get(j, "spans"), &c->arena, &t.spans, e) < 0)
		return -1;
	if (c->json) {
		cli_print_json(j);
		return 0;
	}
	const char *cost = trace_cost(&t, money);
	(void)printf("run %lld of %s, %s: %s%s%s\n", (long long)id, json_text(run, "backup", &c->arena),
		     civil_show(number(run, "began"), when), how_it_went(run), cost == NULL ? "" : "; ",
		     cost == NULL ? "" : cost);
	waterfall_write(&b, &t, clock_unix_ms());
	(void)printf("%s%s", b.n == 0 ? "" : "\n", buf_text(&b));
	(void)fputs(json_array_size(json_object_get(j, "events")) > 0 ? "\n" : "", stdout);
	json_array_foreach(json_object_get(j, "events"), i, ev)
	{
		(void)printf("%.8s  %s\n", civil_show(number(ev, "at"), when) + 11, json_text(ev, "text", &c->arena));
	}
	return 0;
}

/* One line of JSON for each run, oldest first. */
static int export_runs(struct cli *c, struct err *e)
{
	const struct control_request q = {
	    .op = CONTROL_HISTORY, .number = ALL, .backup = c->args.n == 1 ? c->args.v[0] : NULL};
	AUTO(json) json_t *list = cli_ask(c, &q, e);

	if (list == NULL)
		return -1;
	for (size_t i = json_array_size(list); i > 0; i--) {
		AUTO(json) json_t *j = whole_run(c, number(json_array_get(list, i - 1), "id"), e);
		if (j == NULL)
			return -1;
		cli_print_json(j);
	}
	return 0;
}

static void sink_line(const json_t *s, struct arena *a)
{
	const char *error = json_text(s, "error", a);
	int64_t now_ms = clock_unix_ms();
	char age[NUM_TEXT];

	(void)printf("%-14s ", json_text(s, "sink", a));
	if (number(s, "ok_ms") == 0)
		(void)printf("never told anything");
	else
		(void)printf("told %s ago", num_show_duration(now_ms - number(s, "ok_ms"), age));
	if (number(s, "waiting") > 0)
		(void)printf("; %lld wait, the oldest for %s", (long long)number(s, "waiting"),
			     num_show_duration(now_ms - number(s, "oldest_ms"), age));
	if (number(s, "refused") > 0)
		(void)printf("; refused %lld", (long long)number(s, "refused"));
	if (number(s, "dropped") > 0)
		(void)printf("; gave up %lld", (long long)number(s, "dropped"));
	(void)printf("\n");
	if (error != NULL && error[0] != '\0')
		(void)printf("  %s ago: %s\n", num_show_duration(now_ms - number(s, "error_ms"), age), error);
}

static int show_sinks(struct cli *c, struct err *e)
{
	return show_list(c, &(struct control_request){.op = CONTROL_SINKS}, sink_line,
			 "nobody was told anything yet; report blocks in the file say who is", e);
}

int cmd_history(int argc, char **argv)
{
	struct cli c;
	struct err e;
	bool export = false, sinks = false;
	const struct cli_option own[] = {{"--export", &export, NULL}, {"--sinks", &sinks, NULL}};
	uint64_t id;
	int rc =
	    cli_begin(&c, argc, argv,
		      "usage: dormouse history [--json] [BACKUP]\n"
		      "       dormouse history [--json] RUN\n"
		      "       dormouse history --export [BACKUP]\n"
		      "       dormouse history [--json] --sinks\n"
		      "The last runs, newest first; one run as a waterfall with its lines, by its number; "
		      "all that is kept, as one line of JSON for each run; or how it stands with those who are told "
		      "of runs.",
		      own, ARRAY_LEN(own));

	if (rc < 0 && cli_at_most(&c, sinks ? 0 : 1, &e) < 0)
		rc = cli_fail(&c, &e);
	if (rc >= 0)
		return cli_end(&c), rc;
	if (sinks)
		rc = show_sinks(&c, &e);
	else if (export)
		rc = export_runs(&c, &e);
	else if (c.args.n == 1 && num_u64(str_of(c.args.v[0]), &id))
		rc = show_run(&c, (int64_t)id, &e);
	else
		rc = list_runs(&c, &e);
	rc = rc < 0 ? cli_fail(&c, &e) : EXIT_DONE;
	cli_end(&c);
	return rc;
}
