/* Spans and reports: their JSON there and back, what is refused, and when something is tried again. */
#include "check.h"

#include "plan/report_plan.h"
#include "wire/report_json.h"
#include "wire/trace_json.h"

static void spans_there_and_back(void **state)
{
	static const char text[] =
	    "[{\"id\":1,\"parent\":0,\"name\":\"backup.run\",\"began_ms\":1764579600123,\"ended_ms\":0,"
	    "\"outcome\":\"running\",\"attrs\":{}},"
	    "{\"id\":2,\"parent\":1,\"name\":\"snapshot.take\",\"began_ms\":1764579600124,\"ended_ms\":1764579601000,"
	    "\"outcome\":\"success\",\"attrs\":{\"snapshots\":4,\"clean\":true,\"ratio\":0.5,\"host\":\"h\xc3\xb6\"}}]";
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct trace t = {.id = "00"};
	struct err e;
	char id[17], other[17];

	(void)state;
	AUTO(json) json_t *j = json_parse(str_of(text), "", &e);
	assert_int_equal(trace_spans_read(j, &a, &t.spans, &e), 0);
	assert_int_equal(trace_attr(trace_find(&t, 2), "snapshots")->number, 4);
	assert_int_equal(trace_attr(trace_find(&t, 2), "ratio")->type, TRACE_REAL);
	assert_null(trace_attr(trace_find(&t, 2), "snap"));
	assert_null(trace_find(&t, 3));
	AUTO(json) json_t *again = trace_spans_json(&t.spans);
	json_write(&b, again);
	assert_string_equal(buf_text(&b), text);
	/* Two spans, and the same span of two traces, are not taken for one. */
	assert_string_not_equal(trace_span_id(&t, 1, id), trace_span_id(&t, 2, other));
	assert_string_not_equal(id, trace_span_id(&(struct trace){.id = "01"}, 1, other));
	/* A run that died: what had an end keeps it. */
	trace_bury(&t, 1764579700000);
	assert_int_equal(t.spans.v[0].ended_ms, 1764579700000);
	assert_int_equal(t.spans.v[0].outcome, TRACE_DIED);
	assert_int_equal(t.spans.v[1].ended_ms, 1764579601000);
	assert_int_equal(t.spans.v[1].outcome, TRACE_SUCCESS);
	/* An attribute is there once. */
	trace_put_text(&t.spans.v[1], &a, "snapshots", "five");
	trace_put_text(&t.spans.v[1], &a, "none", NULL);
	assert_int_equal(t.spans.v[1].attrs.n, 4);
	assert_int_equal(trace_attr(&t.spans.v[1], "snapshots")->type, TRACE_TEXT);
}

static void what_is_no_span(void **state)
{
	static const char good[] = "{\"id\":2,\"parent\":1,\"name\":\"x\",\"began_ms\":1,\"ended_ms\":0,"
				   "\"outcome\":\"running\",\"attrs\":{\"a\":1}}";
	static const struct {
		const char *old, *new;
	} cases[] = {
	    {"\"id\":2", "\"id\":0"},
	    {"\"id\":2", "\"id\":1"},
	    {"\"id\":2", "\"id\":\"2\""},
	    {"\"parent\":1", "\"parent\":-1"},
	    {"\"name\":\"x\"", "\"name\":7"},
	    {"\"began_ms\":1", "\"began_ms\":-1"},
	    {"\"ended_ms\":0", "\"ended_ms\":0.5"},
	    {"running", "runs"},
	    {"{\"a\":1}", "[]"},
	    {"{\"a\":1}", "{\"a\":null}"},
	    {"{\"a\":1}", "{\"a\":{\"b\":1}}"},
	};
	AUTO(arena) struct arena a = {0};
	struct trace_span s;
	struct err e;

	(void)state;
	AUTO(json) json_t *whole = json_parse(str_of(good), "", &e);
	assert_int_equal(trace_span_read(whole, &a, &s, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *at = strstr(good, cases[i].old);
		const char *text =
		    arena_printf(&a, "%.*s%s%s", (int)(at - good), good, cases[i].new, at + strlen(cases[i].old));
		AUTO(json) json_t *j = json_parse(str_of(text), "", &e);
		assert_non_null(j);
		assert_int_equal(trace_span_read(j, &a, &s, &e), -1);
	}
	assert_int_equal(trace_span_read(NULL, &a, &s, &e), -1);
}

static void reports_there_and_back(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
	    {"{\"kind\":\"run\",\"at_ms\":5,\"backup\":\"b\",\"run\":7,\"title\":\"t\"}", true},
	    {"{\"kind\":\"alert\",\"at_ms\":5,\"backup\":\"b\",\"key\":\"k\",\"severity\":\"warn\",\"title\":\"t\","
	     "\"text\":\"x\\ny\"}",
	     true},
	    {"{\"kind\":\"test\",\"at_ms\":5,\"title\":\"t\"}", true},
	    {"{\"kind\":\"run\",\"at_ms\":5,\"backup\":\"b\",\"title\":\"t\"}", false},
	    {"{\"kind\":\"start\",\"at_ms\":5,\"run\":7,\"title\":\"t\"}", false},
	    {"{\"kind\":\"alert\",\"at_ms\":5,\"key\":\"k\",\"title\":\"t\"}", false},
	    {"{\"kind\":\"clear\",\"at_ms\":5,\"severity\":\"warn\",\"title\":\"t\"}", false},
	    {"{\"kind\":\"other\",\"at_ms\":5,\"title\":\"t\"}", false},
	    {"{\"kind\":\"test\",\"at_ms\":-5,\"title\":\"t\"}", false},
	    {"{\"kind\":\"test\",\"title\":\"t\"}", false},
	    {"{\"kind\":\"test\",\"at_ms\":5}", false},
	    {"[]", false},
	};
	AUTO(arena) struct arena a = {0};
	struct report r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(json) json_t *j = json_parse(str_of(cases[i].text), "", &e);
		AUTO(buf) struct buf b = {0};
		assert_int_equal(report_read(j, &a, &r, &e), cases[i].good ? 0 : -1);
		if (!cases[i].good)
			continue;
		AUTO(json) json_t *again = report_json(&r);
		json_write(&b, again);
		assert_string_equal(buf_text(&b), cases[i].text);
	}
}

static void when_again(void **state)
{
	static const struct {
		int64_t tries, asked_ms, least, most;
	} cases[] = {
	    {1, 0, 8000, 12000},
	    {2, 0, 16000, 24000},
	    {9, 0, 2048000, 3072000},
	    {10, 0, 2880000, 4320000},
	    {1000000, 0, 2880000, 4320000},
	    {1, 60000, 60000, 72000},
	    {1, 1000, 10000, 12000},
	    {1, INT64_MAX, 86400000, 103680000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t first = report_wait_ms(cases[i].tries, cases[i].asked_ms, 0);
		bool differs = false;
		for (uint64_t seed = 0; seed < 200; seed++) {
			int64_t wait = report_wait_ms(cases[i].tries, cases[i].asked_ms, seed * 0x9e3779b97f4a7c15ULL);
			assert_in_range(wait, cases[i].least, cases[i].most);
			differs |= wait != first;
		}
		assert_true(differs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spans_there_and_back),
	    cmocka_unit_test(what_is_no_span),
	    cmocka_unit_test(reports_there_and_back),
	    cmocka_unit_test(when_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
