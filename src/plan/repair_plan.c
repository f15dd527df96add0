#include "plan/repair_plan.h"

#include "base/civil.h"

static bool fits(enum conflict_kind conflict, enum repair_kind kind)
{
	switch (conflict) {
	case CONFLICT_NO_SNAPSHOT:
	case CONFLICT_NAME:
		return false;
	case CONFLICT_DIVERGED:
	case CONFLICT_CHANGED:
		return kind != REPAIR_GIVE_UP;
	case CONFLICT_NO_COMMON:
	case CONFLICT_NOT_OURS:
	case CONFLICT_TYPE:
		return kind == REPAIR_KEEP_BOTH;
	case CONFLICT_UNREADABLE:
		return kind == REPAIR_GIVE_UP;
	}
	return false;
}

/* What can be asked for in such a conflict; NULL: nothing here mends it. */
static const char *repair_options(enum conflict_kind kind)
{
	return fits(kind, REPAIR_ROLLBACK)    ? "--rollback-target or --keep-both"
	       : fits(kind, REPAIR_KEEP_BOTH) ? "--keep-both"
	       : fits(kind, REPAIR_GIVE_UP)   ? "--give-up"
					      : NULL;
}

/* Right below it; what lies deeper moves along. */
static void direct_children(const struct side_state *target, const char *name, struct arena *a, struct strings *out)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < target->datasets.n; i++) {
		const char *one = target->datasets.v[i].name;
		if (strlen(one) > n && dataset_is_under(one, name) && strchr(one + n + 1, '/') == NULL)
			*vec_add(out, a) = one + n + 1;
	}
}

int repair_plan(const struct conflict *c, const struct side_state *source, const struct side_state *target,
		enum repair_kind kind, int64_t now, struct arena *a, struct repair_step *out, struct err *e)
{
	const struct dataset *s = side_find(source, c->source), *t = side_find(target, c->target);
	char when[CIVIL_TEXT];

	*out = (struct repair_step){.kind = kind, .dataset = c->target};
	if (!fits(c->kind, kind) || t == NULL) {
		const char *options = repair_options(c->kind);
		(void)err_set(e, ERR_USAGE, "that does not mend '%s'", c->source);
		(void)err_why(e, "%s", c->why);
		return err_hint(e, "%s", options == NULL ? c->hint : options);
	}
	switch (kind) {
	case REPAIR_ROLLBACK:
		out->base = c->base;
		for (size_t i = t->points.n; i > 0 && strcmp(t->points.v[i - 1].name, c->base) != 0; i--)
			if (t->points.v[i - 1].kind == POINT_SNAPSHOT)
				*vec_add(&out->lost, a) = arena_printf(a, "@%s", t->points.v[i - 1].name);
		if (t->written > 0)
			*vec_add(&out->lost, a) = "what was written to it since its newest snapshot";
		break;
	case REPAIR_KEEP_BOTH: {
		/* Without what a name cannot have. */
		const char *text = civil_show(now, when);
		char *stamp = arena_alloc(a, strlen(text) + 1), *end = stamp;
		for (; *text != '\0'; text++)
			if (*text >= '0' && *text <= '9')
				*end++ = *text;
		out->to = arena_printf(a, "%s-kept-%s", c->target, stamp);
		direct_children(target, c->target, a, &out->children);
		const struct dataset *above =
		    side_find(target, arena_strndup(a, c->target, (size_t)(strrchr(c->target, '/') - c->target)));
		out->open = !t->encrypted && above != NULL && above->encrypted;
		out->along = out->children.n > 0 && s != NULL && s->encrypted;
		break;
	}
	case REPAIR_GIVE_UP:
		*vec_add(&out->lost, a) = "what has arrived of the stream that was cut off";
		break;
	case REPAIR_TAKE_OVER:
		assert(false); /* repair_take_over does that */
	}
	return 0;
}

int repair_take_over(const struct backup *b, const struct side_state *source, const struct side_state *target,
		     const char *was, const char *copy, struct arena *a, struct repair_step *out, struct err *e)
{
	const struct dataset *s = side_find(source, was), *t = side_find(target, copy);
	const struct point *newest = t == NULL ? NULL : dataset_newest(t);

	*out = (struct repair_step){
	    .kind = REPAIR_TAKE_OVER, .dataset = copy, .to = arena_printf(a, "%s/%s", b->dest, was)};
	if (t == NULL || strcmp(copy, b->dest) == 0) {
		(void)err_set(e, ERR_USAGE, "no copy '%s' lies below '%s'", copy, b->dest);
		return err_hint(e, "name it as the target does; if it lies elsewhere in the pool, choose a destination "
				   "above it");
	}
	if (s == NULL) {
		(void)err_set(e, ERR_USAGE, "the source has no '%s'", was);
		return err_hint(e, "name the dataset as it is at the source: zfs list shows them");
	}
	if (t->type != s->type || newest == NULL || !dataset_has_guid(s, newest->guid)) {
		(void)err_set(e, ERR_USAGE, "'%s' is no copy of '%s' that could go on", copy, was);
		if (newest != NULL)
			(void)err_why(e, "'%s' does not have its newest snapshot, '@%s'", was, newest->name);
		return err_hint(e, "without it, the next run makes a copy of its own");
	}
	if (side_find(target, out->to) != NULL || dataset_is_under(out->to, copy)) {
		(void)err_set(e, ERR_USAGE, "'%s' cannot become '%s'", copy, out->to);
		(void)err_why(e, side_find(target, out->to) != NULL ? "that is there already" : "that lies within it");
		return err_hint(e, "look what is there: zfs list -r %s", b->dest);
	}
	char *above = arena_strdup(a, out->to);
	for (char *slash = above + strlen(b->dest); (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
		*slash = '\0';
		if (side_find(target, above) == NULL)
			*vec_add(&out->parents, a) = arena_strdup(a, above);
	}
	return 0;
}
