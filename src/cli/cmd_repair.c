/* repair: what a run never does by itself. */
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "engine/run.h"
#include "engine/side_run.h"
#include "plan/repair_plan.h"
#include "plan/replicate_plan.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/program.h"
#include "wire/zfs_blame.h"

/* The conflict that the last look shows for a dataset, or NULL.  That a copy was written to, or half received, is one
 * here, even where a run would still try. */
static const struct conflict *conflict_of(struct run *r, const char *was, enum repair_kind asked)
{
	const struct dataset *t = side_find(&r->seen.target, arena_printf(r->arena, "%s/%s", r->backup->dest, was));
	char bytes[NUM_TEXT];

	for (size_t i = 0; i < r->plan.conflicts.n; i++)
		if (strcmp(r->plan.conflicts.v[i].source, was) == 0)
			return &r->plan.conflicts.v[i];
	struct conflict *c = arena_new(r->arena, struct conflict);
	if (t != NULL && t->resume.token != NULL && asked == REPAIR_GIVE_UP) {
		*c = (struct conflict){.kind = CONFLICT_UNREADABLE,
				       .source = was,
				       .target = t->name,
				       .why = "a partial receive is waiting there"};
		return c;
	}
	if (t == NULL || t->written == 0 || dataset_newest(t) == NULL)
		return NULL;
	*c = (struct conflict){
	    .kind = CONFLICT_CHANGED, .source = was, .target = t->name, .base = dataset_newest(t)->name};
	c->why =
	    arena_printf(r->arena, "%s were written to it since '@%s'", num_show_bytes(t->written, bytes), c->base);
	return c;
}

static void show(const struct conflict *c, const struct repair_step *s)
{
	if (s->kind == REPAIR_TAKE_OVER) {
		(void)printf("%s becomes %s, with all that lies below it.\n", s->dataset, s->to);
	} else {
		(void)printf("%s: %s.\n", c->target, c->why);
	}
	if (s->kind == REPAIR_KEEP_BOTH)
		(void)printf("It becomes %s, with all its snapshots; the next run makes a new copy.\n", s->to);
	for (size_t i = 0; i < s->children.n; i++)
		(void)printf("  %s/%s %s\n", s->dataset, s->children.v[i],
			     s->along ? "goes along, and comes back in the next run" : "stays where it is");
	if (s->base != NULL)
		(void)printf("It goes back to @%s.\n", s->base);
	for (size_t i = 0; i < s->lost.n; i++)
		(void)printf("  lost for good: %s\n", s->lost.v[i]);
	(void)fflush(stdout);
}

static int carry_out(struct run *r, const struct repair_step *s, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result out;

	program_repair(&b, s);
	if (side_run(&r->target.side, buf_str(&b), REACH_MS, r->arena, &out, e) < 0)
		return -1;
	if (out.status == 0)
		return 0;
	zfs_blame(out.err, e);
	return err_wrap(e, "cannot repair '%s' on %s", s->dataset, r->target.side.label);
}

static int look(struct run *r, struct err *e)
{
	if (run_sides(r, e) < 0)
		return -1;
	if (run_look(r, e) < 0)
		return -1;
	replicate_plan(r->backup, r->policy, &r->seen.source, &r->seen.target, &r->seen.zone, clock_unix_s(), r->arena,
		       &r->plan);
	return 0;
}

int cmd_repair(int argc, char **argv)
{
	struct cli c;
	bool rollback = false, keep = false, give_up = false, yes = false;
	const char *only = NULL, *was = NULL, *copy = NULL;
	const struct cli_option own[] = {
	    {"--rollback-target", &rollback, NULL}, {"--keep-both", &keep, NULL}, {"--give-up", &give_up, NULL},
	    {"--take-over", NULL, &copy},	    {"--yes", &yes, NULL},	  {"--backup", NULL, &only}};
	struct run_listener listener = {cli_show_stage};
	AUTO(fd) int lock = -1;
	struct run r = {0};
	struct err e;
	int rc =
	    cli_start(&c, argc, argv,
		      "usage: dormouse repair DATASET --rollback-target [--yes]\n"
		      "       dormouse repair DATASET --keep-both [--yes]\n"
		      "       dormouse repair DATASET --give-up [--yes]\n"
		      "       dormouse repair DATASET --take-over COPY [--yes]\n"
		      "Mends the copy of a dataset where a run says that it cannot: the copy goes back to the last\n"
		      "snapshot that both have, or is set aside under another name, or its partial receive is\n"
		      "dropped; or a copy that another tool made, below the destination, is renamed to where ours\n"
		      "is looked for.  Shows what that takes away, and asks.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	if (c.args.n != 1 || rollback + keep + give_up + (copy != NULL) != 1) {
		(void)err_set(&e, ERR_USAGE, "one dataset, and one way to mend it");
		(void)err_hint(
		    &e, "dormouse repair tank/home --rollback-target, --keep-both, --give-up or --take-over COPY");
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	const struct backup *b = cli_backup_of(&c, only, c.args.v[0], &was, &e);
	enum repair_kind kind = rollback ? REPAIR_ROLLBACK : keep ? REPAIR_KEEP_BOTH : REPAIR_GIVE_UP;
	rc = b == NULL ? cli_fail(&c, &e) : EXIT_DONE;
	if (b != NULL) {
		r = (struct run){
		    .config = &c.config, .backup = b, .paths = &c.paths, .arena = &c.arena, .listener = &listener};
		struct repair_step step;
		const struct conflict *found = NULL;
		if (cli_only_run(&c, b, &lock, &e) < 0 || look(&r, &e) < 0)
			rc = cli_fail(&c, &e);
		else if (copy == NULL && (found = conflict_of(&r, was, kind)) == NULL)
			(void)printf("%s: there is nothing to repair\n", was);
		else if ((copy != NULL
			      ? repair_take_over(b, &r.seen.source, &r.seen.target, was, copy, r.arena, &step, &e)
			      : repair_plan(found, &r.seen.source, &r.seen.target, kind, r.seen.now, r.arena, &step,
					    &e)) < 0)
			rc = cli_fail(&c, &e);
		else if (show(found, &step), cli_agreed(yes, &e) < 0)
			rc = cli_fail(&c, &e);
		else if (carry_out(&r, &step, &e) < 0)
			rc = cli_fail(&c, &e);
		else
			(void)printf("Done. The next run of backup '%s' goes on from there.\n", b->name);
	}
	run_end(&r);
	cli_end(&c);
	return rc;
}
