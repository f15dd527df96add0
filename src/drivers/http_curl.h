/* HTTP requests, by libcurl; each blocks until it is answered or its time is over.  Redirections are not followed. */
#ifndef DRIVERS_HTTP_CURL_H
#define DRIVERS_HTTP_CURL_H

#include "base/buf.h"
#include "base/err.h"
#include "model/http.h"

/* Keeps connections for the next request to the same host. */
struct http;
struct http *http_new(void);
void http_free(struct http *h); /* NULL is fine */

struct http_request {
	const char *method; /* GET, POST, PUT, DELETE */
	const char *url;
	struct http_headers headers;
	struct str body;
	int64_t timeout_ms;
	bool once;	     /* on a new connection: on one that has just died libcurl asks again by itself */
	bool plain;	     /* without TLS and proxies to any host: for what only this machine can reach */
	const char *ca_file; /* whom to trust; NULL: whom the system trusts */
	const char *ca_name; /* what a person can say that with; NULL: nothing */
};
struct http_answer {
	int64_t status;			   /* 200, 404, … */
	struct str body;		   /* in the arena, NUL-terminated */
	int64_t date;			   /* the other side's clock, Unix seconds; 0: it does not say */
	int64_t retry_after_s, body_limit; /* of the headers retry-after and ping-body-limit; 0: there is none */
};

/* Whether a request may go to that address: https, or http to this host itself (ERR_CONFIG). */
int http_check_url(const char *url, struct err *e) MUST_CHECK;
/* -1 when there is no whole answer: ERR_TIMEOUT, ERR_NET (try again), ERR_DENIED (the certificate), ERR_CONFIG (the
 * address), ERR_CORRUPT (an answer without end).  Nothing of headers and body is in *e. */
int http_send(struct http *h, const struct http_request *r, struct arena *a, struct http_answer *answer,
	      struct err *e) MUST_CHECK;

#endif
