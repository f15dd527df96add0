#include "plan/web_route.h"

#include "base/num.h"

/* "HOST" or "HOST:PORT", "[HOST]:PORT": without the port. */
static struct str host_of(const char *header)
{
	size_t n = strlen(header);
	const char *colon = strrchr(header, ':'), *bracket = strrchr(header, ']');

	if (colon != NULL && (bracket == NULL || colon > bracket) && (header[0] == '[' || strchr(header, ':') == colon))
		n = (size_t)(colon - header);
	return (struct str){header, n};
}

static bool same_host(struct str a, const char *b)
{
	return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

static bool is_this_host(struct str host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (same_host(host, names[i]))
			return true;
	return false;
}

bool web_route_is_local(const char *place)
{
	return is_this_host(host_of(place));
}

/* A name that somebody else's DNS leads here is none of ours: what asks by it is another page's script. */
static bool knows_host(const struct web_rules *rules, const char *header)
{
	if (rules->any_host)
		return true;
	if (header == NULL)
		return false;
	struct str host = host_of(header);
	for (size_t i = 0; i < rules->hosts.n; i++)
		if (same_host(host, rules->hosts.v[i]))
			return true;
	return is_this_host(host);
}

/* In a time that does not depend on where they differ. */
static bool is_token(const char *token, const char *password)
{
	size_t n = strlen(token), m = strlen(password);
	unsigned differ = n != m;

	for (size_t i = 0; i < m; i++)
		differ |= (unsigned)(unsigned char)password[i] ^ (unsigned char)token[n == 0 ? 0 : i % n];
	return differ == 0 && n > 0;
}

/* A browser has it as a password, a program as what it bears. */
static bool has_token(const char *token, const struct web_request *r)
{
	static const char bearer[] = "Bearer ";
	const char *said = r->password;

	if (r->authorization != NULL && strncasecmp(r->authorization, bearer, strlen(bearer)) == 0)
		said = r->authorization + strlen(bearer);
	return said != NULL && is_token(token, said);
}

/* As a backup, and a dataset, can be called. */
static bool is_short(const char *name, size_t most)
{
	return name != NULL && strnlen(name, most + 1) <= most;
}

struct web_route web_route(const struct web_rules *rules, const struct web_request *r)
{
	static const struct {
		const char *path;
		enum web_page page;
	} pages[] = {{"/", WEB_STATUS},		{"/status.json", WEB_JSON}, {"/events", WEB_EVENTS},
		     {"/metrics", WEB_METRICS}, {"/style.css", WEB_STYLE},  {"/live.js", WEB_SCRIPT},
		     {"/dataset", WEB_DATASET}};
	uint64_t run;

	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		return (struct web_route){.status = 405};
	if (!knows_host(rules, r->host))
		return (struct web_route){.status = 421};
	if (rules->token != NULL && !has_token(rules->token, r))
		return (struct web_route){.status = 401};
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		bool lacks = pages[i].page == WEB_DATASET && !(is_short(r->backup, 64) && is_short(r->name, 255));
		if (strcmp(pages[i].path, r->path) == 0 && !lacks)
			return (struct web_route){.status = 200, .page = pages[i].page};
	}
	if (strncmp(r->path, "/run/", 5) == 0 && num_u64(str_of(r->path + 5), &run) && run <= INT64_MAX)
		return (struct web_route){.status = 200, .page = WEB_RUN, .run = (int64_t)run};
	return (struct web_route){.status = 404};
}
