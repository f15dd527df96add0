#include "plan/explain.h"

#include "base/civil.h"
#include "base/num.h"
#include "plan/compress_plan.h"
#include "plan/snapshot_plan.h"

void send_explain(const struct send_step *s, struct buf *out)
{
	switch (s->kind) {
	case SEND_FULL:
		buf_printf(out, "all of @%s", s->to.name);
		break;
	case SEND_CLONE:
		buf_printf(out, "@%s, as a clone of %s", s->to.name, s->origin);
		break;
	case SEND_INCREMENTAL:
	case SEND_INTERMEDIATE:
		buf_printf(out, "%c%s to @%s", s->base.kind == POINT_BOOKMARK ? '#' : '@', s->base.name, s->to.name);
		if (s->snapshots > 1)
			buf_printf(out, " (%zu snapshots)", s->snapshots);
		break;
	case SEND_RESUME:
		buf_printf(out, "the rest of @%s", s->to.name);
		break;
	}
	if (s->raw)
		buf_puts(out, ", raw");
}

static void line(struct buf *out, const char *verb, const char *what, const char *reason)
{
	buf_printf(out, "  %-9s %s\n            because %s\n", verb, what, reason);
}

static const char *mark_text(const struct mark_step *m, struct arena *a)
{
	switch (m->kind) {
	case MARK_HOLD:
		return arena_printf(a, "hold %s@%s", m->dataset, m->snapshot);
	case MARK_BOOKMARK:
		return arena_printf(a, "bookmark %s@%s", m->dataset, m->snapshot);
	case MARK_RELEASE:
		return arena_printf(a, "let go of %s@%s", m->dataset, m->snapshot);
	case MARK_UNBOOKMARK:
		return arena_printf(a, "remove the bookmark %s#%s", m->dataset, m->snapshot);
	}
	return "";
}

static void look_text(const struct side_state *target, const struct backup *b, struct buf *out)
{
	char when[CIVIL_TEXT];
	const char *where = b->dest_target != NULL ? b->dest_target : "the target";

	if (!target->seen)
		buf_printf(out, "  %s sleeps and was never seen: the rest supposes that it is empty\n", where);
	else if (target->recorded)
		buf_printf(out, "  %s sleeps; this is as it was at %s\n", where, civil_show(target->seen_at, when));
}

static void prunes_text(const struct prune_steps *steps, const char *reason, struct arena *a, struct buf *out)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct prune_step *s = &steps->v[i];
		AUTO(buf) struct buf t = {0};
		buf_printf(&t, "%s", s->dataset);
		if (s->below)
			buf_printf(&t, " and below (%zu datasets)", s->each.n);
		buf_printf(&t, "\n            @%s", s->snapshots.v[0]);
		if (s->snapshots.n > 1)
			buf_printf(&t, " and %zu more", s->snapshots.n - 1);
		line(out, "destroy", str_dup(a, buf_str(&t)), reason);
	}
}

static void tidy_text(const struct tidy_step *t, struct arena *a, struct buf *out)
{
	switch (t->kind) {
	case TIDY_RENAME:
		line(out, "rename", arena_printf(a, "%s to %s", t->dataset, t->to), t->reason);
		break;
	case TIDY_GONE:
	case TIDY_BACK:
		line(out, "note", t->dataset, t->reason);
		break;
	case TIDY_CLOSE:
		line(out, "close", t->dataset, t->reason);
		break;
	case TIDY_FORGET:
		line(out, "destroy", arena_printf(a, "%s, all of it", t->dataset), t->reason);
		break;
	}
}

void pass_explain(const struct pass *pass, struct buf *out)
{
	AUTO(arena) struct arena a = {0};

	if (pass->doubt != NULL)
		buf_printf(out, "  %s\n  hint: %s\n", pass->doubt, clock_hint);
	for (size_t i = 0; i < pass->snaps.n; i++) {
		const struct snap_step *s = &pass->snaps.v[i];
		line(out, "snapshot",
		     arena_printf(&a, "@%s of %zu dataset%s", s->name, s->datasets.n, s->datasets.n == 1 ? "" : "s"),
		     s->reason);
	}
	prunes_text(&pass->prunes, "no label keeps them any more", &a, out);
	for (size_t i = 0; i < pass->notes.n; i++)
		buf_printf(out, "  note      %s\n", pass->notes.v[i]);
}

void plan_explain(const struct pass *pass, const struct plan *p, const struct archive *archive, const struct backup *b,
		  const struct side_state *target, struct buf *out)
{
	AUTO(arena) struct arena a = {0};
	char when[CIVIL_TEXT];

	buf_printf(out, "Backup '%s' at %s\n", p->backup, civil_show(p->now, when));
	look_text(target, b, out);
	pass_explain(pass, out);
	if (b->dest_target != NULL)
		line(out, "wake", b->dest_target, "that is where the copies are");
	for (size_t i = 0; i < p->aborts.n; i++)
		line(out, "give up", arena_printf(&a, "the partial receive of %s", p->aborts.v[i].dataset),
		     p->aborts.v[i].reason);
	for (size_t i = 0; i < p->parents.n; i++)
		line(out, "create", p->parents.v[i].dataset, p->parents.v[i].reason);
	for (size_t i = 0; i < p->renames.n; i++)
		tidy_text(&p->renames.v[i], &a, out);
	struct compress_facts facts = compress_facts(b, &p->sends, UINT64_MAX);
	struct compress_verdict v = compress_plan(&facts, &a);
	if (p->sends.n > 0 && v.need != COMPRESS_DECIDED)
		line(out, "compress", "what is sent, or not",
		     "measured before: does a sample shrink, and is the link slower than zstd");
	else if (p->sends.n > 0 && v.why != NULL)
		line(out, "compress", v.zstd ? "what is sent, by zstd" : "nothing", v.why);
	for (size_t i = 0; i < p->sends.n; i++) {
		AUTO(buf) struct buf t = {0};
		buf_printf(&t, "%s: ", p->sends.v[i].source);
		send_explain(&p->sends.v[i], &t);
		line(out, "send", buf_text(&t), p->sends.v[i].reason);
	}
	for (size_t i = 0; i < p->marks.n; i++)
		line(out, "mark", mark_text(&p->marks.v[i], &a), p->marks.v[i].reason);
	for (size_t i = 0; i < archive->tidies.n; i++)
		tidy_text(&archive->tidies.v[i], &a, out);
	prunes_text(&archive->prunes, "the keep block keeps them no longer", &a, out);
	if (b->dest_target != NULL)
		line(out, "sleep", b->dest_target, "nobody needs it any more");
	for (size_t i = 0; i < p->skips.n; i++)
		buf_printf(out, "  nothing   %s: %s\n", p->skips.v[i].source, p->skips.v[i].reason);
	for (size_t i = 0; i < p->conflicts.n; i++)
		buf_printf(out, "  CONFLICT  %s\n            %s\n            hint: %s\n", p->conflicts.v[i].source,
			   p->conflicts.v[i].why, p->conflicts.v[i].hint);
	if (p->sends.n == 0 && p->conflicts.n == 0 && pass->snaps.n == 0 && p->renames.n == 0)
		buf_puts(out, p->skips.n > 0 ? "  Everything is there already.\n" : "  No dataset is chosen.\n");
}

static void counts_text(const size_t *by_label, size_t others, int64_t oldest, int64_t at, struct buf *out)
{
	char age[NUM_TEXT];

	for (int l = 0; l < LABELS; l++)
		buf_printf(out, " %4zu", by_label[l]);
	buf_printf(out, " %5zu  %s", others, oldest == 0 ? "-" : num_show_duration((at - oldest) * 1000, age));
}

void simulation_explain(const struct simulation *sim, const struct backup *b, const struct zone *z, struct buf *out)
{
	char when[ZONE_TEXT];

	buf_printf(out, "Backup '%s', if all runs as planned: snapshots of '%s' by label, and the oldest one's age\n\n",
		   b->name, b->source);
	buf_puts(out, "                           freq hour  day week mont year other  oldest\n");
	for (size_t i = 0; i < sim->n; i++) {
		const struct simulated *s = &sim->v[i];
		(void)zone_show(z, s->at, when);
		when[16] = '\0';
		buf_printf(out, "%s  source  ", when);
		counts_text(s->source, s->source_others, s->source_oldest, s->at, out);
		buf_puts(out, "\n                  archive ");
		counts_text(s->archive, s->archive_others, s->archive_oldest, s->at, out);
		buf_putc(out, '\n');
	}
}
