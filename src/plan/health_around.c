#include "plan/health_around.h"

#include <stdarg.h>

#include "base/num.h"
#include "base/zone.h"

enum { USUAL_RUNS = 20, USUAL_LEAST = 5, MINUTE_MS = 60 * 1000, OFF_S = 15 * 60, SINK_S = 15 * 60 };
enum { MIB = 1 << 20, AHEAD_S = 10 * 60 };

PRINTF(6, 7)
static void add(struct health *h, struct arena *a, enum health_level level, const char *key, const char *subject,
		const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*vec_add(&h->problems, a) = (struct problem){key, level, subject, arena_strdup(a, text), ""};
}

PRINTF(3, 4) static void hint(struct health *h, struct arena *a, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	h->problems.v[h->problems.n - 1].hint = arena_strdup(a, text);
}

/* --- runs ---------------------------------------------------------------------------------------------------- */

static int by_size(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

/* Of the last good runs before one; 0: there are too few to say what is usual. */
static int64_t median(const struct facts *f, const char *backup, const struct fact_run *but, bool bytes)
{
	int64_t v[USUAL_RUNS];
	size_t n = 0;

	for (size_t i = 0; i < f->runs.n && n < USUAL_RUNS; i++) {
		const struct fact_run *r = &f->runs.v[i];
		if (r != but && r->ended != 0 && r->exit == 0 && strcmp(r->backup, backup) == 0)
			v[n++] = bytes ? (int64_t)(r->bytes > INT64_MAX ? INT64_MAX : r->bytes) : r->took_ms;
	}
	if (n < USUAL_LEAST)
		return 0;
	qsort(v, n, sizeof(v[0]), by_size);
	return v[n / 2];
}

int64_t health_usual_ms(const struct facts *f, const char *backup, const struct fact_run *but)
{
	return median(f, backup, but, false);
}

/* Far from what is usual, in either direction, and by more than what nobody would notice. */
static bool is_odd(int64_t is, int64_t usual, int64_t least)
{
	return usual > 0 && ((is > 5 * usual && is - usual > 10 * least) || (usual > least && is < usual / 20));
}

static void odd_runs(struct health *h, const struct backup_health *b, struct arena *a)
{
	const char *name = b->backup->name;
	const struct fact_run *r = b->last;
	char is[NUM_TEXT], usually[NUM_TEXT];

	if (r != NULL && r->exit == 0) {
		int64_t took = median(h->facts, name, r, false), bytes = median(h->facts, name, r, true);
		if (is_odd(r->took_ms, took, MINUTE_MS)) {
			add(h, a, HEALTH_WARN, arena_printf(a, "run/%s/duration", name), name,
			    "the last run of '%s' took %s, where %s is usual", name, num_show_duration(r->took_ms, is),
			    num_show_duration(took, usually));
			hint(h, a, "dormouse history %lld tells what it did", (long long)r->id);
		}
		if (is_odd((int64_t)r->bytes, bytes, (int64_t)100 * MIB)) {
			add(h, a, HEALTH_WARN, arena_printf(a, "run/%s/size", name), name,
			    "the last run of '%s' sent %s, where %s is usual", name, num_show_bytes(r->bytes, is),
			    num_show_bytes((uint64_t)bytes, usually));
			hint(h, a, "dormouse history %lld tells what it did", (long long)r->id);
		}
	}
	if (b->running == NULL)
		return;
	int64_t so_far = (h->facts->now - b->running->began) * 1000, took = median(h->facts, name, NULL, false);
	if (took > 0 && so_far > 5 * took && so_far - took > 10 * MINUTE_MS) {
		add(h, a, HEALTH_WARN, arena_printf(a, "run/%s/long", name), name,
		    "a run of '%s' is under way for %s, where %s is usual", name, num_show_duration(so_far, is),
		    num_show_duration(took, usually));
		hint(h, a, "dormouse status --watch");
	}
}

/* --- what is around ------------------------------------------------------------------------------------------ */

static bool is_one_of(const char *s, const char *const *all)
{
	for (; *all != NULL; all++)
		if (strcmp(s, *all) == 0)
			return true;
	return false;
}

static void machines(struct health *h, struct arena *a)
{
	static const char *const going[] = {"draining", "stopping", "failed", NULL};
	static const char *const on[] = {"ready", "lingering", NULL};
	int64_t may_s = h->config->alerting.on_ms / 1000;
	char since[NUM_TEXT];

	for (size_t i = 0; i < h->facts->machines.n; i++) {
		const struct fact_machine *m = &h->facts->machines.v[i];
		int64_t for_s = h->facts->now - m->since;
		(void)num_show_duration(for_s * 1000, since);
		if (is_one_of(m->state, going) && for_s > OFF_S) {
			add(h, a, HEALTH_CRITICAL, arena_printf(a, "machine/%s/off", m->target), m->target,
			    "%s is to be off and is not, for %s: it may still cost money%s%s", m->target, since,
			    m->trouble.what == NULL ? "" : "; ", m->trouble.what == NULL ? "" : m->trouble.what);
			hint(h, a, "dormouse sleep --force %s", m->target);
		} else if (is_one_of(m->state, on) && may_s > 0 && for_s > may_s) {
			add(h, a, HEALTH_WARN, arena_printf(a, "machine/%s/on", m->target), m->target,
			    "%s has been on for %s, %s%s", m->target, since,
			    m->users[0] == '\0' ? "used by nobody" : "for ", m->users);
			hint(h, a, "dormouse sleep %s", m->target);
		}
	}
}

static void sinks(struct health *h, struct arena *a)
{
	char since[NUM_TEXT];

	for (size_t i = 0; i < h->facts->sinks.n; i++) {
		const struct fact_sink *s = &h->facts->sinks.v[i];
		/* What is only late is tried again by itself. */
		if (s->failing_at == 0 || (s->waiting > 0 && h->facts->now - s->failing_at < SINK_S))
			continue;
		add(h, a, HEALTH_WARN, arena_printf(a, "sink/%s", s->name), s->name,
		    "reports do not reach %s, for %s%s%s", s->name,
		    num_show_duration((h->facts->now - s->failing_at) * 1000, since), s->error == NULL ? "" : ": ",
		    s->error == NULL ? "" : s->error);
		hint(h, a, "dormouse report test");
	}
}

/* Of a pool that several backups' copies are on, once; what is of a target is a place in it. */
static void pool_health(struct health *h, const struct fact_pool *p, const char *on, struct arena *a)
{
	const char *pool = arena_strndup(a, p->name, dataset_pool_len(p->name)),
		   *key = arena_printf(a, "pool/%s/%s/health", on, pool);

	if (p->health == NULL || strcmp(p->health, "ONLINE") == 0)
		return;
	for (size_t i = 0; i < h->problems.n; i++)
		if (strcmp(h->problems.v[i].key, key) == 0)
			return;
	add(h, a, HEALTH_CRITICAL, key, p->name, "pool '%s' on %s is %s", pool, on, p->health);
	hint(h, a, "zpool status -x %s, there", pool);
}

static void pools(struct health *h, struct arena *a)
{
	enum { BRIM = 97 };

	if (h->facts->host.what != NULL) {
		add(h, a, HEALTH_CRITICAL, "host", "this host", "ZFS on this host does not answer: %s",
		    h->facts->host.what);
		hint(h, a, "zpool status; dmesg");
	}
	for (size_t i = 0; i < h->facts->pools.n; i++) {
		const struct fact_pool *p = &h->facts->pools.v[i];
		const char *on = p->on == NULL ? "this host" : p->on;
		pool_health(h, p, on, a);
		int64_t percent = p->size == 0 ? 0 : (int64_t)((double)p->used / (double)p->size * 100);
		if (percent < h->config->alerting.pool_full)
			continue;
		add(h, a, percent >= BRIM ? HEALTH_CRITICAL : HEALTH_WARN,
		    arena_printf(a, "pool/%s/%s/full", on, p->name), p->name, "'%s' on %s is full to %lld %%", p->name,
		    on, (long long)percent);
		hint(h, a,
		     p->on == NULL ? "dormouse prune --dry-run says what could go"
				   : "a larger size of its volume, and dormouse apply; or keep less there");
	}
}

/* What is of the future, a clock has written that was ahead, or this one was set back: nobody knows what is late. */
static void the_clock(struct health *h, struct arena *a)
{
	int64_t now = h->facts->now, latest = now + AHEAD_S;
	char here[ZONE_TEXT], there[ZONE_TEXT];
	const char *what = NULL;

	for (size_t i = 0; i < h->backups.n; i++) {
		const struct fact_run *const runs[] = {h->backups.v[i].running, h->backups.v[i].last,
						       h->backups.v[i].good};
		for (size_t k = 0; k < ARRAY_LEN(runs); k++) {
			int64_t at = runs[k] == NULL ? 0 : runs[k]->ended == 0 ? runs[k]->began : runs[k]->ended;
			if (at <= latest)
				continue;
			latest = at;
			what = arena_printf(a, "a run of '%s'", h->backups.v[i].backup->name);
		}
	}
	for (size_t i = 0; i < h->facts->datasets.n; i++) {
		const struct fact_dataset *d = &h->facts->datasets.v[i];
		int64_t at = d->newest_at > d->local_at ? d->newest_at : d->local_at;
		if (at <= latest)
			continue;
		latest = at;
		what = arena_printf(a, "a snapshot of %s", d->name);
	}
	if (what == NULL)
		return;
	add(h, a, HEALTH_CRITICAL, "clock", "the clock",
	    "the clock says %.16s, and %s is of %.16s: it was set back, or was ahead",
	    zone_show(&h->facts->zone, now, here), what, zone_show(&h->facts->zone, latest, there));
	hint(h, a, "set the clock: timedatectl; if it is right now: dormouse prune --trust-clock, and another run");
}

static void state(struct health *h, struct arena *a)
{
	const struct fact_trouble *t = &h->facts->state;

	if (t->what == NULL)
		return;
	add(h, a, HEALTH_CRITICAL, "state", "what is recorded", "no run can be recorded, nor told later: %s%s%s",
	    t->what, t->why == NULL ? "" : ": ", t->why == NULL ? "" : t->why);
	hint(h, a, "%s", t->hint == NULL ? "" : t->hint);
}

static void forgotten(struct health *h, struct arena *a)
{
	for (size_t i = 0; i < h->facts->uncovered.n; i++) {
		const char *name = h->facts->uncovered.v[i];
		add(h, a, HEALTH_WARN, arena_printf(a, "uncovered/%s", name), name, "%s is in no backup", name);
		hint(h, a, "add a backup block for it, or say that it needs none: zfs set dormouse:backup=off '%s'",
		     name);
	}
	for (size_t i = 0; i < h->facts->unmatched.n; i++) {
		const struct fact_filter *u = &h->facts->unmatched.v[i];
		add(h, a, HEALTH_WARN, arena_printf(a, "unmatched/%s/%s", u->backup, u->glob), u->backup,
		    "backup '%s' names \"%s\", which is no dataset", u->backup, u->glob);
		hint(h, a, "was it renamed? zfs list shows what there is");
	}
}

void health_around(struct health *h, struct arena *a)
{
	the_clock(h, a);
	state(h, a);
	machines(h, a);
	pools(h, a);
	for (size_t i = 0; i < h->backups.n; i++)
		odd_runs(h, &h->backups.v[i], a);
	sinks(h, a);
	forgotten(h, a);
}
