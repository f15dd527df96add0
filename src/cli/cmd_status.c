/* status: what is known of everything, and what follows from that. */
#include <unistd.h>

#include "cli/cli.h"
#include "engine/survey.h"
#include "plan/health_plan.h"
#include "plan/health_text.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/stop.h"
#include "wire/health_json.h"
#include "wire/page.h"

enum { RUNS = 1000, PAGE_RUNS = 20000, WATCH_MS = 1000, FACTS_MAX = 64 << 20 };

struct status {
	struct cli c;
	struct survey survey;
	bool all, watch, check, facts;
	const char *observed, *html;
	json_t *document; /* the facts that were read last */
	struct facts read;
	struct health health;
	struct arena arena; /* of both */
};

static json_t *observed(const char *path, struct arena *a, struct err *e)
{
	struct str text;

	return fd_read_file(path, FACTS_MAX, a, &text, e) < 0 ? NULL : json_parse(text, "the facts", e);
}

/* Anew each time it is called. */
static int look(struct status *s, struct err *e)
{
	arena_release(&s->arena);
	json_decref(s->document);
	s->document = s->observed != NULL ? observed(s->observed, &s->arena, e) : survey_take(&s->survey, e);
	if (s->document == NULL || facts_read(s->document, &s->arena, &s->read, e) < 0)
		return -1;
	health_plan(&s->c.config, &s->read, &s->arena, &s->health);
	return 0;
}

static int write_page(struct status *s, struct err *e)
{
	AUTO(buf) struct buf page = {0};

	page_status(&s->health, false, &page);
	return strcmp(s->html, "-") == 0 ? fd_write_all(STDOUT_FILENO, page.p, page.n, e)
					 : fd_replace_file(s->html, buf_str(&page), 0644, e);
}

static int show(struct status *s)
{
	AUTO(buf) struct buf text = {0};
	int rc = health_exit(&s->health);

	struct err e;

	if (s->html != NULL)
		return write_page(s, &e) < 0 ? cli_fail(&s->c, &e) : rc;
	if (s->facts) {
		cli_print_json(s->document);
		return EXIT_DONE;
	}
	if (s->check) {
		rc = health_nagios(&s->health, &text);
	} else if (s->c.json) {
		AUTO(json) json_t *j = health_json(&s->health);
		json_write(&text, j);
		buf_putc(&text, '\n');
	} else {
		health_text(&s->health, s->all, isatty(STDOUT_FILENO) == 1, &text);
	}
	(void)fputs(buf_text(&text), stdout);
	return rc;
}

/* The same in place of itself, until somebody ends it. */
static int watch(struct status *s, struct err *e)
{
	int rc;

	stop_catch();
	do {
		if (look(s, e) < 0)
			return cli_fail(&s->c, e);
		if (isatty(STDOUT_FILENO) == 1)
			(void)fputs("\033[H\033[2J", stdout);
		rc = show(s);
		(void)fflush(stdout);
		for (int64_t left = WATCH_MS; left > 0 && !stop_asked(); left -= 100)
			clock_sleep_ms(100);
	} while (!stop_asked() && ferror(stdout) == 0);
	return rc;
}

/* A plugin's own failure is "unknown" to who monitors. */
static int failed(struct status *s, const struct err *e)
{
	enum { NAGIOS_UNKNOWN = 3 };
	int rc = cli_fail(&s->c, e);

	if (s->check)
		(void)printf("DORMOUSE UNKNOWN - %s\n", e->what);
	return s->check ? NAGIOS_UNKNOWN : rc;
}

int cmd_status(int argc, char **argv)
{
	struct status s = {0};
	const struct cli_option own[] = {{"--all", &s.all, NULL},	    {"--watch", &s.watch, NULL},
					 {"--check", &s.check, NULL},	    {"--facts", &s.facts, NULL},
					 {"--observed", NULL, &s.observed}, {"--html", NULL, &s.html}};
	struct err e;
	int rc = cli_start(
	    &s.c, argc, argv,
	    "usage: dormouse status [--all] [--watch] [--json | --check | --html FILE]\n"
	    "                       [--facts] [--observed FILE] [-c FILE]\nSays whether everything is safe; exits "
	    "0 only if it is.  --check: for Nagios, with its "
	    "exit codes.",
	    own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	s.survey = (struct survey){.config = &s.c.config,
				   .paths = &s.c.paths,
				   .kinds = provider_kinds(),
				   .nkinds = PROVIDERS,
				   .runs = s.html == NULL ? RUNS : PAGE_RUNS};
	if (cli_at_most(&s.c, 0, &e) < 0 || (!s.watch && look(&s, &e) < 0))
		rc = failed(&s, &e);
	else
		rc = s.watch ? watch(&s, &e) : show(&s);
	survey_release(&s.survey);
	json_decref(s.document);
	arena_release(&s.arena);
	cli_end(&s.c);
	return rc;
}
