#include <stdlib.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "web/server.h"

enum { LOOK_MS = 2000 };

struct asked *asked_new(struct server *s, struct MHD_Connection *c)
{
	struct asked *q = calloc(1, sizeof(*q));

	if (q == NULL)
		abort();
	*q = (struct asked){.server = s, .connection = c};
	return q;
}

void asked_free(struct asked *q)
{
	assert(!q->waits);
	buf_release(&q->body);
	buf_release(&q->question);
	free(q);
}

void asked_wait(struct asked *q, const char *backup, const char *name)
{
	struct asked **end = &q->server->queue;

	link_write_question(&q->question, &q->route, backup, name);
	while (*end != NULL)
		end = &(*end)->next;
	*end = q;
	q->waits = true;
	q->since_ms = clock_mono_ms();
}

void asked_answered(struct server *s, int status, struct str body)
{
	AUTO(buf) struct buf question = {0};
	struct asked **p = &s->queue;

	s->on_its_way = false;
	if (s->queue == NULL)
		return;
	buf_puts(&question, buf_text(&s->queue->question));
	if (s->queue->route.page == WEB_STATUS && status == 200) {
		buf_clear(&s->status);
		buf_add(&s->status, body.p, body.n);
		s->status_ms = clock_mono_ms();
		s->hash = str_hash(buf_text(&s->status), STR_HASH_INIT);
	}
	while (*p != NULL) {
		struct asked *q = *p;
		if (strcmp(buf_text(&q->question), buf_text(&question)) != 0) {
			p = &q->next;
			continue;
		}
		*p = q->next;
		q->waits = false;
		q->status = status;
		buf_add(&q->body, body.p, body.n);
		if (q->connection != NULL)
			MHD_resume_connection(q->connection);
		else
			asked_free(q); /* our own */
	}
}

/* While somebody watches, whether there is something new. */
static void look(struct server *s)
{
	if (s->nviewers == 0 || s->queue != NULL || clock_mono_ms() - s->status_ms < LOOK_MS)
		return;
	struct asked *q = asked_new(s, NULL);
	q->route = (struct web_route){.status = 200, .page = WEB_STATUS};
	asked_wait(q, NULL, NULL);
}

void asked_next(struct server *s)
{
	struct err e;

	look(s);
	if (s->on_its_way || s->queue == NULL || s->gone)
		return;
	/* Short, and nothing else is on its way: it does not block. */
	s->gone = fd_write_all(LINK, s->queue->question.p, s->queue->question.n, &e) < 0;
	s->on_its_way = true;
}
