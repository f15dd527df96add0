/* Whether what is on its way is compressed: only where a sample of it shrinks and the link is the slower of the two.
 * Pure: says what has to be measured next, until it can tell. */
#ifndef PLAN_COMPRESS_PLAN_H
#define PLAN_COMPRESS_PLAN_H

#include "model/config.h"
#include "model/plan.h"

enum { COMPRESS_SAMPLES = 4, COMPRESS_SAMPLE_BYTES = 4 << 20 /* of all together, at most */ };

enum compress_need { COMPRESS_DECIDED, COMPRESS_NEEDS_SAMPLE, COMPRESS_NEEDS_LINE };

struct compress_facts {
	enum compress wish;
	bool link;     /* it goes to another machine, or comes from one */
	bool raw;      /* all of it is encrypted */
	uint64_t most; /* bytes: there is no more of it */
	bool sampled;
	struct compress_sample sample;
	bool timed;
	bool other_has_zstd;
	uint64_t line; /* bytes per second that the link takes, or may take; UINT64_MAX: too fast to be measured */
};

struct compress_verdict {
	enum compress_need need; /* what to find out first */
	bool zstd;
	const char *why; /* or NULL: nobody asks */
};

struct compress_verdict compress_plan(const struct compress_facts *f, struct arena *a);
/* What is known without measuring. */
struct compress_facts compress_facts(const struct backup *b, const struct send_steps *sends, uint64_t most);
/* The streams whose beginnings are worth a look: of the largest datasets, without what is raw; at most
 * COMPRESS_SAMPLES. */
struct send_steps compress_samples(const struct side_state *source, const struct send_steps *sends, struct arena *a);

#endif
