#include "people.h"

#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/fdio.h"

struct play play;

char *copy(const char *text)
{
	char *s = strdup(text == NULL ? "" : text);

	if (s == NULL)
		abort();
	return s;
}

struct person *person_of(const struct client *c)
{
	return (struct person *)(uintptr_t)c; /* its first member */
}

void client_reply(struct client *c, const struct control_reply *r)
{
	struct person *p = person_of(c);

	if (r->event == CONTROL_PROGRESS)
		return;
	if (p->since == 0)
		wrong("answered twice", p->target);
	p->since = 0;
	if (p->heard != NULL)
		*p->heard = 1;
	if (r->event == CONTROL_READY && c->host != NULL)
		p->token = copy(r->text);
}

void client_fail(struct client *c, const struct err *e)
{
	if (e->what[0] == '\0')
		wrong("refused without a reason", person_of(c)->target);
	person_of(c)->since = 0;
	if (person_of(c)->heard != NULL)
		*person_of(c)->heard = -1;
	c->closing = true;
}

void client_answer(struct client *c, json_t *j)
{
	json_decref(j);
	client_reply(c, &(struct control_reply){.event = CONTROL_ANSWER, .text = ""});
}

void client_progress(struct client *c, const char *text)
{
	if (text[0] == '\0')
		wrong("told nothing", person_of(c)->target);
}

static void person_free(struct client *c)
{
	struct client **p = &play.k.clients;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	client_leaves(&play.k, c);
	fd_close(&c->pass);
	fd_close(&c->dial);
	free(c->who);
	free(c->name);
	free(person_of(c)->target);
	free(person_of(c)->token);
	free(c);
}

struct person *person_asks(const struct control_request *r, int64_t leave, int *heard)
{
	struct person *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	*p = (struct person){.c = {.next = play.k.clients, .fd = -1, .pass = -1, .dial = -1},
			     .since = play.t + 1,
			     .leave = leave,
			     .target = copy(r->target),
			     .holder = r->token != NULL,
			     .heard = heard};
	play.k.clients = &p->c;
	if (r->op == CONTROL_SLEEP)
		client_sleeps(&play.k, &p->c, r);
	else if (r->op == CONTROL_REAP)
		client_reaps(&play.k, &p->c);
	else
		client_wants(&play.k, &p->c, r);
	return p;
}

void people_stay(int64_t leave)
{
	for (struct client *c = play.k.clients; c != NULL; c = c->next)
		if (person_of(c)->heard == NULL)
			person_of(c)->leave = leave;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return b > play.t && b < a ? b : a;
}

int64_t play_next(int64_t until)
{
	int64_t at = until;

	for (const struct host *h = play.k.hosts; h != NULL; h = h->next) {
		int64_t next = host_next(h);
		at = next == INT64_MAX || next - play.mono > at ? at
		     : next - play.mono > play.t		? next - play.mono
								: play.t;
	}
	for (const struct client *c = play.k.clients; c != NULL; c = c->next) {
		at = sooner(at, person_of(c)->leave);
		if (c->state == CLIENT_CONNECTING)
			at = c->dial >= 0 ? play.t : sooner(at, c->dial_again_ms - play.mono);
	}
	return at;
}

void play_serve(void)
{
	struct keeper *k = &play.k;

	for (struct host *h = k->hosts, *next; h != NULL; h = next) {
		next = h->next;
		if (h->work.op != NULL)
			host_worker_ready(k, h);
		if (h->look.op != NULL)
			look_ready(k, h);
	}
	for (struct client *c = k->clients; c != NULL; c = c->next)
		if (c->dial >= 0)
			client_dial_ready(k, c);
	for (struct host *h = k->hosts; h != NULL; h = h->next)
		host_timers(k, h, clock_mono_ms());
	for (struct client *c = k->clients; c != NULL; c = c->next)
		client_timers(k, c, clock_mono_ms());
	for (struct client *c = k->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (c->closing || person_of(c)->leave <= play.t)
			person_free(c);
	}
	hosts_sweep(k);
}

void play_dies(void)
{
	while (play.k.clients != NULL) {
		play.k.clients->host = NULL;
		person_free(play.k.clients);
	}
	hosts_free(&play.k);
	play.alive = false;
}
