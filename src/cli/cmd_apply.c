/* apply, destroy: what the machines of a target need before there is one, and what stays when they go. */
#include "cli/cli.h"
#include "conf/conf.h"
#include "engine/setup.h"
#include "provider/registry.h"
#include "sys/clock.h"

enum { LONGEST = 60 }; /* characters of a value that are shown of it */
/* A volume that is changed takes its time. */
enum { STEP_MS = 10 * 60 * 1000, SEEN_MS = 60000, AGAIN_MS = 300 };

struct work {
	struct setup setup;
	bool away, with_data; /* destroy */
	struct resources wanted, found;
	struct setup_steps steps;
};

static void tell(const char *text)
{
	(void)fprintf(stderr, "%s\n", text);
}

/* --- how it is said ---------------------------------------------------------------------------------------- */

static const char *const words[] = {
    [SETUP_MAKE] = "make",	  [SETUP_CHANGE] = "change", [SETUP_FILL] = "fill",    [SETUP_REPLACE] = "replace",
    [SETUP_REMOVE] = "take away", [SETUP_KEEP] = "keep",     [SETUP_CANNOT] = "CANNOT"};

/* A key, on one line of a terminal. */
static const char *shown(const char *value, struct arena *a)
{
	size_t n = strlen(value);

	if (n <= LONGEST)
		return value;
	const char *last = value + n - LONGEST / 4;
	return strchr(last, ' ') != NULL ? value : arena_printf(a, "%.*s...%s", LONGEST / 2, value, last);
}

static void show_step(const struct setup_step *s, struct arena *a)
{
	const struct resource *r = s->about;

	(void)printf("  %-9s %s", words[s->kind], resource_title(r, a));
	if (r->id != NULL)
		(void)printf(" (%s)", r->id);
	(void)printf("\n");
	if (s->kind == SETUP_MAKE)
		for (size_t i = 0; i + 1 < r->facts.n; i += 2)
			(void)printf("              %s: %s\n", r->facts.v[i], shown(r->facts.v[i + 1], a));
	for (size_t i = 0; i < s->changes.n; i++)
		(void)printf("              %s: %s -> %s\n", s->changes.v[i].fact,
			     s->changes.v[i].from == NULL ? "?" : shown(s->changes.v[i].from, a),
			     shown(s->changes.v[i].to, a));
	if (s->why != NULL)
		(void)printf("              %s\n", s->why);
	if (s->hint != NULL)
		(void)printf("              %s\n", s->hint);
}

static json_t *step_json(const struct setup_step *s)
{
	json_t *j = json_object(), *changes = json_array();

	(void)json_object_set_new(j, "do", json_string(words[s->kind]));
	(void)json_object_set_new(j, "kind", json_string(resource_kind_name(s->about->kind)));
	json_put_text(j, "name", s->about->name);
	json_put_text(j, "id", s->about->id);
	for (size_t i = 0; i < s->changes.n; i++) {
		json_t *c = json_object();
		json_put_text(c, "fact", s->changes.v[i].fact);
		json_put_text(c, "from", s->changes.v[i].from);
		json_put_text(c, "to", s->changes.v[i].to);
		(void)json_array_append_new(changes, c);
	}
	(void)json_object_set_new(j, "changes", changes);
	json_put_text(j, "why", s->why);
	return j;
}

/* What is to be done for one target, or was. */
static void show(const struct cli *c, const struct work *w, json_t *all)
{
	json_t *j, *steps;

	if (!c->json) {
		(void)printf("target '%s'%s\n", w->setup.target, w->steps.n == 0 ? ": nothing to do" : "");
		for (size_t i = 0; i < w->steps.n; i++)
			show_step(&w->steps.v[i], w->setup.arena);
		(void)fflush(stdout);
		return;
	}
	j = json_object();
	steps = json_array();
	(void)json_object_set_new(j, "target", json_any(w->setup.target));
	for (size_t i = 0; i < w->steps.n; i++)
		(void)json_array_append_new(steps, step_json(&w->steps.v[i]));
	(void)json_object_set_new(j, "steps", steps);
	(void)json_array_append_new(all, j);
}

/* --- what is done ------------------------------------------------------------------------------------------ */

static void begin(struct work *w, struct cli *c, const struct target *t)
{
	AUTO(buf) struct buf block = {0};

	conf_write_target(&block, t, &provider_find(t->kind)->kind);
	*w = (struct work){.setup = {.paths = &c->paths,
				     .arena = &c->arena,
				     .target = t->name,
				     .block = arena_strdup(&c->arena, buf_text(&block)),
				     .timeout_ms = STEP_MS,
				     .tell = tell}};
}

static int look(struct work *w, struct err *e)
{
	w->wanted = w->found = (struct resources){0};
	w->steps = (struct setup_steps){0};
	if (setup_survey(&w->setup, &w->wanted, &w->found, e) < 0)
		return -1;
	if (w->away)
		teardown_plan(&w->found, w->with_data, w->setup.arena, &w->steps);
	else
		setup_plan(&w->wanted, &w->found, w->setup.arena, &w->steps);
	return 0;
}

/* By a worker of its own. */
static bool by_worker(const struct setup_step *s)
{
	return s->kind == SETUP_MAKE || s->kind == SETUP_CHANGE || s->kind == SETUP_REPLACE || s->kind == SETUP_REMOVE;
}

static const struct setup_step *next_step(const struct work *w, bool (*is)(const struct setup_step *))
{
	for (size_t i = 0; i < w->steps.n; i++)
		if (is(&w->steps.v[i]))
			return &w->steps.v[i];
	return NULL;
}

static bool by_start(const struct setup_step *s)
{
	return s->kind == SETUP_FILL;
}

/* Goes on after a step that fails: each is for itself. */
static int carry_out(const struct work *w, struct err *e)
{
	struct err first = {0};

	for (size_t i = 0; i < w->steps.n; i++)
		if (by_worker(&w->steps.v[i]) && setup_do(&w->setup, &w->steps.v[i], e) < 0 && first.kind == ERR_NONE)
			first = *e;
	*e = first;
	return first.kind == ERR_NONE ? 0 : -1;
}

static void on_stderr(void *ctx, const char *text)
{
	(void)ctx;
	tell(text);
}

/* A start makes what has to be made inside of the machine; when nobody holds it any more it goes to sleep. */
static int start(struct cli *c, const struct work *w, struct err *e)
{
	struct control_request r = {.op = CONTROL_LEASE, .target = w->setup.target, .text = "apply"};
	AUTO(control) struct control link = CONTROL_INIT;
	const char *json = NULL;

	return control_call(&c->paths, &link, &r, &c->arena, on_stderr, NULL, &json, e);
}

/* What was done counts only when it is seen. */
static int not_so(const struct work *w, const struct setup_step *s, struct err *e)
{
	(void)err_set(e, ERR_CONFLICT, "the %s of target '%s' is not as it should be",
		      resource_title(s->about, w->setup.arena), w->setup.target);
	return err_hint(e, "somebody else changes it, or it is seen late; look again: dormouse apply --dry-run");
}

/* What was done is not to be seen everywhere at once.  Looks until there is no such step left, or for a minute. */
static int look_until_none(struct work *w, bool (*is)(const struct setup_step *), struct err *e)
{
	const struct setup_step *left = NULL;

	for (int64_t until = clock_mono_ms() + SEEN_MS;;) {
		if (look(w, e) < 0)
			return -1;
		left = next_step(w, is);
		if (left == NULL)
			return 0;
		if (clock_mono_ms() > until)
			return not_so(w, left, e);
		clock_sleep_ms(AGAIN_MS);
	}
}

static int do_all(struct cli *c, struct work *w, struct err *e)
{
	if (carry_out(w, e) < 0 || look_until_none(w, by_worker, e) < 0)
		return -1;
	if (next_step(w, by_start) != NULL && (start(c, w, e) < 0 || look_until_none(w, by_start, e) < 0))
		return -1;
	setup_over(&w->setup);
	return 0;
}

static bool chosen(const struct cli *c, const struct target *t)
{
	for (size_t i = 0; i < c->args.n; i++)
		if (strcmp(c->args.v[i], t->name) == 0)
			return true;
	return c->args.n == 0;
}

static int check_names(const struct cli *c, struct err *e)
{
	for (size_t i = 0; i < c->args.n; i++) {
		if (config_target(&c->config, c->args.v[i]) != NULL)
			continue;
		(void)err_set(e, ERR_USAGE, "there is no target '%s'", c->args.v[i]);
		return err_hint(e, "dormouse machines shows which there are");
	}
	return 0;
}

struct works VEC(struct work);

static int perform(struct cli *c, struct works *all)
{
	int worst = EXIT_DONE;
	struct err e;

	for (size_t i = 0; i < all->n; i++) {
		struct work *w = &all->v[i];
		if (!setup_does(&w->steps))
			continue;
		if (do_all(c, w, &e) == 0)
			continue;
		int rc = cli_fail(c, &e);
		worst = rc > worst ? rc : worst;
	}
	return worst;
}

/* --- the commands ------------------------------------------------------------------------------------------ */

static int look_at_all(struct cli *c, struct works *all, bool away, bool with_data, struct err *e)
{
	for (size_t i = 0; i < c->config.targets.n; i++) {
		const struct target *t = &c->config.targets.v[i];
		if (!chosen(c, t))
			continue;
		struct work *w = vec_add(all, &c->arena);
		begin(w, c, t);
		w->away = away;
		w->with_data = with_data;
		int lock; /* until this process ends */
		if (setup_lock(&w->setup, &lock, e) < 0 || look(w, e) < 0)
			return -1;
	}
	return 0;
}

static void show_all(const struct cli *c, const struct works *all)
{
	AUTO(json) json_t *list = json_array();

	for (size_t i = 0; i < all->n; i++)
		show(c, &all->v[i], list);
	if (c->json)
		cli_print_json(list);
}

static bool any(const struct works *all, bool (*is)(const struct setup_steps *))
{
	for (size_t i = 0; i < all->n; i++)
		if (is(&all->v[i].steps))
			return true;
	return false;
}

/* Nobody is asked for it: it is what the keys must have before anybody can be. */
static int print_policies(struct cli *c)
{
	bool told = false;

	for (size_t i = 0; i < c->config.targets.n; i++) {
		const struct target *t = &c->config.targets.v[i];
		const struct target_kind *kind = &provider_find(t->kind)->kind;
		if (!chosen(c, t) || kind->policy == NULL)
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
	const struct cli_option own[] = {
	    {"--yes", &yes, NULL}, {"--dry-run", &dry, NULL}, {"--print-policy", &policy, NULL}};
	struct works all = {0};
	struct err e;
	int rc =
	    cli_start(&c, argc, argv,
		      "usage: dormouse apply [TARGET…] [--dry-run] [--yes] [--json] [-c FILE]\n"
		      "       dormouse apply [TARGET…] --print-policy [-c FILE]\n"
		      "Makes what the blocks of targets want to be there and to stay: volumes, a key pair, a security "
		      "group; and changes what is otherwise.  Shows it, and asks.  Done again it does what is left.\n"
		      "--print-policy prints the least policy of IAM that its keys must have, of each target.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = EXIT_DONE;
	if (check_names(&c, &e) < 0 || (!policy && look_at_all(&c, &all, false, false, &e) < 0)) {
		rc = cli_fail(&c, &e);
	} else if (policy) {
		rc = print_policies(&c);
	} else {
		show_all(&c, &all);
		if (!dry && any(&all, setup_does))
			rc = cli_agreed(yes, &e) < 0 ? cli_fail(&c, &e) : perform(&c, &all);
		if (rc == EXIT_DONE && any(&all, setup_cannot))
			rc = EXIT_PARTLY;
	}
	cli_end(&c);
	return rc;
}

/* Whoever still uses a machine is not cut off. */
static int asleep(struct cli *c, const struct work *w, struct err *e)
{
	struct control_request r = {.op = CONTROL_SLEEP, .target = w->setup.target};
	AUTO(control) struct control link = CONTROL_INIT;
	const char *json = NULL;

	return control_call(&c->paths, &link, &r, &c->arena, NULL, NULL, &json, e);
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
		if (asleep(c, &all->v[i], e) < 0)
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
	int rc =
	    cli_start(&c, argc, argv,
		      "usage: dormouse destroy TARGET [--with-data TARGET] [--dry-run] [--yes] [--json]\n"
		      "                        [-c FILE]\n"
		      "Takes away what apply has made for a target.  Its volumes stay unless --with-data names the "
		      "target once more: all that is backed up there goes with them.  Shows it, and asks.",
		      own, ARRAY_LEN(own));

	if (rc >= 0)
		return rc;
	rc = EXIT_DONE;
	if (c.args.n != 1) {
		(void)err_set(&e, ERR_USAGE, "name one target");
		(void)err_hint(&e, "dormouse machines shows which there are");
		rc = cli_fail(&c, &e);
	} else if (check_names(&c, &e) < 0 || look_at_all(&c, &all, true, erase != NULL, &e) < 0) {
		rc = cli_fail(&c, &e);
	} else {
		show_all(&c, &all);
		if (!dry && any(&all, setup_does))
			rc = may_go(&c, &all, erase, yes, &e) < 0 ? cli_fail(&c, &e) : perform(&c, &all);
	}
	cli_end(&c);
	return rc;
}
