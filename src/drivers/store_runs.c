#include "drivers/store_internal.h"

int store_begin(struct store *s, struct err *e)
{
	return store_change(s, e, "BEGIN IMMEDIATE", "");
}

int store_end(struct store *s, int rc, struct err *e)
{
	struct err ignored;

	if (rc == 0 && store_change(s, e, "COMMIT", "") == 0)
		return 0;
	(void)!store_change(s, &ignored, "ROLLBACK", "");
	return -1;
}

int store_run_begin(struct store *s, const char *backup, const char *trace, const char *sinks, int64_t now, int64_t *id,
		    struct err *e)
{
	if (store_change(s, e, "INSERT INTO run(backup, trace, sinks, began) VALUES(?,?,?,?)", "sssi", backup, trace,
			 sinks, now) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int store_run_again(struct store *s, const char *backup, const char *trace, int64_t *id, struct err *e)
{
	sqlite3_stmt *q =
	    store_prepare(s, "SELECT id FROM run WHERE backup=? AND trace=? AND exit=-1 ORDER BY id DESC LIMIT 1", "ss",
			  backup, trace);
	int rc = q == NULL ? SQLITE_ERROR : sqlite3_step(q);

	*id = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	if (store_finish(s, q, rc, e) < 0)
		return -1;
	return *id == 0 ? 0 : store_change(s, e, "UPDATE run SET ended=NULL, exit=NULL WHERE id=?", "i", *id);
}

int store_run_event(struct store *s, int64_t id, int64_t now, const char *text, struct err *e)
{
	return store_change(s, e, "INSERT INTO event VALUES(?,?,?)", "iis", id, now, text);
}

int store_run_end(struct store *s, int64_t id, int64_t now, int exit, const char *result, struct err *e)
{
	return store_change(s, e, "UPDATE run SET ended=?, exit=?, result=? WHERE id=?", "iisi", now, (int64_t)exit,
			    result, id);
}

static int runs(struct store *s, sqlite3_stmt *q, struct arena *a, struct stored_runs *out, struct err *e)
{
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) = (struct stored_run){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
						       sqlite3_column_int64(q, 2), sqlite3_column_int(q, 3),
						       store_column(q, 4, a),	   store_column(q, 5, a),
						       store_column(q, 6, a),	   store_column(q, 7, a)};
	return store_finish(s, q, rc, e);
}

#define RUN "SELECT id, began, ifnull(ended,0), ifnull(exit,-1), backup, result, trace, sinks FROM run "

int store_history(struct store *s, const char *backup, int64_t limit, struct arena *a, struct stored_runs *out,
		  struct err *e)
{
	return runs(s,
		    store_prepare(s, RUN "WHERE ?1 = '' OR backup = ?1 ORDER BY id DESC LIMIT ?2", "si",
				  backup == NULL ? "" : backup, limit),
		    a, out, e);
}

int store_run_get(struct store *s, int64_t id, struct arena *a, struct stored_runs *out, struct err *e)
{
	return runs(s, store_prepare(s, RUN "WHERE id = ?", "i", id), a, out, e);
}

int store_runs_open(struct store *s, struct arena *a, struct stored_runs *out, struct err *e)
{
	return runs(s, store_prepare(s, RUN "WHERE ended IS NULL ORDER BY id", ""), a, out, e);
}

int store_run_events(struct store *s, int64_t id, struct arena *a, struct stored_events *out, struct err *e)
{
	sqlite3_stmt *q = store_prepare(s, "SELECT at, text FROM event WHERE run=? ORDER BY rowid", "i", id);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) = (struct stored_event){sqlite3_column_int64(q, 0), store_column(q, 1, a)};
	return store_finish(s, q, rc, e);
}

int store_span_put(struct store *s, int64_t run, int64_t id, const char *json, struct err *e)
{
	return store_change(
	    s, e, "INSERT INTO span(run, id, json) VALUES(?,?,?) ON CONFLICT(run, id) DO UPDATE SET json=excluded.json",
	    "iis", run, id, json);
}

int store_spans(struct store *s, int64_t run, struct arena *a, struct strings *out, struct err *e)
{
	sqlite3_stmt *q = store_prepare(s, "SELECT json FROM span WHERE run=? ORDER BY id", "i", run);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) = store_column(q, 0, a);
	return store_finish(s, q, rc, e);
}
