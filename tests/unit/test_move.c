/* What goes from a pool to the one that is to take its place, in the notation of zfs_model.h; and that it gets there
 * whatever is broken off, and whatever the first one is given meanwhile. */
#include "check.h"

#include "plan/foresee.h"
#include "plan/move_plan.h"
#include "wire/program.h"
#include "zfs_model.h"

static const char *brief(const struct move *m, struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	for (size_t i = 0; i < m->steps.n; i++) {
		const struct move_step *s = &m->steps.v[i];
		const char *what = strrchr(s->to, '/') == NULL ? "" : strrchr(s->to, '/') + 1;
		switch (s->kind) {
		case MOVE_DESTROY:
			buf_printf(&b, "destroy:%s ", what);
			break;
		case MOVE_PRUNE:
			buf_printf(&b, "prune:%s ", what);
			break;
		case MOVE_WHOLE:
			buf_printf(&b, "whole:%s ", what);
			break;
		case MOVE_SEND:
			assert_true(s->send.raw || s->send.kind == SEND_RESUME);
			if (s->send.kind == SEND_FULL || s->send.kind == SEND_CLONE)
				buf_printf(&b, "%s%s:%s@%s ", s->send.kind == SEND_CLONE ? "clone" : "full",
					   s->send.replaces ? "!" : "", what, s->send.to.name);
			else if (s->send.kind == SEND_RESUME)
				buf_printf(&b, "resume:%s ", what);
			else
				buf_printf(&b, "%s@%s@%s ", what, s->send.base.name, s->send.to.name);
			break;
		case MOVE_SET:
			buf_printf(&b, "%s=%s ", s->property.name, s->property.value == NULL ? "" : s->property.value);
			break;
		case MOVE_HOLD:
			buf_printf(&b, "hold:%s ", what);
			break;
		case MOVE_BOOKMARK:
			buf_printf(&b, "book:%s ", s->bookmark);
			break;
		}
	}
	buf_puts(&b, m->same ? "same" : "");
	return str_dup(a, str_trim(buf_str(&b)));
}

static void pools(struct side_state *from, struct side_state *to, struct arena *a)
{
	*from = (struct side_state){.root = "cold", .seen = true, .root_exists = true};
	*to = (struct side_state){.root = "cold.next", .seen = true, .root_exists = true};
	model_dataset(from, a, "cold", "");
	model_dataset(to, a, "cold.next", "");
}

static void one_dataset(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} rows[] = {
	    {"@a", NULL, "full:x@a"},
	    {"@a @b @c", NULL, "full:x@a x@a@c"},
	    {"", NULL, "whole:x"},
	    {"", "", "same"},
	    {"@a @b", "@a @b", "same"},
	    {"@a @b", "@a", "x@a@b"},
	    /* What a backup has added and destroyed there since. */
	    {"@b @c", "@a @b", "prune:x@a x@b@c"},
	    {"@a @c", "@a @b", "prune:x@b x@a@c"},
	    {"@a", "@a @b", "prune:x@b"},
	    {"@c", "@a @b", "destroy:x full:x@c"},
	    /* No beginning of it: one that was left out would never come. */
	    {"@a @b @c", "@a @c", "destroy:x full:x@a x@a@c"},
	    {"@a @b @c", "@b", "destroy:x full:x@a x@a@c"},
	    {"", "@a", "prune:x@a"},
	    /* It was an empty stand-in. */
	    {"@a @b", "", "full!:x@a x@a@b"},
	    {"@a @b", "@a ?b", "resume:x"},
	    {"@a @b", "?a", "resume:x"},
	    /* Cut there: what has arrived is gone on with; here: it is not there yet. */
	    {"?a", NULL, "same"},
	    {"@a ?b", "@a", "same"},
	    {"@a+ @b", "@a @b", "hold:x@a"},
	    {"@a+ @b", "@a", "hold:x@a x@a@b"},
	    {"@a @b", "@a+ @b", "same"},
	    {"@a #a @b", "@a @b", "book:a"},
	    {"@a #a @b", "@a #a @b", "same"},
	    {"#a @b", "@b", "same"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		struct side_state from, to;
		struct move m;
		pools(&from, &to, &a);
		model_dataset(&from, &a, "cold/x", rows[i].from);
		if (rows[i].to != NULL)
			model_dataset(&to, &a, "cold.next/x", rows[i].to);
		move_plan(&from, &to, &a, &m);
		const char *got = brief(&m, &a);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s | %s: '%s', not '%s'", rows[i].from, rows[i].to == NULL ? "nothing" : rows[i].to,
				 got, rows[i].want);
		assert_int_equal(m.lost, strncmp(rows[i].from, "#a", 2) == 0);
		/* What nobody could look at is like nothing. */
		to.root_exists = false;
		move_plan(&from, &to, &a, &m);
		assert_false(m.same);
	}
}

static void set(struct dataset *d, struct arena *a, const char *name, const char *value)
{
	*vec_add(&d->properties, a) = (struct property){name, value};
}

static void trees(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state from, to;
	struct move m;

	(void)state;
	pools(&from, &to, &a);
	/* Its origin comes later by name, and something lies below it. */
	model_dataset(&from, &a, "cold/c", "@s")->origin = "cold/o@a";
	model_dataset(&from, &a, "cold/c/d", "@s");
	model_dataset(&from, &a, "cold/o", "@a @b");
	model_dataset(&to, &a, "cold.next/gone", "@x");
	model_dataset(&to, &a, "cold.next/gone/below", "@x");
	move_plan(&from, &to, &a, &m);
	assert_string_equal(brief(&m, &a), "destroy:gone full:o@a o@a@b clone:c@s full:d@s");
	/* Below what is encrypted; what a stream carries is not set. */
	pools(&from, &to, &a);
	struct dataset *d = model_dataset(&from, &a, "cold/e", "@s");
	d->encrypted = true;
	set(d, &a, "keylocation", "prompt");
	set(d, &a, "dormouse:properties", "{}");
	model_dataset(&from, &a, "cold/e/f", "@s")->encrypted = true;
	model_dataset(&from, &a, "cold/e/plain", "@s");
	move_plan(&from, &to, &a, &m);
	assert_false(m.steps.v[0].send.open);
	assert_false(m.steps.v[1].send.open);
	assert_int_equal(m.steps.v[0].send.properties->n, 1);
	assert_true(m.steps.v[2].send.open);
	AUTO(buf) struct buf b = {0};
	program_move(&b, m.steps.v, m.steps.n);
	assert_non_null(strstr(buf_text(&b), "zfs send -w 'cold/e@s' | zfs receive -u -s -o 'dormouse:properties={}' "
					     "'cold.next/e' || exit 1\n"));
	assert_non_null(strstr(buf_text(&b), "-o encryption=off 'cold.next/e/plain' || exit 1\n"));
	/* A volume where a file system was. */
	pools(&from, &to, &a);
	model_dataset(&from, &a, "cold/x", "@s")->type = DATASET_VOLUME;
	model_dataset(&to, &a, "cold.next/x", "@s");
	move_plan(&from, &to, &a, &m);
	assert_string_equal(brief(&m, &a), "destroy:x full:x@s");
	/* What was set since, and what is set no more; but where it would be mounted. */
	pools(&from, &to, &a);
	d = model_dataset(&from, &a, "cold/x", "@s");
	set(d, &a, "readonly", "on");
	set(d, &a, "mountpoint", "/x");
	set(d, &a, "dormouse:gone", "1:cold/x");
	d = model_dataset(&to, &a, "cold.next/x", "@s");
	set(d, &a, "readonly", "off");
	set(d, &a, "dormouse:placeholder", "cold/x");
	set(d, &a, "mountpoint", "/y");
	d = model_dataset(&from, &a, "cold/y", "");
	set(model_dataset(&to, &a, "cold.next/y", ""), &a, "mountpoint", "/y");
	move_plan(&from, &to, &a, &m);
	assert_string_equal(brief(&m, &a), "readonly=on dormouse:gone=1:cold/x dormouse:placeholder= same");
}

static void refusals(void **state)
{
	const uint64_t gib = 1 << 30;
	AUTO(arena) struct arena a = {0};
	struct side_state from, to;
	const char *hint = NULL;

	(void)state;
	assert_int_equal(move_room(0), 0);
	assert_true(move_room(gib) > gib / 2 && move_room(gib) < gib - gib / 8);
	assert_true(move_room(1000 * gib) > 950 * gib && move_room(1000 * gib) < 969 * gib);
	pools(&from, &to, &a);
	struct dataset *root = &from.datasets.v[0];
	root->used = 150 * gib;
	assert_null(move_refused(&from, 200 * gib, &a, &hint));
	root->used = 199 * gib;
	const char *why = move_refused(&from, 200 * gib, &a, &hint);
	assert_non_null(strstr(why, "has 199.0 GiB"));
	assert_non_null(strstr(why, "200.0 GiB"));
	root->used = gib;
	root->referenced = 5 << 20;
	assert_non_null(strstr(move_refused(&from, 200 * gib, &a, &hint), "5.0 MiB of 'cold' are in no snapshot"));
	root->referenced = 96 << 10;
	model_dataset(&from, &a, "cold/w", "@a");
	assert_null(move_refused(&from, 200 * gib, &a, &hint));
	model_dataset(&from, &a, "cold/x", "@a ~");
	assert_non_null(strstr(move_refused(&from, 200 * gib, &a, &hint), "of 'cold/x' are in none of its snapshots"));
	assert_non_null(strstr(hint, "'cold/x@a'"));
}

/* --- lives ------------------------------------------------------------------------------------------------- */

static uint32_t seed;
static const char *const names[] = {"cold/a", "cold/a/b", "cold/a/b/c", "cold/d", "cold/e", "cold/e/f"};

static struct dataset *there(struct side_state *s, const char *name)
{
	return (struct dataset *)(uintptr_t)side_find(s, name);
}

static void forget(struct side_state *s, size_t i)
{
	memmove(&s->datasets.v[i], &s->datasets.v[i + 1], (s->datasets.n - i - 1) * sizeof(s->datasets.v[0]));
	s->datasets.n--;
}

static void forget_point(struct dataset *d, const char *name)
{
	for (size_t i = 0; i < d->points.n; i++) {
		if (d->points.v[i].kind != POINT_SNAPSHOT || strcmp(d->points.v[i].name, name) != 0)
			continue;
		memmove(&d->points.v[i], &d->points.v[i + 1], (d->points.n - i - 1) * sizeof(d->points.v[0]));
		d->points.n--;
		return;
	}
	fail_msg("no snapshot '%s'", name);
}

/* A backup, or a person, at the pool that is in use. */
static void life(struct side_state *s, struct arena *a)
{
	static uint64_t guid = 1000, txg = 1000;
	const char *name = names[draw(&seed) % ARRAY_LEN(names)];
	struct dataset *d = there(s, name);

	if (d == NULL) {
		char *parent = arena_strdup(a, name);
		*strrchr(parent, '/') = '\0';
		if (there(s, parent) != NULL)
			model_dataset(s, a, name, "");
		return;
	}
	uint32_t roll = draw(&seed) % 10;
	if (roll < 6) {
		guid++, txg++;
		*vec_add(&d->points, a) = (struct point){.kind = POINT_SNAPSHOT,
							 .name = arena_printf(a, "s%llu", (unsigned long long)guid),
							 .guid = guid,
							 .createtxg = txg,
							 .userrefs = draw(&seed) % 4 == 0};
	} else if (roll < 9 && d->points.n > 0) {
		struct point *p = &d->points.v[draw(&seed) % d->points.n];
		if (roll == 8)
			*vec_add(&d->points, a) = (struct point){
			    .kind = POINT_BOOKMARK, .name = p->name, .guid = p->guid, .createtxg = p->createtxg};
		else if (p->kind == POINT_SNAPSHOT)
			forget_point(d, p->name);
		side_sort(s);
	} else if (roll == 9) {
		for (size_t i = s->datasets.n; i-- > 1;)
			if (dataset_is_under(s->datasets.v[i].name, name))
				forget(s, i);
	}
}

/* As ZFS would, refusals included; cut: not to its end.  false: the others are not done, either. */
static bool perform(struct side_state *from, struct side_state *to, const struct move_step *s, bool cut,
		    struct arena *a)
{
	struct dataset *t = there(to, s->to);
	char *where = arena_strndup(a, s->to, strcspn(s->to, "@"));
	const char *at = strchr(s->to, '@');

	switch (s->kind) {
	case MOVE_DESTROY:
		assert_non_null(t);
		for (size_t i = to->datasets.n; i-- > 1;)
			if (dataset_is_under(to->datasets.v[i].name, s->to))
				forget(to, i);
		break;
	case MOVE_PRUNE:
		forget_point(there(to, where), at + 1);
		break;
	case MOVE_SEND:
		if (t != NULL && s->send.replaces) {
			assert_int_equal(t->points.n, 0);
			t->placeholder = true;
		}
		if (cut && s->send.kind != SEND_RESUME) {
			if (t == NULL)
				t = model_dataset(to, a, s->to, "");
			t->resume = (struct resume){.token = "1", .to_guid = s->send.to.guid};
			break;
		}
		if (s->send.kind == SEND_RESUME) {
			/* What it was of may be gone by now: it is given up. */
			struct send_step again = s->send;
			again.to.guid = t->resume.to_guid;
			if (model_send(from, to, &again, a))
				break;
			model_abort(to, &(struct abort_step){.dataset = s->to});
			return false;
		}
		if (!model_send(from, to, &s->send, a))
			fail_msg("seed of %u: refused: %d %s@%s onto %zu", seed, s->send.kind, s->to, s->send.to.name,
				 t == NULL ? 99 : t->points.n);
		break;
	case MOVE_WHOLE:
		assert_null(t);
		model_dataset(to, a, s->to, "");
		break;
	case MOVE_HOLD:
		for (size_t i = 0; i < there(to, where)->points.n; i++)
			if (strcmp(there(to, where)->points.v[i].name, at + 1) == 0)
				there(to, where)->points.v[i].userrefs = 1;
		break;
	case MOVE_BOOKMARK: {
		const struct point *p = dataset_snapshot_by_name(t, strchr(s->from, '@') + 1);
		assert_non_null(p);
		*vec_add(&t->points, a) = (struct point){
		    .kind = POINT_BOOKMARK, .name = s->bookmark, .guid = p->guid, .createtxg = p->createtxg};
		side_sort(to);
		break;
	}
	case MOVE_SET:
		break;
	}
	return true;
}

static void gets_there(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 1500; n++) {
		AUTO(arena) struct arena a = {0};
		struct side_state from, to;
		struct move m;
		seed = n;
		pools(&from, &to, &a);
		for (int i = 0; i < 40; i++)
			life(&from, &a);
		/* Broken off after any step, and in the midst of one; meanwhile it is backed up to. */
		for (int round = 0; round < 8; round++) {
			move_plan(&from, &to, &a, &m);
			size_t some = m.steps.n == 0 ? 0 : draw(&seed) % (m.steps.n + 1);
			for (size_t i = 0; i < some; i++)
				if (!perform(&from, &to, &m.steps.v[i], i == some - 1 && draw(&seed) % 2 == 0, &a))
					break;
			for (int i = 0; i < 5; i++)
				life(&from, &a);
		}
		/* Left alone it is there soon, and nothing is left to be done. */
		int rounds = 0;
		do {
			move_plan(&from, &to, &a, &m);
			for (size_t i = 0; i < m.steps.n; i++)
				if (!perform(&from, &to, &m.steps.v[i], false, &a))
					break;
			if (rounds++ > 12)
				fail_msg("seed %u: '%s' is left", n, brief(&m, &a));
		} while (!m.same);
		assert_int_equal(from.datasets.n, to.datasets.n);
		for (size_t i = 0; i < from.datasets.n; i++) {
			const struct dataset *f = &from.datasets.v[i], *t = &to.datasets.v[i];
			assert_string_equal(f->name + strlen("cold"), t->name + strlen("cold.next"));
			for (size_t k = 0; k < f->points.n; k++)
				if (f->points.v[k].kind == POINT_SNAPSHOT)
					assert_non_null(dataset_snapshot_by_guid(t, f->points.v[k].guid));
			for (size_t k = 0; k < t->points.n; k++)
				if (t->points.v[k].kind == POINT_SNAPSHOT)
					assert_non_null(dataset_snapshot_by_guid(f, t->points.v[k].guid));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_dataset),
	    cmocka_unit_test(trees),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(gets_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
