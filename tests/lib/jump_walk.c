#include "jump_walk.h"

static struct jump_door mine[] = {{"arch", 22}, {"nas", 0}};
static struct jump_door first[] = {{"arch", 22}};
static struct jump_door all[] = {{"arch", 0}, {"nas", 0}};
static struct jump_client clients[] = {
    {.name = "me", .doors = {mine, 2, 2}},
    {.name = "one", .doors = {first, 1, 1}},
    {.name = "jump", .doors = {all, 2, 2}, .plain = true},
    {.name = "none"},
};
static const struct jump_clients set = {clients, 4, 4};

const struct jump_clients *jump_walk_clients(void)
{
	return &set;
}

struct jump_message jump_walk_message(uint8_t byte, uint8_t more)
{
	static const char too_long[] =
	    "a name that is longer than any name that could be anybody's here, whoever it is";
	static const char *const users[] = {"jump", "arch", "nas", "root", "", too_long};
	static const char *const targets[] = {"arch", "nas", "elsewhere", ""};
	static const int64_t ports[] = {22, 80, 0, 65535, 65536, -1};
	struct jump_message m = {.kind = (enum jump_message_kind)(byte % JUMP_MESSAGES), .text = ""};

	switch (m.kind) {
	case JUMP_SERVICE:
		m.text = more % 2 ? "ssh-userauth" : "ssh-connection";
		break;
	case JUMP_TRY_NONE:
	case JUMP_TRY_OTHER:
	case JUMP_KEY_OFFERED:
	case JUMP_KEY_PROVEN:
		m.text = users[more % 6];
		m.client = more / 6 % 5 == 4 ? NULL : &clients[more / 6 % 5];
		break;
	case JUMP_DIRECT:
		m.text = targets[more % 4];
		m.port = ports[more / 4 % 6];
		break;
	case JUMP_TURNED_AWAY:
	case JUMP_ASLEEP:
	case JUMP_FAILED:
		m.text = "no such luck";
		break;
	case JUMP_ADMITTED:
	case JUMP_AWAKE:
	case JUMP_OTHER_CHANNEL:
	case JUMP_CONNECTED:
	case JUMP_CLOSED:
	case JUMP_REQUEST:
	case JUMP_LISTENER_GONE:
		break;
	}
	return m;
}

static bool is_its_own(const struct jump_client *c, const char *user)
{
	bool found = strcmp(user, "jump") == 0;

	for (size_t i = 0; i < c->doors.n; i++)
		found |= strcmp(c->doors.v[i].target, user) == 0;
	return found && c->doors.n > 0;
}

static void check_login(struct jump_walk *w, const struct jump_message *m, const struct jump_answer *a)
{
	if (m->kind == JUMP_KEY_PROVEN) {
		/* Proving a key is never enough: the listener is asked, and then perhaps the machine woken. */
		assert(a->kind != JUMP_ACCEPT);
		if (a->kind == JUMP_ASK_LEAVE) {
			assert(!w->in && w->proven == NULL && m->client != NULL && is_its_own(m->client, m->text));
			w->proven = m->client;
		}
	}
	if (m->kind == JUMP_KEY_OFFERED && a->kind == JUMP_ACCEPT)
		assert(m->client != NULL && is_its_own(m->client, m->text));
	if ((m->kind == JUMP_TRY_NONE || m->kind == JUMP_TRY_OTHER))
		assert(a->kind != JUMP_ACCEPT);
	w->admitted |= m->kind == JUMP_ADMITTED && w->proven != NULL;
	if ((m->kind == JUMP_ADMITTED || m->kind == JUMP_AWAKE) && a->kind == JUMP_ACCEPT) {
		assert(w->proven != NULL && w->admitted && !w->in);
		w->in = true;
	}
	if (a->kind == JUMP_WAKE)
		assert(w->proven != NULL && jump_allowed(w->proven, a->door.target, a->door.port));
}

struct jump_answer jump_walk_step(struct jump_walk *w, const struct jump_message *m)
{
	bool was_over = w->s.state == JUMP_OVER;
	struct jump_answer a = jump_step(&w->s, m);

	assert(!was_over || a.kind == JUMP_NOTHING);
	assert((a.kind == JUMP_DISCONNECT) == (!was_over && w->s.state == JUMP_OVER));
	assert(a.kind != JUMP_DISCONNECT || a.text[0] != '\0');
	check_login(w, m, &a);
	if (a.kind == JUMP_ASK) {
		assert(w->in && m->kind == JUMP_DIRECT && jump_allowed(w->proven, m->text, m->port));
		assert(strcmp(a.door.target, m->text) == 0 && a.door.port == m->port);
		w->asked++;
	}
	if ((m->kind == JUMP_CONNECTED || m->kind == JUMP_FAILED) && a.kind != JUMP_NOTHING) {
		assert(w->asked > 0);
		w->asked--;
	}
	if (m->kind == JUMP_CONNECTED && a.kind == JUMP_ACCEPT)
		w->open++;
	if (m->kind == JUMP_CLOSED && w->open > 0 && !was_over)
		w->open--;
	/* Nothing of a channel or a request is ever accepted; what there is stays bounded. */
	if (m->kind == JUMP_OTHER_CHANNEL || m->kind == JUMP_REQUEST)
		assert(a.kind == JUMP_REFUSE || a.kind == JUMP_DISCONNECT || was_over);
	assert(w->asked + w->open <= JUMP_CHANNELS);
	return a;
}
