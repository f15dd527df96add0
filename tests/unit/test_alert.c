/* Who is told of what, and when: lives of problems, written as one line for each look. */
#include "test_conf.h"

#include "plan/alert_plan.h"
#include "wire/alert_json.h"

/* The minute of a look, the problems that are there then (a letter each; capital: critical), and what is told: +a it
 * has begun or goes on, -a it is over. */
struct step {
	int minute;
	const char *there, *told;
};

struct life {
	struct arena arena;
	struct config config;
	struct facts facts;
	struct alert_memos memos;
	struct zone_part part;
};

enum { MIDNIGHT = 1700006400 }; /* a day begins, in UTC */

static void begin(struct life *l, const char *file)
{
	struct diags d;

	*l = (struct life){0};
	if (!load(file, strlen(file), false, &l->arena, &l->config, &d))
		fail_msg("%s", all_of(&d, &l->arena, file));
}

/* What is remembered goes through its JSON each time, as it does through the keeper. */
static void keep(struct life *l, const struct alert_memos *after)
{
	AUTO(json) json_t *j = alert_json(after);
	struct err e;

	l->memos = (struct alert_memos){0};
	assert_int_equal(alert_read(j, &l->arena, &l->memos, &e), 0);
}

static struct alert_messages look(struct life *l, int minute, const char *there)
{
	struct health h = {.facts = &l->facts, .config = &l->config};
	struct alert_memos after = {0};
	struct alert_messages tell = {0};

	l->facts.now = MIDNIGHT + minute * 60;
	for (const char *p = there; *p != '\0'; p++) {
		bool critical = *p < 'a';
		const char *key = arena_printf(&l->arena, "%c", critical ? *p - 'A' + 'a' : *p);
		*vec_add(&h.problems, &l->arena) =
		    (struct problem){key, critical ? HEALTH_CRITICAL : HEALTH_WARN, key,
				     arena_printf(&l->arena, "%s is wrong", key), "mend it"};
	}
	alert_plan(&h, &l->memos, &l->arena, &after, &tell);
	keep(l, &after);
	return tell;
}

static void live(const char *file, const struct step *steps, size_t n)
{
	struct life l;

	begin(&l, file);
	for (size_t i = 0; i < n; i++) {
		AUTO(buf) struct buf told = {0};
		struct alert_messages tell = look(&l, steps[i].minute, steps[i].there);
		for (size_t k = 0; k < tell.n; k++)
			buf_printf(&told, "%s%c%s", k == 0 ? "" : " ", tell.v[k].over ? '-' : '+', tell.v[k].key);
		if (strcmp(buf_text(&told), steps[i].told) != 0)
			fail_msg("%s at minute %d: '%s', not '%s'", file, steps[i].minute, buf_text(&told),
				 steps[i].told);
	}
	arena_release(&l.arena);
}
#define LIVE(file, ...)                                                  \
	do {                                                             \
		const struct step steps[] = {__VA_ARGS__};               \
		live("alert {\n" file "\n}\n", steps, ARRAY_LEN(steps)); \
	} while (0)

static void lives(void **state)
{
	(void)state;
	/* Told once it has lasted, and once that it is over. */
	LIVE("", {0, "a", ""}, {4, "a", ""}, {5, "a", "+a"}, {10, "a", ""}, {15, "", ""}, {19, "", ""}, {20, "", "-a"},
	     {25, "", ""});
	/* What is over sooner is not told. */
	LIVE("", {0, "a", ""}, {4, "", ""}, {20, "", ""}, {21, "a", ""}, {25, "a", ""}, {26, "a", "+a"});
	/* What comes and goes is told, and once. */
	LIVE("", {0, "a", ""}, {2, "", ""}, {4, "a", ""}, {6, "a", "+a"}, {8, "", ""}, {10, "a", ""}, {12, "", ""},
	     {14, "a", ""}, {16, "", ""}, {21, "", "-a"});
	/* At once, if the file wants it so. */
	LIVE("settle = \"0s\"", {0, "aB", "+a +b"}, {1, "a", "-b"}, {2, "", "-a"}, {3, "", ""});
	/* Again after a day, or never. */
	LIVE("settle = \"0s\"", {0, "a", "+a"}, {1439, "a", ""}, {1440, "a", "+a"}, {1500, "a", ""}, {2880, "a", "+a"});
	LIVE("settle = \"0s\"\nrepeat = \"0s\"", {0, "a", "+a"}, {9999, "a", ""});
	/* What gets worse is told at once; what gets better is not. */
	LIVE("settle = \"0s\"", {0, "a", "+a"}, {1, "A", "+a"}, {2, "a", ""}, {3, "A", ""}, {4, "", "-a"});
	/* At night only what is critical, and the rest in the morning, if it is still so. */
	LIVE("quiet = \"22:00-07:00\"\nsettle = \"0s\"", {0, "aB", "+b"}, {60, "a", "-b"}, {419, "a", ""},
	     {420, "a", "+a"}, {1320, "", ""}, {1859, "", ""}, {1860, "", "-a"});
	LIVE("quiet = \"00:00-07:00\"\nsettle = \"0s\"", {0, "ab", ""}, {60, "b", ""}, {420, "b", "+b"},
	     {1439, "b", ""}, {1440, "", ""});
	LIVE("quiet = \"12:00-13:00\"\nsettle = \"0s\"", {0, "a", "+a"}, {720, "", ""}, {780, "", "-a"});
	/* Clocks that are set, forward and back. */
	LIVE("", {0, "a", ""}, {500000, "a", "+a"}, {5, "a", ""}, {6, "", ""}, {11, "", "-a"});
	LIVE("settle = \"0s\"", {500000, "a", "+a"}, {5, "a", ""}, {1445, "a", "+a"});
	LIVE("", {9999, "a", ""}, {0, "a", ""}, {5, "a", "+a"}, {10, "a", ""});
}

/* Many of a kind are one message, and say what they are. */
static void many(void **state)
{
	struct life l;
	struct health h = {.facts = &l.facts, .config = &l.config};
	struct alert_memos after = {0};
	struct alert_messages tell = {0};

	(void)state;
	begin(&l, "alert {\nsettle = \"0s\"\n}\n");
	l.facts.now = MIDNIGHT;
	for (int i = 0; i < 1000; i++) {
		const char *key = arena_printf(&l.arena, "dataset/b/%d", i);
		*vec_add(&h.problems, &l.arena) = (struct problem){key, i == 7 ? HEALTH_CRITICAL : HEALTH_WARN, key,
								   arena_printf(&l.arena, "%d is late", i), "x"};
	}
	*vec_add(&h.problems, &l.arena) = (struct problem){"sink/x", HEALTH_WARN, "x", "x fails", ""};
	alert_plan(&h, &l.memos, &l.arena, &after, &tell);
	assert_int_equal(tell.n, 2);
	assert_string_equal(tell.v[0].key, "many/dataset");
	assert_string_equal(tell.v[0].title, "1000 problems of one kind: 0 is late");
	assert_int_equal(tell.v[0].level, HEALTH_CRITICAL);
	assert_non_null(strstr(tell.v[0].text, "9 is late\nand 990 more; dormouse status names all\n"));
	assert_string_equal(tell.v[1].title, "x fails");
	keep(&l, &after);
	assert_int_equal(l.memos.n, 1001);
	tell = look(&l, 3, "");
	assert_int_equal(tell.n, 2);
	assert_true(tell.v[0].over);
	assert_string_equal(tell.v[0].title, "1000 problems are over: 0 is late");
	assert_string_equal(tell.v[1].text, "it lasted 3 min");
	assert_int_equal(l.memos.n, 0);
	arena_release(&l.arena);
}

static void file(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	const char *text = "alert {\nno_success_within = \"1h\"\nquiet = \"22:30-07:00\"\n}\n"
			   "backup b {\nsource = \"a/b\"\ndestination = \"c/d\"\nalert {\nlag = \"2h\"\n}\n}\n";

	(void)state;
	assert_true(load(text, strlen(text), false, &a, &c, &d));
	assert_true(c.alerting.set && c.alerting.no_success_within_ms == 3600000 && c.alerting.pool_full == 90);
	assert_true(c.alerting.quiet_from_min == 1350 && c.alerting.quiet_to_min == 420);
	assert_true(c.backups.v[0].lag_ms == 7200000 && c.backups.v[0].no_success_within_ms == 0);
	/* Without a block nobody is told, and status judges by the same numbers. */
	assert_true(load("", 0, false, &a, &c, &d));
	assert_true(!c.alerting.set && c.alerting.pool_full == 90 && c.alerting.on_ms == 86400000);
	wrong("alert {\n}\nalert {\n}\n", "3:1: a second 'alert' block in the file");
	wrong("alert {\nquiet = \"22:00\"\n}\n", "2:9: '22:00' are no hours");
	wrong("alert {\nquiet = \"25:00-07:00\"\n}\n", "2:9: '25:00-07:00' are no hours");
	wrong("alert {\nquiet = \"07:00-07:00\"\n}\n", "2:9: '07:00-07:00' are no hours");
	wrong("alert {\npool_full = 101\n}\n", "2:13: 'pool_full' is a percentage");
	wrong("alert {\nlag = \"5s\"\n}\n", "2:7: 'lag' must be at least a minute");
	wrong("backup b {\nsource = \"a/b\"\ndestination = \"c/d\"\nalert {\nquiet = \"x\"\n}\n}\n", "5:1: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lives), cmocka_unit_test(many), cmocka_unit_test(file)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
