/* The pages: whatever is in a name or an error stays text; and what the server makes of requests. */
#include "check.h"

#include "model/run.h"
#include "plan/health_plan.h"
#include "plan/web_route.h"
#include "wire/page.h"

enum { NOW = 1700000000 };

/* Ends whatever it may stand in, and begins an element that no page has. */
#define HOSTILE "x\"'>--></title></script><i id=evil onload=evil()>&amp;\x01\xff"

static void text(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"", ""},
	    {"tank/a b", "tank/a b"},
	    {"<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"},
	    {"é…", "é…"},
	    {"a\xff\xfe"
	     "b",
	     "a\xef\xbf\xbd\xef\xbf\xbd"
	     "b"},
	    {"\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"a\x01\x1b[2J\x7f", "a\xef\xbf\xbd\xef\xbf\xbd[2J\xef\xbf\xbd"},
	    {"a\n\tb", "a\n\tb"},
	};
	AUTO(buf) struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&b);
		html_text(&b, cases[i].from);
		assert_string_equal(buf_text(&b), cases[i].to);
	}
	buf_clear(&b);
	html_query(&b, "tank/a b&c=%\"\xff");
	assert_string_equal(buf_text(&b), "tank/a%20b%26c%3D%25%22%FF");
	buf_clear(&b);
	html_text(&b, NULL);
	html_age(&b, 0, NOW, &(struct zone){0});
	html_age(&b, NOW - 360, NOW, &(struct zone){0});
	assert_string_equal(buf_text(&b), "never<time datetime=\"2023-11-14T22:07:20Z\" title=\"2023-11-14 22:07 "
					  "+00:00\">6 min</time>");
	buf_clear(&b);
	html_bar(&b, 0.5, 7, "ok");
	html_bar(&b, 1, 1, "ok");
	html_bar(&b, -3, -2, "ok");
	assert_non_null(strstr(buf_text(&b), "x=\"500.0\" width=\"500.0\""));
	assert_non_null(strstr(buf_text(&b), "x=\"996.0\" width=\"4.0\""));
	assert_non_null(strstr(buf_text(&b), "x=\"0.0\" width=\"4.0\""));
}

/* Elements end in the order in which they began, and none is the hostile one. */
static void check_page(const struct buf *page)
{
	static const char *const empty[] = {"!doctype", "meta", "link", "rect", "br"};
	char open[64][16];
	size_t depth = 0;

	assert_null(strstr(buf_text(page), "<i "));
	assert_null(strstr(buf_text(page), "onload=evil()>"));
	for (const char *p = strchr(buf_text(page), '<'); p != NULL; p = strchr(p + 1, '<')) {
		char name[16] = "";
		bool ends = p[1] == '/';
		size_t n = strcspn(p + 1 + ends, " >\n/");
		assert_true(n > 0 && n < sizeof(name));
		memcpy(name, p + 1 + ends, n);
		const char *close = strchr(p, '>');
		assert_non_null(close);
		bool alone = close[-1] == '/';
		for (size_t i = 0; i < ARRAY_LEN(empty); i++)
			alone |= !ends && strcmp(empty[i], name) == 0 && strcmp(name, "rect") != 0;
		if (alone)
			continue;
		if (!ends) {
			assert_true(depth < ARRAY_LEN(open));
			memcpy(open[depth++], name, sizeof(name));
		} else {
			if (depth == 0 || strcmp(open[depth - 1], name) != 0)
				fail_msg("</%s> ends <%s>: %.60s", name, depth == 0 ? "" : open[depth - 1], p);
			depth--;
		}
	}
	assert_int_equal(depth, 0);
}

static struct fact_trouble trouble = {"conflict", HOSTILE, HOSTILE, "dormouse " HOSTILE};

static void hostile(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct target targets[] = {{.name = HOSTILE, .kind = "exec"}};
	struct backup backups[] = {{.name = HOSTILE,
				    .source = HOSTILE,
				    .dest = "v",
				    .dest_target = HOSTILE,
				    .run = {.kind = SCHEDULE_EVERY, .every_s = 60, .text = HOSTILE}}};
	struct config c = {.targets = {targets, 1, 1}, .backups = {backups, 1, 1}, .alerting = {.pool_full = 90}};
	struct fact_run runs[] = {
	    {.id = 2, .backup = HOSTILE, .began = NOW - 5, .stage = HOSTILE, .bytes = 5, .total = 9},
	    {.id = 1, .backup = HOSTILE, .began = NOW - 50, .ended = NOW - 40, .exit = 2, .trouble = trouble}};
	struct fact_dataset datasets[] = {{.backup = HOSTILE, .name = HOSTILE, .trouble = trouble},
					  {.backup = HOSTILE, .name = HOSTILE, .proven = true, .newest_at = NOW - 9}};
	struct fact_machine machines[] = {
	    {.target = HOSTILE, .state = HOSTILE, .users = HOSTILE, .since = NOW - 9, .trouble = trouble}};
	struct fact_sink sinks[] = {{.name = HOSTILE, .error = HOSTILE, .failing_at = 1}};
	struct fact_pool pools[] = {{HOSTILE, HOSTILE, HOSTILE, 9, 9}};
	struct fact_filter filters[] = {{HOSTILE, HOSTILE}};
	const char *names[] = {HOSTILE};
	struct facts f = {.now = NOW,
			  .runs = {runs, 2, 2},
			  .datasets = {datasets, 2, 2},
			  .machines = {machines, 1, 1},
			  .sinks = {sinks, 1, 1},
			  .pools = {pools, 1, 1},
			  .unmatched = {filters, 1, 1},
			  .uncovered = {names, 1, 1},
			  .host = trouble};
	struct health h;

	(void)state;
	health_plan(&c, &f, &a, &h);
	for (int served = 0; served < 2; served++) {
		buf_clear(&b);
		page_status(&h, served, &b);
		check_page(&b);
		/* Each of them is there. */
		size_t n = 0;
		for (const char *p = buf_text(&b); (p = strstr(p, "id=evil")) != NULL; p++)
			n++;
		assert_true(n >= 14);
		assert_true((strstr(buf_text(&b), "<script") != NULL) == served);
		assert_true((strstr(buf_text(&b), "<style>") != NULL) == !served);
	}
	/* How far it is, and how much of what nobody knows. */
	assert_non_null(strstr(buf_text(&b), ">5 B of 9 B, some 4.0 s left<"));
	runs[0].total = 0;
	buf_clear(&b);
	page_status(&h, true, &b);
	assert_non_null(strstr(buf_text(&b), ">5 B so far<"));
	struct trace_span spans[] = {{.id = 1, .name = HOSTILE, .began_ms = 5, .outcome = TRACE_FAILED},
				     {.id = 2, .parent = 1, .name = "x", .began_ms = 9, .ended_ms = 7}};
	trace_put_text(&spans[0], &a, HOSTILE, HOSTILE);
	trace_put_text(&spans[0], &a, "dataset", HOSTILE);
	struct page_line lines[] = {{NOW, HOSTILE}};
	buf_clear(&b);
	page_run(&(struct page_run){.now = NOW,
				    .zone = &f.zone,
				    .run = &runs[1],
				    .spans = &(struct trace_spans){spans, 2, 2},
				    .lines = &(struct page_lines){lines, 1, 1}},
		 &b);
	check_page(&b);
	struct point points[] = {{.name = HOSTILE, .guid = 5, .creation = NOW - 5}};
	struct dataset d = {.name = HOSTILE, .points = {points, 1, 1}};
	buf_clear(&b);
	page_dataset(
	    &(struct page_dataset){
		.now = NOW, .zone = &f.zone, .backup = HOSTILE, .name = HOSTILE, .copy = &d, .copy_seen = NOW},
	    &b);
	check_page(&b);
	buf_clear(&b);
	page_error(HOSTILE, HOSTILE, &b);
	check_page(&b);
}

/* The snapshots of both sides, newest first, and the whole command for what the archive has. */
static void snapshots(void **state)
{
	AUTO(buf) struct buf b = {0};
	struct point here[] = {{.name = "new", .guid = 9, .creation = NOW - 5},
			       {.name = "both", .guid = 7, .creation = NOW - 60}};
	struct point there[] = {{.name = "both", .guid = 7, .creation = NOW - 60},
				{.name = "it's old", .guid = 5, .creation = NOW - 600},
				{.kind = POINT_BOOKMARK, .name = "mark", .guid = 3}};
	struct dataset local = {.name = "tank/x", .points = {here, 2, 2}},
		       copy = {.name = "v/tank/x", .points = {there, 3, 3}};
	struct zone utc = {0};

	(void)state;
	page_dataset(&(struct page_dataset){.now = NOW,
					    .zone = &utc,
					    .backup = "b",
					    .name = "tank/x",
					    .local = &local,
					    .copy = &copy,
					    .local_seen = NOW,
					    .copy_seen = NOW},
		     &b);
	check_page(&b);
	const char *new = strstr(buf_text(&b), ">new<"), *both = strstr(buf_text(&b), ">both<"),
		   *old = strstr(buf_text(&b), ">it&#39;s old<");
	assert_true(new != NULL &&new < both &&both < old);
	assert_null(strstr(buf_text(&b), "mark"));
	assert_non_null(strstr(new, "<td>yes</td><td><span class=\"warn\">not yet</span></td><td></td>"));
	assert_non_null(strstr(old, "<td>gone</td><td><span class=\"ok\">yes</span></td>"));
	assert_non_null(
	    strstr(buf_text(&b),
		   "dormouse restore --backup &#39;b&#39; &#39;tank/x@both&#39; --to &#39;tank/x-restored&#39;"));
	/* Nobody has looked: that is not "gone". */
	buf_clear(&b);
	page_dataset(
	    &(struct page_dataset){
		.now = NOW, .zone = &utc, .backup = "b", .name = "tank/x", .copy = &copy, .copy_seen = NOW},
	    &b);
	assert_null(strstr(buf_text(&b), "gone"));
	assert_non_null(strstr(buf_text(&b), "<td>?</td>"));
}

/* Days are those of local time, and a year of runs and a thousand datasets are no long page. */
static void days(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct backup backups[] = {{.name = "b", .source = "tank", .dest = "v"}};
	struct config c = {.backups = {backups, 1, 1}, .alerting = {.pool_full = 90}};
	struct zone_part east[] = {{INT64_MIN, 7200}};
	struct facts f = {.now = NOW, .zone = {east, 1, 1}};
	struct health h;

	(void)state;
	/* 22:13 UTC is after midnight there: the run of two hours ago is yesterday's. */
	*vec_add(&f.runs, &a) = (struct fact_run){.id = 3, .backup = "b", .began = NOW - 60, .ended = NOW, .exit = 0};
	*vec_add(&f.runs, &a) =
	    (struct fact_run){.id = 2, .backup = "b", .began = NOW - 7200, .ended = NOW - 7100, .exit = 2};
	*vec_add(&f.runs, &a) = (struct fact_run){.id = 1, .backup = "other", .began = NOW - 7200, .ended = NOW - 7100};
	health_plan(&c, &f, &a, &h);
	page_status(&h, true, &b);
	assert_non_null(
	    strstr(buf_text(&b), "The last 90 days: 1 with good runs only, 1 with runs that failed, 88 without"));
	assert_non_null(strstr(buf_text(&b), "<title>2023-11-15: 1 run</title>"));
	assert_non_null(strstr(buf_text(&b), "<title>2023-11-14: 1 run, 1 failed</title>"));
	for (int i = 0; i < 8760; i++)
		*vec_add(&f.runs, &a) =
		    (struct fact_run){.backup = "b", .began = NOW - 9000 - 3600 * i, .ended = NOW - 8000 - 3600 * i};
	for (int i = 0; i < 1000; i++)
		*vec_add(&f.datasets, &a) = (struct fact_dataset){
		    .backup = "b", .name = arena_printf(&a, "tank/%03d", i), .proven = true, .newest_at = NOW - 60};
	buf_clear(&b);
	health_plan(&c, &f, &a, &h);
	page_status(&h, true, &b);
	check_page(&b);
	assert_non_null(strstr(buf_text(&b), "<summary>976 more, all safe</summary>"));
	assert_true(b.n < 1 << 20);
}

/* What stands for a span, in the order and the depth that they have. */
static void waterfall(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct trace_span spans[] = {
	    {.id = 1, .name = "backup.run", .began_ms = 1000, .ended_ms = 11000, .outcome = TRACE_SUCCESS},
	    {.id = 2,
	     .parent = 1,
	     .name = "machine.start",
	     .began_ms = 1000,
	     .ended_ms = 6000,
	     .outcome = TRACE_SUCCESS},
	    {.id = 3, .parent = 2, .name = "ssh", .began_ms = 6000, .ended_ms = 8500, .outcome = TRACE_TIMEOUT}};
	struct fact_run run = {
	    .id = 7, .backup = "b", .began = 1, .ended = 11, .took_ms = 10000, .datasets = 2, .proven = 2};
	struct page_line line = {3600 + 62, "said"};
	struct page_lines lines = {&line, 1, 1};
	struct zone utc = {0};

	(void)state;
	trace_put_text(&spans[2], &a, "dataset", "tank/x");
	trace_put_int(&spans[2], &a, "bytes", 5);
	trace_put_bool(&spans[2], &a, "resumed", true);
	trace_put_real(&spans[2], &a, "rate", 0.5);
	page_run(
	    &(struct page_run){
		.now = 99, .zone = &utc, .run = &run, .spans = &(struct trace_spans){spans, 3, 3}, .lines = &lines},
	    &b);
	check_page(&b);
	const char *start = strstr(buf_text(&b), "class=\"d1\">machine.start"),
		   *ssh = strstr(buf_text(&b), "class=\"d2\">ssh tank/x");
	assert_true(start != NULL && ssh != NULL && start < ssh);
	assert_non_null(strstr(start, "x=\"0.0\" width=\"500.0\""));
	assert_non_null(strstr(ssh, "class=\"critical\" x=\"500.0\" width=\"250.0\""));
	assert_non_null(strstr(ssh, "<li>bytes 5</li><li>resumed yes</li><li>rate 0.5</li>"));
	assert_non_null(strstr(ssh, "01:01:02  said\n</pre>"));
	assert_non_null(strstr(ssh, ">2.5 s</td><td class=\"critical\">timeout<"));
}

static void routes(void **state)
{
	const char *other[] = {"backup.example"};
	const struct web_rules open = {.hosts = {other, 1, 1}},
			       guarded = {.hosts = {other, 1, 1}, .token = "0123456789abcdef"},
			       any = {.any_host = true};
	const struct {
		const struct web_rules *rules;
		const char *method, *path, *host, *password, *name;
		int status;
		enum web_page page;
	} cases[] = {
	    {&open, "GET", "/", "localhost:7980", NULL, NULL, 200, WEB_STATUS},
	    {&open, "HEAD", "/style.css", "127.0.0.1", NULL, NULL, 200, WEB_STYLE},
	    {&open, "GET", "/", "[::1]:7980", NULL, NULL, 200, WEB_STATUS},
	    {&open, "GET", "/", "LOCALHOST", NULL, NULL, 200, WEB_STATUS},
	    {&open, "GET", "/", "backup.example:80", NULL, NULL, 200, WEB_STATUS},
	    /* A stranger's name that leads here, or none at all. */
	    {&open, "GET", "/", "evil.example", NULL, NULL, 421, 0},
	    {&open, "GET", "/", "evil.example:7980", NULL, NULL, 421, 0},
	    {&open, "GET", "/", "localhost.evil.example", NULL, NULL, 421, 0},
	    {&open, "GET", "/", "[::1", NULL, NULL, 421, 0},
	    {&open, "GET", "/", "", NULL, NULL, 421, 0},
	    {&open, "GET", "/", NULL, NULL, NULL, 421, 0},
	    {&any, "GET", "/live.js", NULL, NULL, NULL, 200, WEB_SCRIPT},
	    {&any, "GET", "/", "evil.example", NULL, NULL, 200, WEB_STATUS},
	    {&open, "POST", "/", "localhost", NULL, NULL, 405, 0},
	    {&open, "get", "/", "localhost", NULL, NULL, 405, 0},
	    {&guarded, "GET", "/", "localhost", NULL, NULL, 401, 0},
	    {&guarded, "GET", "/style.css", "localhost", "", NULL, 401, 0},
	    {&guarded, "GET", "/", "localhost", "0123456789abcdeF", NULL, 401, 0},
	    {&guarded, "GET", "/", "localhost", "0123456789abcdef0123456789abcdef", NULL, 401, 0},
	    {&guarded, "GET", "/", "localhost", "0123456789abcde", NULL, 401, 0},
	    {&guarded, "GET", "/nothing", "localhost", NULL, NULL, 401, 0},
	    {&guarded, "GET", "/", "localhost", "0123456789abcdef", NULL, 200, WEB_STATUS},
	    {&open, "GET", "/metrics", "localhost:7980", NULL, NULL, 200, WEB_METRICS},
	    {&open, "GET", "/metrics", "evil.example", NULL, NULL, 421, 0},
	    {&guarded, "GET", "/metrics", "localhost", NULL, NULL, 401, 0},
	    {&open, "GET", "/run/17", "localhost", NULL, NULL, 200, WEB_RUN},
	    {&open, "GET", "/run/", "localhost", NULL, NULL, 404, 0},
	    {&open, "GET", "/run/-1", "localhost", NULL, NULL, 404, 0},
	    {&open, "GET", "/run/99999999999999999999", "localhost", NULL, NULL, 404, 0},
	    {&open, "GET", "/run/1/", "localhost", NULL, NULL, 404, 0},
	    {&open, "GET", "/../etc/passwd", "localhost", NULL, NULL, 404, 0},
	    {&open, "GET", "//", "localhost", NULL, NULL, 404, 0},
	    {&open, "GET", "/dataset", "localhost", NULL, NULL, 404, 0},
	    {&open, "GET", "/dataset", "localhost", NULL, "tank", 200, WEB_DATASET},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct web_request asked = {.method = cases[i].method,
						  .path = cases[i].path,
						  .host = cases[i].host,
						  .password = cases[i].password,
						  .backup = "b",
						  .name = cases[i].name};
		struct web_route r = web_route(cases[i].rules, &asked);
		if (r.status != cases[i].status || (r.status == 200 && r.page != cases[i].page))
			fail_msg("case %zu: %d, page %d", i, r.status, r.page);
	}
	/* As a program says it; a password in the place of that is none. */
	static const struct {
		const char *authorization;
		int status;
	} bearers[] = {{"Bearer 0123456789abcdef", 200},
		       {"bearer 0123456789abcdef", 200},
		       {"Bearer ", 401},
		       {"Bearer", 401},
		       {"0123456789abcdef", 401},
		       {"Basic 0123456789abcdef", 401},
		       {"Bearer 0123456789abcdef ", 401},
		       {"Bearer 0123456789abcde", 401}};
	for (size_t i = 0; i < ARRAY_LEN(bearers); i++) {
		const struct web_request asked = {.method = "GET",
						  .path = "/metrics",
						  .host = "localhost",
						  .authorization = bearers[i].authorization};
		if (web_route(&guarded, &asked).status != bearers[i].status)
			fail_msg("'%s'", bearers[i].authorization);
	}
	assert_int_equal(
	    web_route(&open, &(struct web_request){.method = "GET", .path = "/run/17", .host = "localhost"}).run, 17);
	assert_true(web_route_is_local("localhost:1") && web_route_is_local("127.0.0.1:1") &&
		    web_route_is_local("[::1]:1"));
	assert_false(web_route_is_local(":1") || web_route_is_local("0.0.0.0:1") || web_route_is_local("[::]:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(text),	cmocka_unit_test(hostile),
					   cmocka_unit_test(snapshots), cmocka_unit_test(days),
					   cmocka_unit_test(waterfall), cmocka_unit_test(routes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
