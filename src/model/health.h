/* What follows from the facts: is everything safe, and what is wrong.  The same value becomes text, JSON, and a page.
 */
#ifndef MODEL_HEALTH_H
#define MODEL_HEALTH_H

#include "model/config.h"
#include "model/facts.h"

enum health_level { HEALTH_OK, HEALTH_WARN, HEALTH_CRITICAL };
const char *health_level_name(enum health_level l); /* "ok", "warn", "critical" */

struct problem {
	const char *key; /* the same as long as the problem is the same: "dataset/safe/tank/home" */
	enum health_level level;
	const char *subject; /* of what: "tank/home" */
	const char *text;    /* one sentence, without a full stop */
	const char *hint;    /* what to do, most often a command; "" */
};
struct problems VEC(struct problem);

struct dataset_health {
	const struct fact_dataset *fact;
	enum health_level level;
	const char *word; /* "safe", "late", "failed", "conflict", "never" */
};
struct dataset_healths VEC(struct dataset_health);

struct backup_health {
	const struct backup *backup;
	enum health_level level;
	const struct fact_run *last, *good, *running; /* the last that ended, the last good one; NULL: none */
	size_t datasets, proven, first;		      /* its datasets begin there in health.datasets */
	int64_t oldest;				      /* all that are proven are restorable to then; 0: none is */
	int64_t next_at;			      /* INT64_MAX: nothing but a person begins it */
	int64_t late_at;			      /* it is late from then on; INT64_MAX: never */
	uint64_t size;				      /* of all copies */
	const char *text;			      /* one sentence */
};
struct backup_healths VEC(struct backup_health);

struct health {
	const struct facts *facts;
	const struct config *config;
	enum health_level level;
	const char *verdict;	  /* one sentence */
	const char *hint;	  /* "" */
	struct problems problems; /* the worst first */
	struct backup_healths backups;
	struct dataset_healths datasets; /* by backup, by name */
	int64_t next_snapshots;		 /* INT64_MAX: none are taken */
};

#endif
