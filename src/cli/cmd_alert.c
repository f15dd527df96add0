/* alert: what has been told of what is wrong; alert check looks whether there is something to tell, and tells it. */
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "engine/survey.h"
#include "plan/alert_plan.h"
#include "plan/health_plan.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/alert_json.h"
#include "wire/report_json.h"

enum { RUNS = 1000 };

static json_t *sinks_json(const struct config *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->sinks.n; i++)
		if (c->sinks.v[i].on_alert)
			(void)json_array_append_new(list, json_any(c->sinks.v[i].name));
	return list;
}

static json_t *message_json(const struct alert_message *m, struct arena *a)
{
	char host[256] = "";

	(void)gethostname(host, sizeof(host) - 1);
	return report_json(&(struct report){.kind = m->over ? REPORT_CLEAR : REPORT_ALERT,
					    .at_ms = clock_unix_s() * 1000,
					    .host = arena_strdup(a, host),
					    .key = m->key,
					    .severity = health_level_name(m->level),
					    .title = m->title,
					    .text = m->text[0] == '\0' ? NULL : m->text});
}

/* Hands over what is told, and what is to be remembered of it. */
static int hand_over(struct cli *c, const struct alert_memos *memos, const struct alert_messages *tell, struct err *e)
{
	AUTO(json) json_t *j = json_object();
	AUTO(buf) struct buf b = {0};
	json_t *reports = json_array();

	(void)json_object_set_new(j, "alerts", alert_json(memos));
	(void)json_object_set_new(j, "sinks", sinks_json(&c->config));
	(void)json_object_set_new(j, "reports", reports);
	for (size_t i = 0; i < tell->n; i++)
		(void)json_array_append_new(reports, message_json(&tell->v[i], &c->arena));
	json_write(&b, j);
	AUTO(json)
	json_t *answer = cli_ask(c, &(struct control_request){.op = CONTROL_ALERTED, .json = buf_text(&b)}, e);
	return answer == NULL ? -1 : 0;
}

static int told_before(struct cli *c, struct alert_memos *out, struct err *e)
{
	AUTO(json) json_t *list = cli_ask(c, &(struct control_request){.op = CONTROL_ALERTS}, e);

	return list == NULL ? -1 : alert_read(list, &c->arena, out, e);
}

static void show(const struct alert_message *m)
{
	(void)printf("%s: %s\n", m->over ? "over" : health_level_name(m->level), m->title);
	if (m->text[0] != '\0')
		(void)printf("  %s\n", m->text);
}

static int check(struct cli *c, struct err *e)
{
	struct survey s = {
	    .config = &c->config, .paths = &c->paths, .kinds = provider_kinds(), .nkinds = PROVIDERS, .runs = RUNS};
	AUTO(fd) int lock = -1;
	struct alert_memos before = {0}, after = {0};
	struct alert_messages tell = {0};
	struct facts f;
	struct health h;

	/* Two at a time would tell everything twice. */
	if (paths_lock(arena_printf(&c->arena, "%s/alert.lock", c->paths.state_dir), "another one is looking", &lock,
		       e) < 0)
		return -1;
	AUTO(json) json_t *document = survey_take(&s, e);
	survey_release(&s);
	if (document == NULL || facts_read(document, &c->arena, &f, e) < 0 || told_before(c, &before, e) < 0)
		return -1;
	health_plan(&c->config, &f, &c->arena, &h);
	alert_plan(&h, &before, &c->arena, &after, &tell);
	if (hand_over(c, &after, &tell, e) < 0)
		return -1;
	for (size_t i = 0; i < tell.n && !c->json; i++)
		show(&tell.v[i]);
	if (c->json)
		cli_print_json(document);
	return 0;
}

static int test(struct cli *c, struct err *e)
{
	struct alert_memos memos = {0};
	struct alert_message two[] = {
	    {false, "test", HEALTH_CRITICAL, "this is a test of alerts: nothing is wrong", "dormouse alert test"},
	    {true, "test", HEALTH_CRITICAL, "over: this is a test of alerts: nothing is wrong", ""}};
	struct alert_messages tell = {two, 2, 2};
	AUTO(json) json_t *sinks = sinks_json(&c->config);

	if (json_array_size(sinks) == 0) {
		(void)err_set(e, ERR_CONFIG, "no report block is told of alerts");
		return err_hint(e, "add one: report \"ntfy\" { … }; dormouse(1) has all kinds");
	}
	/* What was told of what is wrong stays as it is. */
	if (told_before(c, &memos, e) < 0 || hand_over(c, &memos, &tell, e) < 0)
		return -1;
	(void)printf(
	    "%zu report block%s will be told of an alert, and of its end; dormouse history --sinks says how it "
	    "went\n",
	    json_array_size(sinks), json_array_size(sinks) == 1 ? "" : "s");
	return 0;
}

static int list(struct cli *c, struct err *e)
{
	AUTO(json) json_t *j = cli_ask(c, &(struct control_request){.op = CONTROL_ALERTS}, e);
	struct alert_memos all = {0};
	size_t n = 0;
	char since[NUM_TEXT];

	if (j == NULL || alert_read(j, &c->arena, &all, e) < 0)
		return -1;
	if (c->json)
		return cli_print_json(j), 0;
	for (size_t i = 0; i < all.n; i++) {
		const struct alert_memo *m = &all.v[i];
		if (m->told == 0)
			continue;
		n++;
		(void)printf("%-8s  %s\n          for %s%s\n", health_level_name(m->level), m->text,
			     num_show_duration((clock_unix_s() - m->since) * 1000, since),
			     m->gone != 0 ? ", and perhaps over" : "");
	}
	if (n == 0)
		(void)printf("nothing that was told is wrong now\n");
	return 0;
}

int cmd_alert(int argc, char **argv)
{
	struct cli c;
	struct err e;
	int rc = cli_start(
	    &c, argc, argv,
	    "usage: dormouse alert [check | test] [--json] [-c FILE]\nWhat has been told of what is wrong; check "
	    "looks whether there is something to tell, as the daemon does every few minutes; test tells a test.",
	    NULL, 0);

	if (rc >= 0)
		return rc;
	const char *word = c.args.n > 0 ? c.args.v[0] : "";
	if (cli_at_most(&c, 1, &e) < 0)
		rc = -1;
	else if (strcmp(word, "check") == 0)
		rc = check(&c, &e);
	else if (strcmp(word, "test") == 0)
		rc = test(&c, &e);
	else if (word[0] == '\0')
		rc = list(&c, &e);
	else
		rc = err_set(&e, ERR_USAGE, "alert knows 'check' and 'test', not '%s'", word);
	rc = rc < 0 ? cli_fail(&c, &e) : EXIT_DONE;
	cli_end(&c);
	return rc;
}
