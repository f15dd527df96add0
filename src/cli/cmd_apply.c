/* apply, destroy: what the machines of a target need before there is one, and what stays when they go; and what watches
 * from outside that backups succeed. */
#include "cli/applying.h"
#include "engine/generation.h"
#include "provider/registry.h"

/* Is the file another one than that which was applied last? */
static int is_new(struct cli *c, bool *is, struct err *e)
{
	struct generations all;

	if (generations_read(&c->paths, works_file(c), &c->arena, &all, e) < 0)
		return -1;
	const struct generation *last = all.n == 0 ? NULL : &all.v[all.n - 1];
	*is = last == NULL || !last->done || !generation_is(last, c->text, &c->arena);
	return 0;
}

static int apply(struct cli *c, struct works *all, bool yes)
{
	struct err e;
	bool new = false;

	if (is_new(c, &new, &e) < 0 || (works_any(all, setup_does) && cli_agreed(yes, &e) < 0))
		return cli_fail(c, &e);
	return new || works_any(all, setup_does) ? works_generation(c, all, 0) : EXIT_DONE;
}

/* Nobody is asked for it: it is what the keys must have before anybody can be. */
static int print_policies(struct cli *c)
{
	bool told = false;

	for (size_t i = 0; i < c->config.targets.n; i++) {
		const struct target *t = &c->config.targets.v[i];
		const struct target_kind *kind = &provider_find(t->kind)->kind;
		if (!works_chosen(c, t->name) || kind->policy == NULL)
			continue;
		(void)printf("%s\n", kind->policy(t->name, t->settings, &c->arena));
		told = true;
	}
	if (told)
		return EXIT_DONE;
	struct err e;
	(void)err_set(&e, ERR_USAGE, "no target there needs a policy");
	(void)err_hint(&e, "those of kind aws_ec2 do");
	return cli_fail(c, &e);
}

int cmd_apply(int argc, char **argv)
{
	struct cli c;
	bool yes = false, dry = false, policy = false;
	struct work how = {0};
	const struct cli_option own[] = {{"--yes", &yes, NULL},
					 {"--dry-run", &dry, NULL},
					 {"--drop-old", &how.drop_old, NULL},
					 {"--print-policy", &policy, NULL}};
	struct works all = {0};
	struct err e;
	int rc = cli_start(
	    &c, argc, argv,
	    "usage: dormouse apply [NAME…] [--drop-old] [--dry-run] [--yes] [--json]\n"
	    "                      [-c FILE]\n"
	    "       dormouse apply [TARGET…] --print-policy [-c FILE]\n"
	    "Makes what the blocks of targets want to be there and to stay: volumes, a key pair, a security "
	    "group or firewall; and what report blocks want to watch them from outside: triggers of Honeycomb, a "
	    "check of healthchecks.  Changes what is otherwise.  Shows it, and asks.  Done again it does what is "
	    "left.\n"
	    "NAME is that of a target or a report; without one, all are meant.\n"
	    "--drop-old takes away the volumes whose place others have taken.\n"
	    "--print-policy prints the least policy of IAM that its keys must have, of each target.",
	    own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = EXIT_DONE;
	if ((policy ? works_named(&c, &e) : works_look(&c, &all, &how, &e)) < 0) {
		rc = cli_fail(&c, &e);
	} else if (policy) {
		rc = print_policies(&c);
	} else {
		works_show(&c, &all);
		if (!dry)
			rc = apply(&c, &all, yes);
		if (rc == EXIT_DONE && works_partly(&all))
			rc = EXIT_PARTLY;
	}
	cli_end(&c);
	return rc;
}

/* Data goes only if its name is said. */
static int said_name(const struct work *w, const char *erase, struct err *e)
{
	for (size_t i = 0; i < w->steps.n; i++) {
		const struct setup_step *s = &w->steps.v[i];
		if (s->kind != SETUP_REMOVE || s->about->kind != RESOURCE_VOLUME)
			continue;
		if (erase != NULL && strcmp(erase, w->setup.target) == 0)
			return 0;
		(void)err_set(e, ERR_USAGE, "with %s all that is backed up there goes for good",
			      resource_title(s->about, w->setup.arena));
		return err_hint(e, "if that is meant: dormouse destroy %s --with-data %s", w->setup.target,
				w->setup.target);
	}
	return 0;
}

static int may_go(struct cli *c, const struct works *all, const char *erase, bool yes, struct err *e)
{
	for (size_t i = 0; i < all->n; i++)
		if (said_name(&all->v[i], erase, e) < 0)
			return -1;
	if (cli_agreed(yes, e) < 0)
		return -1;
	for (size_t i = 0; i < all->n; i++)
		if (works_asleep(c, &all->v[i], e) < 0)
			return -1;
	return 0;
}

int cmd_destroy(int argc, char **argv)
{
	struct cli c;
	bool yes = false, dry = false;
	const char *erase = NULL;
	const struct cli_option own[] = {
	    {"--yes", &yes, NULL}, {"--dry-run", &dry, NULL}, {"--with-data", NULL, &erase}};
	struct works all = {0};
	struct err e;
	int rc = cli_start(&c, argc, argv,
			   "usage: dormouse destroy NAME [--with-data TARGET] [--dry-run] [--yes] [--json]\n"
			   "                        [-c FILE]\n"
			   "Takes away what apply has made for a target, or for a report.  A target's volumes stay "
			   "unless --with-data names the "
			   "target once more: all that is backed up there goes with them.  Shows it, and asks.",
			   own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = EXIT_DONE;
	if (c.args.n != 1) {
		(void)err_set(&e, ERR_USAGE, "name one target or report");
		(void)err_hint(&e, "dormouse machines shows which there are");
		rc = cli_fail(&c, &e);
	} else if (works_look(&c, &all, &(struct work){.away = true, .with_data = erase != NULL}, &e) < 0) {
		rc = cli_fail(&c, &e);
	} else {
		works_show(&c, &all);
		if (!dry && works_any(&all, setup_does))
			rc = may_go(&c, &all, erase, yes, &e) < 0 ? cli_fail(&c, &e) : works_perform(&c, &all);
	}
	cli_end(&c);
	return rc;
}
