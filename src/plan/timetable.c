#include "plan/timetable.h"

#include "plan/schedule_plan.h"

/* The clock may be set, and the machine sleep, at any time: it is looked at often. */
enum { TICK_S = 60, STEP_S = 60, RUNNING_MS = 250 };

void timetable_release(struct timetable *t)
{
	arena_release(&t->arena);
	*t = (struct timetable){0};
}

static struct timetable_entry *entry_of(struct timetable *t, const char *backup)
{
	for (size_t i = 0; i < t->n; i++) {
		struct timetable_entry *e = &t->v[i];
		if (backup == NULL ? e->backup == NULL : e->backup != NULL && strcmp(e->backup, backup) == 0)
			return e;
	}
	struct timetable_entry *e = vec_add(t, &t->arena);
	*e = (struct timetable_entry){.backup = backup == NULL ? NULL : arena_strdup(&t->arena, backup)};
	return e;
}

static void drop_retired(struct timetable *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (!t->v[i].retired || t->v[i].run != NULL)
			t->v[n++] = t->v[i];
	t->n = n;
}

void timetable_load(struct timetable *t, const struct config *c)
{
	for (size_t i = 0; i < t->n; i++)
		t->v[i].retired = true;
	if (c->policies.n > 0) {
		struct timetable_entry *e = entry_of(t, NULL);
		e->wanted |= e->last == 0; /* what was missed; it decides itself what is due */
		e->retired = false;
	}
	for (size_t i = 0; i < c->backups.n; i++)
		if (c->backups.v[i].run.kind != SCHEDULE_NONE)
			entry_of(t, c->backups.v[i].name)->retired = false;
	drop_retired(t);
}

int64_t timetable_look(struct timetable *t, int64_t wall_s, int64_t mono_s)
{
	bool first = t->wall_s == 0 && t->mono_s == 0;
	int64_t set = (wall_s - t->wall_s) - (mono_s - t->mono_s);

	t->wall_s = wall_s;
	t->mono_s = mono_s;
	if (first || (set > -STEP_S && set < STEP_S))
		return 0;
	/* What a wrong clock kept from being taken is taken now. */
	for (size_t i = 0; i < t->n; i++)
		t->v[i].wanted |= t->v[i].backup == NULL;
	return set;
}

void timetable_plan(struct timetable *t, const struct config *c, const struct zone *z, int64_t wall_s)
{
	for (size_t i = 0; i < t->n; i++) {
		struct timetable_entry *e = &t->v[i];
		/* A run in the future began by a clock that was wrong: from here on it counts as one of now. */
		if (e->last > wall_s)
			e->last = wall_s;
		const struct backup *b = e->backup == NULL ? NULL : config_backup(c, e->backup);
		if (e->backup == NULL)
			e->at = policies_next(&c->policies, z, e->last == 0 ? wall_s : e->last);
		else
			e->at = b == NULL ? INT64_MAX : schedule_next(&b->run, b->name, z, e->last, wall_s);
	}
}

bool timetable_due(const struct timetable_entry *e, int64_t wall_s)
{
	return !e->retired && e->run == NULL && (e->wanted || wall_s >= e->at);
}

void timetable_begun(struct timetable_entry *e, int64_t wall_s, void *run)
{
	e->last = wall_s;
	e->wanted = false;
	e->run = run;
}

void timetable_ended(struct timetable *t, const struct config *c, struct timetable_entry *e)
{
	bool pass = e->backup == NULL;

	e->run = NULL;
	for (size_t i = 0; i < t->n && pass; i++) {
		const struct backup *b = t->v[i].backup == NULL ? NULL : config_backup(c, t->v[i].backup);
		t->v[i].wanted |= b != NULL && b->run.kind == SCHEDULE_AFTER_SNAPSHOT;
	}
	drop_retired(t);
}

static int64_t wait_of(const struct timetable_entry *e, int64_t wall_s)
{
	if (e->run != NULL)
		return RUNNING_MS;
	if (e->wanted || e->at <= wall_s)
		return 0;
	return e->at - wall_s < TICK_S ? (e->at - wall_s) * 1000 : TICK_S * 1000;
}

int64_t timetable_wait(const struct timetable *t, int64_t wall_s)
{
	int64_t least = -1;

	for (size_t i = 0; i < t->n; i++) {
		int64_t ms = wait_of(&t->v[i], wall_s);
		least = least < 0 || ms < least ? ms : least;
	}
	return least;
}
