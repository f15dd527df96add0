/* Numbers as text, strictly: the whole text, in range, or false.  And as people read them. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"

bool num_u64(struct str s, uint64_t *out); /* decimal digits only */
bool num_i64(struct str s, int64_t *out);  /* with a leading '-' */
bool num_hex(struct str s, uint64_t *out); /* hex digits, no "0x" */
/* "1h30m", "1.5h", "90s", "500ms", "7d", "2w"; units ms s m h d w, each at most once, largest first; "0".
 * In milliseconds, and whole ones. */
bool num_duration(struct str s, int64_t *ms);
/* "500GiB", "1.5TB", "64M" (= MiB, as zfs means it), "4096"; in bytes. */
bool num_size(struct str s, uint64_t *bytes);

enum { NUM_TEXT = 32 };
/* Each writes at most NUM_TEXT bytes and returns out. */
const char *num_show_bytes(uint64_t bytes, char *out); /* "1.4 GiB" */
const char *num_show_duration(int64_t ms, char *out);  /* "6 min", "1 h 20 min", "12 s" */

#endif
