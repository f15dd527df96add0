/* Calls of AWS: keys, signature, transport.  A call is made again by itself when the service has too much to do or is
 * out of order, when our clock is wrong, and when the keys have expired; all of it within the deadline. */
#ifndef PROVIDER_AWS_CLIENT_H
#define PROVIDER_AWS_CLIENT_H

#include "drivers/http_curl.h"
#include "port/provider.h"
#include "provider/aws_profile.h"
#include "wire/aws_fault.h"
#include "wire/aws_keys.h"

struct aws_client {
	const struct provider_env *env;
	struct http *http;
	struct aws_profile profile;
	const char *region, *endpoint; /* endpoint: of every service, or NULL */
	struct aws_keys keys;	       /* secret; .id NULL until they are needed */
	int64_t skew_s;		       /* what must be added to our clock to have theirs */
	bool skewed;
};

/* Where a client is told what the target's block says; each may be NULL. */
struct aws_where {
	const char *profile, *region, *endpoint;
};
int aws_open(struct aws_client *c, const struct provider_env *env, const struct aws_where *where,
	     struct err *e) MUST_CHECK;
void aws_close(struct aws_client *c);

struct aws_request {
	const char *service; /* "ec2" */
	const char *action;  /* "RunInstances" */
	const char *target;  /* of a JSON service, "AmazonSSM.GetParameter"; NULL: the body is a form */
	struct str body;
};
/* The body of the answer, in the arena.  -1: f->code says what AWS answered, or is NULL if there was no answer; both
 * ways *e is the whole of it. */
int aws_call(struct aws_client *c, const struct aws_request *r, struct str *answer, struct aws_fault *f,
	     struct err *e) MUST_CHECK;
/* The same with other keys, which are not renewed; NULL: not signed. */
int aws_call_as(struct aws_client *c, const struct aws_keys *keys, const struct aws_request *r, struct str *answer,
		struct aws_fault *f, struct err *e) MUST_CHECK;

/* Finds keys where AWS's own programs look for them, in their order (provider/aws_chain.c): the environment, the
 * profile (a role of another one, the keys of the files, a program), the container's service, the machine's metadata.
 */
int aws_chain_find(struct aws_client *c, struct aws_keys *keys, struct err *e) MUST_CHECK;
/* A text of this machine's metadata, "placement/region"; NULL: this is no such machine. */
const char *aws_metadata(struct aws_client *c, const char *path);

int64_t aws_now(const struct aws_client *c); /* their clock */

#endif
