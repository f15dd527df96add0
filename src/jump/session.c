/* One SSH connection, in a process of its own that has given up everything else.  jump_step decides; here it is carried
 * out. */
#include "jump/session.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jump/asking.h"
#include "jump/internal.h"
#include "jump/jump.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/sandbox.h"

enum {
	DESCRIPTORS = 3 * JUMP_CHANNELS + 24,
	MEMORY = 192 * 1024 * 1024,
	KEEPALIVE_MS = 30000,
	SILENT_MS = 5 * 60000, /* so long without a sign of life */
	HOLD_MS = 15000,       /* what was woken during the log-in and nobody asked for */
	IDLE_MS = 30 * 60000,  /* without a channel */
	LAST_WORDS_MS = 1000,  /* for the person's program to read why */
};

struct jump_answer session_decide(struct session *s, enum jump_message_kind kind, const char *text)
{
	struct jump_message m = {.kind = kind, .text = text};
	struct jump_answer a = jump_step(&s->decide, &m);

	return a;
}

/* --- answers ---------------------------------------------------------------------------------------------- */

static struct door *free_door(struct session *s)
{
	for (size_t i = 0; i < JUMP_CHANNELS; i++)
		if (s->doors[i].state == DOOR_FREE)
			return &s->doors[i];
	return NULL;
}

/* A channel that jump_step allows; the message becomes the door's. */
static void ask_for(struct session *s, ssh_message m, const struct jump_door *to)
{
	struct door *d = free_door(s), *held = &s->doors[LOGIN_DOOR];

	if (d == NULL) { /* the client has not closed its side of those that have ended */
		struct jump_answer a = session_decide(s, JUMP_FAILED, "too many channels in one connection");
		ssh_refuse_message(m);
		ssh_message_free(m);
		if (a.kind == JUMP_DISCONNECT)
			session_carry_out(s, &a);
		return;
	}
	door_init(d);
	d->state = DOOR_ASKED;
	d->request = m;
	d->to = *to;
	bool same = held->state == DOOR_HELD && !held->broken && held->to.port == d->to.port &&
		    strcmp(held->to.target, d->to.target) == 0;
	if (same) {
		d->lease = held->lease;
		d->machine = held->machine;
		memcpy(d->token, held->token, sizeof(d->token));
		door_init(held);
		asking_answered(s, d, NULL);
	} else {
		asking_door(s, d);
	}
}

/* The end, and why: OpenSSH shows that text, also behind ssh -J.  What the client still sends is read for a moment, or
 * the kernel would throw our last words away. */
static void say_why(struct session *s, const char *why)
{
	int64_t until = clock_mono_ms() + LAST_WORDS_MS;
	char drop[4096];

	s->over = true;
	(void)ssh_session_set_disconnect_message(s->ssh, why);
	ssh_disconnect(s->ssh);
	(void)shutdown(s->fd, SHUT_WR);
	for (int64_t now; (now = clock_mono_ms()) < until;) {
		struct pollfd p = {s->fd, POLLIN, 0};
		if (poll(&p, 1, (int)(until - now)) > 0 && recv(s->fd, drop, sizeof(drop), MSG_DONTWAIT) <= 0)
			return;
	}
}

void session_carry_out(struct session *s, const struct jump_answer *a)
{
	struct door *d = &s->doors[LOGIN_DOOR];

	switch (a->kind) {
	case JUMP_ASK_LEAVE:
		asking_leave(s);
		return;
	case JUMP_WAKE:
		d->state = DOOR_ASKED;
		d->to = a->door;
		asking_door(s, d);
		return;
	case JUMP_ACCEPT:
		ssh_accept_message(s->login);
		ssh_message_free(s->login);
		s->login = NULL;
		s->used_ms = clock_mono_ms();
		s->held_until_ms = s->used_ms + HOLD_MS;
		return;
	case JUMP_DISCONNECT:
		say_why(s, a->text);
		return;
	case JUMP_NOTHING:
	case JUMP_REFUSE:
	case JUMP_ASK:
		return;
	}
}

static void message(struct session *s, ssh_message m)
{
	struct jump_message what = ssh_read(m, &s->entries);
	struct jump_answer a = jump_step(&s->decide, &what);

	switch (a.kind) {
	case JUMP_ASK_LEAVE:
		s->login = m;
		session_carry_out(s, &a);
		return;
	case JUMP_ASK:
		ask_for(s, m, &a.door);
		return;
	case JUMP_ACCEPT:
		ssh_accept_message(m);
		break;
	case JUMP_REFUSE:
		ssh_refuse_message(m);
		break;
	case JUMP_DISCONNECT:
		session_carry_out(s, &a);
		break;
	case JUMP_NOTHING:
	case JUMP_WAKE:
		break;
	}
	ssh_message_free(m);
}

/* --- the loop ----------------------------------------------------------------------------------------------- */

/* All that has come; false when the connection is over. */
static bool drain(struct session *s)
{
	ssh_message m;

	while (!s->over && (m = ssh_message_get(s->ssh)) != NULL)
		message(s, m);
	return !s->over && ssh_is_connected(s->ssh) && (ssh_get_status(s->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0;
}

/* Lets go of channels that both sides have closed.  Only while no message waits: one might be about such a channel. */
static void bury(struct session *s)
{
	for (size_t i = 0; i < JUMP_CHANNELS; i++) {
		struct door *d = &s->doors[i];
		if (d->state != DOOR_CLOSING || !d->closed)
			continue;
		(void)ssh_remove_channel_callbacks(d->channel, &d->callbacks);
		ssh_channel_free(d->channel);
		door_init(d);
		struct jump_answer a = session_decide(s, JUMP_CLOSED, "");
		session_carry_out(s, &a);
		if (s->over)
			return;
	}
}

/* Until nothing is left to be done but to wait. */
static bool settle(struct session *s)
{
	bool busy = true;

	while (busy) {
		if (!drain(s))
			return false;
		bury(s);
		busy = false;
		for (size_t i = 0; i < JUMP_CHANNELS && !s->over; i++)
			busy |= door_step(&s->doors[i], s->ssh);
	}
	return !s->over;
}

static void timers(struct session *s, int64_t now)
{
	struct door *held = &s->doors[LOGIN_DOOR];
	bool used = false;

	for (size_t i = 0; i < JUMP_CHANNELS; i++)
		used |= s->doors[i].state == DOOR_ASKED || s->doors[i].state == DOOR_OPEN;
	if (used || s->decide.state != JUMP_OPEN)
		s->used_ms = now;
	if (held->state == DOOR_HELD && (held->broken || now >= s->held_until_ms)) {
		door_release(held);
		door_init(held);
	}
	if (now >= s->keepalive_ms && s->decide.state == JUMP_OPEN) {
		/* The first call takes the last answer, the second asks again. */
		(void)ssh_send_keepalive(s->ssh);
		(void)ssh_send_keepalive(s->ssh);
		s->keepalive_ms = now + KEEPALIVE_MS;
	}
	if (s->decide.state == JUMP_OPEN && now - s->heard_ms >= SILENT_MS)
		say_why(s, "nothing was heard of you for some time");
	else if (now - s->used_ms >= IDLE_MS)
		say_why(s, "nothing was passed on for some time");
}

static void wait_and_serve(struct session *s)
{
	struct pollfd p[2 + 2 * DOORS];
	size_t at[DOORS], n = 2; /* which two are a door's; 0: it needs none */
	bool full = (ssh_get_poll_flags(s->ssh) & SSH_WRITE_PENDING) != 0;

	p[0] = (struct pollfd){s->fd, (short)(full ? POLLIN | POLLOUT : POLLIN), 0};
	p[1] = (struct pollfd){s->listener, POLLIN, 0};
	for (size_t i = 0; i < DOORS; i++) {
		const struct door *d = &s->doors[i];
		short events = door_wants(d, full);
		at[i] = d->lease.fd < 0 && events == 0 ? 0 : n;
		if (at[i] == 0)
			continue;
		p[n++] = (struct pollfd){d->lease.fd, POLLIN, 0};
		p[n++] = (struct pollfd){events != 0 ? d->machine : -1, events, 0};
	}
	(void)poll(p, n, KEEPALIVE_MS / 2);
	int64_t now = clock_mono_ms();
	if (p[0].revents != 0)
		s->heard_ms = now;
	for (size_t i = 0; i < DOORS && !s->over; i++) {
		struct door *d = &s->doors[i];
		if (at[i] == 0)
			continue;
		d->in_ready |= (p[at[i] + 1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
		if (p[at[i]].revents != 0)
			asking_lease_ready(s, d);
	}
	if (p[1].revents != 0 && !s->over)
		asking_listener_ready(s);
	if (!s->over)
		timers(s, now);
}

/* Keys are agreed on; while that lasts the listener's clock runs. */
static bool agree(struct session *s)
{
	for (;;) {
		int rc = ssh_handle_key_exchange(s->ssh);
		if (rc != SSH_AGAIN)
			return rc == SSH_OK;
		bool full = (ssh_get_poll_flags(s->ssh) & SSH_WRITE_PENDING) != 0;
		struct pollfd p[] = {{s->fd, (short)(full ? POLLIN | POLLOUT : POLLIN), 0}, {s->listener, POLLIN, 0}};
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return false;
		if (p[1].revents != 0)
			return false;
	}
}

static int begin(struct session *s, struct arena *a, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	int n;

	while ((n = fd_read_some(STDIN_FILENO, &b, 64 * 1024)) > 0 && b.n <= JUMP_BRIEF_MAX)
		;
	if (n != 0 || jump_brief_read(buf_str(&b), a, &s->brief, e) < 0)
		return n == 0 ? -1 : err_set(e, ERR_USAGE, "the brief cannot be read");
	explicit_bzero(b.p, b.n);
	s->listener = JUMP_LISTENER_FD;
	fd_nonblock(s->listener);
	s->fd = dup(JUMP_CONNECTION_FD);
	if (s->fd < 0)
		return err_sys(e, errno, "cannot take the connection");
	ssh_entries_read(&s->brief.clients, a, &s->entries);
	if (ssh_serve(s->brief.host_key, JUMP_CONNECTION_FD, &s->ssh, e) < 0 ||
	    sandbox_become(s->brief.uid, s->brief.gid, e) < 0)
		return -1;
	return sandbox_lock(DESCRIPTORS, MEMORY, false, e);
}

int jump_session_run(void)
{
	static struct session session; /* too large for a stack that may be limited */
	AUTO(arena) struct arena a = {0};
	struct session *s = &session;
	struct err e;

	if (begin(s, &a, &e) < 0) {
		(void)fprintf(stderr, "<3>dormouse: jump: %s: %s\n", e.what, e.why);
		return 2;
	}
	for (size_t i = 0; i < DOORS; i++)
		door_init(&s->doors[i]);
	if (!agree(s))
		return 0;
	s->heard_ms = s->used_ms = clock_mono_ms();
	s->keepalive_ms = s->heard_ms + KEEPALIVE_MS;
	while (settle(s))
		wait_and_serve(s);
	return 0;
}
