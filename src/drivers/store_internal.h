/* Internal to the store: what its parts share. */
#ifndef DRIVERS_STORE_INTERNAL_H
#define DRIVERS_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdarg.h>

#include "drivers/store_sqlite.h"

struct store {
	sqlite3 *db;
	bool works; /* as far as is known, what is to be written can be */
};

/* Fills e with what SQLite says; -1. */
int store_failed(struct store *s, struct err *e);
/* A query with its parameters: 's' a string, 'i' an int64_t.  NULL on an error. */
sqlite3_stmt *store_prepare(struct store *s, const char *sql, const char *types, ...);
int store_change(struct store *s, struct err *e, const char *sql, const char *types, ...) MUST_CHECK;
const char *store_column(sqlite3_stmt *q, int i, struct arena *a);
/* Ends a query whose last step gave rc. */
int store_finish(struct store *s, sqlite3_stmt *q, int rc, struct err *e) MUST_CHECK;

#endif
