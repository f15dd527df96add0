#include "cli/work_text.h"

enum { LONGEST = 60 }; /* characters of a value that are shown of it */

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

const char *work_what(const struct work *w)
{
	return w->watch == NULL ? "target" : "report";
}

void work_show(const struct work *w)
{
	(void)printf("%s '%s'%s\n", work_what(w), w->setup.target,
		     w->failure != NULL ? ": left as it is"
		     : w->steps.n == 0	? ": nothing to do"
					: "");
	for (size_t i = 0; i < w->steps.n; i++)
		show_step(&w->steps.v[i], w->setup.arena);
	(void)fflush(stdout);
}

json_t *work_json(const struct work *w)
{
	json_t *j = json_object(), *steps = json_array();

	(void)json_object_set_new(j, work_what(w), json_any(w->setup.target));
	for (size_t i = 0; i < w->steps.n; i++)
		(void)json_array_append_new(steps, step_json(&w->steps.v[i]));
	(void)json_object_set_new(j, "steps", steps);
	if (w->failure != NULL)
		(void)json_object_set_new(j, "error", json_of_err(w->failure));
	return j;
}

void work_lines(const struct work *w, struct strings *lines)
{
	struct arena *a = w->setup.arena;

	for (size_t k = 0; k < w->steps.n; k++) {
		const struct setup_step *s = &w->steps.v[k];
		AUTO(buf) struct buf b = {0};
		buf_printf(&b, "%s: %s %s", w->setup.target, words[s->kind], resource_title(s->about, a));
		for (size_t n = 0; n < s->changes.n; n++)
			buf_printf(&b, "%s%s", n == 0 ? " (" : ", ", change_text(&s->changes.v[n], a));
		buf_puts(&b, s->changes.n > 0 ? ")" : "");
		*vec_add(lines, a) = str_dup(a, buf_str(&b));
	}
}
