/* All that is known of everything now, as the facts: from the keeper, and of this host. */
#ifndef ENGINE_SURVEY_H
#define ENGINE_SURVEY_H

#include "model/config.h"
#include "sys/paths.h"
#include "wire/facts_json.h"

struct survey {
	const struct config *config;
	const struct paths *paths;
	const struct target_kind *const *kinds; /* that know prices */
	size_t nkinds;
	int64_t runs;	 /* how many, at most */
	json_t *host;	 /* what this host said when it was last asked; or NULL */
	int64_t host_ms; /* and when; it is asked again after a minute */
};

/* The document of the facts, which is the caller's; NULL: it failed.  This host is asked for 10 s at most.  Blocks. */
json_t *survey_take(struct survey *s, struct err *e);
void survey_release(struct survey *s);

#endif
