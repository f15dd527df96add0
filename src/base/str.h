/* Views of text that is not NUL-terminated: what comes from outside, until it is validated. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/arena.h"

struct str {
	const char *p;
	size_t n;
};

struct str str_of(const char *s);
bool str_eq(struct str a, const char *b);
bool str_starts(struct str s, const char *prefix);
struct str str_trim(struct str s); /* ASCII white space at both ends */
/* Cuts s at the first c: the part before is returned, *s becomes the part after (empty when there
 * was none). */
struct str str_cut(struct str *s, char c);
char *str_dup(struct arena *a, struct str s);
/* Whether all of s is UTF-8 as RFC 3629 has it (no overlong forms, no surrogates); if not, *bad is
 * the offset of the first wrong byte. */
bool str_is_utf8(struct str s, size_t *bad);
/* Control characters but those of keep become spaces: what others say must not command a terminal. */
void str_plain(char *text, const char *keep);
/* Glob of a dataset path: '*' any characters but '/', '**' any characters, '?' one but '/'. */
bool str_glob(const char *pattern, const char *s);
/* FNV-1a of a NUL-terminated text, going on from h. */
#define STR_HASH_INIT 14695981039346656037ULL
uint64_t str_hash(const char *s, uint64_t h);
/* Damerau-Levenshtein distance (adjacent transpositions count one), for "did you mean". */
size_t str_distance(const char *a, const char *b);

#endif
