#include "drivers/http_curl.h"

#include <curl/curl.h>

#include "base/num.h"

enum { BODY_MAX = 16 * 1024 * 1024, CONNECT_MS = 10000 };

struct http {
	CURL *curl;
};

struct http *http_new(void)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (h->curl = curl_easy_init()) == NULL)
		abort();
	return h;
}

void http_free(struct http *h)
{
	if (h != NULL)
		curl_easy_cleanup(h->curl);
	free(h);
}

static bool is_loopback(const char *url)
{
	struct str rest = str_of(url + strlen("http://")), authority;

	authority = str_cut(&rest, '/');
	if (str_starts(authority, "[::1]") || memchr(authority.p, '@', authority.n) != NULL)
		return memchr(authority.p, '@', authority.n) == NULL;
	struct str host = str_cut(&authority, ':');
	if (str_eq(host, "localhost"))
		return true;
	if (!str_starts(host, "127."))
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (strchr("0123456789.", host.p[i]) == NULL)
			return false;
	return true;
}

int http_check_url(const char *url, struct err *e)
{
	if (str_starts(str_of(url), "https://") || (str_starts(str_of(url), "http://") && is_loopback(url)))
		return 0;
	(void)err_set(e, ERR_CONFIG, "'%s' is no address that secrets may be sent to", url);
	return err_hint(e, "it must begin with https://, or be of this host: http://localhost:PORT");
}

static size_t take(char *bytes, size_t one, size_t n, void *arg)
{
	struct buf *b = arg;

	(void)one;
	if (b->n + n > BODY_MAX)
		return 0;
	buf_add(b, bytes, n);
	return n;
}

/* The value of a header of that name, or false. */
static bool is_header(struct str line, const char *name, char *value, size_t size)
{
	size_t n = strlen(name);

	if (line.n <= n || line.n - n >= size || strncasecmp(line.p, name, n) != 0 || line.p[n] != ':')
		return false;
	struct str text = str_trim((struct str){line.p + n + 1, line.n - n - 1});
	(void)snprintf(value, size, "%.*s", (int)text.n, text.p);
	return true;
}

static size_t take_header(char *bytes, size_t one, size_t n, void *arg)
{
	struct http_answer *answer = arg;
	const struct str line = {bytes, n};
	char value[64];
	uint64_t number;

	(void)one;
	if (is_header(line, "date", value, sizeof(value))) {
		time_t at = curl_getdate(value, NULL);
		answer->date = at < 0 ? 0 : at;
	} else if (is_header(line, "retry-after", value, sizeof(value))) {
		/* A date means as much as our clock. */
		answer->retry_after_s = num_u64(str_of(value), &number) && number < INT32_MAX ? (int64_t)number : 0;
	} else if (is_header(line, "ping-body-limit", value, sizeof(value))) {
		answer->body_limit = num_u64(str_of(value), &number) && number < INT32_MAX ? (int64_t)number : 0;
	}
	return n;
}

static int failed(CURLcode code, const char *why, const struct http_request *r, struct err *e)
{
	const char *after = strstr(r->url, "://");
	struct str rest = str_of(after == NULL ? r->url : after + 3), host = str_cut(&rest, '/');
	bool late = code == CURLE_OPERATION_TIMEDOUT, endless = code == CURLE_WRITE_ERROR;
	bool denied = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
	bool address = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;

	(void)err_set(e,
		      late	? ERR_TIMEOUT
		      : endless ? ERR_CORRUPT
		      : denied	? ERR_DENIED
		      : address ? ERR_CONFIG
				: ERR_NET,
		      "no answer from '%.*s'", (int)(host.n < 100 ? host.n : 100), host.p);
	(void)err_why(e, "%s", endless ? "it is longer than any that makes sense" : why);
	if (denied)
		return err_hint(e, "somebody may be in between; a proxy that is meant to be: %s%s",
				r->ca_name == NULL ? "its certificate belongs among those that this host trusts"
						   : r->ca_name,
				r->ca_name == NULL ? "" : " names its certificate");
	if (address)
		return err_hint(e, "is the address right?");
	e->retry = endless ? RETRY_NEVER : RETRY_LATER;
	return err_hint(e, "is there a network, and is it the right region or endpoint?");
}

int http_send(struct http *h, const struct http_request *r, struct arena *a, struct http_answer *answer, struct err *e)
{
	AUTO(buf) struct buf body = {0};
	struct curl_slist *lines = curl_slist_append(NULL, "Expect:"); /* the body at once */
	char why[CURL_ERROR_SIZE] = "";
	CURL *c = h->curl;
	bool get = strcmp(r->method, "GET") == 0;
	long status = 0;

	if (!r->plain && http_check_url(r->url, e) < 0) {
		curl_slist_free_all(lines);
		return -1;
	}
	*answer = (struct http_answer){0};
	for (size_t i = 0; i < r->headers.n; i++)
		lines =
		    curl_slist_append(lines, arena_printf(a, "%s: %s", r->headers.v[i].name, r->headers.v[i].value));
	curl_easy_reset(c);
	(void)curl_easy_setopt(c, CURLOPT_URL, r->url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, str_starts(str_of(r->url), "https:") ? "https" : "http");
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "dormouse/" DORMOUSE_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, answer);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, lines);
	if (!str_starts(str_of(r->url), "https:"))
		(void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	if (r->once)
		(void)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	if (r->ca_file != NULL)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, r->ca_file);
	if (!get) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.n == 0 ? "" : r->body.p);
		(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
	}
	CURLcode code = curl_easy_perform(c);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(lines);
	if (code != CURLE_OK)
		return failed(code, why[0] == '\0' ? curl_easy_strerror(code) : why, r, e);
	answer->status = status;
	answer->body = (struct str){str_dup(a, buf_str(&body)), body.n};
	return 0;
}
