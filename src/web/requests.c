/* Requests, as libmicrohttpd has read them; plan/web_route.h says what they mean. */
#include "sys/clock.h"
#include "web/server.h"
#include "wire/page.h"

enum { FRESH_MS = 1000 };

struct visit *visit_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

static struct web_route route(struct server *s, struct MHD_Connection *c, const char *url, const char *method)
{
	char *password = NULL, *user = MHD_basic_auth_get_username_password(c, &password);
	struct web_request r = {
	    .method = method,
	    .path = url,
	    .host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host"),
	    .authorization = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization"),
	    .password = password,
	    .backup = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "backup"),
	    .name = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "name"),
	};
	struct web_route out = web_route(&s->rules, &r);

	MHD_free(user);
	MHD_free(password);
	return out;
}

static enum MHD_Result ask(struct asked *q)
{
	struct server *s = q->server;
	struct MHD_Connection *c = q->connection;
	const char *backup = NULL, *name = NULL;

	if (q->route.page == WEB_STATUS && s->status_ms != 0 && clock_mono_ms() - s->status_ms < FRESH_MS)
		return reply(c, 200, reply_html, buf_str(&s->status));
	if (q->route.page == WEB_DATASET) {
		backup = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "backup");
		name = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "name");
	}
	asked_wait(q, backup, name);
	MHD_suspend_connection(c);
	return MHD_YES;
}

/* What could not be answered is a page that says so. */
static const char *type_of(const struct asked *q)
{
	if (q->status == 200 && q->route.page == WEB_JSON)
		return "application/json";
	if (q->status == 200 && q->route.page == WEB_METRICS)
		return "text/plain; version=0.0.4; charset=utf-8";
	return reply_html;
}

static enum MHD_Result handle(struct asked *q)
{
	struct MHD_Connection *c = q->connection;

	if (q->status != 0)
		return reply(c, q->status, type_of(q), buf_str(&q->body));
	switch (q->route.page) {
	case WEB_STYLE:
		return reply(c, 200, "text/css; charset=utf-8", str_of(page_style));
	case WEB_SCRIPT:
		return reply(c, 200, "text/javascript; charset=utf-8", str_of(page_script));
	case WEB_EVENTS:
		return viewer_add(q->server, c);
	case WEB_STATUS:
	case WEB_JSON:
	case WEB_METRICS:
	case WEB_RUN:
	case WEB_DATASET:
		return ask(q);
	}
	return MHD_NO;
}

/* First with the headers, again when it is there as a whole, and again after it was suspended. */
enum MHD_Result request_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method,
			       const char *version, const char *upload, size_t *upload_size, void **context)
{
	struct asked *q = *context;

	(void)version, (void)upload;
	if (q == NULL) {
		*context = q = asked_new(cls, c);
		q->route = route(cls, c, url, method);
		/* What else it may want to send is not waited for. */
		return q->route.status == 405 ? reply_refuse(c, 405) : MHD_YES;
	}
	if (*upload_size != 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	struct visit *v = visit_of(c);
	if (v != NULL)
		v->since_ms = 0;
	return q->route.status != 200 ? reply_refuse(c, q->route.status) : handle(q);
}

void request_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct asked *q = *context;
	struct visit *v = visit_of(c);

	(void)cls, (void)code;
	if (v != NULL)
		v->since_ms = clock_mono_ms();
	if (q == NULL)
		return;
	*context = NULL;
	asked_free(q);
}
