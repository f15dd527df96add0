#include "plan/jump_admit.h"

static struct jump_address *find(struct jump_admit *a, uint64_t address)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->known[i].of == address)
			return &a->known[i];
	return NULL;
}

/* A place for a new one: a fresh one, or that of the one seen longest ago of those that have no connection. */
static struct jump_address *make(struct jump_admit *a, uint64_t address, int64_t now_ms)
{
	struct jump_address *oldest = NULL;

	if (a->n < JUMP_ADDRESSES)
		oldest = &a->known[a->n++];
	for (size_t i = 0; oldest == NULL && i < a->n; i++)
		if (a->known[i].strangers + a->known[i].users == 0)
			oldest = &a->known[i];
	if (oldest == NULL)
		return NULL;
	for (size_t i = 0; i < a->n; i++)
		if (a->known[i].strangers + a->known[i].users == 0 && a->known[i].at_ms < oldest->at_ms)
			oldest = &a->known[i];
	*oldest = (struct jump_address){.of = address, .at_ms = now_ms, .tokens = JUMP_BURST * 1000};
	return oldest;
}

const char *jump_admit(struct jump_admit *a, uint64_t address, unsigned max, int64_t now_ms)
{
	struct jump_address *one = find(a, address);

	if (one == NULL)
		one = make(a, address, now_ms);
	if (one == NULL || a->strangers + a->users >= max || a->strangers >= JUMP_STRANGERS)
		return "too many connections";
	int64_t more = now_ms > one->at_ms ? (now_ms - one->at_ms) * JUMP_PER_MINUTE / 60 : 0;
	one->tokens = one->tokens + more > JUMP_BURST * 1000 ? JUMP_BURST * 1000 : one->tokens + more;
	one->at_ms = now_ms;
	if (one->strangers >= JUMP_STRANGERS_OF_ONE)
		return "too many connections of this address";
	if (one->tokens < 1000)
		return "too many connections of this address in a short time";
	one->tokens -= 1000;
	one->strangers++;
	a->strangers++;
	return NULL;
}

void jump_admit_user(struct jump_admit *a, uint64_t address)
{
	struct jump_address *one = find(a, address);

	assert(one != NULL && one->strangers > 0);
	one->strangers--;
	a->strangers--;
	one->users++;
	a->users++;
}

void jump_admit_end(struct jump_admit *a, uint64_t address, bool user)
{
	struct jump_address *one = find(a, address);

	assert(one != NULL && (user ? one->users : one->strangers) > 0);
	if (user) {
		one->users--;
		a->users--;
	} else {
		one->strangers--;
		a->strangers--;
	}
}
