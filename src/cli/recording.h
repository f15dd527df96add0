/* What the keeper remembers of a run: its story line by line, its spans, and its result. */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include "cli/cli.h"
#include "engine/run.h"

struct recording {
	struct tracer tracer; /* the first member */
	struct cli *cli;
	const struct backup *backup;
	struct control link;	/* the run's connection to the keeper: without it the run counts as died */
	struct strings secrets; /* of the file: they are in nothing that is recorded */
	const char *trace;	/* what the run is known by, also to the next keeper */
	int64_t root;		/* the run's own span */
	json_t *lines;		/* that were not handed over yet */
	int64_t second_ms;	/* when the last second began, and how many lines went over in it at once */
	int quick;
	int64_t told_ms; /* when it was last told how far it is */
};

/* Begins a run; refused as busy while another runs, but not because nothing can be recorded.  To be released whatever
 * it returned. */
int recording_open(struct recording *r, struct cli *c, const struct backup *b, struct err *e) MUST_CHECK;
void recording_line(struct recording *r, const char *text);
/* How far it is, for who watches elsewhere; not kept, and told once a second at most. */
void recording_progress(struct recording *r, uint64_t bytes, uint64_t total);
/* What the whole run came to, for its own span; whole: what ended it early, or NULL. */
void recording_conclude(struct recording *r, const struct run *run, int rc, const struct err *whole);
/* Hands the end over: to another keeper, if the one of the beginning has gone.  Secrets go from result. */
int recording_close(struct recording *r, const struct run *run, int rc, json_t *result, struct err *e) MUST_CHECK;
/* Tells the sinks at once of a run that could not be recorded: nothing would tell them later. */
void recording_tell(struct recording *r, int rc);
void recording_auto(struct recording *r);

#endif
