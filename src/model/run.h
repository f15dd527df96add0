/* What a run tells while it goes, and what is kept of it. */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "base/err.h"

enum run_stage {
	STAGE_SNAPSHOT,
	STAGE_WAKE,
	STAGE_LOOK,
	STAGE_SEND,
	STAGE_PROVE,
	STAGE_MARK,
	STAGE_PRUNE,
	STAGE_SLEEP
};
const char *run_stage_name(enum run_stage s);
/* How one ended, by its exit code: "done", "partly done", "failed"; of -1 "died on the way". */
const char *run_end_text(int64_t exit);

enum event_kind {
	EVENT_STAGE,	/* a stage begins: text says what */
	EVENT_NOTE,	/* a line for people */
	EVENT_PROGRESS, /* bytes so far of dataset (text = the step's reason); many, not recorded */
	EVENT_DATASET,	/* a dataset is done: ok, or err */
};

struct run_event {
	enum event_kind kind;
	enum run_stage stage;
	const char *dataset;   /* or NULL */
	const char *text;      /* or NULL */
	uint64_t bytes;	       /* of this run so far, or of this dataset */
	uint64_t total;	       /* expected, 0 = unknown */
	size_t snapshots;      /* EVENT_DATASET: that arrived */
	const struct err *err; /* EVENT_DATASET that failed */
};

/* Who listens; called synchronously, must not block for long. */
struct run_listener {
	void (*tell)(struct run_listener *l, const struct run_event *ev);
};

#endif
