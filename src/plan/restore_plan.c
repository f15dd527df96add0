#include "plan/restore_plan.h"

#include "base/buf.h"

enum { SHOWN = 3 };

struct planning {
	const struct restore_wish *w;
	const struct side_state *home;
	struct arena *a;
	struct restore *out;
};

static int no_snapshot(const struct restore_wish *w, const struct dataset *d, struct arena *a, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	size_t n = 0;

	if (w->snapshot == NULL) {
		(void)err_set(e, ERR_MISSING, "'%s' has no snapshot", d->name);
		return err_hint(e, "it is only there because something lies below it: dormouse list shows what");
	}
	for (size_t i = d->points.n; i > 0 && n < SHOWN; i--)
		if (d->points.v[i - 1].kind == POINT_SNAPSHOT)
			buf_printf(&b, "%s@%s", n++ == 0 ? "" : ", ", d->points.v[i - 1].name);
	(void)err_set(e, ERR_MISSING, "'%s' has no snapshot '@%s'", d->name, w->snapshot);
	(void)err_why(e, "its newest are %s", n == 0 ? "none" : str_dup(a, buf_str(&b)));
	return err_hint(e, "dormouse list '%s' shows them all", w->was);
}

/* Where it would be mounted and who could see it: that belongs to its own place only. */
static bool is_of_the_place(const char *name)
{
	static const char *const names[] = {"mountpoint", "canmount", "sharenfs", "sharesmb"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A restored dataset is the source again only at its own place. */
static void put_back(struct planning *p, const struct dataset *copy, const char *home)
{
	struct restored *r = vec_add(&p->out->restored, p->a);
	const char *was = copy->name + (strlen(p->w->copy) - strlen(p->w->was));
	bool own = strcmp(was, home) == 0, canmount = false;

	*r = (struct restored){.dataset = home};
	if (!copy->has_record)
		*vec_add(&p->out->notes, p->a) = arena_printf(
		    p->a, "the properties of '%s' were not written down; it has those of its new parent", was);
	for (size_t i = 0; i < copy->recorded.n; i++) {
		const struct property *one = &copy->recorded.v[i];
		if (strncmp(one->name, "dormouse:", 9) == 0)
			continue;
		canmount |= strcmp(one->name, "canmount") == 0;
		if (own || !is_of_the_place(one->name))
			*vec_add(&r->properties, p->a) = *one;
		else
			*vec_add(&r->left, p->a) = arena_printf(p->a, "%s=%s", one->name, one->value);
	}
	r->inherit_canmount = own && !canmount && copy->type == DATASET_FILESYSTEM;
}

static int one(struct planning *p, const struct dataset *copy, struct err *e)
{
	const char *home = arena_printf(p->a, "%s%s", p->w->to, copy->name + strlen(p->w->copy));
	const struct dataset *there = side_find(p->home, home);
	const struct point *to =
	    p->w->snapshot == NULL ? dataset_newest(copy) : dataset_snapshot_by_name(copy, p->w->snapshot);

	if (to == NULL && strcmp(copy->name, p->w->copy) == 0)
		return no_snapshot(p->w, copy, p->a, e);
	if (to == NULL) {
		*vec_add(&p->out->notes, p->a) = arena_printf(p->a, "'%s' has no snapshot '@%s', and is left out",
							      copy->name, p->w->snapshot == NULL ? "" : p->w->snapshot);
		return 0;
	}
	struct send_step step = {.kind = SEND_FULL,
				 .source = copy->name,
				 .target = home,
				 .to = *to,
				 .snapshots = 1,
				 .raw = copy->encrypted,
				 .is_volume = copy->type == DATASET_VOLUME,
				 .restores = true,
				 .reason = "it goes back"};
	if (there != NULL && there->resume.token != NULL && there->resume.to_guid == to->guid) {
		step.kind = SEND_RESUME;
		step.token = there->resume.token;
		step.reason = "an earlier restore was cut off; it goes on where it stopped";
	} else if (there != NULL && dataset_snapshot_by_guid(there, to->guid) != NULL) {
		*vec_add(&p->out->skips, p->a) =
		    (struct skip){.source = home, .newest = *to, .reason = "it is there already"};
		if (there->restoring)
			put_back(p, copy, home);
		return 0;
	} else if (there != NULL) {
		(void)err_set(e, ERR_CONFLICT, "'%s' exists, and nothing is restored over it", home);
		(void)err_why(e,
			      there->resume.token != NULL ? "it is half received, but not from '%s@%s'"
							  : "it does not have '%s@%s'",
			      copy->name, to->name);
		return err_hint(e,
				there->resume.token != NULL
				    ? "give that up (zfs receive -A '%s'), or choose another name for --to"
				    : "choose another name for --to, or move it away: zfs rename '%s' '%s-old'",
				home, home);
	}
	*vec_add(&p->out->sends, p->a) = step;
	put_back(p, copy, home);
	return 0;
}

int restore_plan(const struct restore_wish *w, const struct side_state *archive, const struct side_state *home,
		 struct arena *a, struct restore *out, struct err *e)
{
	struct planning p = {.w = w, .home = home, .a = a, .out = out};

	*out = (struct restore){0};
	if (side_find(archive, w->copy) == NULL) {
		(void)err_set(e, ERR_MISSING, "the archive has no '%s'", w->copy);
		return err_hint(e, "dormouse list shows what it has");
	}
	for (size_t i = 0; i < archive->datasets.n; i++) {
		const struct dataset *d = &archive->datasets.v[i];
		if (strcmp(d->name, w->copy) == 0 || (w->below && dataset_is_under(d->name, w->copy)))
			if (one(&p, d, e) < 0)
				return -1;
	}
	return 0;
}
