#include "cli/moving.h"

#include "base/num.h"
#include "engine/look.h"
#include "engine/move.h"
#include "sys/clock.h"

/* A start that looks whether it fits, one to fill it, one in which it takes the place; and more for what backups have
 * added meanwhile. */
enum { STARTS = 6, GIB = 1 << 30 };
enum { OURS_MS = 10000, AGAIN_MS = 200 };

static void tell(const char *text)
{
	(void)fprintf(stderr, "%s\n", text);
}

static void on_event(struct run_listener *l, const struct run_event *ev)
{
	(void)l;
	if (ev->text != NULL)
		tell(ev->text);
}

static struct run_listener listener = {on_event};

/* Our own connections count for a moment after their end. */
static int asleep(struct cli *c, const struct work *w, struct err *e)
{
	int64_t until = clock_mono_ms() + OURS_MS;

	while (works_asleep(c, w, e) < 0) {
		if (e->kind != ERR_BUSY || clock_mono_ms() > until)
			return -1;
		clock_sleep_ms(AGAIN_MS);
	}
	return 0;
}

/* Its pools are imported at its start, and only then. */
static int start_anew(struct cli *c, const struct work *w, struct reach *r, struct err *e)
{
	if (asleep(c, w, e) < 0 ||
	    reach_init(r, &c->config, &c->paths, w->setup.target, "apply", &c->arena, &listener, e) < 0)
		return -1;
	r->use = USE_MOVE;
	return reach_wake(r, e);
}

/* The same step as it is now; NULL: there is none any more. */
static const struct setup_step *again(const struct work *w, const struct resource *wanted)
{
	for (size_t i = 0; i < w->steps.n; i++) {
		const struct setup_step *s = &w->steps.v[i];
		if (s->kind == SETUP_MOVE && strcmp(s->wanted->name, wanted->name) == 0)
			return s;
	}
	return NULL;
}

static int go_on(struct work *w, struct reach *r, const struct setup_step *s, struct err *e)
{
	const char *pool = strings_pair(&s->wanted->facts, "pool");
	uint64_t gib = 0;

	if (!num_u64(str_of(strings_pair(&s->wanted->facts, "GiB")), &gib) || gib > UINT32_MAX)
		return err_set(e, ERR_CORRUPT, "the size of the %s is no number", resource_title(s->wanted, r->arena));
	if (move_fits(r, pool, gib * GIB, e) < 0)
		return -1;
	return s->next == NULL ? setup_do(&w->setup, s, e) : move_copy(r, pool, tell, e);
}

int moving_do(struct cli *c, struct work *w, const struct setup_step *step, struct err *e)
{
	const struct resource *wanted = step->wanted;
	const char *title = resource_title(wanted, &c->arena);

	for (int i = 0; i < STARTS; i++) {
		struct reach r = {0};
		int rc = start_anew(c, w, &r, e);
		if (rc == 0)
			rc = works_see(w, e);
		const struct setup_step *s = rc < 0 ? NULL : again(w, wanted);
		if (s != NULL)
			rc = go_on(w, &r, s, e);
		reach_rest(&r, NULL);
		if (rc < 0)
			return err_wrap(e, "cannot move the %s of target '%s'", title, w->setup.target);
		if (s == NULL)
			return 0;
	}
	(void)err_set(e, ERR_BUSY, "the %s of target '%s' has not been moved yet", title, w->setup.target);
	(void)err_why(e, "each time when all was there more had come, or somebody else had started its machine");
	return err_hint(e, "run apply again when no backup is due");
}

int moving_prove(struct cli *c, const struct work *w, struct err *e)
{
	struct reach r = {0};
	const struct target *t = config_target(&c->config, w->setup.target);
	int rc = reach_init(&r, &c->config, &c->paths, t->name, "apply", &c->arena, &listener, e);

	for (size_t i = 0; rc == 0 && i < t->pools.n; i++) {
		struct side_state seen = {.root = t->pools.v[i]};
		struct look look = {.where = &r, .root = seen.root, .to = &seen};
		rc = look_at(&look, 1, e);
		if (rc == 0 && !seen.root_exists)
			rc = err_set(e, ERR_MISSING, "the pool '%s' is not there", seen.root);
	}
	reach_rest(&r, NULL);
	return rc == 0 ? 0 : err_wrap(e, "nothing that is old is taken away from target '%s'", t->name);
}
