/* What is known of everything at one time: what `health_plan` judges.  Plain values; they can be read from JSON
 * (wire/facts_json.h). */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include "base/vec.h"
#include "base/zone.h"

/* What went wrong, as an error says it; what NULL: nothing did. */
struct fact_trouble {
	const char *kind, *what, *why, *hint;
};

/* A run. */
struct fact_run {
	int64_t id;
	const char *backup;
	int64_t began, ended; /* Unix seconds; ended 0: it is under way */
	int exit;	      /* -1: it died */
	int64_t took_ms;
	uint64_t bytes;
	size_t datasets, proven; /* how many it came to, and how many of them it has proven */
	struct fact_trouble trouble;
	/* Of one that is under way: */
	const char *stage; /* the last line of its story, or NULL */
	uint64_t total;	   /* bytes it expects to send, 0: unknown; bytes are those so far */
};
struct fact_runs VEC(struct fact_run);

/* A dataset of a backup, as its last run that came to any left it. */
struct fact_dataset {
	const char *backup, *name;
	bool proven;
	const char *newest; /* the newest snapshot that the archive has of it, or NULL */
	int64_t newest_at;  /* 0: unknown */
	const char *local;  /* the newest at the source, likewise */
	int64_t local_at;
	uint64_t size; /* of the copy; 0: unknown */
	struct fact_trouble trouble;
};
struct fact_datasets VEC(struct fact_dataset);

struct fact_machine {
	const char *target, *state; /* machine_state_name */
	int64_t since;
	int64_t leases;
	const char *users; /* for people; "" */
	struct fact_trouble trouble;
};
struct fact_machines VEC(struct fact_machine);

/* What a target costs in a month. */
struct fact_cost {
	const char *target;
	const char *text; /* "$1.88" */
	int64_t micros;	  /* millionths of that currency */
	bool whole;	  /* everything in it has a price */
};
struct fact_costs VEC(struct fact_cost);

/* Where reports go. */
struct fact_sink {
	const char *name;
	int64_t good_at;    /* the last that was taken; 0: none yet */
	int64_t failing_at; /* since when what waits does, or when it last refused something; 0: all is well */
	int64_t waiting;    /* what is to be sent to it */
	const char *error;  /* or NULL */
};
struct fact_sinks VEC(struct fact_sink);

struct fact_pool {
	const char *name;
	const char *on;	    /* the target that it is on; NULL: this host */
	const char *health; /* as zpool says it, "ONLINE"; NULL: unknown */
	uint64_t used, size;
};
struct fact_pools VEC(struct fact_pool);

/* A glob of a backup that no dataset matches. */
struct fact_filter {
	const char *backup, *glob;
};
struct fact_filters VEC(struct fact_filter);

struct facts {
	int64_t now;
	struct zone zone;      /* the local time of this host */
	struct fact_runs runs; /* newest first */
	bool runs_cut;	       /* there were more */
	struct fact_datasets datasets;
	struct fact_machines machines;
	struct fact_costs costs;
	struct fact_sinks sinks;
	struct fact_pools pools;
	struct strings uncovered; /* datasets of this host in no backup */
	struct fact_filters unmatched;
	struct fact_trouble host;  /* this host's ZFS did not answer */
	struct fact_trouble state; /* nothing can be recorded */
};

#endif
