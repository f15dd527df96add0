#include "plan/schedule_plan.h"

static int64_t jitter(const struct schedule *s, const char *name, int64_t at)
{
	if (s->jitter_s <= 0)
		return 0;
	uint64_t h = str_hash(name, STR_HASH_INIT ^ (uint64_t)at);
	return (int64_t)((h >> 16) % (uint64_t)(s->jitter_s + 1));
}

int64_t schedule_next(const struct schedule *s, const char *name, const struct zone *z, int64_t last, int64_t now)
{
	int64_t at;

	/* A run in the future began by a clock that was wrong. */
	last = last > now ? now : last;
	switch (s->kind) {
	case SCHEDULE_NONE:
	case SCHEDULE_AFTER_SNAPSHOT:
		return INT64_MAX;
	case SCHEDULE_EVERY:
		at = last == 0 ? now : last + s->every_s;
		return last == 0 ? at : at + jitter(s, name, at);
	case SCHEDULE_CALENDAR:
		if (last == 0 && (at = calendar_last(&s->calendar, z, now)) != INT64_MIN)
			return at;
		/* The first strike that no run answered: a later one does not replace what waits for its jitter. */
		at = calendar_next(&s->calendar, z, last == 0 ? now : last);
		return at == INT64_MAX ? at : at + jitter(s, name, at);
	}
	return INT64_MAX;
}

int64_t policy_next(const struct snapshot_policy *p, const struct zone *z, int64_t now)
{
	int64_t next = INT64_MAX;

	for (enum label l = LABEL_FREQUENT; l < LABELS; l++) {
		if (!p->takes[l] || p->keep[l] == 0)
			continue;
		struct calendar c = label_calendar(l);
		int64_t at = calendar_next(&c, z, now);
		next = at < next ? at : next;
	}
	return next;
}

int64_t policies_next(const struct snapshot_policies *all, const struct zone *z, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < all->n; i++) {
		int64_t at = policy_next(&all->v[i], z, now);
		next = at < next ? at : next;
	}
	return next;
}

int64_t backup_next(const struct config *c, const struct backup *b, const struct zone *z, int64_t t)
{
	if (t == INT64_MAX)
		return t;
	if (b->run.kind == SCHEDULE_AFTER_SNAPSHOT)
		return policies_next(&c->policies, z, t);
	return schedule_next(&b->run, b->name, z, t, t);
}
