#include "wire/sigv4.h"

#include <ctype.h>

#include "base/civil.h"

enum { HASH = HMAC_BYTES, HEX = HMAC_TEXT };
#define ALGORITHM "AWS4-HMAC-SHA256"

static const char *hash_of(struct str s, sha256_fn *sha256, char out[HEX])
{
	unsigned char hash[HASH];

	sha256(s.n == 0 ? "" : s.p, s.n, hash);
	return hmac_hex(hash, out);
}

static int by_name(const void *x, const void *y)
{
	const struct http_header *a = x, *b = y;
	return strcmp(a->name, b->name);
}

/* Without white space at its ends, and with one blank for each run of them. */
static void put_value(struct buf *b, const char *value)
{
	struct str s = str_trim(str_of(value));

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' || s.p[i - 1] != ' ')
			buf_putc(b, s.p[i]);
}

/* The path is encoded once more than it is sent. */
static void put_path(struct buf *b, const char *path)
{
	for (; *path != '\0'; path++) {
		if (isalnum((unsigned char)*path) || strchr("-._~/", *path) != NULL)
			buf_putc(b, *path);
		else
			buf_printf(b, "%%%02X", (unsigned char)*path);
	}
}

static void put_names(struct buf *b, const struct http_headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		buf_printf(b, "%s%s", i == 0 ? "" : ";", h->v[i].name);
}

/* "The canonical request": the request as both sides write it down to hash it. */
static void put_request(struct buf *b, const struct sigv4_request *r, sha256_fn *sha256)
{
	char text[HEX];

	buf_printf(b, "%s\n", r->method);
	put_path(b, r->path);
	buf_puts(b, "\n\n");
	for (size_t i = 0; i < r->headers.n; i++) {
		buf_printf(b, "%s:", r->headers.v[i].name);
		put_value(b, r->headers.v[i].value);
		buf_putc(b, '\n');
	}
	buf_putc(b, '\n');
	put_names(b, &r->headers);
	buf_printf(b, "\n%s", hash_of(r->body, sha256, text));
}

/* The key for a day, a region and a service, from the secret one. */
static void derive(const struct sigv4_key *key, const char *day, sha256_fn *sha256, unsigned char out[HASH])
{
	AUTO(buf) struct buf b = {0};
	const char *const steps[] = {key->region, key->service, "aws4_request"};

	buf_printf(&b, "AWS4%s", key->secret);
	hmac(b.p, b.n, str_of(day), sha256, out);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		hmac(out, HASH, str_of(steps[i]), sha256, out);
}

void sigv4_sign(struct sigv4_request *r, const struct sigv4_key *key, int64_t at, sha256_fn *sha256, struct arena *a)
{
	AUTO(buf) struct buf request = {0};
	AUTO(buf) struct buf names = {0};
	unsigned char hash[HASH];
	char text[HEX];
	struct civil c = civil_of(at);
	const char *day = arena_printf(a, "%04d%02d%02d", c.year, c.month, c.day);
	const char *date = arena_printf(a, "%sT%02d%02d%02dZ", day, c.hour, c.minute, c.second);
	const char *scope = arena_printf(a, "%s/%s/%s/aws4_request", day, key->region, key->service);

	*vec_add(&r->headers, a) = (struct http_header){"x-amz-date", date};
	if (key->session != NULL)
		*vec_add(&r->headers, a) = (struct http_header){"x-amz-security-token", key->session};
	qsort(r->headers.v, r->headers.n, sizeof(r->headers.v[0]), by_name);
	put_request(&request, r, sha256);
	put_names(&names, &r->headers);
	const char *what =
	    arena_printf(a, ALGORITHM "\n%s\n%s\n%s", date, scope, hash_of(buf_str(&request), sha256, text));
	derive(key, day, sha256, hash);
	hmac(hash, HASH, str_of(what), sha256, hash);
	*vec_add(&r->headers, a) = (struct http_header){
	    "authorization", arena_printf(a, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->id,
					  scope, buf_text(&names), hmac_hex(hash, text))};
}
