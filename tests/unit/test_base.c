#include "check.h"

#include "base/buf.h"
#include "base/civil.h"
#include "base/err.h"
#include "base/num.h"
#include "base/vec.h"

static void durations(void **s)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"0", 0},	      {"90s", 90000},	 {"1h30m", 5400000}, {"500ms", 500},	  {"2w1d", 1296000000},
		    {"1m5ms", 60005}, {"1.5h", 5400000}, {"0.125s", 125},    {"1h0.5m", 3630000}, {"1.9ms", 1}};
	static const char *const bad[] = {
	    "",	   "1",	  "h",	 "1x",	  "1s1h",  "1h1h", "-1s", "1 h", "99999999999999999w",
	    "1.h", ".5h", "1.5", "1..5h", "1.5.5h"};
	int64_t ms;

	(void)s;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(num_duration(str_of(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(num_duration(str_of(bad[i]), &ms));
}

static void sizes(void **s)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0},	     {"4096", 4096},	      {"64M", 64 << 20},	{"1KiB", 1024},
		    {"1KB", 1000},   {"1.5 GiB", 1610612736}, {"500GiB", 536870912000}, {"7B", 7},
		    {"1.500K", 1536}};
	static const char *const bad[] = {"",	       "K",   "1X", "1Ki", "1.K", "-1", "18446744073709551616",
					  "16777216T", "1  K"};
	uint64_t bytes;

	(void)s;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(num_size(str_of(good[i].text), &bytes));
		assert_int_equal(bytes, good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(num_size(str_of(bad[i]), &bytes));
}

static void integers(void **s)
{
	uint64_t u;
	int64_t i;

	(void)s;
	assert_true(num_u64(str_of("18446744073709551615"), &u));
	assert_true(u == UINT64_MAX);
	assert_false(num_u64(str_of("18446744073709551616"), &u));
	assert_false(num_u64(str_of("+1"), &u));
	assert_true(num_i64(str_of("-9223372036854775808"), &i));
	assert_true(i == INT64_MIN);
	assert_false(num_i64(str_of("9223372036854775808"), &i));
	assert_true(num_hex(str_of("fFffFFffffFFffff"), &u));
	assert_true(u == UINT64_MAX);
	assert_false(num_hex(str_of("0x"), &u));
	assert_false(num_hex(str_of("g"), &u));
}

static void shown(void **s)
{
	char t[NUM_TEXT];

	(void)s;
	assert_string_equal(num_show_bytes(0, t), "0 B");
	assert_string_equal(num_show_bytes(1023, t), "1023 B");
	assert_string_equal(num_show_bytes(1024, t), "1.0 KiB");
	assert_string_equal(num_show_bytes(1048575, t), "1.0 MiB");
	assert_string_equal(num_show_bytes(UINT64_MAX, t), "16384.0 PiB");
	assert_string_equal(num_show_duration(999, t), "999 ms");
	assert_string_equal(num_show_duration(5500, t), "5.5 s");
	assert_string_equal(num_show_duration(90000, t), "90 s");
	assert_string_equal(num_show_duration(360000, t), "6 min");
	assert_string_equal(num_show_duration(9000000, t), "2 h 30 min");
	assert_string_equal(num_show_duration(200000000, t), "2 d 7 h");
}

static void calendar(void **s)
{
	char t[CIVIL_TEXT];
	int64_t v;

	(void)s;
	/* Every day of 1600..2500 there and back; the next day is the next date. */
	struct civil last = civil_of(-11676096000);
	assert_int_equal(last.year, 1600);
	for (int64_t d = -11676096000; d < 16756761600; d += 86400) {
		struct civil c = civil_of(d);
		assert_true(civil_unix(&c) == d);
		assert_true(c.day == last.day + 1 || c.day == 1 || d == -11676096000);
		last = c;
	}
	assert_string_equal(civil_show(1785110706, t), "2026-07-27T00:05:06Z");
	assert_true(civil_parse(str_of("2026-07-27T00:05:06Z"), &v));
	assert_true(v == 1785110706);
	assert_true(civil_parse(str_of("2024-02-29T12:00Z"), &v));
	assert_true(civil_parse(str_of("1785110706"), &v));
	assert_false(civil_parse(str_of("2026-02-29T12:00Z"), &v));
	assert_false(civil_parse(str_of("2026-13-01T12:00Z"), &v));
	assert_false(civil_parse(str_of("2026-01-01T12:00"), &v));
	assert_false(civil_parse(str_of("tomorrow"), &v));
}

static void globs(void **s)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} t[] = {{"a/*", "a/b", true},
		 {"a/*", "a/b/c", false},
		 {"a/**", "a/b/c", true},
		 {"*/cache", "a/cache", true},
		 {"**/cache", "a/b/cache", true},
		 {"a?c", "abc", true},
		 {"a?c", "a/c", false},
		 {"", "", true},
		 {"*", "", true},
		 {"a*b*c", "aXbYc", true},
		 {"a*b*c", "aXbY", false},
		 {"**x/*y", "a/bx/zy", true}};

	(void)s;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (str_glob(t[i].pattern, t[i].text) != t[i].match)
			fail_msg("'%s' on '%s'", t[i].pattern, t[i].text);
}

static void text(void **s)
{
	size_t bad = 0;

	(void)s;
	assert_true(str_is_utf8(str_of("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), &bad));
	static const char *const broken[] = {"a\xc3",	     "a\x80", "a\xc0\x80", "a\xed\xa0\x80", "a\xf5\x80\x80\x80",
					     "a\xe0\x80\x80"};
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		assert_false(str_is_utf8(str_of(broken[i]), &bad));
		assert_int_equal(bad, 1);
	}
	assert_int_equal(str_distance("linger", "linger"), 0);
	assert_int_equal(str_distance("ligner", "linger"), 1);
	assert_int_equal(str_distance("", "abc"), 3);
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	struct str rest = str_of("a=b=c");
	assert_true(str_eq(str_cut(&rest, '='), "a"));
	assert_true(str_eq(rest, "b=c"));
	assert_true(str_eq(str_trim(str_of(" \tx y\n")), "x y"));
}

static void memory(void **s)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct strings v = {0};

	(void)s;
	for (size_t i = 0; i < 1000; i++)
		*vec_add(&v, &a) = arena_printf(&a, "%zu", i);
	assert_string_equal(v.v[999], "999");
	char *big = arena_alloc(&a, 1 << 20);
	assert_int_equal(big[(1 << 20) - 1], 0);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.n, 20000);
	buf_drop(&b, 19998);
	assert_string_equal(buf_text(&b), "9,");
}

static void errors(void **s)
{
	struct err e;
	char line[128];

	(void)s;
	assert_int_equal(err_set(&e, ERR_BUSY, "'%s' runs already", "safe"), -1);
	err_why(&e, "since %d", 5);
	err_hint(&e, "wait");
	err_wrap(&e, "cannot start");
	err_line(&e, line, sizeof(line));
	assert_string_equal(line, "cannot start: 'safe' runs already: since 5");
	assert_string_equal(e.hint, "wait");
	assert_int_equal(err_exit_code(&e), 4);
	err_why(&e, "%s", "\033[2Jone\r\n\ttwo\x7f\xc3\xa9");
	assert_string_equal(e.why, " [2Jone \n\ttwo \xc3\xa9");
	for (int k = ERR_NONE; k <= ERR_SYSTEM; k++)
		assert_int_equal(err_kind_of(err_kind_name((enum err_kind)k)), k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations), cmocka_unit_test(sizes),    cmocka_unit_test(integers),
	    cmocka_unit_test(shown),	 cmocka_unit_test(calendar), cmocka_unit_test(globs),
	    cmocka_unit_test(text),	 cmocka_unit_test(memory),   cmocka_unit_test(errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
