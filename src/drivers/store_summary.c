#include "drivers/store_summary.h"

#include "drivers/store_internal.h"

int store_summaries(struct store *s, const char *backup, int64_t limit, struct arena *a, struct stored_summaries *out,
		    struct err *e)
{
	sqlite3_stmt *q = store_prepare(
	    s,
	    "SELECT id, began, ifnull(ended,0), ifnull(exit,-1), backup, json, CASE WHEN json IS NULL THEN result END,"
	    " CASE WHEN ended IS NULL THEN (SELECT text FROM event WHERE event.run=id ORDER BY event.rowid DESC LIMIT "
	    "1)"
	    " END FROM run LEFT JOIN summary ON summary.run=id WHERE ?1='' OR backup=?1 ORDER BY id DESC LIMIT ?2",
	    "si", backup == NULL ? "" : backup, limit);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) = (struct stored_summary){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
							   sqlite3_column_int64(q, 2), sqlite3_column_int(q, 3),
							   store_column(q, 4, a),      store_column(q, 5, a),
							   store_column(q, 6, a),      store_column(q, 7, a)};
	return store_finish(s, q, rc, e);
}

int store_summary_put(struct store *s, int64_t run, const char *json, struct err *e)
{
	return store_change(s, e, "INSERT OR REPLACE INTO summary VALUES(?,?)", "is", run, json);
}

static int text_of(struct store *s, sqlite3_stmt *q, struct arena *a, const char **json, struct err *e)
{
	int rc = q == NULL ? SQLITE_ERROR : sqlite3_step(q);

	*json = rc == SQLITE_ROW ? store_column(q, 0, a) : NULL;
	return store_finish(s, q, rc, e);
}

int store_last_result(struct store *s, const char *backup, struct arena *a, const char **json, struct err *e)
{
	return text_of(s,
		       store_prepare(s,
				     "SELECT result FROM run LEFT JOIN summary ON summary.run=id WHERE backup=?"
				     " AND ifnull(json_extract(json,'$.datasets'),"
				     " json_array_length(result,'$.datasets'))>0 ORDER BY id DESC LIMIT 1",
				     "s", backup),
		       a, json, e);
}

int store_memo_put(struct store *s, const char *name, const char *json, struct err *e)
{
	return store_change(s, e, "INSERT OR REPLACE INTO memo VALUES(?,?)", "ss", name, json);
}

int store_memo_get(struct store *s, const char *name, struct arena *a, const char **json, struct err *e)
{
	return text_of(s, store_prepare(s, "SELECT json FROM memo WHERE name=?", "s", name), a, json, e);
}
