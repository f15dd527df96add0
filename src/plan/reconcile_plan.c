#include "plan/reconcile_plan.h"

#include "base/str.h"

static bool lists(const struct strings *listed, const char *token)
{
	for (size_t i = 0; i < listed->n; i++)
		if (strcmp(listed->v[i], token) == 0)
			return true;
	return false;
}

static bool knows(const struct known_machines *known, const char *token)
{
	for (size_t i = 0; i < known->n; i++)
		if (machine_exists(known->v[i].m) && strcmp(known->v[i].token, token) == 0)
			return true;
	return false;
}

/* One without a token may be any. */
bool reconcile_missing(const struct known_machine *k, const struct strings *listed)
{
	bool on = machine_is_up(k->m->state);
	return on && !lists(listed, k->token) && !lists(listed, "");
}

static bool any_exists(const struct known_machines *known)
{
	for (size_t i = 0; i < known->n; i++)
		if (machine_exists(known->v[i].m))
			return true;
	return false;
}

void reconcile_plan(const struct known_machines *known, bool shared, const struct strings *listed, struct arena *a,
		    struct sightings *out)
{
	assert(known->v != NULL && (known->n > 0 || !shared));
	const struct known_machine *first = shared ? &known->v[0] : NULL;
	bool heir = first != NULL && first->m->unsure && first->first_look && !machine_exists(first->m);
	struct strings new = {0};
	size_t others = 0;

	for (size_t i = 0; i < listed->n; i++) {
		const char *token = listed->v[i];
		bool known_one = token[0] == '\0' ? any_exists(known) : knows(known, token);
		if (!known_one && !lists(&new, token))
			*vec_add(&new, a) = token;
	}
	for (size_t i = 0; i < new.n; i++)
		*vec_add(out, a) = i == 0 && heir ? (struct sighting){0, new.v[i], MACHINE_FOUND}
						  : (struct sighting){known->n, new.v[i], MACHINE_STRAY};
	for (size_t i = 0; i < known->n; i++) {
		const struct known_machine *k = &known->v[i];
		others += k != first && machine_exists(k->m);
		/* One look is no proof: some clouds show what they did a little later. */
		if (k->missed && reconcile_missing(k, listed))
			*vec_add(out, a) = (struct sighting){i, k->token, MACHINE_LOST};
	}
	bool taken = heir && new.n > 0, more = others + new.n > taken;
	if (first != NULL && more != (first->m->unsure && !taken))
		*vec_add(out, a) = (struct sighting){0, first->token, more ? MACHINE_UNSURE : MACHINE_NOT_FOUND};
}
