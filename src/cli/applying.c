#include "cli/applying.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/moving.h"
#include "cli/work_text.h"
#include "conf/conf.h"
#include "engine/generation.h"
#include "engine/setup.h"
#include "provider/registry.h"
#include "sys/clock.h"

/* A volume that is changed takes its time. */
enum { STEP_MS = 10 * 60 * 1000, SEEN_MS = 60000, AGAIN_MS = 300 };

static void tell(const char *text)
{
	(void)fprintf(stderr, "%s\n", text);
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
		      resource_title(s->about, w->setup.arena), work_what(w), w->setup.target);
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

/* Nobody else at the same time, until this process ends. */
static int lock_it(const struct work *w, struct err *e)
{
	int lock;

	return w->watch != NULL ? watch_lock(w->watch, &lock, e) : setup_lock(&w->setup, &lock, e);
}

static void look(struct work *w, const struct work *how, bool locked)
{
	struct err e;

	w->away = how->away;
	if (w->watch != NULL)
		w->watch->away = how->away;
	w->with_data = how->with_data;
	w->drop_old = how->drop_old;
	if ((!locked && lock_it(w, &e) < 0) || works_see(w, &e) < 0)
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

/* The file as it was when all of it was done last; NULL: it never was, or it cannot be read any more. */
static const struct config *done_last(struct cli *c)
{
	bool set = getenv("DORMOUSE_CONFIG_FOLDER") != NULL;
	const struct generation *last = NULL;
	struct generations all;
	struct err ignored;

	if (generations_read(&c->paths, works_file(c), &c->arena, &all, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < all.n; i++)
		last = all.v[i].done ? &all.v[i] : last;
	if (last == NULL)
		return NULL;
	if (setenv("DORMOUSE_CONFIG_FOLDER", dirname(arena_strdup(&c->arena, last->file)), 0) < 0)
		abort();
	const struct config *was = cli_load_for_keeper(last->copy, &c->arena, &ignored);
	if (!set)
		(void)unsetenv("DORMOUSE_CONFIG_FOLDER");
	return was;
}

/* What a report had that the file has no more, or has elsewhere.  Whoever cannot look there any more is told so once:
 * the key may be gone with it. */
static void look_dropped(struct cli *c, struct works *all)
{
	const struct config *was = done_last(c);

	for (size_t i = 0; was != NULL && i < was->sinks.n; i++) {
		const struct sink *s = &was->sinks.v[i], *now = config_sink(&c->config, s->name);
		if (!sink_watches(s) || (now != NULL && sink_watches(now) && sink_same_place(s, now)))
			continue;
		struct work *w = vec_add(all, &c->arena);
		struct err e;
		begin_report(w, c, s);
		w->watch->config = was;
		look(w, &(struct work){.away = true}, now != NULL && sink_watches(now));
		bool later = w->failure != NULL && (w->failure->kind == ERR_NET || w->failure->kind == ERR_TIMEOUT ||
						    w->failure->kind == ERR_BUSY);
		if (later || setup_does(&w->steps))
			continue;
		all->n--;
		if (w->failure == NULL)
			continue;
		e = *w->failure;
		(void)err_wrap(&e, "what report '%s' had is left there", s->name);
		(void)err_hint(&e, "the file has it no more: look there, and take away by hand what is dormouse's");
		cli_complain(&e);
	}
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
		look(w, how, false);
	}
	for (size_t i = 0; i < c->config.sinks.n; i++) {
		const struct sink *s = &c->config.sinks.v[i];
		if (!sink_watches(s) || !works_chosen(c, s->name))
			continue;
		struct work *w = vec_add(all, &c->arena);
		begin_report(w, c, s);
		look(w, how, false);
	}
	if (c->args.n == 0 && !how->away)
		look_dropped(c, all);
	return failures(all, e);
}

void works_show(const struct cli *c, const struct works *all)
{
	AUTO(json) json_t *list = works_json(all);

	for (size_t i = 0; i < all->n && !c->json; i++)
		work_show(&all->v[i]);
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

	for (size_t i = 0; i < all->n; i++)
		work_lines(&all->v[i], &g.plan);
	if (generation_add(&c->paths, &g, c->text, &c->arena, &e) < 0)
		return cli_fail(c, &e);
	int rc = works_perform(c, all);
	if (rc == EXIT_DONE && generation_done(&c->paths, &g, &e) < 0)
		return cli_fail(c, &e);
	return rc;
}
