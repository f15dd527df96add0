/* What runs by the clock: the snapshot pass and the backups, each as the command that a person would type. */
#include <signal.h>
#include <stdlib.h>

#include "daemon/keeper.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"

enum { CONFIG_LIMIT = 2 * 1024 * 1024, TRIES = 5, RUNNING_MS = 250 };

struct job_run {
	struct proc proc;
	bool over;
	int status;
};

static void plan(struct keeper *k, const struct config *c)
{
	AUTO(arena) struct arena a = {0};
	int64_t now = clock_unix_s();
	struct zone z = clock_zone(now, &a);

	timetable_plan(&k->jobs, c, &z, now);
}

/* The jobs' commands read a copy, so that a file which is being changed harms nobody. */
static const struct config *load_and_copy(struct keeper *k, struct arena *a, struct err *e)
{
	struct str before, after;

	for (int tries = 0; tries < TRIES; tries++) {
		if (fd_read_file(k->paths->config, CONFIG_LIMIT, a, &before, e) < 0)
			return NULL;
		const struct config *c = k->load(k->paths->config, a, e);
		if (c == NULL || fd_read_file(k->paths->config, CONFIG_LIMIT, a, &after, e) < 0)
			return NULL;
		/* What was checked must be what is copied. */
		if (before.n == after.n && memcmp(before.p, after.p, after.n) == 0)
			return fd_replace_file(k->config_path, after, 0600, e) < 0 ? NULL : c;
	}
	(void)err_set(e, ERR_BUSY, "'%s' changes all the time", k->paths->config);
	return err_hint(e, "tell the daemon to reload once it is written"), NULL;
}

int jobs_load(struct keeper *k, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const struct config *c = load_and_copy(k, &a, e);

	if (c == NULL)
		return -1;
	k->limits = c->limits;
	timetable_load(&k->jobs, c);
	for (size_t i = 0; i < k->jobs.n; i++) {
		struct timetable_entry *job = &k->jobs.v[i];
		struct stored_runs runs = {0};
		struct err ignored;
		if (job->backup != NULL && store_history(k->store, job->backup, 1, &a, &runs, &ignored) == 0 &&
		    runs.n > 0 && runs.v[0].began > job->last)
			job->last = runs.v[0].began;
	}
	plan(k, c);
	jumphost_load(k, c);
	alerts_load(k, c);
	return 0;
}

static void begin(struct keeper *k, struct timetable_entry *job, int64_t now)
{
	const char *const argv[] = {
	    k->paths->self, job->backup == NULL ? "snapshot" : "backup", "-c", k->config_path, job->backup, NULL};
	static const char *const env[] = {"DORMOUSE_TRIGGER=timer", NULL};
	struct proc_spec spec = {.argv = argv, .env = env, .in = PROC_NULL, .out = PROC_INHERIT, .err = PROC_INHERIT};
	struct job_run *run = calloc(1, sizeof(*run));
	struct err e;

	if (run == NULL)
		abort();
	if (proc_spawn(&spec, &run->proc, &e) < 0) {
		(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
		free(run);
		run = NULL;
	}
	timetable_begun(job, now, run);
}

static void ended(struct keeper *k, const struct config *c, struct timetable_entry *job)
{
	struct job_run *run = job->run;
	char how[80];

	if (run->status != 0)
		(void)fprintf(stderr, "<4>dormouse: %s%s ended with %s\n",
			      job->backup == NULL ? "the snapshots" : "backup ", job->backup == NULL ? "" : job->backup,
			      proc_status_text(run->status, how, sizeof(how)));
	free(run);
	timetable_ended(&k->jobs, c, job);
}

static bool is_over(const struct timetable_entry *job)
{
	struct job_run *run = job->run;

	if (run != NULL && !run->over)
		run->over = proc_ended(&run->proc, &run->status);
	return run != NULL && run->over;
}

void jobs_tick(struct keeper *k)
{
	AUTO(arena) struct arena a = {0};
	struct timetable *t = &k->jobs;
	struct err e;
	int64_t now = clock_unix_s(), set = timetable_look(t, now, clock_mono_ms() / 1000);
	bool calm = set == 0;

	for (size_t i = 0; i < t->n && calm; i++)
		calm = !is_over(&t->v[i]) && (k->leaving || !timetable_due(&t->v[i], now));
	if (calm || t->n == 0)
		return;
	const struct config *c = k->load(k->config_path, &a, &e);
	if (c == NULL)
		return; /* cannot be: the copy was right when it was made */
	if (set != 0) {
		(void)fprintf(stderr, "<5>dormouse: the clock was set %s by %lld s\n", set < 0 ? "back" : "forward",
			      (long long)(set < 0 ? -set : set));
		plan(k, c);
	}
	for (size_t i = t->n; i > 0; i--)
		if (is_over(&t->v[i - 1]))
			ended(k, c, &t->v[i - 1]);
	for (size_t i = 0; i < t->n && !k->leaving; i++)
		if (timetable_due(&t->v[i], now))
			begin(k, &t->v[i], now);
	plan(k, c);
}

int jobs_timer(const struct keeper *k)
{
	if (k->leaving) /* nothing begins any more */
		return jobs_run(k) ? RUNNING_MS : -1;
	return (int)timetable_wait(&k->jobs, clock_unix_s());
}

bool jobs_run(const struct keeper *k)
{
	for (size_t i = 0; i < k->jobs.n; i++)
		if (k->jobs.v[i].run != NULL)
			return true;
	return false;
}

void jobs_end(struct keeper *k)
{
	for (size_t i = 0; i < k->jobs.n; i++) {
		const struct job_run *run = k->jobs.v[i].run;
		if (run != NULL)
			proc_signal(&run->proc, SIGTERM);
	}
}

void jobs_free(struct keeper *k)
{
	for (size_t i = 0; i < k->jobs.n; i++) {
		struct job_run *run = k->jobs.v[i].run;
		if (run != NULL)
			proc_end(&run->proc);
		free(run);
	}
	timetable_release(&k->jobs);
}
