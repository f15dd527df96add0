/* What watches from outside: how long it waits, and what is said to Honeycomb and healthchecks, byte for byte. */
#include "test_conf.h"

#include "base/buf.h"
#include "plan/watch_plan.h"
#include "sys/clock.h"
#include "wire/healthchecks_setup.h"
#include "wire/honeycomb_setup.h"

#define HOUR 3600
#define DAY  (24 * HOUR)

/* --- how long ------------------------------------------------------------------------------------------------ */

#define HONEYCOMB                                                                              \
	"report honeycomb {\ndataset = \"d\"\napi_key = \"kkkkkk\"\nconfig_key = \"cccccc\"\n" \
	"alert_to = [\"a@b.c\"]\n}\n"
#define HEALTHCHECKS "report healthchecks {\ncheck = \"key/x\"\napi_key = \"aaaaaa\"\n}\n"

/* "NAME SECONDS", with "!" before what cannot be watched, of each backup. */
static const char *windows(const char *file, int64_t now, struct arena *a)
{
	struct config c;
	struct diags d;
	struct watches out = {0};
	AUTO(buf) struct buf b = {0};

	if (!load(file, strlen(file), false, a, &c, &d))
		fail_msg("%s", all_of(&d, a, file));
	struct zone z = clock_zone(now, a);
	watch_plan(&c, &c.sinks.v[0], &z, now, a, &out);
	for (size_t i = 0; i < out.n; i++) {
		const struct watch *w = &out.v[i];
		assert_int_equal(w->within_s % 60, 0);
		assert_int_equal(w->cannot == NULL, w->hint == NULL);
		buf_printf(&b, "%s%s%s %lld", i > 0 ? "; " : "", w->cannot == NULL ? "" : "!", w->backup,
			   (long long)w->within_s);
	}
	return str_dup(a, buf_str(&b));
}

static void how_long(void **state)
{
	static const struct {
		const char *in, *alert;
		int64_t within_s; /* 0: none is watched */
	} rows[] = {
	    {"", "", 0},
	    {"", "alert {\nno_success_within = \"1h\"\n}\n", HOUR},
	    {"", "alert {\nno_success_within = \"90s\"\n}\n", 120},
	    {"alert {\nno_success_within = \"2h\"\n}\n", "alert {\nno_success_within = \"1h\"\n}\n", 2 * HOUR},
	    {"run = \"hourly\"", "", 2 * HOUR + 600},
	    {"run = \"hourly\"\njitter = \"5m\"", "", 2 * HOUR + 900},
	    {"run = \"every 10m\"", "", 1800},
	    {"run = \"after snapshot\"", "snapshots {\nhourly = 24\n}\n", 2 * HOUR + 600},
	    {"run = \"after snapshot\"", "snapshots {\ndaily = 24\n}\n", 49 * HOUR + 600},
	    /* The night that has an hour more; Friday to Tuesday, and never more often than twice. */
	    {"run = \"daily 03:00\"", "", 49 * HOUR + 600},
	    {"run = \"Mon..Fri 18:30\"", "", 97 * HOUR + 600},
	    {"run = \"monthly\"", "", 62 * DAY + 600},
	};

	(void)state;
	assert_int_equal(setenv("TZ", "Europe/Berlin", 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int k = 0; k < 4; k++) {
			AUTO(arena) struct arena a = {0};
			int64_t s = rows[i].within_s, now = 1700000000 + k * 100 * DAY + k * 1234;
			const char *file = arena_printf(
			    &a, HONEYCOMB "backup b {\nsource = \"tank/x\"\ndestination = \"vault\"\n%s\n}\n%s",
			    rows[i].in, rows[i].alert);
			const char *want = s == 0 ? "" : arena_printf(&a, "%sb %lld", s > DAY ? "!" : "", (long long)s);
			assert_string_equal(windows(file, now, &a), want);
		}
}

/* What Honeycomb takes: 60 to 86400, a multiple of 60, and no less than a quarter of the time. */
static void how_often(void **state)
{
	(void)state;
	for (int64_t within = 60; within <= WATCH_TRIGGER_MAX_S; within += 60) {
		int64_t f = watch_frequency_s(within);
		assert_true(f >= 60 && f <= 86400 && f % 60 == 0 && within <= 4 * f && f <= within);
		assert_true(f == 60 || within > 4 * (f - 60));
	}
	assert_int_equal(watch_frequency_s(HOUR), 900);
	for (int64_t within = 60; within <= WATCH_CHECK_MAX_S; within += 60) {
		int64_t grace = watch_grace_s(within), timeout = watch_timeout_s(within);
		assert_true(grace >= 60 && timeout >= 60 && timeout <= 31536000);
		assert_true(within < 120 || grace + timeout == within);
	}
}

/* What is too long for a trigger is a check's, if there is one for it. */
static void elsewhere(void **state)
{
	AUTO(arena) struct arena a = {0};
	static const char backups[] =
	    "backup a {\nsource = \"t/a\"\ndestination = \"vault\"\nrun = \"daily 03:00\"\n}\n"
	    "backup b {\nsource = \"t/b\"\ndestination = \"vault\"\nrun = \"hourly\"\n}\n";

	(void)state;
	assert_string_equal(windows(arena_printf(&a, HONEYCOMB "%s", backups), 1700000000, &a), "!a 177000; b 7800");
	assert_string_equal(
	    windows(arena_printf(&a,
				 HONEYCOMB "report healthchecks {\ncheck = \"key/x\"\napi_key = \"aaaaaa\"\n"
					   "backups = [\"a\"]\n}\n%s",
				 backups),
		    1700000000, &a),
	    "b 7800");
	/* One that nobody sets up is none. */
	assert_string_equal(
	    windows(arena_printf(&a, HONEYCOMB "report healthchecks {\ncheck = \"key/x\"\n}\n%s", backups), 1700000000,
		    &a),
	    "!a 177000; b 7800");
	assert_string_equal(windows(HEALTHCHECKS "backup a {\nsource = \"t/a\"\ndestination = \"vault\"\nalert {\n"
						 "no_success_within = \"9000h\"\n}\n}\n",
				    1700000000, &a),
			    "!a 32400000");
}

/* --- Honeycomb ----------------------------------------------------------------------------------------------- */

static struct honeycomb_trigger trigger(struct arena *a)
{
	struct honeycomb_trigger t = {
	    .host = "nas", .sink = "hny", .backup = "safe", .within_s = HOUR, .frequency_s = 900};

	*vec_add(&t.to, a) = "ops@x.org";
	*vec_add(&t.to, a) = "rcp7";
	return t;
}

#define QUERY                                                                                \
	"\"query\":{\"time_range\":3600,\"calculations\":[{\"op\":\"COUNT\"}],\"filters\":[" \
	"{\"column\":\"name\",\"op\":\"=\",\"value\":\"backup.run\"},"                       \
	"{\"column\":\"outcome\",\"op\":\"=\",\"value\":\"success\"},"                       \
	"{\"column\":\"backup\",\"op\":\"=\",\"value\":\"safe\"},"                           \
	"{\"column\":\"host.name\",\"op\":\"=\",\"value\":\"nas\"}],\"filter_combination\":\"AND\"}"
#define NAME "dormouse nas/hny: no successful run of safe"

static void trigger_text(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	const struct honeycomb_trigger t = trigger(&a);
	struct strings known = {0};

	(void)state;
	strings_add_pair(&known, &a, "ops@x.org", "rcp1");
	honeycomb_trigger_write(&b, &t, &known);
	assert_string_equal(
	    buf_text(&b),
	    "{\"name\":\"" NAME
	    "\",\"description\":\"No run of backup 'safe' that succeeded has arrived from nas in time: "
	    "the host, its network or the backup is broken. There: dormouse status\"," QUERY ",\"frequency\":900,"
	    "\"alert_type\":\"on_change\",\"threshold\":{\"op\":\"<\",\"value\":1,\"exceeded_limit\":1},"
	    "\"evaluation_schedule_type\":\"frequency\",\"disabled\":false,\"recipients\":[{\"id\":\"rcp1\"},"
	    "{\"id\":\"rcp7\"}],\"tags\":[{\"key\":\"managedby\",\"value\":\"dormouse\"}]}");
}

/* A trigger as it is answered; %s: what stands in place of the query, and of the rest. */
#define ANSWER(query, more)                                                                                        \
	"[{\"id\":\"t1\",\"name\":\"" NAME "\"," query ",\"frequency\":900,\"alert_type\":\"on_change\","          \
	"\"threshold\":{\"op\":\"<\",\"value\":1,\"exceeded_limit\":1},\"evaluation_schedule_type\":\"frequency\"" \
	",\"recipients\":[{\"id\":\"rcp7\",\"type\":\"slack\",\"target\":\"#ops\"},{\"id\":\"rcp1\",\"type\":"     \
	"\"email\",\"target\":\"ops@x.org\"}],\"tags\":[{\"key\":\"managedby\",\"value\":\"dormouse\"}]" more "}]"
#define WITH(what)                                                                                             \
	"\"query\":{\"time_range\":3600,\"calculations\":[{\"op\":\"COUNT\"}],\"filters\":[{\"column\":\"a\"," \
	"\"op\":\"=\",\"value\":7}]," what "}"

static void triggers_read(void **state)
{
	static const struct {
		const char *body, *fact, *value; /* of the one that is found, where it is not what is wanted */
	} rows[] = {
	    {ANSWER(QUERY, ",\"disabled\":false"), NULL, NULL},
	    /* Defaults that are said, and such that are not. */
	    {ANSWER("\"query\":{\"breakdowns\":[],\"orders\":[],\"havings\":null,\"limit\":100,\"usage_mode\":false,"
		    "\"time_range\":3600,\"calculations\":[{\"op\":\"COUNT\"}],\"filters\":["
		    "{\"column\":\"name\",\"op\":\"=\",\"value\":\"backup.run\"},"
		    "{\"column\":\"outcome\",\"op\":\"=\",\"value\":\"success\"},"
		    "{\"column\":\"backup\",\"op\":\"=\",\"value\":\"safe\"},"
		    "{\"column\":\"host.name\",\"op\":\"=\",\"value\":\"nas\"}]}",
		    ""),
	     NULL, NULL},
	    {ANSWER(QUERY, ",\"disabled\":true"), "is", "off"},
	    {ANSWER(WITH("\"filter_combination\":\"OR\""), ""), "asks", "COUNT where a = 7"},
	    {ANSWER(WITH("\"breakdowns\":[\"x\"]"), ""), "asks", "COUNT where a = 7 with breakdowns"},
	    {ANSWER(WITH("\"\\u001b[2J\":1"), ""), "asks", "COUNT where a = 7 with  [2J"},
	    {ANSWER("\"query_id\":\"q\"", ""), "asks", "nothing that can be seen"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		const struct honeycomb_trigger t = trigger(&a);
		struct resources out = {0};
		struct strings want = {0};
		struct err e;
		honeycomb_trigger_facts(&t, &a, &want);
		assert_int_equal(honeycomb_triggers_read(str_of(rows[i].body), &t, &a, &out, &e), 0);
		assert_int_equal(out.n, 1);
		assert_string_equal(out.v[0].name, "safe");
		assert_string_equal(out.v[0].id, "t1");
		assert_null(out.v[0].stays);
		for (size_t k = 0; k + 1 < want.n && rows[i].fact == NULL; k += 2)
			assert_string_equal(strings_pair(&out.v[0].facts, want.v[k]), want.v[k + 1]);
		if (rows[i].fact != NULL)
			assert_string_equal(strings_pair(&out.v[0].facts, rows[i].fact), rows[i].value);
	}
}

/* Whose triggers are ours. */
static void triggers_of_others(void **state)
{
	static const struct {
		const char *name, *tags;
		int found; /* 0: not ours at all; 1: ours; 2: it has our name, and stays */
	} rows[] = {
	    {NAME, "[{\"key\":\"managedby\",\"value\":\"dormouse\"}]", 1},
	    {NAME, "[{\"key\":\"team\",\"value\":\"x\"},{\"key\":\"managedby\",\"value\":\"dormouse\"}]", 1},
	    {NAME, "[{\"key\":\"managedby\",\"value\":\"dormouse2\"}]", 2},
	    {NAME, "[]", 2},
	    {NAME, "null", 2},
	    {"dormouse nas2/hny: no successful run of safe", "[{\"key\":\"managedby\",\"value\":\"dormouse\"}]", 0},
	    {"dormouse nas/hny2: no successful run of safe", "[{\"key\":\"managedby\",\"value\":\"dormouse\"}]", 0},
	    {"theirs", "[{\"key\":\"managedby\",\"value\":\"dormouse\"}]", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		const struct honeycomb_trigger t = trigger(&a);
		struct resources out = {0};
		struct err e;
		const char *body =
		    arena_printf(&a, "[{\"id\":\"t\",\"name\":\"%s\",\"tags\":%s}]", rows[i].name, rows[i].tags);
		assert_int_equal(honeycomb_triggers_read(str_of(body), &t, &a, &out, &e), 0);
		assert_int_equal(out.n, rows[i].found > 0);
		if (out.n > 0)
			assert_int_equal(out.v[0].stays != NULL, rows[i].found == 2);
	}
}

static void the_rest_of_honeycomb(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct strings pairs = {0};
	struct resources none = {0};
	const struct honeycomb_trigger t = trigger(&a);
	const char *text;
	struct err e;

	(void)state;
	honeycomb_dataset_write(&b, "ZFS \"x\"");
	buf_putc(&b, '\n');
	honeycomb_column_write(&b, "host.name", "string");
	buf_putc(&b, '\n');
	honeycomb_recipient_write(&b, "ops@x.org");
	assert_string_equal(buf_text(&b),
			    "{\"name\":\"ZFS \\\"x\\\"\"}\n{\"key_name\":\"host.name\",\"type\":\"string\"}\n"
			    "{\"type\":\"email\",\"details\":{\"email_address\":\"ops@x.org\"}}");
	const struct str sets =
	    str_of("[{\"name\":\"Other\",\"slug\":\"other\"},{\"name\":\"ZFS x\",\"slug\":\"zfs-x\"}]");
	assert_int_equal(honeycomb_datasets_read(sets, "zfs X", &a, &text, &e), 0);
	assert_string_equal(text, "zfs-x");
	assert_int_equal(honeycomb_datasets_read(sets, "zfs", &a, &text, &e), 0);
	assert_null(text);
	assert_int_equal(honeycomb_columns_read(str_of("[{\"key_name\":\"outcome\",\"type\":\"float\"},"
						       "{\"key_name\":\"y\",\"type\":\"float\"}]"),
						&a, &pairs, &e),
			 0);
	assert_int_equal(pairs.n, 2);
	assert_string_equal(pairs.v[1], "float");
	pairs.n = 0;
	assert_int_equal(honeycomb_recipients_read(
			     str_of("[{\"id\":\"1\",\"type\":\"slack\",\"details\":{\"slack_channel\":\"#x\"}},"
				    "{\"id\":\"2\",\"type\":\"email\",\"details\":{\"email_address\":\"a@b\"}}]"),
			     &a, &pairs, &e),
			 0);
	assert_string_equal(strings_pair(&pairs, "a@b"), "2");
	assert_int_equal(honeycomb_auth_read(str_of("{\"api_key_access\":{\"triggers\":true,\"recipients\":true,"
						    "\"columns\":true,\"createDatasets\":true}}"),
					     &a, &text, &e),
			 0);
	assert_null(text);
	assert_int_equal(
	    honeycomb_auth_read(str_of("{\"api_key_access\":{\"triggers\":true,\"columns\":false}}"), &a, &text, &e),
	    0);
	assert_string_equal(text, "Manage Recipients, Manage Queries and Columns, Create Datasets");
	assert_int_equal(honeycomb_made_read(str_of("{\"id\":\"x\"}"), "id", &a, &text, &e), 0);
	assert_string_equal(text, "x");
	/* What is no such answer. */
	static const char *const bad[] = {"", "<html>", "{}", "[{}]", "[1]", "\"x\"", "null"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct str s = str_of(bad[i]);
		assert_int_equal(honeycomb_datasets_read(s, "x", &a, &text, &e), -1);
		assert_int_equal(honeycomb_columns_read(s, &a, &pairs, &e), -1);
		assert_int_equal(honeycomb_recipients_read(s, &a, &pairs, &e), -1);
		assert_int_equal(honeycomb_triggers_read(s, &t, &a, &none, &e), -1);
		assert_int_equal(honeycomb_auth_read(s, &a, &text, &e), -1);
		assert_int_equal(honeycomb_made_read(s, "id", &a, &text, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_true(e.hint[0] != '\0');
	}
}

/* --- healthchecks -------------------------------------------------------------------------------------------- */

static void checks(void **state)
{
	static const struct {
		const char *body, *timeout; /* NULL: none is found */
		bool stays;
	} rows[] = {
	    {"{\"checks\":[]}", NULL, false},
	    {"{\"checks\":[{\"slug\":\"other\",\"tags\":\"dormouse\",\"timeout\":60}]}", NULL, false},
	    {"{\"checks\":[{\"slug\":\"s-1\",\"tags\":\"x dormouse\",\"timeout\":60,\"uuid\":\"u\"}]}", "60 s", false},
	    {"{\"checks\":[{\"slug\":\"s-1\",\"tags\":\"dormouse2\",\"timeout\":60,\"uuid\":\"u\"}]}", "60 s", true},
	    {"{\"checks\":[{\"slug\":\"s-1\",\"schedule\":\"* * * * *\",\"uuid\":\"u\"}]}", "", true},
	};
	const struct healthchecks_check c = {"nas", "safe", "s-1", 1800, 3600};
	AUTO(buf) struct buf b = {0};

	(void)state;
	healthchecks_make_write(&b, &c);
	buf_putc(&b, '\n');
	healthchecks_change_write(&b, &c);
	assert_string_equal(
	    buf_text(&b),
	    "{\"name\":\"nas: backup safe\",\"slug\":\"s-1\",\"tags\":\"dormouse\",\"desc\":\"Told by dormouse "
	    "of each run. If it is down, look there: dormouse status\",\"timeout\":1800,\"grace\":3600,"
	    "\"channels\":\"*\",\"unique\":[\"slug\"]}\n{\"timeout\":1800,\"grace\":3600}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		struct resources out = {0};
		const char *uuid;
		struct err e;
		assert_int_equal(healthchecks_read(str_of(rows[i].body), &c, &a, &out, &uuid, &e), 0);
		assert_int_equal(out.n, rows[i].timeout != NULL);
		if (out.n == 0)
			continue;
		const char *timeout = strings_pair(&out.v[0].facts, "timeout");
		assert_string_equal(timeout == NULL ? "" : timeout, rows[i].timeout);
		assert_int_equal(out.v[0].stays != NULL, rows[i].stays);
		assert_string_equal(uuid, "u");
		assert_string_equal(out.v[0].id, "s-1");
	}
	AUTO(arena) struct arena a = {0};
	struct resources out = {0};
	const char *uuid;
	struct err e;
	assert_int_equal(healthchecks_read(str_of("[]"), &c, &a, &out, &uuid, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(how_long),
	    cmocka_unit_test(how_often),
	    cmocka_unit_test(elsewhere),
	    cmocka_unit_test(trigger_text),
	    cmocka_unit_test(triggers_read),
	    cmocka_unit_test(triggers_of_others),
	    cmocka_unit_test(the_rest_of_honeycomb),
	    cmocka_unit_test(checks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
