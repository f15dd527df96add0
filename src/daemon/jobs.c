/* What runs by the clock: the snapshot pass and the backups, each as the command that a person would type. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/keeper.h"
#include "plan/schedule_plan.h"
#include "sys/clock.h"
#include "sys/fdio.h"

enum { CONFIG_LIMIT = 2 * 1024 * 1024, TICK_MS = 60000, RUNNING_MS = 250, STEP_S = 60 };

struct job {
	struct job *next;
	char *backup; /* NULL: the snapshot pass */
	struct arena arena;
	struct proc proc;
	int64_t last, at;     /* when it last began, and when it is to begin; Unix seconds */
	bool wanted, retired; /* at once; no longer in the file, ends when its process does */
};

static struct job *job_of(struct keeper *k, const char *backup)
{
	for (struct job *j = k->jobs; j != NULL; j = j->next)
		if (backup == NULL ? j->backup == NULL : j->backup != NULL && strcmp(j->backup, backup) == 0)
			return j;
	struct job *j = calloc(1, sizeof(*j));
	if (j == NULL)
		abort();
	j->backup = backup == NULL ? NULL : arena_strdup(&j->arena, backup);
	j->proc = (struct proc){.in = -1, .out = -1, .err = -1};
	j->next = k->jobs;
	k->jobs = j;
	return j;
}

/* When it is to begin, by the file as it is now. */
static int64_t next_of(const struct config *c, const struct job *j, const struct zone *z, int64_t now)
{
	if (j->backup == NULL)
		return policies_next(&c->policies, z, now);
	const struct backup *b = config_backup(c, j->backup);
	return b == NULL ? INT64_MAX : schedule_next(&b->run, b->name, z, j->last, now);
}

static void plan_all(struct keeper *k, const struct config *c)
{
	AUTO(arena) struct arena a = {0};
	int64_t now = clock_unix_s();
	struct zone z = clock_zone(now, &a);

	for (struct job *j = k->jobs; j != NULL; j = j->next)
		j->at = next_of(c, j, &z, now);
}

/* The jobs' commands read this copy, so that a file which is being changed harms nobody. */
static int copy_config(struct keeper *k, const char *to, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct str text;

	if (fd_read_file(k->paths->config, CONFIG_LIMIT, &a, &text, e) < 0)
		return -1;
	return fd_replace_file(to, text, e);
}

int jobs_load(struct keeper *k, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const struct config *c = k->load(k->paths->config, &a, e);

	if (c == NULL || copy_config(k, k->config_path, e) < 0)
		return -1;
	for (struct job *j = k->jobs; j != NULL; j = j->next)
		j->retired = true;
	if (c->policies.n > 0) {
		struct job *j = job_of(k, NULL);
		j->wanted |= j->last == 0; /* what was missed; it decides itself what is due */
		j->retired = false;
	}
	for (size_t i = 0; i < c->backups.n; i++) {
		struct stored_runs runs = {0};
		struct err ignored;
		if (c->backups.v[i].run.kind == SCHEDULE_NONE)
			continue;
		struct job *j = job_of(k, c->backups.v[i].name);
		j->retired = false;
		if (store_history(k->store, j->backup, 1, &a, &runs, &ignored) == 0 && runs.n > 0)
			j->last = runs.v[0].began > j->last ? runs.v[0].began : j->last;
	}
	plan_all(k, c);
	return 0;
}

static void begin(struct keeper *k, struct job *j, int64_t now)
{
	const char *const argv[] = {
	    k->paths->self, j->backup == NULL ? "snapshot" : "backup", "-c", k->config_path, j->backup, NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL, .out = PROC_INHERIT, .err = PROC_INHERIT};
	struct err e;

	j->last = now;
	j->wanted = false;
	if (proc_spawn(&spec, &j->proc, &e) < 0)
		(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
}

/* Backups that run after the snapshots. */
static void after_snapshots(struct keeper *k, const struct config *c)
{
	for (struct job *j = k->jobs; j != NULL; j = j->next) {
		const struct backup *b = j->backup == NULL ? NULL : config_backup(c, j->backup);
		if (b != NULL && b->run.kind == SCHEDULE_AFTER_SNAPSHOT)
			j->wanted = true;
	}
}

static void ended(struct keeper *k, const struct config *c, struct job *j, int status)
{
	char how[80];

	if (status != 0)
		(void)fprintf(stderr, "<4>dormouse: %s%s ended with %s\n",
			      j->backup == NULL ? "the snapshots" : "backup ", j->backup == NULL ? "" : j->backup,
			      proc_status_text(status, how, sizeof(how)));
	if (j->backup == NULL)
		after_snapshots(k, c);
}

static void drop_retired(struct keeper *k)
{
	for (struct job **at = &k->jobs; *at != NULL;) {
		struct job *j = *at;
		if (!j->retired || j->proc.pid > 0) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		arena_release(&j->arena);
		free(j);
	}
}

static bool is_due(const struct keeper *k, const struct job *j, int64_t now)
{
	/* What becomes due while it still runs is due when it has ended. */
	return !k->leaving && !j->retired && j->proc.pid == 0 && (j->wanted || now >= j->at);
}

/* Was the clock set since the last tick?  The other clock goes on evenly, also while we are suspended. */
static bool clock_was_set(struct keeper *k, int64_t now)
{
	int64_t mono = clock_mono_ms() / 1000, moved = (now - k->tick_s) - (mono - k->tick_mono_s);
	bool first = k->tick_s == 0;

	k->tick_s = now;
	k->tick_mono_s = mono;
	if (first || (moved < STEP_S && moved > -STEP_S))
		return false;
	(void)fprintf(stderr, "<5>dormouse: the clock was set %s by %lld s\n", moved < 0 ? "back" : "forward",
		      (long long)(moved < 0 ? -moved : moved));
	return true;
}

void jobs_tick(struct keeper *k)
{
	AUTO(arena) struct arena a = {0};
	struct err e;
	int64_t now = clock_unix_s();
	const struct config *c = NULL;

	if (k->jobs != NULL && clock_was_set(k, now) && (c = k->load(k->config_path, &a, &e)) != NULL)
		plan_all(k, c);

	for (struct job *j = k->jobs; j != NULL; j = j->next) {
		int status = 0;
		bool over = j->proc.pid > 0 && proc_ended(&j->proc, &status);
		if (!over && !is_due(k, j, now))
			continue;
		if (c == NULL && (c = k->load(k->config_path, &a, &e)) == NULL)
			return; /* cannot be: the copy was right when it was made */
		if (over)
			ended(k, c, j, status);
	}
	for (struct job *j = k->jobs; j != NULL && c != NULL; j = j->next)
		if (is_due(k, j, now))
			begin(k, j, now);
	drop_retired(k);
	if (c != NULL)
		plan_all(k, c);
}

int jobs_timer(const struct keeper *k)
{
	int64_t now = clock_unix_s(), ms = -1;

	for (const struct job *j = k->jobs; j != NULL; j = j->next) {
		int64_t left = j->proc.pid > 0 ? RUNNING_MS : j->wanted || j->at <= now ? 0 : TICK_MS;
		/* The clock may be set, and the machine sleep, at any time: it is looked at often. */
		if (left == TICK_MS && j->at != INT64_MAX && j->at - now < TICK_MS / 1000)
			left = (j->at - now) * 1000;
		ms = ms < 0 || left < ms ? left : ms;
	}
	return (int)ms;
}

bool jobs_run(const struct keeper *k)
{
	for (const struct job *j = k->jobs; j != NULL; j = j->next)
		if (j->proc.pid > 0)
			return true;
	return false;
}

void jobs_end(struct keeper *k)
{
	for (struct job *j = k->jobs; j != NULL; j = j->next)
		proc_signal(&j->proc, SIGTERM);
}

void jobs_free(struct keeper *k)
{
	for (struct job *j = k->jobs, *next; j != NULL; j = next) {
		next = j->next;
		proc_end(&j->proc);
		arena_release(&j->arena);
		free(j);
	}
	k->jobs = NULL;
}
