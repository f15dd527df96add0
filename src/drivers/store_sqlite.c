#include "drivers/store_internal.h"
#include "drivers/store_summary.h"

#include <errno.h>
#include <sys/stat.h>

#define MACHINE_TABLE                                                                          \
	"CREATE TABLE machine(target TEXT NOT NULL, token TEXT NOT NULL, state TEXT NOT NULL," \
	" config TEXT NOT NULL, started INTEGER NOT NULL, PRIMARY KEY(target, token)) STRICT;"
#define START_TABLE                                                                                                \
	"CREATE TABLE start(id INTEGER PRIMARY KEY, target TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL," \
	" client TEXT NOT NULL, error TEXT, token TEXT NOT NULL DEFAULT '', ended INTEGER) STRICT;"                \
	"CREATE INDEX start_by_target ON start(target, at);"                                                       \
	"CREATE TRIGGER start_bound AFTER INSERT ON start BEGIN DELETE FROM start WHERE id <= NEW.id - 10000; END;"

/* How runs went, and what is to be told of them; "rest": what of a report has yet to be told, if not all of it. */
#define REPORT_TABLES                                                                                                \
	"ALTER TABLE run ADD COLUMN trace TEXT NOT NULL DEFAULT '';"                                                 \
	"ALTER TABLE run ADD COLUMN sinks TEXT NOT NULL DEFAULT '[]';"                                               \
	"CREATE TABLE span(n INTEGER PRIMARY KEY, run INTEGER NOT NULL, id INTEGER NOT NULL, json TEXT NOT NULL,"    \
	" UNIQUE(run, id)) STRICT;"                                                                                  \
	"CREATE TRIGGER span_bound AFTER INSERT ON span BEGIN DELETE FROM span WHERE n <= NEW.n - 200000; END;"      \
	"CREATE TABLE report(id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, at INTEGER NOT NULL,"         \
	" json TEXT NOT NULL, rest TEXT NOT NULL DEFAULT '') STRICT;"                                                \
	"CREATE INDEX report_by_sink ON report(sink, id);"                                                           \
	"CREATE TABLE sink(name TEXT PRIMARY KEY, ok INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0," \
	" error TEXT NOT NULL DEFAULT '', refused INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0,"   \
	" lost INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, again INTEGER NOT NULL DEFAULT 0,"      \
	" memo INTEGER NOT NULL DEFAULT 0) STRICT;"

/* Runs in short, made when they are first asked for; and what a program has to remember. */
#define SUMMARY_TABLES                                                                                                \
	"CREATE TABLE summary(run INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;"                                   \
	"CREATE TRIGGER summary_stale AFTER UPDATE OF result ON run BEGIN DELETE FROM summary WHERE run=NEW.id; END;" \
	"CREATE TABLE memo(name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;"

static const char schema[] =
    "BEGIN;" MACHINE_TABLE START_TABLE
    "CREATE TABLE run(id INTEGER PRIMARY KEY, backup TEXT NOT NULL, began INTEGER NOT NULL,"
    " ended INTEGER, exit INTEGER, result TEXT) STRICT;"
    "CREATE INDEX run_by_backup ON run(backup, id);"
    "CREATE TABLE event(run INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX event_by_run ON event(run);"
    "CREATE TABLE look(backup TEXT PRIMARY KEY, at INTEGER NOT NULL, json TEXT NOT NULL) STRICT;" REPORT_TABLES
	SUMMARY_TABLES "PRAGMA user_version = 5;"
    "COMMIT;";
/* Of version 1, before a target could have several machines. */
static const char from_1[] =
    "BEGIN;"
    "ALTER TABLE machine RENAME TO old_machine;" MACHINE_TABLE "INSERT INTO machine SELECT * FROM old_machine;"
    "DROP TABLE old_machine;" START_TABLE "PRAGMA user_version = 3;"
    "COMMIT;";
/* Of version 2, before it was seen how long a machine was on. */
static const char from_2[] = "BEGIN;"
			     "ALTER TABLE start ADD COLUMN token TEXT NOT NULL DEFAULT '';"
			     "ALTER TABLE start ADD COLUMN ended INTEGER;"
			     "PRAGMA user_version = 3;"
			     "COMMIT;";
/* Of version 3, before runs had spans. */
static const char from_3[] = "BEGIN;" REPORT_TABLES "PRAGMA user_version = 4;"
			     "COMMIT;";
/* Of version 4, before runs were judged by what others had been like. */
static const char from_4[] = "BEGIN;" SUMMARY_TABLES "PRAGMA user_version = 5;"
			     "COMMIT;";
enum { VERSION = 5 };

int store_failed(struct store *s, struct err *e)
{
	(void)err_set(e, ERR_SYSTEM, "cannot use the state database");
	(void)err_why(e, "%s", sqlite3_errmsg(s->db));
	return err_hint(
	    e, "is the disk full, or the folder not ours? moving state.db away loses the history, and no backup");
}

static sqlite3_stmt *vprepare(struct store *s, const char *sql, const char *types, va_list ap)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
		return NULL;
	for (int i = 1; *types != '\0'; types++, i++) {
		if (*types == 's')
			(void)sqlite3_bind_text(q, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
		else
			(void)sqlite3_bind_int64(q, i, va_arg(ap, int64_t));
	}
	return q;
}

sqlite3_stmt *store_prepare(struct store *s, const char *sql, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	sqlite3_stmt *q = vprepare(s, sql, types, ap);
	va_end(ap);
	return q;
}

int store_change(struct store *s, struct err *e, const char *sql, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	sqlite3_stmt *q = vprepare(s, sql, types, ap);
	va_end(ap);
	int rc = q == NULL ? SQLITE_ERROR : sqlite3_step(q);
	if (rc != SQLITE_DONE) {
		(void)store_failed(s, e);
		s->works = false;
	}
	(void)sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

const char *store_column(sqlite3_stmt *q, int i, struct arena *a)
{
	const unsigned char *text = sqlite3_column_text(q, i);
	return text == NULL ? NULL : arena_strdup(a, (const char *)text);
}

int store_finish(struct store *s, sqlite3_stmt *q, int rc, struct err *e)
{
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		(void)store_failed(s, e);
	(void)sqlite3_finalize(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}

static int version_of(struct store *s)
{
	sqlite3_stmt *q = store_prepare(s, "PRAGMA user_version", "");
	int version = q != NULL && sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int(q, 0) : 0;

	(void)sqlite3_finalize(q);
	return version;
}

int store_open(const char *path, struct store **out, struct err *e)
{
	struct store *s = calloc(1, sizeof(*s));
	int version = 0;

	if (s == NULL)
		abort();
	/* Targets' blocks are in it, with their secrets.  What SQLite puts beside it gets the same mode. */
	if ((mknod(path, S_IFREG | 0600, 0) < 0 && errno != EEXIST) || chmod(path, 0600) < 0) {
		(void)err_sys(e, errno, "cannot make the state in '%s'", path);
		store_close(s);
		return -1;
	}
	if (sqlite3_open(path, &s->db) != SQLITE_OK ||
	    sqlite3_exec(
		s->db,
		/* Exclusive, it has no index in shared memory, which could not be made on a disk that is full. */
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
		"cache_size=-256; PRAGMA secure_delete=ON;",
		NULL, NULL, NULL) != SQLITE_OK)
		goto bad;
	version = version_of(s);
	if (version > VERSION) {
		(void)err_set(e, ERR_SYSTEM, "the state in '%s' is of a newer dormouse", path);
		(void)err_hint(e, "use that version, or move the file away: its history is lost then, and no backup");
		store_close(s);
		return -1;
	}
	static const char *const steps[VERSION] = {schema, from_1, from_2, from_3, from_4};
	for (; version < VERSION; version = version_of(s))
		if (sqlite3_exec(s->db, steps[version], NULL, NULL, NULL) != SQLITE_OK)
			goto bad;
	*out = s;
	return 0;
bad:
	(void)store_failed(s, e);
	store_close(s);
	return -1;
}

int store_works(struct store *s, struct err *e)
{
	if (!s->works && store_memo_put(s, "works", "true", e) < 0)
		return -1;
	s->works = true;
	return 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	(void)sqlite3_close(s->db);
	free(s);
}

int store_machine_put(struct store *s, const struct stored_machine *m, struct err *e)
{
	return store_change(s, e, "INSERT OR REPLACE INTO machine VALUES(?,?,?,?,?)", "ssssi", m->target, m->token,
			    m->state, m->config, m->started);
}

int store_machine_drop(struct store *s, const char *target, const char *token, struct err *e)
{
	return store_change(s, e, "DELETE FROM machine WHERE target=? AND token=?", "ss", target, token);
}

int store_machines(struct store *s, struct arena *a, struct stored_machines *out, struct err *e)
{
	sqlite3_stmt *q =
	    store_prepare(s, "SELECT target, token, state, config, started FROM machine ORDER BY target, started", "");
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) =
		    (struct stored_machine){store_column(q, 0, a), store_column(q, 1, a), store_column(q, 2, a),
					    store_column(q, 3, a), sqlite3_column_int64(q, 4)};
	return store_finish(s, q, rc, e);
}

int store_start_begin(struct store *s, const char *target, const char *token, const char *who, const char *client,
		      int64_t now, int64_t *id, struct err *e)
{
	if (store_change(s, e, "INSERT INTO start(target, token, at, who, client) VALUES(?,?,?,?,?)", "ssiss", target,
			 token, now, who, client) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int store_start_end(struct store *s, int64_t id, const char *error, struct err *e)
{
	return store_change(s, e, "UPDATE start SET error=? WHERE id=?", "si", error, id);
}

int store_start_gone(struct store *s, const char *target, const char *token, int64_t now, struct err *e)
{
	return store_change(s, e, "UPDATE start SET ended=? WHERE target=? AND token=? AND ended IS NULL", "iss", now,
			    target, token);
}

int store_client_starts(struct store *s, const char *client, int64_t since, int64_t until, int64_t *n, struct err *e)
{
	sqlite3_stmt *q = store_prepare(s, "SELECT count(*) FROM start WHERE client = ? AND at >= ? AND at <= ?", "sii",
					client, since, until);
	int rc = q == NULL ? SQLITE_ERROR : sqlite3_step(q);

	*n = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	return store_finish(s, q, rc, e);
}

int store_starts(struct store *s, const char *target, int64_t since, struct arena *a, struct stored_starts *out,
		 struct err *e)
{
	sqlite3_stmt *q =
	    store_prepare(s,
			  "SELECT target, at, who, error, ended FROM start WHERE (?1 = '' OR target = ?1) AND at >= ?2"
			  " ORDER BY id",
			  "si", target == NULL ? "" : target, since);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = sqlite3_step(q)) == SQLITE_ROW)
		*vec_add(out, a) =
		    (struct stored_start){store_column(q, 0, a), sqlite3_column_int64(q, 1), store_column(q, 2, a),
					  store_column(q, 3, a), sqlite3_column_int64(q, 4)};
	return store_finish(s, q, rc, e);
}

int store_look_put(struct store *s, const char *backup, int64_t now, const char *json, struct err *e)
{
	return store_change(s, e, "INSERT OR REPLACE INTO look VALUES(?,?,?)", "sis", backup, now, json);
}

int store_look_get(struct store *s, const char *backup, struct arena *a, int64_t *at, const char **json, struct err *e)
{
	sqlite3_stmt *q = store_prepare(s, "SELECT at, json FROM look WHERE backup=?", "s", backup);
	int rc = q == NULL ? SQLITE_ERROR : sqlite3_step(q);

	*json = NULL;
	if (rc == SQLITE_ROW) {
		*at = sqlite3_column_int64(q, 0);
		*json = store_column(q, 1, a);
	}
	return store_finish(s, q, rc, e);
}
