/* Where keys come from. */
#include "base/num.h"
#include "provider/aws_client.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"

enum { LOCAL_MS = 1000, TRIES = 2, PROGRAM_MS = 60000, ANSWER_MAX = 64 * 1024, ROLES_MAX = 5 };
enum found { NONE, FOUND, BROKEN }; /* BROKEN: with *e */
#define SESSION "dormouse"

/* --- services of the machine itself ------------------------------------------------------------------------ */

static int fetch(struct aws_client *c, const char *method, const char *url, struct http_header header, struct str *text,
		 struct err *e)
{
	struct http_request r = {.method = method, .url = url, .timeout_ms = LOCAL_MS, .plain = true};
	struct http_answer answer;

	if (header.name != NULL)
		*vec_add(&r.headers, c->env->arena) = header;
	for (int tried = 1; http_send(c->http, &r, c->env->arena, &answer, e) < 0; tried++)
		if (tried == TRIES)
			return -1;
	*text = str_trim(answer.body);
	if (answer.status == 200)
		return 0;
	return err_set(e, answer.status == 404 ? ERR_MISSING : ERR_NET, "'%s' answers with HTTP status %lld", url,
		       (long long)answer.status);
}

/* Version 2 of the service: a session first.  -1 with ERR_NET or ERR_TIMEOUT: there is no such service. */
static int metadata(struct aws_client *c, const char *path, struct str *text, struct err *e)
{
	struct arena *a = c->env->arena;
	const char *base = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT"), *off = aws_env("AWS_EC2_METADATA_DISABLED");

	if (off != NULL && strcasecmp(off, "true") == 0)
		return err_set(e, ERR_NET, "AWS_EC2_METADATA_DISABLED is true");
	base = base == NULL ? "http://169.254.169.254" : base;
	size_t n = strlen(base);
	n -= n > 0 && base[n - 1] == '/';
	if (fetch(c, "PUT", arena_printf(a, "%.*s/latest/api/token", (int)n, base),
		  (struct http_header){"x-aws-ec2-metadata-token-ttl-seconds", "21600"}, text, e) < 0)
		return -1;
	return fetch(c, "GET", arena_printf(a, "%.*s/latest/meta-data/%s", (int)n, base, path),
		     (struct http_header){"x-aws-ec2-metadata-token", str_dup(a, *text)}, text, e);
}

const char *aws_metadata(struct aws_client *c, const char *path)
{
	struct err ignored;
	struct str text = {0};
	return metadata(c, path, &text, &ignored) < 0 ? NULL : str_dup(c->env->arena, text);
}

static enum found of_machine(struct aws_client *c, struct aws_keys *k, struct err *e)
{
	struct str text = {0};

	if (metadata(c, "iam/security-credentials/", &text, e) < 0)
		return NONE; /* no such machine, or it has no role */
	struct str role = str_cut(&text, '\n');
	const char *path = arena_printf(c->env->arena, "iam/security-credentials/%.*s", (int)role.n, role.p);
	if (metadata(c, path, &text, e) < 0 || aws_keys_read(text, c->env->arena, k, e) < 0)
		return BROKEN;
	return FOUND;
}

static bool may_be_plain(const char *url)
{
	static const char *const hosts[] = {"http://169.254.170.2/", "http://169.254.170.23/",
					    "http://[fd00:ec2::23]/"};
	struct err ignored;

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (strncmp(url, hosts[i], strlen(hosts[i])) == 0)
			return true;
	return http_check_url(url, &ignored) == 0;
}

static enum found of_container(struct aws_client *c, struct aws_keys *k, struct err *e)
{
	struct arena *a = c->env->arena;
	const char *url = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	const char *relative = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *file = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct str text = {0};

	if (relative != NULL)
		url = arena_printf(a, "http://169.254.170.2%s", relative);
	if (url == NULL)
		return NONE;
	if (!may_be_plain(url)) {
		(void)err_set(e, ERR_CONFIG,
			      "AWS_CONTAINER_CREDENTIALS_FULL_URI is no address that keys may come from");
		return BROKEN;
	}
	if (file != NULL && fd_read_file(file, ANSWER_MAX, a, &text, e) < 0)
		return BROKEN;
	token = file != NULL ? str_dup(a, str_trim(text)) : token;
	struct http_header header = {token == NULL ? NULL : "authorization", token};
	if (token != NULL && token[strcspn(token, "\r\n")] != '\0') {
		(void)err_set(e, ERR_CONFIG, "the token for the container's keys has more than one line");
		return BROKEN;
	}
	return fetch(c, "GET", url, header, &text, e) < 0 || aws_keys_read(text, a, k, e) < 0 ? BROKEN : FOUND;
}

/* --- environment and profiles ------------------------------------------------------------------------------ */

static enum found of_environment(struct aws_keys *k, struct err *e)
{
	*k = (struct aws_keys){.id = aws_env("AWS_ACCESS_KEY_ID"),
			       .secret = aws_env("AWS_SECRET_ACCESS_KEY"),
			       .session = aws_env("AWS_SESSION_TOKEN")};
	if (k->id == NULL)
		return NONE;
	if (k->secret != NULL)
		return FOUND;
	(void)err_set(e, ERR_CONFIG, "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not");
	return BROKEN;
}

static enum found of_files(const struct aws_client *c, const char *profile, struct aws_keys *k, struct err *e)
{
	*k = (struct aws_keys){.id = aws_profile_get(&c->profile, profile, "aws_access_key_id"),
			       .secret = aws_profile_get(&c->profile, profile, "aws_secret_access_key"),
			       .session = aws_profile_get(&c->profile, profile, "aws_session_token")};
	if (k->id == NULL)
		return NONE;
	if (k->secret != NULL)
		return FOUND;
	(void)err_set(e, ERR_CONFIG, "profile '%s' has an aws_access_key_id, and no aws_secret_access_key", profile);
	return BROKEN;
}

static enum found of_program(const struct aws_client *c, const char *profile, struct aws_keys *k, struct err *e)
{
	struct arena *a = c->env->arena;
	const char *line = aws_profile_get(&c->profile, profile, "credential_process");
	struct strings words = {0};
	struct proc_result r;
	int64_t left = c->env->deadline_ms - clock_mono_ms();
	char how[80];

	if (line == NULL)
		return NONE;
	if (!aws_words(line, a, &words)) {
		(void)err_set(e, ERR_CONFIG, "the credential_process of profile '%s' is no command", profile);
		return BROKEN;
	}
	left = left > PROGRAM_MS ? PROGRAM_MS : left;
	if (proc_run(proc_argv(&words, a), NULL, NULL, ANSWER_MAX, left < 1 ? 1 : left, a, &r, e) < 0) {
		(void)err_wrap(e, "the credential_process of profile '%s' does not work", profile);
		return BROKEN;
	}
	if (r.status == 0)
		return aws_keys_read(r.out, a, k, e) < 0 ? BROKEN : FOUND;
	(void)err_set(e, ERR_DENIED, "the credential_process of profile '%s' ended with %s", profile,
		      proc_status_text(r.status, how, sizeof(how)));
	(void)err_hint(e, "to see what it says, as whom the keeper runs as: %s", words.v[0]);
	return BROKEN;
}

/* --- roles ------------------------------------------------------------------------------------------------- */

/* With the keys of who may take it, or (NULL) by what the body says. */
static enum found take_role(struct aws_client *c, const struct aws_keys *source, const char *action,
			    const struct buf *body, struct aws_keys *k, struct err *e)
{
	struct aws_request r = {.service = "sts", .action = action, .body = buf_str(body)};
	struct aws_fault fault;
	struct str answer;

	return aws_call_as(c, source, &r, &answer, &fault, e) == 0 && sts_keys_read(answer, c->env->arena, k, e) == 0
		   ? FOUND
		   : BROKEN;
}

/* A token that another service (of a cluster, of a CI) has put into a file, and renews there. */
static enum found of_token(struct aws_client *c, const char *file, const struct aws_role *role, struct aws_keys *k,
			   struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = c->env->arena;
	struct str token;

	if (fd_read_file(file, ANSWER_MAX, a, &token, e) < 0) {
		(void)err_wrap(e, "cannot read the token for the role '%s'", role->arn);
		return BROKEN;
	}
	sts_assume_role_by_token(&b, role, str_dup(a, str_trim(token)));
	if (take_role(c, NULL, "AssumeRoleWithWebIdentity", &b, k, e) == FOUND)
		return FOUND;
	if (e->kind == ERR_DENIED)
		(void)err_hint(e, "the role's trust policy must name the service that made the token, and its subject");
	(void)err_wrap(e, "cannot take the role '%s' by the token in '%s'", role->arn, file);
	return BROKEN;
}

static enum found of_token_in_environment(struct aws_client *c, struct aws_keys *k, struct err *e)
{
	const char *file = aws_env("AWS_WEB_IDENTITY_TOKEN_FILE"), *session = aws_env("AWS_ROLE_SESSION_NAME");
	struct aws_role role = {.arn = aws_env("AWS_ROLE_ARN"), .session_name = session == NULL ? SESSION : session};

	if (file == NULL)
		return NONE;
	if (role.arn != NULL)
		return of_token(c, file, &role, k, e);
	(void)err_set(e, ERR_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not");
	return BROKEN;
}

static enum found of_profile(struct aws_client *c, const char *profile, int depth, struct aws_keys *k, struct err *e);

/* Whose keys may take the role. */
static enum found role_source(struct aws_client *c, const char *profile, int depth, struct aws_keys *k, struct err *e)
{
	const char *source = aws_profile_get(&c->profile, profile, "source_profile");
	const char *kind = aws_profile_get(&c->profile, profile, "credential_source");
	enum found f = NONE;

	if (source != NULL && !aws_profile_exists(&c->profile, source))
		(void)err_set(e, ERR_CONFIG, "profile '%s' takes its keys from '%s', which is not there", profile,
			      source);
	else if (source != NULL && depth == ROLES_MAX)
		(void)err_set(e, ERR_CONFIG, "profile '%s' takes its keys from a row of profiles without end",
			      c->profile.name);
	else if (source != NULL && strcmp(source, profile) == 0)
		f = of_files(c, source, k, e);
	else if (source != NULL)
		f = of_profile(c, source, depth + 1, k, e);
	else if (kind != NULL && strcmp(kind, "Environment") == 0)
		f = of_environment(k, e);
	else if (kind != NULL && strcmp(kind, "Ec2InstanceMetadata") == 0)
		f = of_machine(c, k, e);
	else if (kind != NULL && strcmp(kind, "EcsContainer") == 0)
		f = of_container(c, k, e);
	else
		(void)err_set(e, ERR_CONFIG,
			      "profile '%s' has a role_arn, and neither source_profile nor credential_source", profile);
	if (f == NONE && e->kind == ERR_NONE)
		(void)err_set(e, ERR_CONFIG, "there are no keys for the role of profile '%s'", profile);
	return f == NONE ? BROKEN : f;
}

static enum found of_role(struct aws_client *c, const char *profile, int depth, struct aws_keys *k, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	const char *duration = aws_profile_get(&c->profile, profile, "duration_seconds");
	const char *token_file = aws_profile_get(&c->profile, profile, "web_identity_token_file");
	struct aws_role role = {.arn = aws_profile_get(&c->profile, profile, "role_arn"),
				.session_name = aws_profile_get(&c->profile, profile, "role_session_name"),
				.external_id = aws_profile_get(&c->profile, profile, "external_id")};
	struct aws_keys source;

	if (role.arn == NULL)
		return NONE;
	if (aws_profile_get(&c->profile, profile, "mfa_serial") != NULL) {
		(void)err_set(e, ERR_CONFIG, "profile '%s' wants what only a person can give", profile);
		(void)err_why(e, "it has mfa_serial");
		(void)err_hint(e,
			       "a profile can have its keys from another program: credential_process = aws configure "
			       "export-credentials --profile %s",
			       profile);
		return BROKEN;
	}
	role.session_name = role.session_name == NULL ? SESSION : role.session_name;
	if (duration != NULL && !num_i64(str_of(duration), &role.duration_s)) {
		(void)err_set(e, ERR_CONFIG, "duration_seconds of profile '%s' is no number", profile);
		return BROKEN;
	}
	if (token_file != NULL)
		return of_token(c, token_file, &role, k, e);
	if (role_source(c, profile, depth, &source, e) == BROKEN)
		return BROKEN;
	sts_assume_role(&b, &role);
	if (take_role(c, &source, "AssumeRole", &b, k, e) == FOUND)
		return FOUND;
	(void)err_wrap(e, "cannot take the role of profile '%s'", profile);
	return BROKEN;
}

static enum found of_profile(struct aws_client *c, const char *profile, int depth, struct aws_keys *k, struct err *e)
{
	enum found f = of_role(c, profile, depth, k, e);

	/* The environment's, if nobody has asked for a profile. */
	f = f == NONE && depth == 0 && !c->profile.named ? of_token_in_environment(c, k, e) : f;
	f = f == NONE ? of_files(c, profile, k, e) : f;
	f = f == NONE ? of_program(c, profile, k, e) : f;
	if (f != NONE || (aws_profile_get(&c->profile, profile, "sso_start_url") == NULL &&
			  aws_profile_get(&c->profile, profile, "sso_session") == NULL))
		return f;
	(void)err_set(e, ERR_CONFIG, "profile '%s' is one that a person logs in to (SSO)", profile);
	(void)err_hint(
	    e, "another profile can have its keys: credential_process = aws configure export-credentials --profile %s",
	    profile);
	return BROKEN;
}

int aws_chain_find(struct aws_client *c, struct aws_keys *keys, struct err *e)
{
	struct aws_keys k = {0};
	struct err why = {0};
	enum found f = c->profile.named ? NONE : of_environment(&k, &why);

	f = f == NONE ? of_profile(c, c->profile.name, 0, &k, &why) : f;
	f = f == NONE ? of_container(c, &k, &why) : f;
	f = f == NONE ? of_machine(c, &k, &why) : f;
	if (f == FOUND) {
		*keys = k;
		return 0;
	}
	if (f == BROKEN) {
		*e = why;
		return -1;
	}
	(void)err_set(e, ERR_DENIED, "there are no keys for AWS");
	return err_hint(
	    e,
	    "looked for them in the environment of the keeper (AWS_ACCESS_KEY_ID), profile '%s' of ~/.aws, and this "
	    "machine's metadata; to make some: aws configure",
	    c->profile.name);
}
