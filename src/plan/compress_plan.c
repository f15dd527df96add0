#include "plan/compress_plan.h"

#include "base/num.h"

/* Below that, measuring takes longer than can be won. */
enum { WORTH_IT = 64 << 20, SAMPLE_LEAST = 1 << 20 };
/* Percent: a sample must shrink to that; blocks that ZFS has compressed so far are left as they are. */
enum { SHRINKS_TO = 80, COMPRESSED_FROM = 120 };
/* How many times faster than the link zstd must be: it is not alone on its processor. */
enum { FASTER = 2 };

static struct compress_verdict no(const char *why)
{
	return (struct compress_verdict){COMPRESS_DECIDED, false, why};
}

static const char *per_second(uint64_t bytes, struct arena *a)
{
	char text[NUM_TEXT];
	return arena_printf(a, "%s/s", num_show_bytes(bytes, text));
}

static struct compress_verdict by_sample(const struct compress_facts *f, struct arena *a)
{
	const struct compress_sample *s = &f->sample;

	if (!s->has_zstd)
		return no("there is no zstd command on the side that sends");
	if (s->ratio_percent >= COMPRESSED_FROM)
		return no(arena_printf(a, "ZFS has compressed its blocks already (%d.%02dx)",
				       (int)(s->ratio_percent / 100), (int)(s->ratio_percent % 100)));
	if (s->bytes < SAMPLE_LEAST)
		return no("the streams are short");
	uint64_t percent = s->packed * 100 / s->bytes;
	if (percent > SHRINKS_TO)
		return no(arena_printf(a, "a sample of it shrinks to %d %% only", (int)percent));
	if (!f->timed)
		return (struct compress_verdict){.need = COMPRESS_NEEDS_LINE};
	if (!f->other_has_zstd)
		return no("there is no zstd command on the side that receives");
	uint64_t zstd = s->bytes * 1000 / (s->cpu_ms > 0 ? s->cpu_ms : 1);
	if (f->line == UINT64_MAX)
		return no("the link is too fast to be measured");
	if (zstd / FASTER < f->line)
		return no(arena_printf(a, "the link takes %s, and zstd makes %s", per_second(f->line, a),
				       per_second(zstd, a)));
	return (struct compress_verdict){.zstd = true,
					 .why =
					     arena_printf(a, "a sample of it shrinks to %d %%, and the link takes %s",
							  (int)percent, per_second(f->line, a))};
}

struct compress_verdict compress_plan(const struct compress_facts *f, struct arena *a)
{
	switch (f->wish) {
	case COMPRESS_NONE:
		return no(NULL);
	case COMPRESS_ZSTD:
		return (struct compress_verdict){.zstd = true, .why = "the file says so"};
	case COMPRESS_AUTO:
		break;
	}
	if (!f->link)
		return no(NULL);
	if (f->raw)
		return no("it is encrypted and sent raw");
	if (f->most < WORTH_IT)
		return no("there is little of it");
	return f->sampled ? by_sample(f, a) : (struct compress_verdict){.need = COMPRESS_NEEDS_SAMPLE};
}

struct compress_facts compress_facts(const struct backup *b, const struct send_steps *sends, uint64_t most)
{
	struct compress_facts f = {
	    .wish = b->compress, .link = b->source_target != NULL || b->dest_target != NULL, .raw = true, .most = most};

	for (size_t i = 0; i < sends->n; i++)
		f.raw &= sends->v[i].raw;
	return f;
}

struct send_steps compress_samples(const struct side_state *source, const struct send_steps *sends, struct arena *a)
{
	struct send_steps out = {0};
	uint64_t sizes[COMPRESS_SAMPLES];

	for (size_t i = 0; i < sends->n; i++) {
		const struct dataset *d = side_find(source, sends->v[i].source);
		bool again = i > 0 && strcmp(sends->v[i - 1].source, sends->v[i].source) == 0;
		if (d == NULL || sends->v[i].raw || again)
			continue;
		if (out.n < COMPRESS_SAMPLES)
			(void)vec_add(&out, a);
		else if (d->referenced <= sizes[out.n - 1])
			continue;
		size_t at = out.n - 1;
		for (; at > 0 && sizes[at - 1] < d->referenced; at--) {
			out.v[at] = out.v[at - 1];
			sizes[at] = sizes[at - 1];
		}
		out.v[at] = sends->v[i];
		sizes[at] = d->referenced;
	}
	return out;
}
