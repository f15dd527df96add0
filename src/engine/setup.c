#include "engine/setup.h"

#include <unistd.h>

#include "sys/fdio.h"
#include "sys/token.h"
#include "wire/price_json.h"
#include "wire/resource_json.h"

static const char *file_of(const struct setup *s, const char *what)
{
	return arena_printf(s->arena, "%s/apply-%s.%s", s->paths->state_dir, s->target, what);
}

int setup_lock(const struct setup *s, int *lock, struct err *e)
{
	return paths_lock(file_of(s, "lock"), arena_printf(s->arena, "target '%s' is being set up already", s->target),
			  lock, e);
}

static json_t *ask(const struct setup *s, struct worker_order *o, struct err *e)
{
	o->target = s->target;
	o->config = s->block;
	o->runtime_dir = s->paths->runtime_dir;
	o->timeout_ms = s->timeout_ms;
	return task_run(s->paths->self, o, s->arena, s->tell, e);
}

int setup_survey(const struct setup *s, struct resources *wanted, struct resources *found, struct err *e)
{
	struct worker_order o = {.op = "survey", .token = ""};
	AUTO(json) json_t *answer = ask(s, &o, e);

	if (answer == NULL || resources_read(json_object_get(answer, "wanted"), s->arena, wanted, e) < 0 ||
	    resources_read(json_object_get(answer, "found"), s->arena, found, e) < 0)
		return -1;
	return 0;
}

int setup_prices(const struct setup *s, struct price_list *list, struct err *e)
{
	struct worker_order o = {.op = "prices", .token = ""};
	AUTO(json) json_t *answer = ask(s, &o, e);

	return answer == NULL ? -1 : price_list_read(json_object_get(answer, "prices"), s->arena, list, e);
}

/* The token of an attempt that was broken off, or a new one, on disk before anything is made by it. */
static int token_of(const struct setup *s, const char **token, struct err *e)
{
	char text[TOKEN_TEXT];
	const char *path = file_of(s, "token");
	struct str was;

	if (access(path, F_OK) == 0) {
		if (fd_read_file(path, sizeof(text), s->arena, &was, e) < 0)
			return -1;
		*token = was.p;
		if (was.n == TOKEN_TEXT - 1)
			return 0;
	}
	*token = arena_strdup(s->arena, token_new(text));
	return fd_replace_file(path, str_of(*token), 0600, e);
}

static int do_one(const struct setup *s, const char *op, const struct setup_step *step, struct err *e)
{
	AUTO(buf) struct buf wanted = {0};
	AUTO(buf) struct buf found = {0};
	AUTO(json) json_t *want = step->wanted == NULL ? NULL : resource_json(step->wanted);
	AUTO(json) json_t *has = step->found == NULL ? NULL : resource_json(step->found);
	struct worker_order o = {.op = op, .token = ""};

	if (want != NULL)
		json_write(&wanted, want);
	if (has != NULL)
		json_write(&found, has);
	o.wanted = want == NULL ? NULL : buf_text(&wanted);
	o.found = has == NULL ? NULL : buf_text(&found);
	if (strcmp(op, "make") == 0 && token_of(s, &o.token, e) < 0)
		return -1;
	AUTO(json) json_t *answer = ask(s, &o, e);
	return answer == NULL ? -1 : 0;
}

/* A volume that is gone would never come back by the token that it was made with. */
static int take_away(const struct setup *s, const struct setup_step *step, struct err *e)
{
	if (step->found->kind == RESOURCE_VOLUME)
		setup_over(s);
	return do_one(s, "remove", step, e);
}

static int make(const struct setup *s, const struct setup_step *step, struct err *e)
{
	if (do_one(s, "make", step, e) == 0)
		return 0;
	if (e->kind == ERR_MISSING)
		setup_over(s);
	return -1;
}

/* What the data of another is to go to. */
static int make_next(const struct setup *s, const struct setup_step *step, struct err *e)
{
	struct resource next = *step->wanted;

	next.role = ROLE_NEXT;
	return make(s, &(struct setup_step){.kind = SETUP_MAKE, .wanted = &next, .about = &next}, e);
}

int setup_do(const struct setup *s, const struct setup_step *step, struct err *e)
{
	switch (step->kind) {
	case SETUP_MAKE:
		return make(s, step, e);
	case SETUP_MOVE:
		return make_next(s, step, e);
	case SETUP_CHANGE:
		return do_one(s, "change", step, e);
	case SETUP_REPLACE:
		return take_away(s, step, e) < 0 ? -1 : make(s, step, e);
	case SETUP_REMOVE:
		return take_away(s, step, e);
	case SETUP_FILL:
	case SETUP_KEEP:
	case SETUP_CANNOT:
		break;
	}
	return err_set(e, ERR_USAGE, "that is no step of a worker");
}

void setup_over(const struct setup *s)
{
	(void)unlink(file_of(s, "token"));
}
