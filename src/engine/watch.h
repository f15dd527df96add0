/* Setting up that somebody outside of this host tells when its backups do not succeed any more: what a report block
 * has there, looked at and done as plan/setup_plan.h says, by requests that the courier carries. */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "engine/courier_client.h"
#include "model/config.h"
#include "plan/setup_plan.h"

/* Of one sink, for which sink_watches is true. */
struct watching {
	const struct config *config;
	const struct sink *sink;
	struct arena *arena;
	bool away; /* all of it is to go: what is wanted need not be right */
	struct courier_client courier;
	/* What is found out. */
	const char *key, *url;
	struct strings hidden;	   /* what no error may say */
	const char *slug;	   /* of the dataset, or of the check; NULL: there is none */
	struct strings recipients; /* address, id, … */
};
#define WATCHING_INIT(paths_)                                                             \
	{                                                                                 \
		.courier = {.paths = (paths_), .proc = {.in = -1, .out = -1, .err = -1}}, \
	}

/* One apply or destroy of a sink at a time, until *lock is closed. */
int watch_lock(const struct watching *w, int *lock, struct err *e) MUST_CHECK;
/* What is wanted and what is there.  Blocks. */
int watch_survey(struct watching *w, struct resources *wanted, struct resources *found, struct err *e) MUST_CHECK;
/* Does one step that does something.  Blocks.  What nobody has heard the answer of, the next survey sees; nothing is
 * asked for twice before that. */
int watch_do(struct watching *w, const struct setup_step *step, struct err *e) MUST_CHECK;
void watch_end(struct watching *w);

/* --- what the kinds share ------------------------------------------------------------------------- */

/* This host's name, as reports have it. */
const char *watch_host(const struct watching *w);
/* What is to be watched there. */
struct watches watch_wanted(const struct watching *w);
struct watch_call {
	const char *method, *path; /* the path as it goes behind the address */
	const char *body;	   /* NULL: none */
	const char *doing;	   /* "cannot DOING" */
	const char *hint;	   /* if it is refused; NULL: by its status */
};
/* -1: not done; ERR_MISSING: what it is about is not there.  No secret is in *e. */
int watch_send(struct watching *w, const struct watch_call *call, struct str *answer, struct err *e) MUST_CHECK;

/* --- one file for each ----------------------------------------------------------------------------- */

int watch_honeycomb_survey(struct watching *w, struct resources *wanted, struct resources *found,
			   struct err *e) MUST_CHECK;
int watch_honeycomb_do(struct watching *w, const struct setup_step *step, struct err *e) MUST_CHECK;
int watch_healthchecks_survey(struct watching *w, struct resources *wanted, struct resources *found,
			      struct err *e) MUST_CHECK;
int watch_healthchecks_do(struct watching *w, const struct setup_step *step, struct err *e) MUST_CHECK;

#endif
