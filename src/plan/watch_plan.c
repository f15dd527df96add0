#include "plan/watch_plan.h"

#include "base/num.h"
#include "plan/schedule_plan.h"

enum { MINUTE_S = 60, SLACK_S = 10 * 60, STRIKES = 10000, AHEAD_S = 2 * 366 * 24 * 60 * 60 };
/* Of Honeycomb: how many times the frequency it may look back, and how seldom it may look. */
enum { LOOKS_BACK = 4 };

static int64_t whole(int64_t s, int64_t unit)
{
	return (s + unit - 1) / unit * unit;
}

/* The longest time in which a backup begins but twice, as far as one can see. */
static int64_t missed_two(const struct config *c, const struct backup *b, const struct zone *z, int64_t now)
{
	struct backup even = *b;
	int64_t longest = 0, at[3];

	even.run.jitter_s = 0;
	at[0] = backup_next(c, &even, z, now);
	at[1] = backup_next(c, &even, z, at[0]);
	for (int i = 0; i < STRIKES && at[1] - now < AHEAD_S; i++) {
		at[2] = backup_next(c, &even, z, at[1]);
		if (at[2] == INT64_MAX)
			break;
		longest = at[2] - at[0] > longest ? at[2] - at[0] : longest;
		at[0] = at[1];
		at[1] = at[2];
	}
	return longest == 0 ? 0 : longest + b->run.jitter_s + SLACK_S;
}

/* By a check of its own elsewhere. */
static bool is_watched(const struct config *c, const char *backup)
{
	for (size_t i = 0; i < c->sinks.n; i++) {
		const struct sink *s = &c->sinks.v[i];
		if (s->kind == SINK_HEALTHCHECKS && sink_watches(s) && sink_has(s, backup))
			return true;
	}
	return false;
}

static void refuse(struct watch *w, enum sink_kind kind, struct arena *a)
{
	char text[NUM_TEXT];

	(void)num_show_duration(w->within_s * 1000, text);
	if (kind == SINK_HONEYCOMB) {
		w->cannot = arena_printf(
		    a, "a trigger looks back a day at most, and this may be without a success for %s", text);
		w->hint = arena_printf(a,
				       "report \"healthchecks\" with an api_key and backups = [\"%s\"] watches it; or "
				       "no_success_within = \"24h\" in its alert block",
				       w->backup);
	} else {
		w->cannot = arena_printf(a, "a check waits for a year at most, not %s", text);
		w->hint = "no_success_within in its alert block";
	}
}

void watch_plan(const struct config *c, const struct sink *s, const struct zone *z, int64_t now, struct arena *a,
		struct watches *out)
{
	int64_t max_s = s->kind == SINK_HONEYCOMB ? WATCH_TRIGGER_MAX_S : WATCH_CHECK_MAX_S;

	for (size_t i = 0; i < c->backups.n; i++) {
		const struct backup *b = &c->backups.v[i];
		int64_t within_s = config_within_ms(c, b) / 1000;
		if (!sink_has(s, b->name))
			continue;
		struct watch w = {.backup = b->name,
				  .within_s = whole(within_s > 0 ? within_s : missed_two(c, b, z, now), MINUTE_S)};
		if (w.within_s == 0)
			continue;
		if (w.within_s > max_s && s->kind == SINK_HONEYCOMB && is_watched(c, b->name))
			continue;
		if (w.within_s > max_s)
			refuse(&w, s->kind, a);
		*vec_add(out, a) = w;
	}
}

int64_t watch_frequency_s(int64_t within_s)
{
	return whole(within_s, (int64_t)LOOKS_BACK * MINUTE_S) / LOOKS_BACK;
}

int64_t watch_grace_s(int64_t within_s)
{
	return within_s / 2 < MINUTE_S ? MINUTE_S : within_s / 2;
}

int64_t watch_timeout_s(int64_t within_s)
{
	return within_s - within_s / 2 < MINUTE_S ? MINUTE_S : within_s - within_s / 2;
}
