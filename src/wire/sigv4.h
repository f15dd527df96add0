/* AWS Signature Version 4: what a request must carry so that AWS knows who sends it.
 * Source: "AWS Signature Version 4 for API requests" in the IAM user guide. */
#ifndef WIRE_SIGV4_H
#define WIRE_SIGV4_H

#include "base/buf.h"
#include "model/http.h"
#include "wire/hmac.h"

/* A request without a query, which none of ours has.  All of its headers are signed; host must be one of them. */
struct sigv4_request {
	const char *method;
	const char *path; /* as it is sent; begins with '/', without "." and ".." */
	struct http_headers headers;
	struct str body;
};

/* Who signs, and for what. */
struct sigv4_key {
	const char *id, *secret;
	const char *session; /* the session token of temporary keys, or NULL */
	const char *region, *service;
};

/* Adds the headers x-amz-date, x-amz-security-token (if there is a session) and authorization; at in Unix seconds.
 * Their values are in the arena. */
void sigv4_sign(struct sigv4_request *r, const struct sigv4_key *key, int64_t at, sha256_fn *sha256, struct arena *a);

#endif
