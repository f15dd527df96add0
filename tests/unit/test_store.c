/* The keeper's memory as a version before this one left it. */
#include "check.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/store_reports.h"
#include "drivers/store_summary.h"

/* What version 1 made, as it made it. */
static const char version_1[] =
    "BEGIN;"
    "CREATE TABLE machine(target TEXT PRIMARY KEY, token TEXT NOT NULL, state TEXT NOT NULL,"
    " config TEXT NOT NULL, since INTEGER NOT NULL) STRICT;"
    "CREATE TABLE run(id INTEGER PRIMARY KEY, backup TEXT NOT NULL, began INTEGER NOT NULL,"
    " ended INTEGER, exit INTEGER, result TEXT) STRICT;"
    "CREATE INDEX run_by_backup ON run(backup, id);"
    "CREATE TABLE event(run INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX event_by_run ON event(run);"
    "CREATE TABLE look(backup TEXT PRIMARY KEY, at INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"
    "PRAGMA user_version = 1;"
    "INSERT INTO machine VALUES('arch', 'abc', 'ready', '{}', 1700000000);"
    "INSERT INTO run VALUES(7, 'b', 1700000000, 1700000100, 0, 'done');"
    "INSERT INTO event VALUES(7, 1700000050, 'half');"
    "INSERT INTO look VALUES('b', 1700000100, '[]');"
    "COMMIT;";

static void make(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void forget(const char *folder, const char *path)
{
	char other[200];

	(void)unlink(path);
	(void)snprintf(other, sizeof(other), "%s-wal", path);
	(void)unlink(other);
	(void)snprintf(other, sizeof(other), "%s-shm", path);
	(void)unlink(other);
	assert_int_equal(rmdir(folder), 0);
}

static void from_version_1(void **state)
{
	AUTO(arena) struct arena a = {0};
	char folder[] = "/tmp/dormouse-store-XXXXXX", path[100];
	struct stored_machines machines = {0};
	struct stored_runs runs = {0};
	struct stored_events events = {0};
	struct stored_starts starts = {0};
	struct store *s = NULL;
	const char *json;
	int64_t at, id;
	struct stat st;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/state.db", folder);
	make(path, version_1);
	for (int again = 0; again < 2; again++) { /* the second time it is of our version already */
		assert_int_equal(store_open(path, &s, &e), 0);
		/* Whoever made it, and whatever the folder allows. */
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		machines = (struct stored_machines){0};
		assert_int_equal(store_machines(s, &a, &machines, &e), 0);
		assert_int_equal(machines.n, 1 + again);
		assert_string_equal(machines.v[0].target, "arch");
		assert_string_equal(machines.v[0].token, "abc");
		assert_string_equal(machines.v[0].state, "ready");
		assert_string_equal(machines.v[0].config, "{}");
		assert_int_equal(machines.v[0].started, 1700000000);
		runs = (struct stored_runs){0};
		assert_int_equal(store_history(s, NULL, 10, &a, &runs, &e), 0);
		assert_int_equal(runs.n, 1);
		assert_int_equal(runs.v[0].id, 7);
		assert_string_equal(runs.v[0].result, "done");
		events = (struct stored_events){0};
		assert_int_equal(store_run_events(s, 7, &a, &events, &e), 0);
		assert_int_equal(events.n, 1);
		assert_int_equal(store_look_get(s, "b", &a, &at, &json, &e), 0);
		assert_string_equal(json, "[]");
		/* What only version 2 can: another machine of the same target, and who started it. */
		struct stored_machine other = {"arch", "def", "starting", "{}", 1700000001};
		assert_int_equal(store_machine_put(s, &other, &e), 0);
		if (!again)
			assert_int_equal(store_start_begin(s, "arch", "def", "eve", "", 1700000001, &id, &e), 0);
		starts = (struct stored_starts){0};
		assert_int_equal(store_starts(s, "arch", 0, &a, &starts, &e), 0);
		assert_int_equal(starts.n, 1);
		assert_null(starts.v[0].error);
		/* And only version 3: when it had gone, once. */
		assert_int_equal(starts.v[0].ended, again ? 1700000100 : 0);
		assert_int_equal(store_start_gone(s, "arch", "abc", 1700000050, &e), 0);
		assert_int_equal(store_start_gone(s, "arch", "def", 1700000100 + again, &e), 0);
		store_close(s);
	}
	forget(folder, path);
}

static void from_version_2(void **state)
{
	AUTO(arena) struct arena a = {0};
	char folder[] = "/tmp/dormouse-store-XXXXXX", path[100];
	struct stored_starts starts = {0};
	struct store *s = NULL;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/state.db", folder);
	make(path,
	     "CREATE TABLE start(id INTEGER PRIMARY KEY, target TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,"
	     " client TEXT NOT NULL, error TEXT) STRICT;"
	     "CREATE TABLE run(id INTEGER PRIMARY KEY, backup TEXT NOT NULL, began INTEGER NOT NULL,"
	     " ended INTEGER, exit INTEGER, result TEXT) STRICT;"
	     "INSERT INTO start VALUES(3, 'arch', 1700000000, 'eve', '', '');"
	     "PRAGMA user_version = 2;");
	assert_int_equal(store_open(path, &s, &e), 0);
	assert_int_equal(store_starts(s, "arch", 0, &a, &starts, &e), 0);
	assert_int_equal(starts.n, 1);
	assert_int_equal(starts.v[0].at, 1700000000);
	assert_int_equal(starts.v[0].ended, 0);
	store_close(s);
	forget(folder, path);
}

/* Of version 3, which knew of no reports; then the life of some of them. */
static void from_version_3(void **state)
{
	AUTO(arena) struct arena a = {0};
	char folder[] = "/tmp/dormouse-store-XXXXXX", path[100];
	struct stored_runs runs = {0};
	struct stored_reports due = {0};
	struct stored_sinks sinks = {0};
	struct store *s = NULL;
	int64_t id, dropped, at;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/state.db", folder);
	make(path, "CREATE TABLE run(id INTEGER PRIMARY KEY, backup TEXT NOT NULL, began INTEGER NOT NULL,"
		   " ended INTEGER, exit INTEGER, result TEXT) STRICT;"
		   "INSERT INTO run VALUES(7, 'b', 1700000000, 1700000100, 0, 'done');"
		   "PRAGMA user_version = 3;");
	assert_int_equal(store_open(path, &s, &e), 0);
	assert_int_equal(store_run_get(s, 7, &a, &runs, &e), 0);
	assert_string_equal(runs.v[0].trace, "");
	assert_string_equal(runs.v[0].sinks, "[]");
	/* A run that was taken for dead goes on, once, and only by its own trace. */
	assert_int_equal(store_run_begin(s, "b", "abc", "[]", 1, &id, &e), 0);
	assert_int_equal(store_run_end(s, id, 2, -1, "{}", &e), 0);
	int64_t other = -1;
	assert_int_equal(store_run_again(s, "b", "abd", &other, &e), 0);
	assert_int_equal(other, 0);
	assert_int_equal(store_run_again(s, "b", "abc", &other, &e), 0);
	assert_int_equal(other, id);
	assert_int_equal(store_run_again(s, "b", "abc", &other, &e), 0);
	assert_int_equal(other, 0);
	/* Nothing that was begun and not ended well is there. */
	assert_int_equal(store_begin(s, &e), 0);
	assert_int_equal(store_report_add(s, "x", 100, "{}", 100, &dropped, &e), 0);
	assert_int_equal(store_end(s, -1, &e), -1);
	assert_int_equal(store_reports_next(s, 100, &at, &e), 0);
	assert_true(at == INT64_MAX);
	/* The oldest of each sink first; one that failed waits, and the others do not. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_report_add(s, "x", 100 + i, "{}", 100, &dropped, &e), 0);
		assert_int_equal(store_report_add(s, "y", 100 + i, "{}", 100, &dropped, &e), 0);
	}
	assert_int_equal(store_reports_due(s, 200, 2, &a, &due, &e), 0);
	assert_int_equal(due.n, 4);
	assert_string_equal(due.v[0].sink, "x");
	assert_int_equal(store_report_later(s, due.v[0].id, 200, 900, "[2]", "slow", &e), 0);
	assert_int_equal(store_report_taken(s, due.v[1].id, 200, 55, "", &e), 0);
	due = (struct stored_reports){0};
	assert_int_equal(store_reports_due(s, 201, 9, &a, &due, &e), 0);
	assert_int_equal(due.n, 2);
	assert_string_equal(due.v[0].sink, "y");
	assert_int_equal(store_report_refused(s, due.v[0].id, 202, "no", &e), 0);
	assert_int_equal(store_report_taken(s, due.v[1].id, 203, 0, "", &e), 0);
	assert_int_equal(store_reports_next(s, 300, &at, &e), 0);
	assert_int_equal(at, 900);
	due = (struct stored_reports){0};
	assert_int_equal(store_reports_due(s, 900, 9, &a, &due, &e), 0);
	assert_int_equal(due.n, 3);
	assert_string_equal(due.v[0].rest, "[2]");
	assert_int_equal(due.v[0].tries, 1);
	/* A clock that was set back does not silence it. */
	due = (struct stored_reports){0};
	assert_int_equal(store_reports_due(s, 199, 9, &a, &due, &e), 0);
	assert_int_equal(due.n, 3);
	/* No more than so many wait, and none for ever. */
	for (int i = 0; i < REPORTS_MAX; i++) {
		assert_int_equal(store_begin(s, &e), 0);
		assert_int_equal(store_end(s, store_report_add(s, "x", 1000, "{}", 1000, &dropped, &e), &e), 0);
		assert_int_equal(dropped, i < REPORTS_MAX - 3 ? 0 : 1);
	}
	assert_int_equal(store_report_add(s, "x", 1001 + REPORTS_AGE_MS, "{}", 1001 + REPORTS_AGE_MS, &dropped, &e), 0);
	assert_int_equal(dropped, REPORTS_MAX);
	assert_int_equal(store_sinks(s, &a, &sinks, &e), 0);
	assert_int_equal(sinks.n, 2);
	assert_int_equal(sinks.v[0].waiting, 1);
	assert_int_equal(sinks.v[0].dropped, REPORTS_MAX + 3);
	assert_string_equal(sinks.v[0].error, "slow");
	assert_int_equal(sinks.v[1].refused, 1);
	assert_int_equal(sinks.v[1].memo, 55);
	assert_int_equal(sinks.v[1].ok, 203);
	assert_string_equal(sinks.v[1].error, "");
	store_close(s);
	forget(folder, path);
}

/* Runs in short, made anew when a run that was taken for dead ends after all; and what is remembered. */
static void summaries(void **state)
{
	AUTO(arena) struct arena a = {0};
	char folder[] = "/tmp/dormouse-store-XXXXXX", path[100];
	struct stored_summaries all = {0};
	struct store *s = NULL;
	const char *json;
	int64_t id, again;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/state.db", folder);
	make(path, "CREATE TABLE run(id INTEGER PRIMARY KEY, backup TEXT NOT NULL, began INTEGER NOT NULL,"
		   " ended INTEGER, exit INTEGER, result TEXT, trace TEXT NOT NULL DEFAULT '', sinks TEXT NOT NULL"
		   " DEFAULT '[]') STRICT;"
		   "CREATE TABLE event(run INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
		   "INSERT INTO run VALUES(7, 'b', 1700000000, 1700000100, 0, '{\"datasets\":[]}', '', '[]');"
		   "PRAGMA user_version = 4;");
	assert_int_equal(store_open(path, &s, &e), 0);
	assert_int_equal(store_run_begin(s, "b", "abc", "[]", 1, &id, &e), 0);
	assert_int_equal(store_run_event(s, id, 1, "first", &e), 0);
	assert_int_equal(store_run_event(s, id, 2, "last", &e), 0);
	assert_int_equal(store_summaries(s, NULL, 9, &a, &all, &e), 0);
	assert_int_equal(all.n, 2);
	assert_true(all.v[0].id == id && all.v[0].ended == 0 && all.v[0].result == NULL);
	assert_string_equal(all.v[0].stage, "last");
	assert_true(all.v[1].id == 7 && all.v[1].json == NULL && all.v[1].stage == NULL);
	assert_string_equal(all.v[1].result, "{\"datasets\":[]}");
	assert_int_equal(store_run_end(s, id, 2, -1, "{}", &e), 0);
	assert_int_equal(store_summary_put(s, id, "{\"datasets\":0}", &e), 0);
	assert_int_equal(store_summary_put(s, 7, "{\"datasets\":2}", &e), 0);
	all = (struct stored_summaries){0};
	assert_int_equal(store_summaries(s, NULL, 1, &a, &all, &e), 0);
	assert_int_equal(all.n, 1);
	assert_string_equal(all.v[0].json, "{\"datasets\":0}");
	assert_null(all.v[0].result);
	all = (struct stored_summaries){0};
	assert_int_equal(store_summaries(s, "c", 9, &a, &all, &e), 0);
	assert_int_equal(all.n, 0);
	assert_int_equal(store_summaries(s, "b", 9, &a, &all, &e), 0);
	assert_int_equal(all.n, 2);
	/* The last that came to a dataset. */
	assert_int_equal(store_last_result(s, "b", &a, &json, &e), 0);
	assert_string_equal(json, "{\"datasets\":[]}");
	assert_int_equal(store_last_result(s, "c", &a, &json, &e), 0);
	assert_null(json);
	assert_int_equal(store_run_again(s, "b", "abc", &again, &e), 0);
	assert_int_equal(store_run_end(s, again, 9, 0, "whole", &e), 0);
	all = (struct stored_summaries){0};
	assert_int_equal(store_summaries(s, NULL, 1, &a, &all, &e), 0);
	assert_null(all.v[0].json);
	assert_string_equal(all.v[0].result, "whole");
	assert_int_equal(store_memo_get(s, "x", &a, &json, &e), 0);
	assert_null(json);
	assert_int_equal(store_memo_put(s, "x", "one", &e), 0);
	assert_int_equal(store_memo_put(s, "x", "two", &e), 0);
	assert_int_equal(store_memo_get(s, "x", &a, &json, &e), 0);
	assert_string_equal(json, "two");
	store_close(s);
	forget(folder, path);
}

static void from_the_future(void **state)
{
	char folder[] = "/tmp/dormouse-store-XXXXXX", path[100];
	struct store *s = NULL;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/state.db", folder);
	make(path, "PRAGMA user_version = 6;");
	assert_int_equal(store_open(path, &s, &e), -1);
	assert_true(e.hint[0] != '\0');
	forget(folder, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(from_version_1), cmocka_unit_test(from_version_2),	 cmocka_unit_test(from_version_3),
	    cmocka_unit_test(summaries),      cmocka_unit_test(from_the_future),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
