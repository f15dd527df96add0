/* report test, and deliver: telling the file's sinks. */
#include <unistd.h>

#include "base/civil.h"
#include "cli/cli.h"
#include "engine/deliver.h"
#include "engine/measure.h"
#include "sys/clock.h"
#include "wire/report_json.h"
#include "wire/trace_json.h"

enum { ROUND = 20, TIME_MS = 60000, SPOOLED_S = 60 };

struct telling {
	struct cli cli;
	struct arena *a; /* of one report: there may be many, each with a long log */
	struct deliver deliver;
	struct control link;
	const char *host;
	json_t *sinks; /* how it stands with each */
};

static void telling_end(struct telling *t)
{
	deliver_auto(&t->deliver);
	control_close(&t->link);
	json_decref(t->sinks);
	cli_end(&t->cli);
}

static json_t *ask(struct telling *t, const struct control_request *r, struct err *e)
{
	return control_json(&t->cli.paths, &t->link, r, t->a, e);
}

/* What a prometheus sink gets. */
static int load_metrics(struct telling *t, struct err *e)
{
	AUTO(buf) struct buf b = {0};

	if (measure_write(&t->cli.config, &t->cli.paths, &t->link, &b, e) < 0)
		return -1;
	t->deliver.metrics = arena_strdup(t->a, buf_text(&b));
	return 0;
}

static int begin(struct telling *t, struct err *e)
{
	char host[256] = "";

	t->a = &t->cli.arena;
	(void)gethostname(host, sizeof(host) - 1);
	t->host = arena_strdup(&t->cli.arena, host);
	t->deliver.courier.paths = &t->cli.paths;
	t->sinks = ask(t, &(struct control_request){.op = CONTROL_SINKS}, e);
	return t->sinks == NULL ? -1 : 0;
}

/* --- deliver --------------------------------------------------------------------------------------- */

/* The lines of a run. */
static const char *log_of(struct telling *t, int64_t run, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	AUTO(json) json_t *events = ask(t, &(struct control_request){.op = CONTROL_RUN, .number = run}, e);
	char when[CIVIL_TEXT];
	json_t *ev;
	size_t i;

	if (events == NULL)
		return NULL;
	json_array_foreach(events, i, ev)
	{
		const char *text = json_text(ev, "text", t->a);
		buf_printf(&b, "%.8s  %s\n", civil_show(json_integer_value(json_object_get(ev, "at")), when) + 11,
			   text);
	}
	return arena_strdup(t->a, buf_text(&b));
}

/* A run that was killed before it could tell of itself. */
static void stand_in(const json_t *run, struct report *r, struct arena *a)
{
	struct trace_span *s = vec_add(&r->trace.spans, a);
	int64_t ended = json_integer_value(json_object_get(run, "ended"));

	*s = (struct trace_span){.id = TRACE_ROOT,
				 .name = "backup.run",
				 .began_ms = json_integer_value(json_object_get(run, "began")) * 1000,
				 .ended_ms = ended * 1000,
				 .outcome = r->outcome};
}

/* What the keeper knows of the report's run. */
static int load_run(struct telling *t, struct report *r, struct err *e)
{
	struct arena *a = t->a;
	AUTO(json) json_t *j = ask(t, &(struct control_request){.op = CONTROL_TRACE, .number = r->run}, e);
	const json_t *run = json_object_get(j, "run"), *exit = json_object_get(run, "exit");

	if (j == NULL)
		return -1;
	r->trace.id = json_text(j, "trace", a);
	/* What came after it is no part of a beginning, however late that is told. */
	if (r->kind == REPORT_START)
		return 0;
	if (trace_spans_read(json_object_get(j, "spans"), a, &r->trace.spans, e) < 0)
		return -1;
	r->outcome = trace_outcome_of_exit(exit == NULL ? -1 : json_integer_value(exit));
	trace_bury(&r->trace, r->at_ms);
	const struct trace_span *root = trace_find(&r->trace, TRACE_ROOT);
	if (root == NULL)
		stand_in(run, r, a);
	else
		r->outcome = root->outcome;
	r->log = log_of(t, r->run, e);
	return r->log == NULL ? -1 : 0;
}

static int64_t memo_of(const struct telling *t, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(t->sinks, i, one)
	{
		const char *sink = json_string_value(json_object_get(one, "sink"));
		if (sink != NULL && strcmp(sink, name) == 0)
			return json_integer_value(json_object_get(one, "memo"));
	}
	return 0;
}

static int say(struct telling *t, int64_t id, const char *said, const struct sink_answer *x, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	AUTO(json) json_t *j = json_object(), *left = json_array(), *answer = NULL;

	for (size_t i = 0; i < x->left.n; i++)
		(void)json_array_append_new(left, json_integer(x->left.v[i]));
	json_write(&b, left);
	(void)json_object_set_new(j, "id", json_integer(id));
	(void)json_object_set_new(j, "said", json_string(said));
	(void)json_object_set_new(j, "error",
				  json_any(x->why == NULL    ? ""
					   : x->hint == NULL ? x->why
							     : arena_printf(t->a, "%s\nhint: %s", x->why, x->hint)));
	(void)json_object_set_new(j, "left", json_any(x->left.n == 0 ? "" : buf_text(&b)));
	(void)json_object_set_new(j, "wait_ms", json_integer(x->wait_ms));
	(void)json_object_set_new(j, "memo", json_integer(x->memo));
	buf_clear(&b);
	json_write(&b, j);
	answer = ask(t, &(struct control_request){.op = CONTROL_TOLD, .json = buf_text(&b)}, e);
	return answer == NULL ? -1 : 0;
}

static void read_left(const char *text, struct arena *a, struct span_ids *left)
{
	struct err ignored;
	AUTO(json) json_t *list = text[0] == '\0' ? NULL : json_parse(str_of(text), "", &ignored);
	json_t *id;
	size_t i;

	json_array_foreach(list, i, id) * vec_add(left, a) = json_integer_value(id);
}

/* One of what is due.  *goes_on: the sink's next may be tried. */
static int tell_one(struct telling *t, const json_t *due, bool *goes_on, struct err *e)
{
	static const char *const words[] = {[SINK_TAKEN] = "taken", [SINK_LATER] = "later", [SINK_REFUSED] = "refused"};
	struct arena *a = t->a;
	int64_t id = json_integer_value(json_object_get(due, "id"));
	const char *name = json_text(due, "sink", a), *left_text = json_text(due, "left", a);
	const struct sink *s = name == NULL ? NULL : config_sink(&t->cli.config, name);
	struct sink_answer x = {0};
	struct span_ids left = {0};
	struct report r;

	*goes_on = true;
	if (s == NULL) {
		x.why = "the file has no report block of that name any more";
		return say(t, id, "refused", &x, e);
	}
	if (report_read(json_object_get(due, "report"), a, &r, e) < 0) {
		x.why = e->what;
		return say(t, id, "refused", &x, e);
	}
	if ((r.kind == REPORT_START || r.kind == REPORT_RUN) && load_run(t, &r, e) < 0)
		return -1;
	if (!sink_wants(s, &r))
		return say(t, id, "passed", &x, e);
	read_left(left_text == NULL ? "" : left_text, a, &left);
	int64_t now = clock_unix_ms();
	r.host = t->host;
	r.late_s = now > r.at_ms ? (now - r.at_ms) / 1000 : 0;
	r.spooled = json_integer_value(json_object_get(due, "tries")) > 0 || r.late_s >= SPOOLED_S;
	r.lost = json_integer_value(json_object_get(due, "lost"));
	if (s->kind == SINK_PROMETHEUS && load_metrics(t, e) < 0)
		return -1;
	bool told = deliver_one(&t->deliver, s, memo_of(t, name), &r, &left, a, &x);
	*goes_on = x.said != SINK_LATER;
	return say(t, id, told ? words[x.said] : "passed", &x, e);
}

/* Each sink's in their order; one that has failed waits with all of its own. */
static int tell_round(struct telling *t, size_t *told, struct err *e)
{
	AUTO(json) json_t *due = ask(t, &(struct control_request){.op = CONTROL_DUE, .number = ROUND}, e);
	struct strings waiting = {0};
	json_t *one;
	size_t i;

	*told = 0;
	if (due == NULL)
		return -1;
	json_array_foreach(due, i, one)
	{
		AUTO(arena) struct arena a = {0};
		const char *name = json_text(one, "sink", &t->cli.arena);
		bool waits = false, goes_on;
		for (size_t k = 0; k < waiting.n; k++)
			waits |= name != NULL && strcmp(waiting.v[k], name) == 0;
		if (waits)
			continue;
		t->a = &a;
		int rc = tell_one(t, one, &goes_on, e);
		t->a = &t->cli.arena;
		if (rc < 0)
			return -1;
		if (!goes_on)
			*vec_add(&waiting, t->a) = name;
		(*told)++;
	}
	return 0;
}

int cmd_deliver(int argc, char **argv)
{
	struct telling t = {.deliver = DELIVER_INIT, .link = CONTROL_INIT};
	struct err e;
	size_t told = 1;
	int64_t until = clock_mono_ms() + TIME_MS;
	int rc = cli_start(&t.cli, argc, argv,
			   "usage: dormouse deliver [-c FILE]\nTells the sinks what waits for them.", NULL, 0);

	if (rc >= 0)
		return rc;
	rc = begin(&t, &e);
	while (rc == 0 && told > 0 && clock_mono_ms() < until)
		rc = tell_round(&t, &told, &e);
	rc = rc < 0 ? cli_fail(&t.cli, &e) : EXIT_DONE;
	telling_end(&t);
	return rc;
}

/* --- report test ----------------------------------------------------------------------------------- */

static bool test_one(struct telling *t, const struct sink *s, json_t *list)
{
	static const char *const words[] = {
	    [SINK_TAKEN] = "taken", [SINK_LATER] = "not now", [SINK_REFUSED] = "refused"};
	const struct report r = {.kind = REPORT_TEST,
				 .at_ms = clock_unix_ms(),
				 .host = t->host,
				 .title = "this is a test of dormouse's reports",
				 .text = "Somebody has asked for it: dormouse report test. Nothing is wrong."};
	struct sink_answer x;

	(void)deliver_one(&t->deliver, s, 0, &r, &(struct span_ids){0}, t->a, &x);
	bool good = x.said == SINK_TAKEN && x.why == NULL;
	json_t *j = json_object();
	(void)json_object_set_new(j, "sink", json_any(s->name));
	(void)json_object_set_new(j, "kind", json_string(sink_kind_name(s->kind)));
	(void)json_object_set_new(j, "said", json_string(good ? "taken" : words[x.said]));
	json_put_text(j, "why", x.why);
	json_put_text(j, "hint", x.hint);
	(void)json_array_append_new(list, j);
	if (t->cli.json)
		return good;
	(void)printf("%-14s %-12s %s%s%s\n", s->name, sink_kind_name(s->kind), words[x.said], x.why == NULL ? "" : ": ",
		     x.why == NULL ? "" : x.why);
	if (x.hint != NULL)
		(void)printf("hint: %s\n", x.hint);
	return good;
}

int cmd_report(int argc, char **argv)
{
	struct telling t = {.deliver = DELIVER_INIT, .link = CONTROL_INIT};
	AUTO(json) json_t *list = json_array();
	struct err e;
	size_t tried = 0, good = 0;
	int rc =
	    cli_start(&t.cli, argc, argv,
		      "usage: dormouse report [--json] [-c FILE] test [NAME]\nSends a message that says that it is a "
		      "test to each report block of the file, or to one, and shows how it answers.",
		      NULL, 0);

	if (rc >= 0)
		return rc;
	const struct strings *args = &t.cli.args;
	const struct config *c = &t.cli.config;
	rc = -1;
	if (args->n == 0 || strcmp(args->v[0], "test") != 0)
		(void)err_set(&e, ERR_USAGE, "say what: dormouse report test"),
		    (void)err_hint(&e, "dormouse report --help");
	else if (c->sinks.n == 0)
		(void)err_set(&e, ERR_USAGE, "the file has no report block"),
		    (void)err_hint(&e, "dormouse.hcl(5) shows the kinds: nobody hears of a failure without one");
	else if (args->n > 1 && config_sink(c, args->v[1]) == NULL)
		(void)err_set(&e, ERR_USAGE, "there is no report '%s'", args->v[1]),
		    (void)err_hint(&e, "the first of them is '%s'", c->sinks.v[0].name);
	else if (cli_at_most(&t.cli, 2, &e) == 0 && begin(&t, &e) == 0 && load_metrics(&t, &e) == 0)
		rc = EXIT_DONE;
	for (size_t i = 0; i < c->sinks.n && rc >= 0; i++) {
		if (args->n > 1 && strcmp(args->v[1], c->sinks.v[i].name) != 0)
			continue;
		good += test_one(&t, &c->sinks.v[i], list);
		tried++;
	}
	if (rc == EXIT_DONE && good < tried)
		rc = good > 0 ? EXIT_PARTLY : EXIT_FAILED;
	if (rc < 0)
		rc = cli_fail(&t.cli, &e);
	else if (t.cli.json)
		cli_print_json(list);
	telling_end(&t);
	return rc;
}
