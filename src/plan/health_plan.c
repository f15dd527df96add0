#include "plan/health_plan.h"

#include "base/num.h"
#include "plan/health_around.h"
#include "plan/schedule_plan.h"

enum { SLACK_S = 10 * 60 };

static void add(struct health *h, struct arena *a, const char *key, const char *subject, const char *text,
		const char *hint)
{
	*vec_add(&h->problems, a) = (struct problem){key, HEALTH_CRITICAL, subject, text, hint == NULL ? "" : hint};
}

static const char *trouble_text(const struct fact_trouble *t, struct arena *a)
{
	if (t->what == NULL)
		return "nobody has told why";
	return t->why == NULL || t->why[0] == '\0' ? t->what : arena_printf(a, "%s: %s", t->what, t->why);
}

static const char *ago(const struct health *h, int64_t at, struct arena *a)
{
	char text[NUM_TEXT];
	int64_t s = h->facts->now - at;

	return arena_strdup(a, num_show_duration((s < 0 ? 0 : s) * 1000, text));
}

static const char *count(size_t n, struct arena *a)
{
	return n == 1 ? "the only dataset is" : arena_printf(a, "all %zu datasets are", n);
}

/* --- when ---------------------------------------------------------------------------------------------------- */

static int64_t next_after(const struct health *h, const struct backup *b, int64_t t)
{
	return backup_next(h->config, b, &h->facts->zone, t);
}

/* One missed run is caught up; from the second on it is late.  The file may say another time. */
static int64_t late_at(const struct health *h, const struct backup *b, const struct fact_run *good)
{
	int64_t within_ms = config_within_ms(h->config, b);

	if (good == NULL)
		return INT64_MAX; /* which is told as what it is */
	if (within_ms > 0)
		return good->ended + within_ms / 1000;
	int64_t second = next_after(h, b, next_after(h, b, good->began));
	return second == INT64_MAX ? second : second + SLACK_S + 2 * health_usual_ms(h->facts, b->name, NULL) / 1000;
}

static int64_t next_at(const struct health *h, const struct backup_health *b)
{
	const struct fact_run *r = b->running != NULL ? b->running : b->last;
	int64_t now = h->facts->now, at = next_after(h, b->backup, r == NULL || r->began > now ? now : r->began);

	return at < now ? now : at;
}

/* --- backups and datasets -------------------------------------------------------------------------------------- */

static bool is_good(const struct fact_run *r)
{
	return r->exit == 0 || (r->exit > 0 && r->datasets > 0 && r->proven == r->datasets && r->trouble.what == NULL);
}

static void find_runs(const struct facts *f, struct backup_health *b)
{
	for (size_t i = 0; i < f->runs.n; i++) {
		const struct fact_run *r = &f->runs.v[i];
		if (strcmp(r->backup, b->backup->name) != 0)
			continue;
		if (r->ended == 0) {
			b->running = b->running == NULL && b->last == NULL ? r : b->running;
			continue;
		}
		b->last = b->last == NULL ? r : b->last;
		b->good = b->good == NULL && is_good(r) ? r : b->good;
	}
}

static void judge_dataset(struct health *h, const struct backup_health *b, const struct fact_dataset *d, bool late,
			  struct arena *a)
{
	struct dataset_health *out = vec_add(&h->datasets, a);
	int64_t lag_ms = b->backup->lag_ms > 0 ? b->backup->lag_ms : h->config->alerting.lag_ms;
	const char *key = arena_printf(a, "dataset/%s/%s", d->backup, d->name);

	*out = (struct dataset_health){.fact = d, .level = HEALTH_CRITICAL};
	if (!d->proven) {
		bool conflict = d->trouble.kind != NULL && strcmp(d->trouble.kind, "conflict") == 0;
		out->word = conflict ? "conflict" : d->newest_at == 0 ? "never" : "failed";
		add(h, a, key, d->name, arena_printf(a, "%s is NOT safe: %s", d->name, trouble_text(&d->trouble, a)),
		    d->trouble.hint);
	} else if (lag_ms > 0 && d->newest_at > 0 && h->facts->now - d->newest_at > lag_ms / 1000) {
		out->word = "late";
		add(h, a, key, d->name,
		    arena_printf(a, "the newest snapshot of %s in the archive is %s old", d->name,
				 ago(h, d->newest_at, a)),
		    arena_printf(a, "dormouse backup %s", d->backup));
	} else {
		out->word = late ? "late" : "safe";
		out->level = late ? HEALTH_CRITICAL : HEALTH_OK;
	}
}

static void judge_datasets(struct health *h, struct backup_health *b, bool late, struct arena *a)
{
	const struct fact_datasets *all = &h->facts->datasets;

	b->first = h->datasets.n;
	for (size_t i = 0; i < all->n; i++) {
		const struct fact_dataset *d = &all->v[i];
		if (strcmp(d->backup, b->backup->name) != 0)
			continue;
		b->datasets++;
		b->size += d->size;
		b->proven += d->proven;
		if (d->proven && (b->oldest == 0 || d->newest_at < b->oldest))
			b->oldest = d->newest_at;
		judge_dataset(h, b, d, late, a);
		if (h->datasets.v[h->datasets.n - 1].level > b->level)
			b->level = h->datasets.v[h->datasets.n - 1].level;
	}
}

static const char *worst_of(const struct health *h, const struct backup_health *b, struct arena *a)
{
	for (size_t i = b->first; i < b->first + b->datasets; i++)
		if (!h->datasets.v[i].fact->proven)
			return trouble_text(&h->datasets.v[i].fact->trouble, a);
	return "no run tells why";
}

/* What is wrong with the backup as a whole, as a sentence; NULL: nothing is. */
static const char *wrong(struct health *h, const struct backup_health *b, bool late, const char **hint, struct arena *a)
{
	const char *name = b->backup->name;
	const struct fact_run *r = b->last;

	*hint = arena_printf(a, "dormouse backup %s", name);
	if (r == NULL && b->running != NULL)
		return *hint = "dormouse status --watch", "the first run is under way; nothing is safe yet";
	if (r == NULL)
		return "never ran, so nothing is safe yet";
	if (r->exit == -1)
		return *hint = arena_printf(a, "dormouse backup %s goes on where it stopped", name),
		       "the last run died on the way";
	if (b->datasets == 0) {
		*hint = r->trouble.hint == NULL ? "" : r->trouble.hint;
		return arena_printf(a, "the last run came to no dataset, so nothing is known to be safe: %s",
				    r->trouble.what == NULL ? "there is none" : trouble_text(&r->trouble, a));
	}
	if (r->trouble.what != NULL && b->proven == b->datasets) {
		*hint = r->trouble.hint == NULL ? "" : r->trouble.hint;
		return arena_printf(a, "the last run failed: %s", trouble_text(&r->trouble, a));
	}
	if (!late)
		return NULL;
	*hint = arena_printf(a, "is the daemon running? by hand: dormouse backup %s", name);
	return arena_printf(a, "no run has succeeded for %s", ago(h, b->good->ended, a));
}

static void judge_backup(struct health *h, const struct backup *backup, struct arena *a)
{
	struct backup_health b = {.backup = backup};
	const char *hint, *restorable = "";

	find_runs(h->facts, &b);
	b.late_at = late_at(h, backup, b.good);
	b.next_at = next_at(h, &b);
	bool late = h->facts->now > b.late_at;
	judge_datasets(h, &b, late, a);
	if (b.datasets > 0 && b.oldest > 0)
		restorable = b.proven == b.datasets
				 ? arena_printf(a, "%s restorable to %s ago", count(b.datasets, a), ago(h, b.oldest, a))
				 : arena_printf(a, "%zu of %zu datasets are NOT safe: %s", b.datasets - b.proven,
						b.datasets, worst_of(h, &b, a));
	else if (b.datasets > 0)
		restorable = arena_printf(a, "%zu of %zu datasets are NOT safe: %s", b.datasets - b.proven, b.datasets,
					  worst_of(h, &b, a));
	const char *is_wrong = wrong(h, &b, late, &hint, a);
	b.text = is_wrong == NULL ? restorable
				  : arena_printf(a, "%s%s%s", is_wrong, restorable[0] == '\0' ? "" : "; ", restorable);
	if (is_wrong != NULL) {
		b.level = HEALTH_CRITICAL;
		add(h, a, arena_printf(a, "backup/%s", backup->name), backup->name,
		    arena_printf(a, "%s: %s", backup->name, b.text), hint);
	} else if (b.last != NULL && b.last->exit == 1 && b.proven == b.datasets) {
		*vec_add(&h->problems, a) =
		    (struct problem){arena_printf(a, "partly/%s", backup->name), HEALTH_WARN, backup->name,
				     arena_printf(a, "%s: what goes with a run was only partly done", backup->name),
				     arena_printf(a, "dormouse history %lld", (long long)b.last->id)};
	}
	if (b.running != NULL && b.last != NULL)
		b.text = arena_printf(a, "%s; a run is under way", b.text);
	*vec_add(&h->backups, a) = b;
}

/* --- all of it ------------------------------------------------------------------------------------------------- */

/* The worst first, and else as they were found: whole backups before their datasets. */
static void sort_problems(struct health *h, struct arena *a)
{
	struct problems sorted = {0};

	for (int level = HEALTH_CRITICAL; level > HEALTH_OK; level--)
		for (int whole = 1; whole >= 0; whole--)
			for (size_t i = 0; i < h->problems.n; i++)
				if (h->problems.v[i].level == (enum health_level)level &&
				    (strncmp(h->problems.v[i].key, "backup/", 7) == 0) == whole)
					*vec_add(&sorted, a) = h->problems.v[i];
	h->problems = sorted;
}

static const char *asleep_text(const struct health *h, struct arena *a)
{
	const struct fact_machine *on = NULL;
	const char *only = NULL;
	size_t n = 0;

	for (size_t i = 0; i < h->config->targets.n; i++) {
		if (h->config->targets.v[i].local)
			continue;
		only = h->config->targets.v[i].name;
		n++;
	}
	for (size_t i = 0; i < h->facts->machines.n && on == NULL; i++)
		if (strcmp(h->facts->machines.v[i].state, "absent") != 0)
			on = &h->facts->machines.v[i];
	if (on != NULL)
		return arena_printf(a, "; %s is %s", on->target, strcmp(on->state, "ready") == 0 ? "on" : on->state);
	return n == 0 ? "" : n == 1 ? arena_printf(a, "; %s is off", only) : "; all machines are off";
}

static const char *next_text(const struct health *h, struct arena *a)
{
	int64_t at = INT64_MAX;
	char when[ZONE_TEXT];

	for (size_t i = 0; i < h->backups.n; i++)
		at = h->backups.v[i].next_at < at ? h->backups.v[i].next_at : at;
	if (at == INT64_MAX)
		return "";
	(void)zone_show(&h->facts->zone, at, when);
	/* The day only where it is not within the next one. */
	return arena_printf(a, "; next run %.*s", at - h->facts->now < 86400 ? 5 : 16,
			    at - h->facts->now < 86400 ? when + 11 : when);
}

static const char *safe_text(const struct health *h, struct arena *a)
{
	int64_t oldest = INT64_MAX;
	size_t n = h->datasets.n;

	for (size_t i = 0; i < h->backups.n; i++)
		oldest = h->backups.v[i].oldest < oldest ? h->backups.v[i].oldest : oldest;
	return n == 1 ? arena_printf(a, "The only dataset is restorable to %s ago", ago(h, oldest, a))
		      : arena_printf(a, "All %zu datasets are restorable to %s ago", n, ago(h, oldest, a));
}

static void verdict(struct health *h, struct arena *a)
{
	size_t warnings = 0;

	h->hint = "";
	for (size_t i = 0; i < h->problems.n; i++) {
		const struct problem *p = &h->problems.v[i];
		h->level = p->level > h->level ? p->level : h->level;
		warnings += p->level == HEALTH_WARN;
	}
	if (h->level == HEALTH_CRITICAL) {
		size_t more = h->problems.n - warnings - 1;
		h->verdict = arena_printf(a, "%s%s", h->problems.v[0].text,
					  more == 0   ? ""
					  : more == 1 ? " (and another problem)"
						      : arena_printf(a, " (and %zu more problems)", more));
		h->hint = h->problems.v[0].hint;
		return;
	}
	h->verdict = arena_printf(a, "%s%s%s%s", safe_text(h, a), asleep_text(h, a), next_text(h, a),
				  warnings == 0	  ? ""
				  : warnings == 1 ? "; one warning"
						  : arena_printf(a, "; %zu warnings", warnings));
}

void health_plan(const struct config *c, const struct facts *f, struct arena *a, struct health *out)
{
	*out =
	    (struct health){.facts = f, .config = c, .next_snapshots = policies_next(&c->policies, &f->zone, f->now)};
	for (size_t i = 0; i < c->backups.n; i++)
		judge_backup(out, &c->backups.v[i], a);
	if (c->backups.n == 0)
		add(out, a, "backup", "the file", "the file has no backup: nothing is safe", "add a backup block");
	health_around(out, a);
	sort_problems(out, a);
	verdict(out, a);
}

int health_exit(const struct health *h)
{
	size_t proven = 0;

	for (size_t i = 0; i < h->backups.n; i++) {
		proven += h->backups.v[i].proven;
		if (h->backups.v[i].level == HEALTH_CRITICAL && h->backups.v[i].proven == 0)
			return 2;
	}
	return proven == 0 ? 2 : h->level == HEALTH_CRITICAL ? 1 : 0;
}
