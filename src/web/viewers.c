/* Who is told when something has changed: server-sent events. */
#include <stdlib.h>

#include "sys/clock.h"
#include "web/server.h"

enum { VIEWERS = 32, PING_MS = 15 * 1000 };

static ssize_t viewer_read(void *cls, uint64_t pos, char *out, size_t max)
{
	struct viewer *v = cls;
	const struct server *s = v->server;
	int64_t now = clock_mono_ms();
	/* The first thing opens the stream; what is empty keeps it open, and notices who has gone. */
	const char *text = pos == 0			? ": dormouse\nretry: 3000\n\n"
			   : v->seen != s->hash		? "event: changed\ndata:\n\n"
			   : now - v->told_ms > PING_MS ? ":\n\n"
							: NULL;

	if (text == NULL) {
		v->sleeps = true;
		MHD_suspend_connection(v->connection);
		return 0;
	}
	size_t n = strlen(text);
	assert(n <= max);
	memcpy(out, text, n); /* NOLINT(bugprone-not-null-terminated-result): what is sent is no string */
	v->seen = pos == 0 ? v->seen : s->hash;
	v->told_ms = now;
	return (ssize_t)n;
}

static void viewer_free(void *cls)
{
	struct viewer *v = cls;

	*v->at = v->next;
	if (v->next != NULL)
		v->next->at = v->at;
	v->server->nviewers--;
	free(v);
}

enum MHD_Result viewer_add(struct server *s, struct MHD_Connection *c)
{
	if (s->nviewers >= VIEWERS)
		return reply_refuse(c, 503);
	struct viewer *v = calloc(1, sizeof(*v));
	if (v == NULL)
		abort();
	*v = (struct viewer){.next = s->viewers, .at = &s->viewers, .server = s, .connection = c, .seen = s->hash};
	if (v->next != NULL)
		v->next->at = &v->next;
	s->viewers = v;
	s->nviewers++;
	struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 512, viewer_read, v, viewer_free);
	if (r == NULL)
		abort();
	(void)MHD_add_response_header(r, "Content-Type", "text/event-stream");
	(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	(void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	enum MHD_Result rc = MHD_queue_response(c, 200, r);
	MHD_destroy_response(r);
	return rc;
}

void viewers_wake(struct server *s)
{
	int64_t now = clock_mono_ms();

	for (struct viewer *v = s->viewers; v != NULL; v = v->next) {
		if (!v->sleeps || (v->seen == s->hash && now - v->told_ms <= PING_MS))
			continue;
		v->sleeps = false;
		MHD_resume_connection(v->connection);
	}
}
