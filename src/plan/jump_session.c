#include "plan/jump_session.h"

#include <stdarg.h>

enum { SSH_PORT = 22 };

static const struct jump_answer nothing = {.kind = JUMP_NOTHING}, accept_it = {.kind = JUMP_ACCEPT};

PRINTF(2, 3) static struct jump_answer say(enum jump_answer_kind kind, const char *fmt, ...)
{
	struct jump_answer a = {.kind = kind};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(a.text, sizeof(a.text), fmt, ap);
	va_end(ap);
	return a;
}

#define disconnect(s, ...) ((s)->state = JUMP_OVER, say(JUMP_DISCONNECT, __VA_ARGS__))

/* The client's own name of that target, if it may go there; or NULL. */
static const char *door_of(const struct jump_client *c, const char *target, int64_t port)
{
	for (size_t i = 0; i < c->doors.n; i++) {
		const struct jump_door *d = &c->doors.v[i];
		if (strcmp(d->target, target) == 0 && (d->port == 0 || d->port == port))
			return port >= 1 && port <= 65535 ? d->target : NULL;
	}
	return NULL;
}

bool jump_allowed(const struct jump_client *c, const char *target, int64_t port)
{
	return door_of(c, target, port) != NULL;
}

static bool reaches(const struct jump_client *c, const char *target)
{
	for (size_t i = 0; i < c->doors.n; i++)
		if (strcmp(c->doors.v[i].target, target) == 0)
			return true;
	return false;
}

/* A client logs in as "jump", or as one of its targets; anybody else is refused like a wrong key. */
static bool knows(const struct jump_client *c, const char *user)
{
	return c != NULL && c->doors.n > 0 && (strcmp(user, "jump") == 0 || reaches(c, user));
}

/* The door that this log-in is about, if that can be told; of several ports it is sshd's. */
static struct jump_door only_door(const struct jump_session *s)
{
	const struct jump_client *c = s->client;
	bool named = reaches(c, s->user);
	const char *target = named ? s->user : c->doors.v[0].target;
	int64_t port = 0;
	size_t n = 0;

	if (!named && c->plain)
		return (struct jump_door){NULL, 0};
	for (size_t i = 0; i < c->doors.n; i++) {
		bool same = strcmp(c->doors.v[i].target, target) == 0;
		if (!same && !named)
			return (struct jump_door){NULL, 0};
		n += same;
		port = same ? c->doors.v[i].port : port;
	}
	if (n != 1 || port == 0)
		port = SSH_PORT;
	return (struct jump_door){door_of(c, target, port), port};
}

static struct jump_answer failed_attempt(struct jump_session *s)
{
	if (++s->attempts >= JUMP_ATTEMPTS)
		return disconnect(s,
				  "too many log-ins failed; name the right key with IdentityFile and IdentitiesOnly");
	return say(JUMP_REFUSE, "%s", "");
}

/* Whether the user's name may stay; it may not change (RFC 4252, 5). */
static bool same_user(struct jump_session *s, const char *user)
{
	size_t n = strlen(user);

	if (s->named)
		return n < sizeof(s->user) ? strcmp(s->user, user) == 0 : s->user[0] == '\0';
	s->named = true;
	if (n < sizeof(s->user))
		memcpy(s->user, user, n + 1);
	return true; /* a longer one is nobody's, and stays empty */
}

static struct jump_answer on_key(struct jump_session *s, const struct jump_message *m)
{
	if (s->state != JUMP_AUTH)
		return disconnect(s, "a log-in while another one is being answered");
	if (!same_user(s, m->text))
		return disconnect(s, "the user's name changed during the log-in");
	if (!knows(m->client, s->user))
		return failed_attempt(s);
	if (m->kind == JUMP_KEY_OFFERED)
		return accept_it;
	s->client = m->client;
	s->state = JUMP_ADMITTING;
	return say(JUMP_ASK_LEAVE, "%s", "");
}

static struct jump_answer on_other_try(struct jump_session *s, const struct jump_message *m)
{
	bool asks = m->kind == JUMP_TRY_NONE && !s->named; /* for the methods: costs no attempt */

	if (s->state != JUMP_AUTH)
		return disconnect(s, "a log-in while another one is being answered");
	if (!same_user(s, m->text))
		return disconnect(s, "the user's name changed during the log-in");
	return asks ? say(JUMP_REFUSE, "%s", "") : failed_attempt(s);
}

static struct jump_answer on_admitted(struct jump_session *s)
{
	if (s->state != JUMP_ADMITTING)
		return nothing;
	struct jump_door door = only_door(s);
	if (door.target != NULL) {
		s->state = JUMP_WAKING;
		return (struct jump_answer){.kind = JUMP_WAKE, .door = door};
	}
	s->state = JUMP_OPEN;
	return accept_it;
}

static struct jump_answer refuse_more(struct jump_session *s, const char *why)
{
	if (++s->refused >= JUMP_REQUESTS)
		return disconnect(s, "too many requests that are not allowed here");
	return say(JUMP_REFUSE, "%s", why);
}

/* A refusal of a channel has no room for a text in libssh; the end of the connection has.  So where nothing else would
 * be lost, the person is told. */
static struct jump_answer refuse_channel(struct jump_session *s, const char *why)
{
	if (s->asked == 0 && s->open == 0)
		return disconnect(s, "%s", why);
	return refuse_more(s, why);
}

static struct jump_answer on_direct(struct jump_session *s, const struct jump_message *m)
{
	char why[JUMP_TEXT];

	if (s->state != JUMP_OPEN)
		return disconnect(s, "a channel before the log-in");
	if (s->alone)
		return refuse_channel(s, "the jump host was started anew meanwhile; connect again");
	struct jump_door door = {door_of(s->client, m->text, m->port), m->port};
	if (door.target == NULL) {
		(void)snprintf(why, sizeof(why), "'%.100s' port %lld is no door of '%s' on this jump host", m->text,
			       (long long)m->port, s->client->name);
		return refuse_channel(s, why);
	}
	if (s->asked + s->open >= JUMP_CHANNELS)
		return refuse_more(s, "too many channels in one connection");
	s->asked++;
	return (struct jump_answer){.kind = JUMP_ASK, .door = door};
}

static struct jump_answer on_result(struct jump_session *s, const struct jump_message *m)
{
	if (s->asked == 0 || s->state != JUMP_OPEN)
		return nothing;
	s->asked--;
	if (m->kind == JUMP_FAILED)
		return refuse_channel(s, m->text);
	s->open++;
	return accept_it;
}

static struct jump_answer on_closed(struct jump_session *s)
{
	if (s->open > 0)
		s->open--;
	if (s->alone && s->open == 0 && s->asked == 0)
		return disconnect(s, "the jump host was started anew meanwhile; connect again");
	return nothing;
}

struct jump_answer jump_step(struct jump_session *s, const struct jump_message *m)
{
	if (s->state == JUMP_OVER)
		return nothing;
	switch (m->kind) {
	case JUMP_SERVICE:
		if (s->state == JUMP_AUTH && strcmp(m->text, "ssh-userauth") == 0)
			return accept_it;
		return disconnect(s, "this service is not offered here");
	case JUMP_TRY_NONE:
	case JUMP_TRY_OTHER:
		return on_other_try(s, m);
	case JUMP_KEY_OFFERED:
	case JUMP_KEY_PROVEN:
		return on_key(s, m);
	case JUMP_ADMITTED:
		return on_admitted(s);
	case JUMP_TURNED_AWAY:
		return s->state == JUMP_ADMITTING ? disconnect(s, "%s", m->text) : nothing;
	case JUMP_AWAKE:
		if (s->state != JUMP_WAKING)
			return nothing;
		s->state = JUMP_OPEN;
		return accept_it;
	case JUMP_ASLEEP:
		return s->state == JUMP_WAKING ? disconnect(s, "%s", m->text) : nothing;
	case JUMP_DIRECT:
		return on_direct(s, m);
	case JUMP_OTHER_CHANNEL:
		if (s->state != JUMP_OPEN)
			return disconnect(s, "a channel before the log-in");
		return refuse_channel(s,
				      "this is a jump host: it only passes connections on, as in ssh -J HOST TARGET");
	case JUMP_REQUEST:
		if (s->state != JUMP_OPEN)
			return disconnect(s, "a request before the log-in");
		return refuse_more(s, "");
	case JUMP_CONNECTED:
	case JUMP_FAILED:
		return on_result(s, m);
	case JUMP_CLOSED:
		return on_closed(s);
	case JUMP_LISTENER_GONE:
		s->alone = true;
		if (s->state != JUMP_OPEN || (s->open == 0 && s->asked == 0))
			return disconnect(s, "the jump host is ending; connect again");
		return nothing;
	}
	return nothing;
}
