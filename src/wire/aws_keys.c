#include "wire/aws_keys.h"

#include "base/civil.h"
#include "wire/form.h"
#include "wire/json.h"
#include "wire/xml.h"

static void action(struct buf *b, const char *name)
{
	form_put(b, "Action", name);
	form_put(b, "Version", "2011-06-15");
}

static void role(struct buf *b, const struct aws_role *r)
{
	char duration[24];

	form_put(b, "RoleArn", r->arn);
	form_put(b, "RoleSessionName", r->session_name);
	(void)snprintf(duration, sizeof(duration), "%lld", (long long)r->duration_s);
	form_put(b, "DurationSeconds", r->duration_s == 0 ? NULL : duration);
}

void sts_assume_role(struct buf *b, const struct aws_role *r)
{
	action(b, "AssumeRole");
	role(b, r);
	form_put(b, "ExternalId", r->external_id);
}

void sts_assume_role_by_token(struct buf *b, const struct aws_role *r, const char *token)
{
	action(b, "AssumeRoleWithWebIdentity");
	role(b, r);
	form_put(b, "WebIdentityToken", token);
}

void sts_get_caller_identity(struct buf *b)
{
	action(b, "GetCallerIdentity");
}

/* "2026-11-25T20:00:00Z", or with ".123Z", or "+00:00". */
static bool read_time(const char *text, int64_t *at)
{
	char plain[CIVIL_TEXT];
	size_t n = strlen("2026-11-25T20:00:00");

	if (text == NULL) {
		*at = 0;
		return true;
	}
	if (strlen(text) < n || (strchr(text, 'Z') == NULL && strstr(text, "+00:00") == NULL))
		return false;
	(void)snprintf(plain, sizeof(plain), "%.*sZ", (int)n, text);
	return civil_parse(str_of(plain), at);
}

static int keys(struct aws_keys *k, const char *expires, bool temporary, struct err *e)
{
	if (k->id == NULL || k->secret == NULL || (temporary && expires == NULL))
		return err_set(e, ERR_CORRUPT, "the answer has no keys");
	if (!read_time(expires, &k->expires_at))
		return err_set(e, ERR_CORRUPT, "the keys' expiration is no time");
	return 0;
}

int sts_keys_read(struct str body, struct arena *a, struct aws_keys *k, struct err *e)
{
	const struct xml *all = xml_parse(body, "the answer of STS", a, e);
	const struct xml *x = xml_find(all, "AssumeRoleResult/Credentials");

	if (all == NULL)
		return -1;
	x = x == NULL ? xml_find(all, "AssumeRoleWithWebIdentityResult/Credentials") : x;
	*k = (struct aws_keys){.id = xml_text(x, "AccessKeyId"),
			       .secret = xml_text(x, "SecretAccessKey"),
			       .session = xml_text(x, "SessionToken")};
	return keys(k, xml_text(x, "Expiration"), true, e);
}

int sts_identity_read(struct str body, struct arena *a, const char **account, const char **arn, struct err *e)
{
	const struct xml *x = xml_parse(body, "the answer of STS", a, e);

	*account = xml_text(x, "GetCallerIdentityResult/Account");
	*arn = xml_text(x, "GetCallerIdentityResult/Arn");
	if (x == NULL)
		return -1;
	return *account != NULL && *arn != NULL ? 0
						: err_set(e, ERR_CORRUPT, "the answer of STS does not say who asks");
}

int aws_keys_read(struct str json, struct arena *a, struct aws_keys *k, struct err *e)
{
	AUTO(json) json_t *j = json_parse(json, "the keys", e);

	if (j == NULL) /* the parser would cite it */
		return err_set(e, ERR_CORRUPT, "the answer with the keys is no JSON");
	*k = (struct aws_keys){.id = json_text(j, "AccessKeyId", a),
			       .secret = json_text(j, "SecretAccessKey", a),
			       .session = json_text(j, "SessionToken", a)};
	k->session = k->session == NULL ? json_text(j, "Token", a) : k->session;
	return keys(k, json_text(j, "Expiration", a), false, e);
}

void ssm_get_parameter(struct buf *b, const char *name)
{
	AUTO(json) json_t *j = json_object();

	(void)json_object_set_new(j, "Name", json_any(name));
	json_write(b, j);
}

int ssm_parameter_read(struct str json, struct arena *a, const char **value, struct err *e)
{
	AUTO(json) json_t *j = json_parse(json, "the answer of SSM", e);

	if (j == NULL)
		return -1;
	*value = json_text(json_object_get(j, "Parameter"), "Value", a);
	return *value != NULL ? 0 : err_set(e, ERR_CORRUPT, "the answer of SSM has no value");
}
