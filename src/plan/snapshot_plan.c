#include "plan/snapshot_plan.h"

#include "plan/retain_plan.h"

/* All names of a command must fit into what execve(2) takes; Linux takes 2 MiB at least. */
enum { COMMAND_MAX = 1500 * 1000, CLOCK_BACK_S = 120, CLOCK_AHEAD_S = 366 * 86400 };

struct passing {
	const struct snapshot_policy *p;
	const struct side_state *host;
	const struct zone *z;
	struct arena *a;
	struct pass *out;
};

/* --- selection ------------------------------------------------------------------------------------ */

enum choice { CHOICE_NONE, CHOICE_YES, CHOICE_NO };

/* Exactly these texts, as zfstools has them; mysql and postgresql are its words for "with a lock". */
static enum choice choice_of(const char *value)
{
	static const char *const yes[] = {"true", "mysql", "postgresql"};

	for (size_t i = 0; value != NULL && i < ARRAY_LEN(yes); i++)
		if (strcmp(value, yes[i]) == 0)
			return CHOICE_YES;
	return value != NULL && strcmp(value, "false") == 0 ? CHOICE_NO : CHOICE_NONE;
}

bool policy_selects(const struct snapshot_policy *p, const struct dataset *d, enum label l)
{
	if (dataset_matches(&p->exclude, d->name))
		return false;
	if (p->include.n > 0)
		return dataset_matches(&p->include, d->name);
	enum choice own = choice_of(d->wants[l]);
	return own != CHOICE_NONE ? own == CHOICE_YES : choice_of(d->wants[LABEL_NONE]) == CHOICE_YES;
}

static void note(struct passing *p, const char *text)
{
	*vec_add(&p->out->notes, p->a) = text;
}

/* Values that look like a choice and are none, once for each text. */
static void note_odd_values(struct passing *p)
{
	struct strings said = {0};

	for (size_t i = 0; i < p->host->datasets.n && p->p->include.n == 0; i++) {
		const struct dataset *d = &p->host->datasets.v[i];
		for (size_t l = 0; l <= LABELS; l++) {
			const char *value = d->wants[l];
			bool known = value == NULL || strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
			for (size_t k = 0; k < said.n && !known; k++)
				known = strcmp(said.v[k], value) == 0;
			if (known)
				continue;
			*vec_add(&said, p->a) = value;
			note(p,
			     arena_printf(p->a, "com.sun:auto-snapshot%s%s is '%s' at '%s': %s", l == LABELS ? "" : ":",
					  l == LABELS ? "" : label_name((enum label)l), value, d->name,
					  choice_of(value) == CHOICE_YES
					      ? "taken as true; a lock is the business of before_snapshot"
					      : "neither true nor false, so it says nothing"));
		}
	}
}

static void note_selection(struct passing *p)
{
	bool any = false;

	note_odd_values(p);
	for (size_t g = 0; g < p->p->include.n; g++) {
		struct strings one = {.v = &p->p->include.v[g], .n = 1};
		bool hit = false;
		for (size_t i = 0; i < p->host->datasets.n && !hit; i++)
			hit = dataset_matches(&one, p->host->datasets.v[i].name);
		if (!hit)
			note(p, arena_printf(p->a, "include '%s' matches no dataset", p->p->include.v[g]));
	}
	for (size_t i = 0; i < p->host->datasets.n && !any; i++)
		for (enum label l = LABEL_FREQUENT; l < LABELS; l++)
			any |= p->p->takes[l] && policy_selects(p->p, &p->host->datasets.v[i], l);
	if (!any)
		note(p,
		     p->p->include.n > 0
			 ? "no dataset is chosen: include and exclude leave nothing"
			 : "no dataset is chosen: set com.sun:auto-snapshot=true where snapshots are wanted (zfs set), "
			   "or name datasets with include in the snapshots block");
}

/* --- what is due ---------------------------------------------------------------------------------- */

static const struct point *newest_of(const struct passing *p, const struct dataset *d, enum label want)
{
	for (size_t i = d->points.n; i > 0; i--) {
		const struct point *one = &d->points.v[i - 1];
		enum label l;
		if (one->kind != POINT_SNAPSHOT)
			continue;
		enum maker m = snapshot_maker(one->name, &l);
		if (l == want && (m == MAKER_AUTO || (m == MAKER_SANOID && p->p->sanoid)))
			return one;
	}
	return NULL;
}

/* The chosen datasets of the pool that begins at index from; *end is where the next one begins. */
static struct strings chosen(const struct passing *p, enum label l, size_t from, size_t *end,
			     const struct point **newest)
{
	const struct datasets *all = &p->host->datasets;
	size_t pool = dataset_pool_len(all->v[from].name), i = from;
	struct strings out = {0};

	*newest = NULL;
	for (; i < all->n && dataset_pool_len(all->v[i].name) == pool &&
	       strncmp(all->v[i].name, all->v[from].name, pool) == 0;
	     i++) {
		const struct dataset *d = &all->v[i];
		if (!policy_selects(p->p, d, l))
			continue;
		const struct point *last = newest_of(p, d, l);
		if (last != NULL && (*newest == NULL || last->creation > (*newest)->creation))
			*newest = last;
		if (!p->p->skip_empty || d->written > 0 || dataset_newest(d) == NULL)
			*vec_add(&out, p->a) = d->name;
	}
	*end = i;
	return out;
}

static const char *free_name(const struct passing *p, const struct strings *datasets, const char *name)
{
	const char *one = name;

	for (int k = 2;; k++) {
		bool taken = false;
		for (size_t i = 0; i < datasets->n && !taken; i++)
			taken = dataset_snapshot_by_name(side_find(p->host, datasets->v[i]), one) != NULL;
		if (!taken)
			return one;
		one = arena_printf(p->a, "%s-%d", name, k);
	}
}

/* One step, or, where the names do not fit into one command, several, and a note that says so. */
static void add_steps(struct passing *p, enum label l, const struct strings *datasets, const char *reason)
{
	struct civil t = civil_of(p->out->now);
	const char *name = arena_printf(p->a, "zfs-auto-snap_%s-%04d-%02d-%02d-%02dh%02dU", label_name(l), t.year,
					t.month, t.day, t.hour, t.minute);

	name = free_name(p, datasets, name);
	for (size_t i = 0; i < datasets->n;) {
		struct snap_step *s = vec_add(&p->out->snaps, p->a);
		*s = (struct snap_step){.label = l, .name = name, .reason = reason};
		for (size_t bytes = 0; i < datasets->n; i++) {
			bytes += strlen(datasets->v[i]) + strlen(name) + 2 + sizeof(char *);
			if (bytes > COMMAND_MAX)
				break;
			*vec_add(&s->datasets, p->a) = datasets->v[i];
		}
		if (i < datasets->n)
			note(p,
			     arena_printf(
				 p->a, "@%s is not one atom: the command would be too long, and is split before '%s'",
				 name, datasets->v[i]));
	}
}

static void plan_label(struct passing *p, enum label l)
{
	struct calendar c = label_calendar(l);
	char when[ZONE_TEXT];

	int64_t struck = calendar_last(&c, p->z, p->out->now);
	for (size_t i = 0, end; i < p->host->datasets.n; i = end) {
		const struct point *newest;
		struct strings datasets = chosen(p, l, i, &end, &newest);
		if (datasets.n == 0 || (newest != NULL && newest->creation >= struck))
			continue;
		add_steps(p, l, &datasets,
			  newest == NULL ? arena_printf(p->a, "there is no %s snapshot yet", label_name(l))
					 : arena_printf(p->a, "the last %s one is of %s", label_name(l),
							zone_show(p->z, newest->creation, when)));
	}
}

/* --- the clock ------------------------------------------------------------------------------------ */

const char clock_hint[] = "nothing taken or destroyed; set the clock; if it is right: dormouse prune --trust-clock";

const char *clock_doubt(int64_t now, int64_t newest, int64_t last_seen, const struct zone *z, struct arena *a)
{
	int64_t known = newest > last_seen ? newest : last_seen;
	char clock[ZONE_TEXT], other[ZONE_TEXT];

	if (last_seen == CLOCK_TRUSTED || known == 0 || (now + CLOCK_BACK_S >= known && now - known <= CLOCK_AHEAD_S))
		return NULL;
	(void)zone_show(z, now, clock);
	(void)zone_show(z, known, other);
	return arena_printf(a, "the clock says %.16s, the %s %.16s: set %s", clock,
			    known == newest ? "newest snapshot" : "last run", other,
			    now < known ? "back" : "far ahead");
}

static int64_t newest_known(const struct side_state *s)
{
	int64_t newest = 0;

	for (size_t i = 0; i < s->datasets.n; i++) {
		const struct point *p = dataset_newest(&s->datasets.v[i]);
		enum label l;
		if (p != NULL && p->creation > newest && snapshot_maker(p->name, &l) != MAKER_FOREIGN)
			newest = p->creation;
	}
	return newest;
}

/* --- the pass ------------------------------------------------------------------------------------- */

void pass_plan(const struct snapshot_policy *p, const struct side_state *host, const struct zone *z, int64_t now,
	       int64_t last_seen, struct arena *a, struct pass *out)
{
	struct passing pass = {p, host, z, a, out};

	*out = (struct pass){.now = now};
	note_selection(&pass);
	out->doubt = clock_doubt(now, newest_known(host), last_seen, z, a);
	if (out->doubt != NULL)
		return;
	/* The rare ones first: of those that are taken at one instant, the archive keeps the first for all their
	 * periods, and this one stays longest at the source. */
	for (int l = LABELS; l-- > 0;)
		if (p->takes[l] && p->keep[l] > 0)
			plan_label(&pass, (enum label)l);
	retain_host(p, host, &out->snaps, z, now, a, &out->verdicts);
	prune_plan(&out->verdicts, a, &out->prunes);
}
