#include "drivers/store_reports.h"

#include "drivers/store_internal.h"

/* What is one too many, or too old. */
static int bound(struct store *s, const char *sink, int64_t now_ms, int64_t *dropped, struct err *e)
{
	if (store_change(s, e,
			 "DELETE FROM report WHERE sink=?1 AND (at < ?2 OR id <= (SELECT id FROM report WHERE sink=?1"
			 " ORDER BY id DESC LIMIT 1 OFFSET ?3))",
			 "sii", sink, now_ms - REPORTS_AGE_MS, (int64_t)REPORTS_MAX) < 0)
		return -1;
	*dropped = sqlite3_changes(s->db);
	if (*dropped == 0)
		return 0;
	return store_change(s, e, "UPDATE sink SET dropped=dropped+?1, lost=lost+?1 WHERE name=?2", "is", *dropped,
			    sink);
}

int store_report_add(struct store *s, const char *sink, int64_t at, const char *json, int64_t now_ms, int64_t *dropped,
		     struct err *e)
{
	if (store_change(s, e, "INSERT OR IGNORE INTO sink(name) VALUES(?)", "s", sink) < 0 ||
	    store_change(s, e, "INSERT INTO report(sink, at, json) VALUES(?,?,?)", "sis", sink, at, json) < 0)
		return -1;
	return bound(s, sink, now_ms, dropped, e);
}

int store_reports_due(struct store *s, int64_t now_ms, int64_t limit, struct arena *a, struct stored_reports *out,
		      struct err *e)
{
	/* A clock that was set back must not silence a sink for as long. */
	sqlite3_stmt *q = store_prepare(
	    s,
	    "SELECT id, tries, lost, sink, json, rest FROM (SELECT r.id, s.tries, s.lost, r.sink, r.json, r.rest,"
	    " row_number() OVER (PARTITION BY r.sink ORDER BY r.id) AS place FROM report r JOIN sink s"
	    " ON s.name = r.sink WHERE s.again <= ?1 OR s.failed > ?1) WHERE place <= ?2 ORDER BY id",
	    "ii", now_ms, limit);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) = (struct stored_report){.id = sqlite3_column_int64(q, 0),
							  .tries = sqlite3_column_int64(q, 1),
							  .lost = sqlite3_column_int64(q, 2),
							  .sink = store_column(q, 3, a),
							  .json = store_column(q, 4, a),
							  .rest = store_column(q, 5, a)};
	return store_finish(s, q, rc, e);
}

int store_reports_next(struct store *s, int64_t now_ms, int64_t *at, struct err *e)
{
	sqlite3_stmt *q = store_prepare(s,
					"SELECT min(CASE WHEN failed > ?1 THEN ?1 ELSE max(again, ?1) END) FROM sink"
					" WHERE EXISTS (SELECT 1 FROM report WHERE report.sink = sink.name)",
					"i", now_ms);
	int rc = q == NULL ? SQLITE_ERROR : sqlite3_step(q);

	*at = rc != SQLITE_ROW || sqlite3_column_type(q, 0) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(q, 0);
	return store_finish(s, q, rc, e);
}

#define ITS_SINK "name=(SELECT sink FROM report WHERE id="

int store_report_pass(struct store *s, int64_t id, struct err *e)
{
	return store_change(s, e, "DELETE FROM report WHERE id=?", "i", id);
}

int store_report_taken(struct store *s, int64_t id, int64_t now_ms, int64_t memo, const char *error, struct err *e)
{
	if (store_change(s, e,
			 "UPDATE sink SET ok=?1, error=?4, tries=0, again=0, lost=0,"
			 " failed=CASE WHEN ?4 = '' THEN failed ELSE ?1 END, refused=refused+(?4 <> ''),"
			 " memo=CASE WHEN ?3 = 0 THEN memo ELSE ?3 END WHERE " ITS_SINK "?2)",
			 "iiis", now_ms, id, memo, error) < 0)
		return -1;
	return store_report_pass(s, id, e);
}

int store_report_refused(struct store *s, int64_t id, int64_t now_ms, const char *error, struct err *e)
{
	if (store_change(s, e,
			 "UPDATE sink SET failed=?1, error=?3, tries=0, again=0, refused=refused+1, lost=lost+1"
			 " WHERE " ITS_SINK "?2)",
			 "iis", now_ms, id, error) < 0)
		return -1;
	return store_report_pass(s, id, e);
}

int store_report_later(struct store *s, int64_t id, int64_t now_ms, int64_t again_ms, const char *rest,
		       const char *error, struct err *e)
{
	if (store_change(s, e, "UPDATE sink SET failed=?1, error=?4, tries=tries+1, again=?3 WHERE " ITS_SINK "?2)",
			 "iiis", now_ms, id, again_ms, error) < 0)
		return -1;
	return store_change(s, e, "UPDATE report SET rest=? WHERE id=?", "si", rest, id);
}

int store_report_tries(struct store *s, int64_t id, int64_t *tries, struct err *e)
{
	sqlite3_stmt *q = store_prepare(s, "SELECT tries FROM sink WHERE " ITS_SINK "?)", "i", id);
	int rc = q == NULL ? SQLITE_ERROR : sqlite3_step(q);

	*tries = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	return store_finish(s, q, rc, e);
}

int store_sinks(struct store *s, struct arena *a, struct stored_sinks *out, struct err *e)
{
	sqlite3_stmt *q = store_prepare(s,
					"SELECT name, error, ok, failed, refused, dropped, tries, again, memo,"
					" (SELECT count(*) FROM report WHERE sink = name),"
					" (SELECT ifnull(min(at), 0) FROM report WHERE sink = name) FROM sink"
					" ORDER BY name",
					"");
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) = (struct stored_sink){.name = store_column(q, 0, a),
							.error = store_column(q, 1, a),
							.ok = sqlite3_column_int64(q, 2),
							.failed = sqlite3_column_int64(q, 3),
							.refused = sqlite3_column_int64(q, 4),
							.dropped = sqlite3_column_int64(q, 5),
							.tries = sqlite3_column_int64(q, 6),
							.again = sqlite3_column_int64(q, 7),
							.memo = sqlite3_column_int64(q, 8),
							.waiting = sqlite3_column_int64(q, 9),
							.oldest = sqlite3_column_int64(q, 10)};
	return store_finish(s, q, rc, e);
}
