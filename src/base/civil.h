/* Calendar arithmetic on values, proleptic Gregorian, UTC.  No clock is read. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include "base/str.h"

struct civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
};

struct civil civil_of(int64_t unix_s);
int64_t civil_unix(const struct civil *c);
enum { CIVIL_TEXT = 32 };
/* "2026-11-23T19:04:05Z" into out (CIVIL_TEXT bytes); returns out. */
const char *civil_show(int64_t unix_s, char *out);
/* Reads that form ("Z" required, seconds optional) or plain unix seconds. */
bool civil_parse(struct str s, int64_t *unix_s);

#endif
