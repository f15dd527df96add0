/* machines and reap: what is on, who switched it on, and what should not be on. */
#include "base/num.h"
#include "cli/cli.h"
#include "sys/clock.h"

enum { INDENT = 2, COLUMNS = 80 };

static int64_t number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

/* What stands below a line, a few words in each so that they fit. */
static void say_below(const char *text)
{
	size_t column = 0;

	for (struct str rest = str_of(text); rest.n > 0;) {
		struct str word = str_cut(&rest, ' ');
		if (column > 0 && column + 1 + word.n > COLUMNS) {
			(void)printf("\n");
			column = 0;
		}
		if (column == 0)
			column = (size_t)printf("%*s%.*s", INDENT, "", (int)word.n, word.p);
		else
			column += (size_t)printf(" %.*s", (int)word.n, word.p);
	}
	(void)printf("\n");
}

static const char *error_text(const json_t *error, struct arena *a)
{
	const char *why = json_text(error, "why", a);
	return arena_printf(a, "%s%s%s", json_text(error, "what", a), why == NULL || why[0] == '\0' ? "" : ": ",
			    why == NULL ? "" : why);
}

/* Every target of the file is shown, and what is only remembered. */
static void add_those_off(const struct config *c, json_t *list, struct arena *a)
{
	for (size_t i = 0; i < c->targets.n; i++) {
		const char *name = c->targets.v[i].name;
		bool known = false;
		json_t *m;
		size_t k;
		json_array_foreach(list, k, m) known |= strcmp(json_text(m, "target", a), name) == 0;
		if (known)
			continue;
		m = json_object();
		(void)json_object_set_new(m, "target", json_any(name));
		(void)json_object_set_new(m, "state", json_string("absent"));
		(void)json_array_append_new(list, m);
	}
}

static void show_machine(const json_t *m, struct arena *a)
{
	AUTO(buf) struct buf line = {0};
	char text[NUM_TEXT];
	const char *state = json_text(m, "state", a), *note = json_text(m, "note", a);
	int64_t now = clock_unix_s(), since = number(m, "since"), until = number(m, "until");
	const json_t *user, *error = json_object_get(m, "error");
	bool off = strcmp(state, "absent") == 0;
	size_t i;

	buf_printf(&line, "%-20s %-9s", json_text(m, "target", a), off ? "off" : state);
	if (since > 0 && since < now && !off)
		buf_printf(&line, " for %s", num_show_duration((now - since) * 1000, text));
	if (until > now && strcmp(state, "failed") == 0)
		buf_printf(&line, ", tried again in %s", num_show_duration((until - now) * 1000, text));
	else if (until > now)
		buf_printf(&line, ", off in %s", num_show_duration((until - now) * 1000, text));
	(void)printf("%s\n", buf_text(&line));
	if (note != NULL && note[0] != '\0')
		say_below(note);
	json_array_foreach(json_object_get(m, "users"), i, user)
	    say_below(arena_printf(a, "used by %s", json_string_value(user)));
	if (error != NULL)
		say_below(arena_printf(a, "last failure: %s", error_text(error, a)));
}

static void show_start(const json_t *s, const struct zone *z, struct arena *a)
{
	char when[ZONE_TEXT], text[NUM_TEXT];
	const char *error = json_text(s, "error", a);

	(void)printf("%s  %s\n", zone_show(z, number(s, "at"), when), json_text(s, "target", a));
	say_below(arena_printf(a, "for %s", json_text(s, "who", a)));
	if (error == NULL)
		say_below("nobody saw how it went");
	else if (error[0] != '\0')
		say_below(arena_printf(a, "failed: %s", error));
	if (number(s, "ended") > 0)
		say_below(arena_printf(a, "gone after %s",
				       num_show_duration((number(s, "ended") - number(s, "at")) * 1000, text)));
}

int cmd_machines(int argc, char **argv)
{
	struct cli c;
	bool starts = false;
	const struct cli_option own[] = {{"--starts", &starts, NULL}};
	struct err e;
	int rc = cli_start(&c, argc, argv,
			   "usage: dormouse machines [--starts] [--json] [-c FILE] [TARGET]\nShows which machines are "
			   "on, since when, and who uses them; --starts: who has\nstarted which, and how that went.",
			   own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	if (cli_at_most(&c, 1, &e) < 0) {
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	const char *only = c.args.n > 0 ? c.args.v[0] : NULL;
	struct control_request r = {.op = starts ? CONTROL_STARTS : CONTROL_MACHINES, .target = starts ? only : NULL};
	AUTO(json) json_t *list = cli_ask(&c, &r, &e);
	if (list != NULL && !starts)
		add_those_off(&c.config, list, &c.arena);
	for (size_t i = json_array_size(list); i-- > 0 && only != NULL;)
		if (strcmp(json_text(json_array_get(list, i), "target", &c.arena), only) != 0)
			(void)json_array_remove(list, i);
	if (list != NULL && !starts && only != NULL && json_array_size(list) == 0) {
		(void)err_set(&e, ERR_USAGE, "there is no target '%s'", only);
		(void)err_hint(&e, "dormouse machines shows which there are");
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	rc = list == NULL ? cli_fail(&c, &e) : EXIT_DONE;
	if (list != NULL && c.json) {
		cli_print_json(list);
	} else if (list != NULL) {
		struct zone z = clock_zone(clock_unix_s(), &c.arena);
		json_t *one;
		size_t i;
		json_array_foreach(list, i, one)
		{
			if (starts)
				show_start(one, &z, &c.arena);
			else
				show_machine(one, &c.arena);
		}
		if (json_array_size(list) == 0)
			(void)printf(starts ? "nothing has been started yet\n" : "the file has no targets\n");
	}
	cli_end(&c);
	return rc;
}

int cmd_reap(int argc, char **argv)
{
	struct cli c;
	struct control_request r = {.op = CONTROL_REAP};
	struct err e;
	int rc = cli_start(&c, argc, argv,
			   "usage: dormouse reap [--json] [-c FILE]\nAsks every provider what runs, and ends what "
			   "should not.  Exits 0 when there was\nnothing, 1 when something was ended, 2 when something "
			   "may still run.  For cron.",
			   NULL, 0);

	if (rc >= 0)
		return rc;
	if (cli_at_most(&c, 0, &e) < 0) {
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	AUTO(json) json_t *found = cli_ask(&c, &r, &e);
	rc = found == NULL ? cli_fail(&c, &e) : EXIT_DONE;
	if (found != NULL && c.json)
		cli_print_json(found);
	json_t *one;
	size_t i;
	json_array_foreach(found, i, one)
	{
		bool on = json_is_true(json_object_get(one, "may_run"));
		rc = on ? EXIT_FAILED : rc == EXIT_DONE ? EXIT_PARTLY : rc;
		if (!c.json)
			(void)printf("%s: %s\n", json_text(one, "target", &c.arena), json_text(one, "what", &c.arena));
	}
	cli_end(&c);
	return rc;
}
