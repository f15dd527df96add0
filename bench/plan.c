/* How long planning takes: the pass over a host, the replication, and the archive's retention, on so many
 * snapshots; memory only, no ZFS.  Each figure is the median of five. */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "plan/archive_plan.h"
#include "plan/replicate_plan.h"
#include "plan/snapshot_plan.h"

enum { ROUNDS = 5, EACH = 100 };
#define NOW 1785110400

static double now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* n datasets with 100 hourly snapshots each; the copies have all but the newest. */
static void fill(struct side_state *source, struct side_state *target, size_t n, struct arena *a)
{
	uint64_t guid = 1;

	for (size_t d = 0; d < n; d++) {
		const char *name = arena_printf(a, "vault/tank/home/%06zu", d);
		struct dataset s = {.name = name + strlen("vault/"), .referenced = 1 << 20}, t = {.name = name};
		s.wants[LABEL_NONE] = "true";
		for (int64_t k = EACH; k > 0; k--) {
			int64_t at = NOW - k * 3600;
			struct civil c = civil_of(at);
			struct point p = {.guid = guid++, .createtxg = guid, .creation = at};
			p.name = arena_printf(a, "zfs-auto-snap_hourly-%04d-%02d-%02d-%02dh%02dU", c.year, c.month, c.day,
					      c.hour, c.minute);
			*vec_add(&s.points, a) = p;
			if (k > 1)
				*vec_add(&t.points, a) = p;
		}
		*vec_add(&source->datasets, a) = s;
		*vec_add(&target->datasets, a) = t;
	}
}

static void measure(size_t snapshots)
{
	static const struct zone utc = {0};
	AUTO(arena) struct arena a = {0};
	struct side_state source = {.root = "", .seen = true, .root_exists = true};
	struct side_state target = {.root = "vault", .seen = true, .root_exists = true};
	struct snapshot_policy p = {.keep[LABEL_HOURLY] = 24, .takes[LABEL_HOURLY] = true};
	struct backup b = {.name = "b", .source = "tank/home", .dest_target = "x", .dest = "vault"};
	double took[3][ROUNDS];

	b.keep.set = true;
	b.keep.count[LABEL_HOURLY] = 48;
	b.keep.count[LABEL_DAILY] = 30;
	fill(&source, &target, snapshots / EACH, &a);
	for (int i = 0; i < ROUNDS; i++) {
		AUTO(arena) struct arena scratch = {0};
		struct pass pass;
		struct plan plan = {0};
		struct archive archive;
		double t0 = now_ms();
		pass_plan(&p, &source, &utc, NOW, 0, &scratch, &pass);
		double t1 = now_ms();
		replicate_plan(&b, NULL, &source, &target, &(struct zone){0}, NOW, &scratch, &plan);
		double t2 = now_ms();
		archive_plan(&b, &p, &source, &target, &utc, NOW, NULL, &scratch, &archive);
		double t3 = now_ms();
		took[0][i] = t1 - t0;
		took[1][i] = t2 - t1;
		took[2][i] = t3 - t2;
		if (pass.prunes.n == 0 || archive.prunes.n == 0 || plan.sends.n != snapshots / EACH) {
			(void)fprintf(stderr, "the plans are not what they should be\n");
			exit(1);
		}
	}
	(void)printf("%9zu", snapshots);
	for (int k = 0; k < 3; k++) {
		qsort(took[k], ROUNDS, sizeof(double), by_size);
		(void)printf("  %10.1f", took[k][ROUNDS / 2]);
	}
	struct rusage used;
	(void)getrusage(RUSAGE_SELF, &used);
	(void)printf("  %10ld\n", used.ru_maxrss / 1024);
}

int main(void)
{
	(void)printf("snapshots        pass   replicate     archive   ms, median of %d; MiB at most\n", ROUNDS);
	for (size_t n = 1000; n <= 1000000; n *= 10)
		measure(n);
	return 0;
}
