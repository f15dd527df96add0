/* A connection's process has no way out of its own: it asks the listener for each door, gets a control connection to
 * the keeper in return, and hears there what becomes of it. */
#include "jump/asking.h"

#include <sys/socket.h>

#include "jump/internal.h"
#include "sys/fdio.h"
#include "sys/ipc.h"

enum { ASKS = 3 }; /* how often a keeper that went away is asked for again */

static void ask(struct session *s, struct jump_ask *q)
{
	const struct jump_client *c = s->decide.client;

	q->client = (uint32_t)(c - s->brief.clients.v);
	(void)send(s->listener, q, sizeof(*q), MSG_NOSIGNAL); /* a listener that is gone is seen where we read */
}

void asking_leave(struct session *s)
{
	struct jump_ask q = {.id = JUMP_ASK_ADMIT};

	ask(s, &q);
}

void asking_door(struct session *s, struct door *d)
{
	const struct jump_client *c = s->decide.client;
	struct jump_ask q = {.id = 1 + s->asks++ % (JUMP_ASK_ADMIT - 1),
			     .port = d->machine < 0 ? (uint32_t)d->to.port : 0};

	assert(d->to.target != NULL);
	while (q.door < c->doors.n && (strcmp(c->doors.v[q.door].target, d->to.target) != 0 ||
				       (c->doors.v[q.door].port != 0 && c->doors.v[q.door].port != d->to.port)))
		q.door++;
	if (d->machine >= 0)
		memcpy(q.token, d->token, sizeof(q.token));
	control_close(&d->lease);
	d->lease = (struct control)CONTROL_INIT;
	d->ask = q.id;
	d->asks++;
	ask(s, &q);
}

static void why_text(const struct err *e, const char *target, char *out, size_t size)
{
	char line[sizeof(e->what) + sizeof(e->why) + 8];

	err_line(e, line, sizeof(line));
	(void)snprintf(out, size, "cannot reach '%s': %s%s%s%s", target, line, e->hint[0] == '\0' ? "" : " (", e->hint,
		       e->hint[0] == '\0' ? "" : ")");
}

void asking_answered(struct session *s, struct door *d, const char *why)
{
	bool login = d == &s->doors[LOGIN_DOOR];
	enum jump_message_kind good = login ? JUMP_AWAKE : JUMP_CONNECTED, bad = login ? JUMP_ASLEEP : JUMP_FAILED;

	d->ask = 0;
	if (d->state == DOOR_OPEN || d->state == DOOR_HELD) { /* it was a new lease */
		d->broken |= why != NULL;
		return;
	}
	struct jump_answer a = session_decide(s, why == NULL ? good : bad, why);
	if (login) {
		d->state = why == NULL ? DOOR_HELD : DOOR_FREE;
		session_carry_out(s, &a);
		return;
	}
	ssh_message request = d->request;
	d->request = NULL;
	if (a.kind == JUMP_ACCEPT) {
		ssh_channel channel = ssh_message_channel_request_open_reply_accept(request);
		if (channel == NULL)
			s->over = true;
		else
			door_open(d, channel);
	} else {
		door_release(d);
		d->state = DOOR_FREE;
		if (a.kind == JUMP_REFUSE)
			ssh_refuse_message(request);
		else
			session_carry_out(s, &a);
	}
	ssh_message_free(request);
}

struct telling {
	struct session *s;
	const struct door *d;
};

static void on_progress(void *ctx, const char *text)
{
	const struct telling *t = ctx;
	char line[256];

	int n = snprintf(line, sizeof(line) - 2, "%s: %s", t->d->to.target, text);
	str_plain(line, "");
	if (n < 0 || t->s->decide.state == JUMP_OVER)
		return;
	if (t->d != &t->s->doors[LOGIN_DOOR]) {
		(void)ssh_send_debug(t->s->ssh, line, 1);
		return;
	}
	n = (int)strlen(line);
	memcpy(line + n, "\r\n", 3);
	ssh_tell(t->s->ssh, line);
}

void asking_lease_ready(struct session *s, struct door *d)
{
	AUTO(arena) struct arena a = {0};
	struct telling t = {s, d};
	char why[JUMP_TEXT];
	struct err e;

	int rc = control_try(&d->lease, &a, on_progress, &t, NULL, &e);
	if (rc > 0)
		return;
	if (rc == 0) {
		if (d->machine < 0) {
			d->machine = d->lease.passed;
			d->lease.passed = -1;
			memcpy(d->token, d->lease.token, sizeof(d->token));
		}
		d->asks = 0;
		asking_answered(s, d, d->machine >= 0 ? NULL : "the keeper has sent no connection");
	} else if (d->lease.fd < 0 && d->asks < ASKS && !s->decide.alone) {
		/* The next keeper finds the machine, and keeps it for those who ask again soon. */
		asking_door(s, d);
	} else {
		why_text(&e, d->to.target, why, sizeof(why));
		asking_answered(s, d, why);
	}
}

static void listener_gone(struct session *s)
{
	struct jump_answer a = session_decide(s, JUMP_LISTENER_GONE, "");

	fd_close(&s->listener);
	session_carry_out(s, &a);
	for (size_t i = 0; i < DOORS && !s->over; i++)
		if (s->doors[i].ask != 0)
			asking_answered(s, &s->doors[i], "the jump host was started anew meanwhile; connect again");
}

void asking_listener_ready(struct session *s)
{
	AUTO(buf) struct buf b = {0};
	AUTO(fd) int passed = -1;
	struct jump_told told;
	int n = ipc_receive(s->listener, &b, &passed);

	if (n == -2)
		return;
	if (n != (int)sizeof(told)) {
		listener_gone(s);
		return;
	}
	memcpy(&told, b.p, sizeof(told));
	told.text[sizeof(told.text) - 1] = '\0';
	if (told.id == JUMP_ASK_ADMIT) {
		struct jump_answer a = session_decide(s, told.good ? JUMP_ADMITTED : JUMP_TURNED_AWAY, told.text);
		session_carry_out(s, &a);
		return;
	}
	for (size_t i = 0; i < DOORS; i++) {
		struct door *d = &s->doors[i];
		if (d->ask == 0 || d->ask != told.id)
			continue;
		d->ask = 0;
		if (told.good && passed >= 0) {
			d->lease.fd = passed;
			passed = -1;
		} else {
			asking_answered(s, d, told.text);
		}
		return;
	}
}
