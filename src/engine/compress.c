#include "engine/compress.h"

#include "engine/side_run.h"
#include "plan/space_plan.h"
#include "sys/clock.h"
#include "wire/program.h"
#include "wire/zfs_text.h"

/* So much is sent to see how long it takes: what cannot be compressed, should ssh itself be set to do that. */
enum { PROBE = 2 << 20, MEASURE_MS = 5 * 60 * 1000 };

static int sample(struct reach *from, const struct side_state *seen, const struct send_steps *sends,
		  struct compress_sample *out, struct err *e)
{
	struct send_steps some = compress_samples(seen, sends, from->arena);
	AUTO(buf) struct buf b = {0};
	struct proc_result said;

	program_sample(&b, some.v, some.n, COMPRESS_SAMPLE_BYTES / (some.n > 0 ? some.n : 1));
	if (side_run(&from->side, buf_str(&b), MEASURE_MS, from->arena, &said, e) < 0)
		return -1;
	return sample_parse(said.out, out, e);
}

/* How long it takes to bring bytes to a side, or from it, in milliseconds, and whether it has zstd. */
static int carry(struct reach *r, bool up, size_t bytes, int64_t *ms, bool *has_zstd, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result said;
	uint32_t x = 2463534242u;

	*ms = 0;
	*has_zstd = false;
	program_carry(&b, up, bytes);
	for (size_t i = 0; up && i < bytes; i += sizeof(x)) {
		x ^= x << 13, x ^= x >> 17, x ^= x << 5;
		buf_add(&b, &x, sizeof(x));
	}
	int64_t began = clock_mono_ms();
	if (side_run(&r->side, buf_str(&b), MEASURE_MS, r->arena, &said, e) < 0)
		return -1;
	*ms = clock_mono_ms() - began;
	if (said.status != 0)
		return err_set(e, ERR_SYSTEM, "no head command on %s", r->side.label);
	*has_zstd = str_starts(said.out, "zstd yes\n");
	return 0;
}

/* Bytes per second over the link to one side; this host has none.  What takes no longer with the bytes than without
 * them is too fast to be measured. */
static int line(struct reach *r, bool up, uint64_t limit, struct compress_facts *f, struct err *e)
{
	int64_t nothing, all;
	bool has_zstd;

	if (r->target == NULL && !up)
		return 0;
	if (carry(r, up, 0, &nothing, &has_zstd, e) < 0)
		return -1;
	if (up)
		f->other_has_zstd = has_zstd;
	if (r->target == NULL || limit > 0)
		return 0;
	if (carry(r, up, PROBE, &all, &has_zstd, e) < 0)
		return -1;
	uint64_t rate = all > nothing ? (uint64_t)PROBE * 1000 / (uint64_t)(all - nothing) : UINT64_MAX;
	if (rate < f->line)
		f->line = rate;
	return 0;
}

struct compress_verdict compress_choose(struct reach *from, struct reach *to, const struct backup *b,
					const struct side_state *seen, const struct send_steps *sends, uint64_t limit)
{
	struct compress_facts f = compress_facts(b, sends, space_bound(seen, sends));
	struct arena *a = from->arena;
	struct err e;

	for (;;) {
		struct compress_verdict v = compress_plan(&f, a);
		int rc = 0;
		switch (v.need) {
		case COMPRESS_DECIDED:
			return v;
		case COMPRESS_NEEDS_SAMPLE:
			rc = sample(from, seen, sends, &f.sample, &e);
			f.sampled = true;
			break;
		case COMPRESS_NEEDS_LINE:
			f.line = limit > 0 ? limit : UINT64_MAX;
			rc = line(from, false, limit, &f, &e);
			if (rc == 0)
				rc = line(to, true, limit, &f, &e);
			f.timed = true;
			break;
		}
		if (rc < 0)
			return (struct compress_verdict){.why = arena_printf(a, "it cannot be measured: %s", e.what)};
	}
}
