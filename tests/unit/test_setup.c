/* What apply and destroy have to do, by what is wanted and what is there. */
#include "check.h"

#include "plan/cost_plan.h"
#include "plan/setup_plan.h"
#include "wire/resource_json.h"

static struct resource thing(struct arena *a, enum resource_kind kind, const char *name, const char *id,
			     const char *fact, const char *value)
{
	struct resource r = {.kind = kind, .name = name, .id = id};

	*vec_add(&r.facts, a) = fact;
	*vec_add(&r.facts, a) = value;
	return r;
}

static void one_change(void **state)
{
	static const struct {
		enum resource_kind kind;
		const char *fact, *from, *to;
		enum setup_kind does;
	} rows[] = {
	    {RESOURCE_VOLUME, "GiB", "125", "126", SETUP_CHANGE},
	    {RESOURCE_VOLUME, "GiB", "125", "1250", SETUP_CHANGE},
	    {RESOURCE_VOLUME, "GiB", "125", "99", SETUP_CANNOT},
	    {RESOURCE_VOLUME, "GiB", "much", "99", SETUP_CANNOT},
	    {RESOURCE_VOLUME, "type", "sc1", "gp3", SETUP_CHANGE},
	    {RESOURCE_VOLUME, "zone", "a", "b", SETUP_CANNOT},
	    {RESOURCE_VOLUME, "new to us", "a", "b", SETUP_CANNOT},
	    {RESOURCE_KEY_PAIR, "key", "a", "b", SETUP_REPLACE},
	    {RESOURCE_SECURITY_GROUP, "from", "a", "b", SETUP_CHANGE},
	    {RESOURCE_SECURITY_GROUP, "GiB", "1", "2", SETUP_CANNOT},
	    {RESOURCE_TRIGGER, "asks", "1", "2", SETUP_CHANGE},
	    {RESOURCE_TRIGGER, "made by", "somebody else", "dormouse", SETUP_CANNOT},
	    {RESOURCE_CHECK, "grace", "1", "2", SETUP_CHANGE},
	    {RESOURCE_DATASET, "outcome", "float", "string", SETUP_CANNOT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		struct resources wanted = {0}, found = {0};
		struct setup_steps steps = {0};
		*vec_add(&wanted, &a) = thing(&a, rows[i].kind, "x", NULL, rows[i].fact, rows[i].to);
		setup_plan(&wanted, &found, false, NULL, &a, &steps);
		assert_int_equal(steps.n, 1);
		assert_int_equal(steps.v[0].kind, SETUP_MAKE);
		*vec_add(&found, &a) = thing(&a, rows[i].kind, "x", "id", rows[i].fact, rows[i].from);
		steps.n = 0;
		setup_plan(&wanted, &found, false, NULL, &a, &steps);
		assert_int_equal(steps.n, 1);
		assert_int_equal(steps.v[0].kind, rows[i].does);
		assert_int_equal(setup_cannot(&steps), rows[i].does == SETUP_CANNOT);
		assert_string_equal(steps.v[0].changes.v[0].to, rows[i].to);
		assert_ptr_equal(steps.v[0].about, &found.v[0]);
		/* What is as it is wanted needs nothing, whatever else it is. */
		found.v[0].facts.v[1] = rows[i].to;
		*vec_add(&found.v[0].facts, &a) = "colour";
		*vec_add(&found.v[0].facts, &a) = "grey";
		steps.n = 0;
		setup_plan(&wanted, &found, false, NULL, &a, &steps);
		assert_int_equal(steps.n, 0);
		/* Two of it are too many, like each other or not. */
		struct resource twin = found.v[0];
		*vec_add(&found, &a) = twin;
		setup_plan(&wanted, &found, false, NULL, &a, &steps);
		assert_int_equal(steps.n, 1);
		assert_int_equal(steps.v[0].kind, SETUP_CANNOT);
		/* And what nobody wants is left where it is. */
		wanted.n = found.n = 1;
		wanted.v[0].name = "y";
		steps.n = 0;
		setup_plan(&wanted, &found, false, NULL, &a, &steps);
		assert_int_equal(steps.n, 2);
		assert_int_equal(steps.v[0].kind, SETUP_MAKE);
		bool holds = rows[i].kind != RESOURCE_TRIGGER && rows[i].kind != RESOURCE_CHECK;
		assert_int_equal(steps.v[1].kind, holds ? SETUP_KEEP : SETUP_REMOVE);
		/* But what somebody else may have made. */
		found.v[0].stays = "it is theirs";
		steps.n = 0;
		setup_plan(&wanted, &found, false, NULL, &a, &steps);
		assert_int_equal(steps.v[1].kind, SETUP_KEEP);
		steps.n = 0;
		teardown_plan(&found, true, NULL, &a, &steps);
		assert_int_equal(steps.v[0].kind, SETUP_KEEP);
		assert_string_equal(steps.v[0].why, "it is theirs");
	}
}

/* What cannot be as it is wanted is refused, and what there is of it goes, unless it is somebody else's. */
static void refused(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct resources wanted = {0}, found = {0};
	struct setup_steps steps = {0};

	(void)state;
	*vec_add(&wanted, &a) = thing(&a, RESOURCE_TRIGGER, "x", NULL, "of the past", "1 s");
	wanted.v[0].cannot = "too long";
	wanted.v[0].way_out = "shorter";
	setup_plan(&wanted, &found, false, NULL, &a, &steps);
	assert_int_equal(steps.n, 1);
	assert_int_equal(steps.v[0].kind, SETUP_CANNOT);
	assert_string_equal(steps.v[0].why, "too long");
	assert_string_equal(steps.v[0].hint, "shorter");
	*vec_add(&found, &a) = thing(&a, RESOURCE_TRIGGER, "x", "id", "of the past", "1 s");
	steps.n = 0;
	setup_plan(&wanted, &found, false, NULL, &a, &steps);
	assert_int_equal(steps.n, 2);
	assert_int_equal(steps.v[1].kind, SETUP_REMOVE);
	found.v[0].stays = "it is theirs";
	steps.n = 0;
	setup_plan(&wanted, &found, false, NULL, &a, &steps);
	assert_int_equal(steps.n, 1);
	/* A column that is not there yet is added. */
	wanted.v[0] = thing(&a, RESOURCE_DATASET, "x", NULL, "outcome", "string");
	found.v[0] = thing(&a, RESOURCE_DATASET, "x", "id", "name", "string");
	steps.n = 0;
	setup_plan(&wanted, &found, false, NULL, &a, &steps);
	assert_int_equal(steps.n, 1);
	assert_int_equal(steps.v[0].kind, SETUP_CHANGE);
}

/* A fact that can change beside one that cannot changes nothing. */
static void hardest_counts(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct resources wanted = {0}, found = {0};
	struct setup_steps steps = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct resources *of = i == 0 ? &wanted : &found;
		*vec_add(of, &a) = thing(&a, RESOURCE_VOLUME, "x", "id", "GiB", i == 0 ? "100" : "200");
		*vec_add(&of->v[0].facts, &a) = "type";
		*vec_add(&of->v[0].facts, &a) = i == 0 ? "gp3" : "sc1";
	}
	setup_plan(&wanted, &found, false, NULL, &a, &steps);
	assert_int_equal(steps.n, 1);
	assert_int_equal(steps.v[0].kind, SETUP_CANNOT);
	assert_int_equal(steps.v[0].changes.n, 2);
	assert_non_null(strstr(steps.v[0].why, "its GiB cannot become 100: it is 200"));
}

/* Volumes as "ROLE GiB pool", as they are found; what is planned for one of 200 GiB with pool "cold", step by step. */
static const char *moves_plan(const char *const *volumes, bool drop_old, struct arena *a)
{
	static const char *const words[] = {"make", "change", "fill", "move", "replace", "remove", "keep", "cannot"};
	struct resources wanted = {0}, found = {0};
	struct setup_steps steps = {0};
	AUTO(buf) struct buf b = {0};

	*vec_add(&wanted, a) = thing(a, RESOURCE_VOLUME, "x", NULL, "GiB", "200");
	strings_add_pair(&wanted.v[0].facts, a, "pool", "cold");
	for (; *volumes != NULL; volumes++) {
		struct str rest = str_of(*volumes), role = str_cut(&rest, ' '), size = str_cut(&rest, ' ');
		struct resource r =
		    thing(a, RESOURCE_VOLUME, "x", str_dup(a, str_of(*volumes)), "GiB", str_dup(a, size));
		assert_true(resource_role_of(str_dup(a, role), &r.role));
		if (rest.n > 0)
			strings_add_pair(&r.facts, a, "pool", str_dup(a, rest));
		*vec_add(&found, a) = r;
	}
	setup_plan(&wanted, &found, drop_old, NULL, a, &steps);
	for (size_t i = 0; i < steps.n; i++) {
		const struct setup_step *s = &steps.v[i];
		buf_printf(&b, "%s%s %s", i > 0 ? "; " : "", words[s->kind], s->found == NULL ? "one" : s->found->id);
		if (s->next != NULL)
			buf_printf(&b, " to %s", s->next->id);
	}
	return str_dup(a, buf_str(&b));
}

static void moves(void **state)
{
	static const struct {
		const char *volumes[4];
		bool drop_old;
		const char *want;
	} rows[] = {
	    {{"now 500 cold"}, false, "move now 500 cold"},
	    {{"now 200 cold"}, true, ""},
	    /* Only a pool can go. */
	    {{"now 500"}, false, "cannot now 500"},
	    {{"now 500 not made yet"}, false, "cannot now 500 not made yet"},
	    {{"now 500 warm"}, false, "cannot now 500 warm"},
	    /* Gone on with, whoever has begun it; once. */
	    {{"now 500 cold", "next 200 not made yet"}, false, "move now 500 cold to next 200 not made yet"},
	    {{"next 200 cold", "now 500 cold"}, false, "move now 500 cold to next 200 cold"},
	    {{"now 500 cold", "next 200 cold", "next 200 cold"},
	     false,
	     "move now 500 cold to next 200 cold; remove next 200 cold"},
	    /* Another size is wanted by now; or the old one again. */
	    {{"now 500 cold", "next 100 cold"}, false, "move now 500 cold; remove next 100 cold"},
	    {{"now 500 cold", "next 300 cold", "next 200 cold"},
	     false,
	     "move now 500 cold to next 200 cold; remove next 300 cold"},
	    {{"now 200 cold", "next 100 cold"}, false, "remove next 100 cold"},
	    {{"now 100 cold", "next 100 cold"}, false, "change now 100 cold; remove next 100 cold"},
	    /* It has taken the place. */
	    {{"old 500 cold", "now 200 cold"}, false, "keep old 500 cold"},
	    {{"old 500 cold", "now 200 cold"}, true, "remove old 500 cold"},
	    {{"old 700 cold", "now 500 cold", "next 200 cold"},
	     false,
	     "move now 500 cold to next 200 cold; keep old 700 cold"},
	    /* Nobody can tell. */
	    {{"now 500 cold", "now 200 cold"}, true, "cannot now 500 cold"},
	    {{"next 200 cold"}, false, "cannot one; keep next 200 cold"},
	    {{"next 200 cold", "next 300 cold"}, true, "cannot one; keep next 200 cold; keep next 300 cold"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		const char *got = moves_plan(rows[i].volumes, rows[i].drop_old, &a);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s, …: '%s', not '%s'", rows[i].volumes[0], got, rows[i].want);
	}
}

static void tear_down(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct resources found = {0};
	struct setup_steps steps = {0};

	(void)state;
	for (enum resource_kind k = 0; k < RESOURCE_KINDS; k++)
		*vec_add(&found, &a) = thing(&a, k, "x", "id", "a", "b");
	teardown_plan(&found, false, &prices_aws, &a, &steps);
	assert_int_equal(steps.n, RESOURCE_KINDS);
	for (size_t i = 0; i < steps.n; i++)
		assert_int_equal(steps.v[i].kind,
				 steps.v[i].found->kind == RESOURCE_VOLUME ? SETUP_KEEP : SETUP_REMOVE);
	steps.n = 0;
	teardown_plan(&found, true, NULL, &a, &steps);
	for (size_t i = 0; i < steps.n; i++) {
		assert_int_equal(steps.v[i].kind, SETUP_REMOVE);
		assert_ptr_equal(steps.v[i].about, steps.v[i].found);
		/* The last made first. */
		assert_int_equal(steps.v[i].found->kind, RESOURCE_KINDS - 1 - i);
	}
	found.n = 0;
	steps.n = 0;
	teardown_plan(&found, true, NULL, &a, &steps);
	assert_false(setup_does(&steps));
}

/* Whatever a provider has and a file wants: once all that is to be done is done, there is nothing to do; and in which
 * order things are named does not matter. */
static uint64_t seed;
static size_t dice(size_t sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (size_t)(seed >> 33) % sides;
}

static void random_things(struct arena *a, struct resources *list, bool ids)
{
	static const char *const names[] = {"", "one", "two"};
	static const char *const facts[] = {"GiB", "type", "zone", "from", "key"};
	static const char *const values[] = {"1", "2", "30", "x"};

	for (enum resource_kind k = 0; k < RESOURCE_KINDS; k++)
		for (size_t n = 0; n < ARRAY_LEN(names); n++)
			for (size_t times = dice(2) + (ids && dice(20) == 0); times > 0; times--) {
				struct resource r = {.kind = k, .name = names[n], .id = ids ? "id" : NULL};
				for (size_t f = 0; f < ARRAY_LEN(facts); f++) {
					*vec_add(&r.facts, a) = facts[f];
					*vec_add(&r.facts, a) = values[dice(ARRAY_LEN(values))];
				}
				*vec_add(list, a) = r;
			}
}

static void perform(struct arena *a, const struct setup_steps *steps, struct resources *found)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct setup_step *s = &steps->v[i];
		if (s->kind == SETUP_MAKE) {
			*vec_add(found, a) = *s->wanted;
		} else if (s->kind == SETUP_CHANGE || s->kind == SETUP_REPLACE) {
			for (size_t k = 0; k < found->n; k++)
				if (found->v[k].kind == s->wanted->kind &&
				    strcmp(found->v[k].name, s->wanted->name) == 0)
					found->v[k].facts = s->wanted->facts;
		} else if (s->kind == SETUP_REMOVE) {
			/* A copy is as good: what is there twice is told apart by nothing. */
			for (size_t k = found->n; k-- > 0;)
				if (found->v[k].kind == s->found->kind &&
				    strcmp(found->v[k].name, s->found->name) == 0) {
					found->v[k] = found->v[--found->n];
					break;
				}
		}
	}
}

static void done_is_done(void **state)
{
	(void)state;
	for (seed = 1; seed < 20000; seed += 7) {
		uint64_t was = seed;
		AUTO(arena) struct arena a = {0};
		struct resources wanted = {0}, found = {0}, mirrored = {0};
		struct setup_steps steps = {0}, again = {0}, other = {0};
		random_things(&a, &wanted, false);
		random_things(&a, &found, true);
		for (size_t i = wanted.n; i-- > 0;)
			*vec_add(&mirrored, &a) = wanted.v[i];
		setup_plan(&wanted, &found, false, NULL, &a, &steps);
		setup_plan(&mirrored, &found, false, NULL, &a, &other);
		assert_int_equal(steps.n, other.n);
		for (size_t i = 0; i < steps.n; i++) {
			size_t same = 0;
			for (size_t k = 0; k < other.n; k++)
				same += other.v[k].kind == steps.v[i].kind && other.v[k].wanted == NULL
					    ? steps.v[i].wanted == NULL && other.v[k].found == steps.v[i].found
					    : other.v[k].kind == steps.v[i].kind && steps.v[i].wanted != NULL &&
						  other.v[k].wanted->kind == steps.v[i].wanted->kind &&
						  strcmp(other.v[k].wanted->name, steps.v[i].wanted->name) == 0;
			assert_int_equal(same, 1);
		}
		struct resources after = {0};
		for (size_t i = 0; i < found.n; i++)
			*vec_add(&after, &a) = found.v[i];
		perform(&a, &steps, &after);
		setup_plan(&wanted, &after, false, NULL, &a, &again);
		for (size_t i = 0; i < again.n; i++)
			assert_true(again.v[i].kind == SETUP_KEEP || again.v[i].kind == SETUP_CANNOT);
		seed = was;
	}
}

static void as_json(void **state)
{
	AUTO(arena) struct arena a = {0};
	static const char *const bad[] = {"{}", "[{}]", "[{\"kind\":\"moon\",\"name\":\"\",\"facts\":{}}]",
					  "[{\"kind\":\"volume\",\"name\":\"x\"}]"};
	struct resources list = {0}, back = {0};
	struct err e;

	(void)state;
	random_things(&a, &list, true);
	list.v[0].role = ROLE_OLD;
	AUTO(json) json_t *j = resources_json(&list);
	assert_int_equal(resources_read(j, &a, &back, &e), 0);
	assert_int_equal(back.n, list.n);
	for (size_t i = 0; i < list.n; i++) {
		assert_int_equal(back.v[i].kind, list.v[i].kind);
		assert_int_equal(back.v[i].role, list.v[i].role);
		assert_string_equal(back.v[i].name, list.v[i].name);
		assert_int_equal(back.v[i].facts.n, list.v[i].facts.n);
		for (size_t k = 0; k < list.v[i].facts.n; k++)
			assert_string_equal(back.v[i].facts.v[k], list.v[i].facts.v[k]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(json) json_t *b = json_parse(str_of(bad[i]), "x", &e);
		assert_int_equal(resources_read(b, &a, &back, &e), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_change), cmocka_unit_test(refused),   cmocka_unit_test(hardest_counts),
	    cmocka_unit_test(moves),	  cmocka_unit_test(tear_down), cmocka_unit_test(done_is_done),
	    cmocka_unit_test(as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
