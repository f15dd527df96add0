#include "cli/applying.h"

#include <limits.h>
#include <unistd.h>

#include "cli/moving.h"
#include "conf/conf.h"
#include "engine/generation.h"
#include "engine/setup.h"
#include "provider/registry.h"
#include "sys/clock.h"

enum { LONGEST = 60 }; /* characters of a value that are shown of it */
/* A volume that is changed takes its time. */
enum { STEP_MS = 10 * 60 * 1000, SEEN_MS = 60000, AGAIN_MS = 300 };

static void tell(const char *text)
{
	(void)fprintf(stderr, "%s\n", text);
}

/* --- how it is said ---------------------------------------------------------------------------------------- */

static const char *const words[] = {
    [SETUP_MAKE] = "make",	 [SETUP_CHANGE] = "change",    [SETUP_FILL] = "fill", [SETUP_MOVE] = "move",
    [SETUP_REPLACE] = "replace", [SETUP_REMOVE] = "take away", [SETUP_KEEP] = "keep", [SETUP_CANNOT] = "CANNOT"};

/* A key, on one line of a terminal. */
static const char *shown(const char *value, struct arena *a)
{
	size_t n = strlen(value);

	if (n <= LONGEST)
		return value;
	const char *last = value + n - LONGEST / 4;
	return strchr(last, ' ') != NULL ? value : arena_printf(a, "%.*s...%s", LONGEST / 2, value, last);
}

static const char *change_text(const struct setup_change *c, struct arena *a)
{
	return arena_printf(a, "%s: %s -> %s", c->fact, c->from == NULL ? "?" : shown(c->from, a), shown(c->to, a));
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
		(void)printf("              %s\n", change_text(&s->changes.v[i], a));
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

static const char *what(const struct work *w)
{
	return w->watch == NULL ? "target" : "report";
}

/* What is to be done for one of them, or was. */
static void show(const struct work *w)
{
	(void)printf("%s '%s'%s\n", what(w), w->setup.target,
		     w->failure != NULL ? ": left as it is"
		     : w->steps.n == 0	? ": nothing to do"
					: "");
	for (size_t i = 0; i < w->steps.n; i++)
		show_step(&w->steps.v[i], w->setup.arena);
	(void)fflush(stdout);
}

static json_t *work_json(const struct work *w)
{
	json_t *j = json_object(), *steps = json_array();

	(void)json_object_set_new(j, what(w), json_any(w->setup.target));
	for (size_t i = 0; i < w->steps.n; i++)
		(void)json_array_append_new(steps, step_json(&w->steps.v[i]));
	(void)json_object_set_new(j, "steps", steps);
	if (w->failure != NULL)
		(void)json_object_set_new(j, "error", json_of_err(w->failure));
	return j;
}

/* --- what is done ------------------------------------------------------------------------------------------ */

struct setup works_setup(struct cli *c, const struct target *t)
{
	AUTO(buf) struct buf block = {0};

	conf_write_target(&block, t, &provider_find(t->kind)->kind);
	return (struct setup){.paths = &c->paths,
			      .arena = &c->arena,
			      .target = t->name,
			      .block = arena_strdup(&c->arena, buf_text(&block)),
			      .timeout_ms = STEP_MS,
			      .tell = tell};
}

static void begin(struct work *w, struct cli *c, const struct target *t)
{
	*w = (struct work){.setup = works_setup(c, t), .prices = provider_find(t->kind)->kind.prices};
}

int works_see(struct work *w, struct err *e)
{
	w->wanted = w->found = (struct resources){0};
	w->steps = (struct setup_steps){0};
	if ((w->watch != NULL ? watch_survey(w->watch, &w->wanted, &w->found, e)
			      : setup_survey(&w->setup, &w->wanted, &w->found, e)) < 0)
		return -1;
	if (w->away)
		teardown_plan(&w->found, w->with_data, w->prices, w->setup.arena, &w->steps);
	else
		setup_plan(&w->wanted, &w->found, w->drop_old, w->prices, w->setup.arena, &w->steps);
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

static bool by_move(const struct setup_step *s)
{
	return s->kind == SETUP_MOVE;
}

static bool is_old(const struct setup_step *s)
{
	return s->kind == SETUP_REMOVE && s->about->role == ROLE_OLD;
}

static int do_step(const struct work *w, const struct setup_step *s, struct err *e)
{
	return w->watch != NULL ? watch_do(w->watch, s, e) : setup_do(&w->setup, s, e);
}

/* Goes on after a step that fails: each is for itself, but for a report, whose triggers need what comes before. */
static int carry_out(const struct work *w, struct err *e)
{
	struct err first = {0};

	for (size_t i = 0; i < w->steps.n; i++)
		if ((first.kind == ERR_NONE || w->watch == NULL) && by_worker(&w->steps.v[i]) &&
		    do_step(w, &w->steps.v[i], e) < 0 && first.kind == ERR_NONE)
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
	(void)err_set(e, ERR_CONFLICT, "the %s of %s '%s' is not as it should be",
		      resource_title(s->about, w->setup.arena), what(w), w->setup.target);
	return err_hint(e, "somebody else changes it, or it is seen late; look again: dormouse apply --dry-run");
}

/* What was done is not to be seen everywhere at once.  Looks until there is no such step left, or for a minute. */
static int look_until_none(struct work *w, bool (*is)(const struct setup_step *), struct err *e)
{
	const struct setup_step *left = NULL;

	for (int64_t until = clock_mono_ms() + SEEN_MS;;) {
		if (works_see(w, e) < 0)
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
	const struct setup_step *move;

	if (!w->away && next_step(w, is_old) != NULL && moving_prove(c, w, e) < 0)
		return -1;
	if (carry_out(w, e) < 0 || look_until_none(w, by_worker, e) < 0)
		return -1;
	if (next_step(w, by_start) != NULL && (start(c, w, e) < 0 || look_until_none(w, by_start, e) < 0))
		return -1;
	while ((move = next_step(w, by_move)) != NULL)
		if (moving_do(c, w, move, e) < 0)
			return -1;
	if (w->watch == NULL)
		setup_over(&w->setup);
	return 0;
}

int works_asleep(struct cli *c, const struct work *w, struct err *e)
{
	struct control_request r = {.op = CONTROL_SLEEP, .target = w->setup.target};
	AUTO(control) struct control link = CONTROL_INIT;
	const char *json = NULL;

	return w->watch != NULL ? 0 : control_call(&c->paths, &link, &r, &c->arena, NULL, NULL, &json, e);
}

bool works_chosen(const struct cli *c, const char *name)
{
	for (size_t i = 0; i < c->args.n; i++)
		if (strcmp(c->args.v[i], name) == 0)
			return true;
	return c->args.n == 0;
}

int works_named(const struct cli *c, struct err *e)
{
	for (size_t i = 0; i < c->args.n; i++) {
		const struct sink *s = config_sink(&c->config, c->args.v[i]);
		if (config_target(&c->config, c->args.v[i]) != NULL || (s != NULL && sink_watches(s)))
			continue;
		if (s != NULL) {
			(void)err_set(e, ERR_USAGE, "apply has nothing to do with report '%s'", s->name);
			return err_hint(e, "man dormouse-reports says which kinds it sets up, and by which key");
		}
		(void)err_set(e, ERR_USAGE, "there is no target '%s'", c->args.v[i]);
		return err_hint(e, "dormouse machines shows which there are");
	}
	return 0;
}

int works_perform(struct cli *c, struct works *all)
{
	int worst = EXIT_DONE;
	struct err e;

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].failure != NULL)
			worst = EXIT_PARTLY;
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

/* When none can be looked at, the first failure is that of all. */
static int failures(const struct works *all, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->v[i].failure != NULL;
	if (n > 0 && n == all->n) {
		*e = *all->v[0].failure;
		return -1;
	}
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].failure != NULL)
			cli_complain(all->v[i].failure);
	return 0;
}

static void failed(struct work *w, const struct err *e)
{
	struct err *failure = arena_new(w->setup.arena, struct err);

	*failure = *e;
	w->failure = failure;
}

void works_glance(struct cli *c, const struct target *t, struct works *all)
{
	struct work *w = vec_add(all, &c->arena);
	struct err e;

	begin(w, c, t);
	if (works_see(w, &e) < 0)
		failed(w, &e);
}

static void look(struct work *w, const struct work *how)
{
	int lock; /* until this process ends */
	struct err e;

	w->away = how->away;
	w->with_data = how->with_data;
	w->drop_old = how->drop_old;
	if ((w->watch != NULL ? watch_lock(w->watch, &lock, &e) : setup_lock(&w->setup, &lock, &e)) < 0 ||
	    works_see(w, &e) < 0)
		failed(w, &e);
}

static void begin_report(struct work *w, struct cli *c, const struct sink *s)
{
	struct watching *watch = arena_new(&c->arena, struct watching);

	*watch = (struct watching)WATCHING_INIT(&c->paths);
	watch->config = &c->config;
	watch->sink = s;
	watch->arena = &c->arena;
	*w = (struct work){.setup = {.paths = &c->paths, .arena = &c->arena, .target = s->name}, .watch = watch};
}

int works_look(struct cli *c, struct works *all, const struct work *how, struct err *e)
{
	if (works_named(c, e) < 0)
		return -1;
	for (size_t i = 0; i < c->config.targets.n; i++) {
		const struct target *t = &c->config.targets.v[i];
		if (!works_chosen(c, t->name))
			continue;
		struct work *w = vec_add(all, &c->arena);
		begin(w, c, t);
		look(w, how);
	}
	for (size_t i = 0; i < c->config.sinks.n; i++) {
		const struct sink *s = &c->config.sinks.v[i];
		if (!sink_watches(s) || !works_chosen(c, s->name))
			continue;
		struct work *w = vec_add(all, &c->arena);
		begin_report(w, c, s);
		look(w, how);
	}
	return failures(all, e);
}

void works_show(const struct cli *c, const struct works *all)
{
	AUTO(json) json_t *list = works_json(all);

	for (size_t i = 0; i < all->n && !c->json; i++)
		show(&all->v[i]);
	if (c->json)
		cli_print_json(list);
}

json_t *works_json(const struct works *all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->n; i++)
		(void)json_array_append_new(list, work_json(&all->v[i]));
	return list;
}

bool works_any(const struct works *all, bool (*is)(const struct setup_steps *))
{
	for (size_t i = 0; i < all->n; i++)
		if (is(&all->v[i].steps))
			return true;
	return false;
}

bool works_partly(const struct works *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].failure != NULL)
			return true;
	return works_any(all, setup_cannot);
}

static struct strings plan_of(const struct works *all, struct arena *a)
{
	struct strings lines = {0};

	for (size_t i = 0; i < all->n; i++) {
		const struct work *w = &all->v[i];
		for (size_t k = 0; k < w->steps.n; k++) {
			const struct setup_step *s = &w->steps.v[k];
			AUTO(buf) struct buf b = {0};
			buf_printf(&b, "%s: %s %s", w->setup.target, words[s->kind], resource_title(s->about, a));
			for (size_t n = 0; n < s->changes.n; n++)
				buf_printf(&b, "%s%s", n == 0 ? " (" : ", ", change_text(&s->changes.v[n], a));
			buf_puts(&b, s->changes.n > 0 ? ")" : "");
			*vec_add(&lines, a) = str_dup(a, buf_str(&b));
		}
	}
	return lines;
}

const char *works_file(struct cli *c)
{
	char here[PATH_MAX];

	if (c->paths.config[0] == '/' || getcwd(here, sizeof(here)) == NULL)
		return c->paths.config;
	return arena_printf(&c->arena, "%s/%s", here, c->paths.config);
}

int works_generation(struct cli *c, struct works *all, int64_t back_to)
{
	struct generation g = {.at = clock_unix_s(), .back_to = back_to, .file = works_file(c)};
	struct err e;

	g.plan = plan_of(all, &c->arena);
	if (generation_add(&c->paths, &g, c->text, &c->arena, &e) < 0)
		return cli_fail(c, &e);
	int rc = works_perform(c, all);
	if (rc == EXIT_DONE && generation_done(&c->paths, &g, &e) < 0)
		return cli_fail(c, &e);
	return rc;
}
