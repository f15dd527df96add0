/* What exists of a target, says the provider, beside what the keeper knows of: nothing is forgotten, nothing is
 * ended that may be the one in use. */
#ifndef PLAN_RECONCILE_PLAN_H
#define PLAN_RECONCILE_PLAN_H

#include "plan/machine_step.h"

struct known_machine {
	const char *token;
	const struct machine *m;
	bool missed;	 /* the look before this one did not show it either */
	bool first_look; /* nobody has looked before: one that runs is taken up, not ended */
	void *whose;	 /* the caller's */
};
struct known_machines VEC(struct known_machine);

/* What a look brings about: an event for a known machine, or for one that nobody knew. */
struct sighting {
	size_t known; /* index, or as many as are known: a new one, of this token */
	const char *token;
	enum machine_event event; /* FOUND, NOT_FOUND, UNSURE, STRAY, LOST */
};
struct sightings VEC(struct sighting);

/* known: all machines of one target, at least one, of a shared one the first of them is the one that people get;
 * listed: the tokens of those that exist, "" of one that has none. */
void reconcile_plan(const struct known_machines *known, bool shared, const struct strings *listed, struct arena *a,
		    struct sightings *out);
/* It is on, as far as we know, and the look does not show it: k->missed, for the next one. */
bool reconcile_missing(const struct known_machine *k, const struct strings *listed);

#endif
