#include "provider/aws_client.h"

#include "drivers/sha256.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "wire/sigv4.h"

enum {
	TRIES = 8,
	NET_TRIES = 4, /* when nobody answers */
	CALL_MS = 30000,
	SKEW_S = 240,  /* less is none; AWS allows 300 at the least */
	RENEW_S = 300, /* keys that expire so soon are not used any more */
};

int64_t aws_now(const struct aws_client *c)
{
	return clock_unix_s() + c->skew_s;
}

/* It becomes part of a host's name. */
static bool good_region(const char *s)
{
	return strlen(s) < 40 && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' && *s != '\0';
}

int aws_open(struct aws_client *c, const struct provider_env *env, const struct aws_where *where, struct err *e)
{
	*c = (struct aws_client){.env = env, .http = http_new(), .endpoint = where->endpoint};
	if (aws_profile_load(where->profile, env->arena, &c->profile, e) < 0)
		return -1;
	c->region = where->region != NULL ? where->region : aws_profile_region(&c->profile);
	if (c->region == NULL)
		c->region = aws_metadata(c, "placement/region");
	if (c->region != NULL && good_region(c->region))
		return 0;
	if (c->region != NULL)
		(void)err_set(e, ERR_CONFIG, "'%s' is no region of AWS", c->region);
	else
		(void)err_set(e, ERR_CONFIG, "nothing says in which region of AWS");
	return err_hint(
	    e, "region = \"us-west-2\" in the target's block, or in the profile of ~/.aws/config, or AWS_REGION");
}

void aws_close(struct aws_client *c)
{
	http_free(c->http);
	c->http = NULL;
}

static const char *address(const struct aws_client *c, const char *service)
{
	struct arena *a = c->env->arena;
	const char *given = c->endpoint != NULL ? c->endpoint : aws_profile_endpoint(&c->profile, service, a);

	if (given != NULL)
		return given;
	return arena_printf(a, "https://%s%s.%s.amazonaws.com%s", strcmp(service, "pricing") == 0 ? "api." : "",
			    service, c->region, strncmp(c->region, "cn-", 3) == 0 ? ".cn" : "");
}

/* One request, signed anew, for a signature is good for minutes only; or not signed, without keys. */
static int once(struct aws_client *c, const struct aws_keys *keys, const struct aws_request *r, const char *url,
		struct http_answer *answer, struct err *e)
{
	struct arena *a = c->env->arena;
	int64_t left = c->env->deadline_ms - clock_mono_ms();
	const char *authority = strstr(url, "://");

	if (http_check_url(url, e) < 0)
		return -1;
	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, "there was no time left for %s:%s", r->service, r->action);
	assert(authority != NULL);
	struct str path = str_of(authority + 3), host = str_cut(&path, '/');
	struct sigv4_request s = {
	    .method = "POST", .path = arena_printf(a, "/%.*s", (int)path.n, path.p), .body = r->body};
	*vec_add(&s.headers, a) = (struct http_header){"host", str_dup(a, host)};
	*vec_add(&s.headers, a) =
	    (struct http_header){"content-type", r->target == NULL ? "application/x-www-form-urlencoded; charset=utf-8"
								   : "application/x-amz-json-1.1"};
	if (r->target != NULL)
		*vec_add(&s.headers, a) = (struct http_header){"x-amz-target", r->target};
	if (keys != NULL)
		sigv4_sign(&s, &(struct sigv4_key){keys->id, keys->secret, keys->session, c->region, r->service},
			   aws_now(c), sha256, a);
	struct http_request h = {.method = "POST",
				 .url = url,
				 .headers = s.headers,
				 .body = r->body,
				 .timeout_ms = left < CALL_MS ? left : CALL_MS,
				 .ca_file = aws_env("AWS_CA_BUNDLE"),
				 .ca_name = "AWS_CA_BUNDLE"};
	return http_send(c->http, &h, a, answer, e);
}

/* Is our clock wrong, as the answer has it?  Believed but once. */
static bool take_time(struct aws_client *c, const struct http_answer *answer)
{
	int64_t off = answer->date - clock_unix_s();

	if (c->skewed || answer->date == 0 || llabs(off - c->skew_s) < SKEW_S)
		return false;
	c->skew_s = off;
	c->skewed = true;
	return true;
}

int aws_call_as(struct aws_client *c, const struct aws_keys *keys, const struct aws_request *r, struct str *answer,
		struct aws_fault *f, struct err *e)
{
	struct arena *a = c->env->arena;
	const char *name = arena_printf(a, "%s:%s", r->service, r->action), *url = address(c, r->service);
	struct http_answer got = {0};
	bool again;

	for (int tried = 0;; tried++) {
		*f = (struct aws_fault){0};
		if (once(c, keys, r, url, &got, e) < 0) {
			again = e->retry == RETRY_LATER;
		} else if (got.status == 200) {
			*answer = got.body;
			return 0;
		} else {
			aws_fault_read(got.status, got.body, a, f);
			(void)aws_fault_err(f, name, e);
			again = f->class == AWS_AGAIN;
			if (f->class == AWS_CLOCK && take_time(c, &got))
				continue;
			/* EC2 says so of a session's keys as well. */
			if (strcmp(f->code, "RequestExpired") == 0)
				f->class = AWS_EXPIRED;
		}
		if (!again || tried + 1 == (f->code == NULL ? NET_TRIES : TRIES) || !tool_rest(c->env, tried))
			return -1;
	}
}

int aws_call(struct aws_client *c, const struct aws_request *r, struct str *answer, struct aws_fault *f, struct err *e)
{
	*f = (struct aws_fault){0};
	for (bool renewed = false;; renewed = true) {
		bool old = c->keys.expires_at != 0 && c->keys.expires_at - aws_now(c) < RENEW_S;
		if ((c->keys.id == NULL || renewed || old) && aws_chain_find(c, &c->keys, e) < 0)
			return -1;
		if (aws_call_as(c, &c->keys, r, answer, f, e) == 0)
			return 0;
		if (f->class != AWS_EXPIRED || renewed)
			return -1;
	}
}
