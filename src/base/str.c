#include "base/str.h"

struct str str_of(const char *s)
{
	return (struct str){s, strlen(s)};
}

bool str_eq(struct str a, const char *b)
{
	return a.n == strlen(b) && memcmp(a.p, b, a.n) == 0;
}

bool str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_cut(struct str *s, char c)
{
	struct str head = *s;
	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i] != c)
			continue;
		head.n = i;
		s->p += i + 1;
		s->n -= i + 1;
		return head;
	}
	s->p += s->n;
	s->n = 0;
	return head;
}

char *str_dup(struct arena *a, struct str s)
{
	return s.n == 0 ? arena_strdup(a, "") : arena_strndup(a, s.p, s.n);
}

/* Length of the well-formed sequence at p, 0 if it is none (RFC 3629 section 4). */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		lo = p[0] == 0xe0 ? 0xa0 : lo;
		hi = p[0] == 0xed ? 0x9f : hi;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		lo = p[0] == 0xf0 ? 0x90 : lo;
		hi = p[0] == 0xf4 ? 0x8f : hi;
	} else {
		return 0;
	}
	if (n < len || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool str_is_utf8(struct str s, size_t *bad)
{
	for (size_t i = 0; i < s.n;) {
		size_t len = utf8_len((const unsigned char *)s.p + i, s.n - i);
		if (len == 0) {
			*bad = i;
			return false;
		}
		i += len;
	}
	return true;
}

bool str_glob(const char *p, const char *s)
{
	const char *star_p = NULL, *star_s = NULL, *deep_p = NULL, *deep_s = NULL;

	for (;;) {
		if (p[0] == '*') {
			if (p[1] == '*') {
				deep_p = p += 2;
				deep_s = s;
				star_p = NULL;
			} else {
				star_p = ++p;
				star_s = s;
			}
		} else if (*s != '\0' && (*p == *s || (*p == '?' && *s != '/'))) {
			p++;
			s++;
		} else if (*s == '\0' && *p == '\0') {
			return true;
		} else if (star_p != NULL && *star_s != '\0' && *star_s != '/') {
			p = star_p;
			s = ++star_s;
		} else if (deep_p != NULL && *deep_s != '\0') {
			p = deep_p;
			s = ++deep_s;
			star_p = NULL;
		} else {
			return false;
		}
	}
}

size_t str_distance(const char *a, const char *b)
{
	enum { MAX = 64 };
	size_t d[3][MAX + 1], n = strlen(a), m = strlen(b);

	if (n > MAX || m > MAX)
		return n > m ? n : m;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *cur = d[i % 3], *one = d[(i + 2) % 3], *two = d[(i + 1) % 3];
		cur[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = one[j - 1] + (a[i - 1] != b[j - 1]);
			if (one[j] + 1 < best)
				best = one[j] + 1;
			if (cur[j - 1] + 1 < best)
				best = cur[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			cur[j] = best;
		}
	}
	return d[n % 3][m];
}

void str_plain(char *text, const char *keep)
{
	for (char *p = text; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' || *p == 127) && strchr(keep, *p) == NULL)
			*p = ' ';
}

uint64_t str_hash(const char *s, uint64_t h)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211ULL;
	return h;
}
