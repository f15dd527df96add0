/* What each sink is sent, byte for byte, and what its answers mean; redaction, metrics and the waterfall beside it. */
#include "check.h"

#include "drivers/sha256.h"
#include "plan/waterfall.h"
#include "wire/courier.h"
#include "wire/hmac.h"
#include "wire/metrics.h"
#include "wire/redact.h"

#define ID  "0123456789abcdef0123456789abcdef"
#define AT  1764579600000LL /* 2025-12-01T09:00:00Z */
#define RID "01234567-89ab-cdef-0123-456789abcdef"

static const struct sink_secrets keys = {.url = "https://s", .key = "KEY"};
static const struct sink honeycomb = {.kind = SINK_HONEYCOMB, .dataset = "zfs replication/a"};

/* A run of 2 s in which a dataset was sent. */
static struct report run(enum trace_outcome outcome, struct arena *a)
{
	struct report r = {.kind = REPORT_RUN,
			   .at_ms = AT + 2500,
			   .host = "nas",
			   .backup = "safe",
			   .run = 7,
			   .title = "backup 'safe': done",
			   .outcome = outcome,
			   .log = "09:00:00  look\n09:00:02  done\n",
			   .trace = {.id = ID}};
	struct trace_span *root = vec_add(&r.trace.spans, a);
	*root = (struct trace_span){1, 0, "backup.run", AT, AT + 2000, outcome, {0}};
	trace_put_int(root, a, "duration_ms", 2000);
	trace_put_int(root, a, "bytes_sent", 4096);
	trace_put_int(root, a, "datasets_ok", 1);
	trace_put_int(root, a, "datasets_total", 1);
	if (outcome != TRACE_SUCCESS) {
		trace_put_text(root, a, "error.message", "cannot reach 'nas'");
		trace_put_text(root, a, "error.hint", "is it on?");
	}
	struct trace_span *s = vec_add(&r.trace.spans, a);
	*s = (struct trace_span){2, 1, "replicate.dataset", AT + 1, AT + 1001, TRACE_SUCCESS, {0}};
	trace_put_text(s, a, "dataset", "tank/h\xc3\xb6me");
	trace_put_real(s, a, "ratio", 0.5);
	trace_put_bool(s, a, "first", true);
	return r;
}

static struct report alert(void)
{
	return (struct report){.kind = REPORT_ALERT,
			       .at_ms = AT,
			       .host = "nas",
			       .key = "late/safe",
			       .severity = "critical",
			       .title = "no backup for 2 h",
			       .text = "dormouse status"};
}

static const char *span_id(int64_t id)
{
	static char text[2][17];
	const struct trace t = {.id = ID};
	return trace_span_id(&t, id, text[id - 1]);
}

static void to_honeycomb(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct report r = run(TRACE_SUCCESS, &a);
	struct sink_requests q = {0}, again = {0};

	(void)state;
	r.spooled = true;
	r.late_s = 90;
	sink_encode(&honeycomb, &keys, &r, &(struct span_ids){0}, &a, &q);
	assert_int_equal(q.n, 1);
	assert_string_equal(q.v[0].method, "POST");
	assert_string_equal(q.v[0].url, "https://s/1/batch/zfs%20replication%2Fa");
	assert_int_equal(q.v[0].headers.n, 2);
	assert_string_equal(q.v[0].headers.v[0].name, "content-type");
	assert_string_equal(q.v[0].headers.v[0].value, "application/json");
	assert_string_equal(q.v[0].headers.v[1].name, "x-honeycomb-team");
	assert_string_equal(q.v[0].headers.v[1].value, "KEY");
	assert_string_equal(
	    q.v[0].body,
	    arena_printf(
		&a,
		"[{\"time\":\"2025-12-01T09:00:00.000Z\",\"samplerate\":1,\"data\":{\"duration_ms\":2000,"
		"\"bytes_sent\":4096,\"datasets_ok\":1,\"datasets_total\":1,\"name\":\"backup.run\","
		"\"service.name\":\"dormouse\",\"host.name\":\"nas\",\"backup\":\"safe\",\"run_id\":7,\"trace.trace_"
		"id\":\"" ID "\",\"trace.span_id\":\"%s\",\"outcome\":\"success\",\"error\":false,\"spooled\":true,"
		"\"reported_late_s\":90}},"
		"{\"time\":\"2025-12-01T09:00:00.001Z\",\"samplerate\":1,\"data\":{\"dataset\":\"tank/h\xc3\xb6me\","
		"\"ratio\":0.5,\"first\":true,\"name\":\"replicate.dataset\",\"service.name\":\"dormouse\","
		"\"host.name\":\"nas\",\"backup\":\"safe\",\"run_id\":7,\"trace.trace_id\":\"" ID
		"\",\"trace.span_id\":\"%s\","
		"\"trace.parent_id\":\"%s\",\"duration_ms\":1000,\"outcome\":\"success\",\"error\":false,"
		"\"spooled\":true,\"reported_late_s\":90}}]",
		span_id(1), span_id(2), span_id(1)));
	/* What was told in part: only the rest. */
	struct span_ids left = {0};
	*vec_add(&left, &a) = 2;
	sink_encode(&honeycomb, &keys, &r, &left, &a, &again);
	assert_int_equal(again.v[0].spans.n, 1);
	assert_null(strstr(again.v[0].body, "backup.run"));
}

/* A body has a limit; each event is in one of them. */
static void to_honeycomb_in_parts(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct report r = run(TRACE_SUCCESS, &a);
	char *long_text = arena_alloc(&a, 100001);
	struct sink_requests q = {0};
	int64_t next = 1;

	(void)state;
	memset(long_text, 'x', 100000);
	for (int64_t id = 3; id <= 60; id++) {
		struct trace_span *s = vec_add(&r.trace.spans, &a);
		*s = (struct trace_span){id, 1, "x", AT, AT, TRACE_SUCCESS, {0}};
		trace_put_text(s, &a, "long", long_text);
	}
	sink_encode(&honeycomb, &keys, &r, &(struct span_ids){0}, &a, &q);
	assert_true(q.n > 3);
	for (size_t i = 0; i < q.n; i++) {
		struct err e;
		AUTO(json) json_t *list = json_parse(str_of(q.v[i].body), "", &e);
		assert_int_equal(json_array_size(list), q.v[i].spans.n);
		assert_true(strlen(q.v[i].body) <= 1000 * 1000);
		for (size_t k = 0; k < q.v[i].spans.n; k++)
			assert_int_equal(q.v[i].spans.v[k], next++);
	}
	assert_int_equal(next, 61);
}

static void to_otlp(void **state)
{
	AUTO(arena) struct arena a = {0};
	const struct report r = run(TRACE_FAILED, &a);
	struct sink s = {.kind = SINK_OTLP, .service = "dm"};
	struct sink_requests q = {0};
#define RESOURCE                                                                                       \
	"\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"dm\"}}," \
	"{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" DORMOUSE_VERSION "\"}},"          \
	"{\"key\":\"host.name\",\"value\":{\"stringValue\":\"nas\"}}]}"
#define SCOPE "\"scope\":{\"name\":\"dormouse\",\"version\":\"" DORMOUSE_VERSION "\"}"
#define GAUGE(name, unit, value)                                                                         \
	"{\"name\":\"dormouse." name "\",\"unit\":\"" unit                                               \
	"\",\"gauge\":{\"dataPoints\":[{\"attributes\":[{\"key\":\"backup\",\"value\":{\"stringValue\":" \
	"\"safe\"}}],\"timeUnixNano\":\"1764579602500000000\",\"asInt\":\"" value "\"}]}}"

	(void)state;
	strings_add_pair(&s.headers, &a, "x-team", "T");
	sink_encode(&s, &keys, &r, &(struct span_ids){0}, &a, &q);
	assert_int_equal(q.n, 2);
	assert_string_equal(q.v[0].url, "https://s/v1/traces");
	assert_int_equal(q.v[0].headers.n, 3);
	assert_string_equal(q.v[0].headers.v[1].value, "Bearer KEY");
	assert_string_equal(q.v[0].headers.v[2].name, "x-team");
	assert_string_equal(
	    q.v[0].body,
	    arena_printf(&a,
			 "{\"resourceSpans\":[{" RESOURCE ",\"scopeSpans\":[{" SCOPE ",\"spans\":[{\"traceId\":\"" ID
			 "\",\"spanId\":\"%s\",\"name\":\"backup.run\",\"kind\":1,"
			 "\"startTimeUnixNano\":\"1764579600000000000\",\"endTimeUnixNano\":\"1764579602000000000\","
			 "\"attributes\":[{\"key\":\"duration_ms\",\"value\":{\"intValue\":\"2000\"}},"
			 "{\"key\":\"bytes_sent\",\"value\":{\"intValue\":\"4096\"}},"
			 "{\"key\":\"datasets_ok\",\"value\":{\"intValue\":\"1\"}},"
			 "{\"key\":\"datasets_total\",\"value\":{\"intValue\":\"1\"}},"
			 "{\"key\":\"error.message\",\"value\":{\"stringValue\":\"cannot reach 'nas'\"}},"
			 "{\"key\":\"error.hint\",\"value\":{\"stringValue\":\"is it on?\"}},"
			 "{\"key\":\"outcome\",\"value\":{\"stringValue\":\"failed\"}},"
			 "{\"key\":\"run_id\",\"value\":{\"intValue\":\"7\"}},"
			 "{\"key\":\"spooled\",\"value\":{\"boolValue\":false}},"
			 "{\"key\":\"reported_late_s\",\"value\":{\"intValue\":\"0\"}},"
			 "{\"key\":\"reports_lost\",\"value\":{\"intValue\":\"0\"}}],"
			 "\"status\":{\"code\":2,\"message\":\"cannot reach 'nas'\"}},"
			 "{\"traceId\":\"" ID
			 "\",\"spanId\":\"%s\",\"parentSpanId\":\"%s\",\"name\":\"replicate.dataset\","
			 "\"kind\":1,\"startTimeUnixNano\":\"1764579600001000000\","
			 "\"endTimeUnixNano\":\"1764579601001000000\","
			 "\"attributes\":[{\"key\":\"dataset\",\"value\":{\"stringValue\":\"tank/h\xc3\xb6me\"}},"
			 "{\"key\":\"ratio\",\"value\":{\"doubleValue\":0.5}},"
			 "{\"key\":\"first\",\"value\":{\"boolValue\":true}},"
			 "{\"key\":\"outcome\",\"value\":{\"stringValue\":\"success\"}},"
			 "{\"key\":\"run_id\",\"value\":{\"intValue\":\"7\"}}],\"status\":{\"code\":1}}]}]}]}",
			 span_id(1), span_id(2), span_id(1)));
	assert_string_equal(q.v[1].url, "https://s/v1/metrics");
	assert_string_equal(
	    q.v[1].body,
	    "{\"resourceMetrics\":[{" RESOURCE ",\"scopeMetrics\":[{" SCOPE
	    ",\"metrics\":[" GAUGE("last_run", "s", "1764579602") "," GAUGE("run.duration", "ms", "2000") "," GAUGE(
		"run.bytes_sent", "By", "4096") "," GAUGE("run.datasets", "{dataset}", "1") "]}]}]}");
	/* Only a run in which all went well moves the last success. */
	const struct report good = run(TRACE_SUCCESS, &a);
	sink_encode(&s, &keys, &good, &(struct span_ids){0}, &a, &q);
	assert_non_null(strstr(q.v[3].body, GAUGE("last_success", "s", "1764579602")));
}

/* Kinds whose request is a line. */
static void to_the_others(void **state)
{
	AUTO(arena) struct arena a = {0};
	const struct report done = run(TRACE_SUCCESS, &a), failed = run(TRACE_FAILED, &a), wrong = alert();
	const struct report start = {.kind = REPORT_START, .title = "backup 'safe' began", .trace = {.id = ID}};
	const struct report test = {.kind = REPORT_TEST, .title = "a test"}, skipped = run(TRACE_SKIPPED, &a);
	const struct report clear = {.kind = REPORT_CLEAR, .title = "fine again", .severity = "critical"};
	struct report paid = run(TRACE_SUCCESS, &a);
	trace_put_real(&paid.trace.spans.v[0], &a, "cost.run", 0.00123);
	trace_put_text(&paid.trace.spans.v[0], &a, "cost.currency", "USD");
#define FACTS	   "1 of 1 datasets proven; 4.0 KiB in 2.0 s"
#define REASON	   FACTS "\ncannot reach 'nas'\nhint: is it on?"
#define LOG	   "\n09:00:00  look\n09:00:02  done\n"
#define NTFY(p, t) "\"priority\":" p ",\"tags\":[\"" t "\"]}"
	const struct {
		enum sink_kind kind;
		const char *key;
		const struct report *r;
		const char *url, *body; /* url NULL: nothing is sent */
	} cases[] = {
	    {SINK_HEALTHCHECKS, "UUID", &start, "https://s/UUID/start?rid=" RID, "backup 'safe' began\n"},
	    {SINK_HEALTHCHECKS, "UUID", &done, "https://s/UUID?rid=" RID, "backup 'safe': done\n" FACTS "\n" LOG},
	    {SINK_HEALTHCHECKS, "UUID", &paid, "https://s/UUID?rid=" RID,
	     "backup 'safe': done\n" FACTS "; about 0.0012 USD\n" LOG},
	    {SINK_HEALTHCHECKS, "UUID", &failed, "https://s/UUID/fail?rid=" RID,
	     "backup 'safe': done\n" REASON "\n" LOG},
	    {SINK_HEALTHCHECKS, "UUID", &wrong, "https://s/UUID/log", "no backup for 2 h\ndormouse status\n"},
	    {SINK_HEALTHCHECKS, "k/nas", &test, "https://s/k/nas/log?create=1", "a test\n"},
	    {SINK_HEALTHCHECKS, "k/nas", &start, "https://s/k/nas/start?rid=" RID "&create=1", "backup 'safe' began\n"},
	    {SINK_HEALTHCHECKS, "UUID", &skipped, "https://s/UUID/log?rid=" RID,
	     "backup 'safe': done\n" REASON "\n" LOG},
	    {SINK_UPTIME_KUMA, "to/ken", &done,
	     "https://s/api/push/to%2Fken?status=up&msg=backup%20%27safe%27%3A%20done&ping=2000", ""},
	    {SINK_UPTIME_KUMA, "t", &failed,
	     "https://s/api/push/t?status=down&msg=backup%20%27safe%27%3A%20done%3A%20cannot%20reach%20%27nas%27"
	     "&ping=2000",
	     ""},
	    {SINK_UPTIME_KUMA, "t", &start, NULL, NULL},
	    {SINK_UPTIME_KUMA, "t", &skipped, NULL, NULL},
	    {SINK_UPTIME_KUMA, "t", &wrong, "https://s/api/push/t?status=down&msg=no%20backup%20for%202%20h", ""},
	    {SINK_NTFY, "topic", &start, NULL, NULL},
	    {SINK_NTFY, "topic", &done, "https://s",
	     "{\"topic\":\"topic\",\"title\":\"nas: backup 'safe': done\",\"message\":\"" FACTS
	     "\"," NTFY("3", "white_check_mark")},
	    {SINK_NTFY, "topic", &failed, "https://s",
	     "{\"topic\":\"topic\",\"title\":\"nas: backup 'safe': done\",\"message\":\"" FACTS
	     "\\ncannot reach 'nas'\\nhint: is it on?\"," NTFY("4", "warning")},
	    {SINK_NTFY, "topic", &skipped, "https://s",
	     "{\"topic\":\"topic\",\"title\":\"nas: backup 'safe': done\",\"message\":\"" FACTS
	     "\\ncannot reach 'nas'\\nhint: is it on?\"," NTFY("4", "warning")},
	    {SINK_NTFY, "topic", &wrong, "https://s",
	     "{\"topic\":\"topic\",\"title\":\"nas: no backup for 2 h\",\"message\":\"dormouse status\"," NTFY(
		 "5", "warning")},
	    {SINK_NTFY, "topic", &clear, "https://s",
	     "{\"topic\":\"topic\",\"title\":\"fine again\",\"message\":\"fine again\"," NTFY("3", "white_check_mark")},
	    {SINK_WEBHOOK, "k", &wrong, "https://s",
	     "{\"kind\":\"alert\",\"at\":\"2025-12-01T09:00:00.000Z\",\"host\":\"nas\",\"title\":\"no backup for 2 h\","
	     "\"text\":\"dormouse status\",\"key\":\"late/safe\",\"severity\":\"critical\",\"spooled\":false,"
	     "\"reported_late_s\":0,\"reports_lost\":0}"},
	    {SINK_HONEYCOMB, "k", &start, NULL, NULL},
	    {SINK_OTLP, "k", &start, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct sink s = {.kind = cases[i].kind, .dataset = "d", .service = "s"};
		const struct sink_secrets k = {.url = "https://s", .key = cases[i].key, .token = "TOKEN"};
		struct sink_requests q = {0};
		sink_encode(&s, &k, cases[i].r, &(struct span_ids){0}, &a, &q);
		assert_int_equal(q.n, cases[i].url == NULL ? 0 : 1);
		if (q.n == 0)
			continue;
		assert_string_equal(q.v[0].url, cases[i].url);
		assert_string_equal(q.v[0].body, cases[i].body);
		assert_string_equal(q.v[0].method, s.kind == SINK_UPTIME_KUMA ? "GET" : "POST");
		if (s.kind == SINK_NTFY)
			assert_string_equal(q.v[0].headers.v[1].value, "Bearer TOKEN");
		if (s.kind == SINK_WEBHOOK)
			assert_string_equal(q.v[0].sign_key, "k");
	}
}

/* A run's whole JSON, as a webhook and a command get it, can be read again. */
static void whole_reports(void **state)
{
	AUTO(arena) struct arena a = {0};
	const struct report r = run(TRACE_FAILED, &a);

	(void)state;
	AUTO(json) json_t *j = sink_json(&r);
	assert_string_equal(json_text(j, "outcome", &a), "failed");
	assert_string_equal(json_text(j, "trace", &a), ID);
	assert_string_equal(json_text(j, "at", &a), "2025-12-01T09:00:02.500Z");
	assert_int_equal(json_array_size(json_object_get(j, "spans")), 2);
	assert_int_equal(json_integer_value(json_object_get(j, "run")), 7);
}

/* RFC 4231, test cases 2 and 6. */
static void signatures(void **state)
{
	unsigned char hash[HMAC_BYTES], key[131];
	char text[HMAC_TEXT];

	(void)state;
	hmac("Jefe", 4, str_of("what do ya want for nothing?"), sha256, hash);
	assert_string_equal(hmac_hex(hash, text), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac(key, sizeof(key), str_of("Test Using Larger Than Block-Size Key - Hash Key First"), sha256, hash);
	assert_string_equal(hmac_hex(hash, text), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void tails(void **state)
{
	static const struct {
		const char *log;
		size_t max;
		const char *tail;
	} cases[] = {
	    {"one\ntwo\nthree\n", 100, "one\ntwo\nthree\n"},
	    {"one\ntwo\nthree\n", 13, "two\nthree\n"},
	    {"one\ntwo\nthree\n", 7, "three\n"},
	    {"one\ntwo\nthree\n", 4, "ree\n"},
	    {"h\xc3\xb6\xc3\xb6", 3, "\xc3\xb6"},
	    {"", 0, ""},
	    {"x\n", 0, ""},
	};
	AUTO(arena) struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(sink_tail(cases[i].log, cases[i].max, &a), cases[i].tail);
}

static void mails(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct report r = alert();
	struct sink s = {.kind = SINK_MAIL, .from = "nas@example.org"};

	(void)state;
	*vec_add(&s.to, &a) = "a@example.org";
	*vec_add(&s.to, &a) = "b@example.org";
	r.title = "no backup\nBcc: x@example.org";
	mail_write(&b, &s, &r);
	assert_string_equal(buf_text(&b),
			    "From: nas@example.org\nTo: a@example.org, b@example.org\n"
			    "Subject: nas: no backup Bcc: x@example.org\n"
			    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
			    "Content-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n\n"
			    "no backup\nBcc: x@example.org\ndormouse status\n\n2025-12-01T09:00:00Z  nas\n");
	/* Encoded words, none of which breaks a character. */
	buf_clear(&b);
	r.host = NULL;
	r.title = "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
		  "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6";
	mail_write(&b, &s, &r);
	assert_non_null(strstr(buf_text(&b),
			       "Subject: =?UTF-8?B?w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2w7bDtsO2w7Y"
			       "=?=\n =?UTF-8?B?w7Y=?=\nMIME"));
}

static void journal(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	const struct report r = alert();
	static const char expected[] = "MESSAGE\n\x21\0\0\0\0\0\0\0no backup for 2 h\ndormouse status\nPRIORITY=2\n"
				       "SYSLOG_IDENTIFIER=dormouse\nDORMOUSE_REPORT=alert\nDORMOUSE_OUTCOME=running\n"
				       "DORMOUSE_TITLE=no backup for 2 h\nDORMOUSE_TEXT=dormouse status\n"
				       "DORMOUSE_KEY=late/safe\nDORMOUSE_SEVERITY=critical\n";

	(void)state;
	journald_write(&b, &r);
	assert_int_equal(b.n, sizeof(expected) - 1);
	assert_memory_equal(b.p, expected, b.n);
	buf_clear(&b);
	const struct report done = run(TRACE_PARTIAL, &a);
	journald_write(&b, &done);
	assert_non_null(memmem(b.p, b.n, "\nPRIORITY=4\n", 12));
	assert_non_null(memmem(b.p, b.n, "\nDORMOUSE_BYTES_SENT=4096\n", 26));
	assert_non_null(memmem(b.p, b.n, "\nDORMOUSE_ERROR_MESSAGE=cannot reach 'nas'\n", 43));
}

static void answers(void **state)
{
	static const struct {
		enum sink_kind kind;
		int64_t status;
		const char *body;
		int64_t retry_after_s;
		enum sink_said said;
		const char *why; /* contains; NULL: nothing is wrong */
		size_t left;
		int64_t wait_ms;
	} cases[] = {
	    {SINK_WEBHOOK, 200, "", 0, SINK_TAKEN, NULL, 0, 0},
	    {SINK_WEBHOOK, 204, "", 0, SINK_TAKEN, NULL, 0, 0},
	    {SINK_WEBHOOK, 301, "", 0, SINK_REFUSED, "301", 0, 0},
	    {SINK_WEBHOOK, 400, "{\"error\":\"bad\"}", 0, SINK_REFUSED, "400: bad", 0, 0},
	    {SINK_WEBHOOK, 401, "", 0, SINK_REFUSED, "401", 0, 0},
	    {SINK_WEBHOOK, 408, "", 0, SINK_LATER, "408", 0, 0},
	    {SINK_WEBHOOK, 429, "slow\x1b[2Jdown", 0, SINK_LATER, "429: slow [2Jdown", 0, 0},
	    {SINK_WEBHOOK, 503, "<html>", 17, SINK_LATER, "503", 0, 17000},
	    {SINK_WEBHOOK, 503, "", 1000000, SINK_LATER, "503", 0, 0},
	    {SINK_HONEYCOMB, 200, "[{\"status\":202},{\"status\":202}]", 0, SINK_TAKEN, NULL, 0, 0},
	    {SINK_HONEYCOMB, 200, "[{\"status\":202},{\"status\":400,\"error\":\"too many columns\"}]", 0, SINK_TAKEN,
	     "of 2 events it does not take 1: 400: too many columns", 0, 0},
	    {SINK_HONEYCOMB, 200, "[{\"status\":400},{\"status\":400}]", 0, SINK_REFUSED, "not take 2: 400", 0, 0},
	    {SINK_HONEYCOMB, 200, "[{\"status\":429},{\"status\":400}]", 0, SINK_LATER, "not take 2: 429", 1, 0},
	    {SINK_HONEYCOMB, 200, "[{\"status\":202}]", 0, SINK_REFUSED, "one for each event", 0, 0},
	    {SINK_HONEYCOMB, 200, "<html>", 0, SINK_REFUSED, "one for each event", 0, 0},
	    {SINK_HONEYCOMB, 200, "", 0, SINK_REFUSED, "one for each event", 0, 0},
	    {SINK_HONEYCOMB, 401, "{\"error\":\"unknown API key - check your credentials\"}", 0, SINK_REFUSED,
	     "401: unknown API key", 0, 0},
	    {SINK_HONEYCOMB, 429, "{\"error\":\"rate limiting\"}", 0, SINK_LATER, "429: rate limiting", 0, 0},
	    {SINK_OTLP, 200, "", 0, SINK_TAKEN, NULL, 0, 0},
	    {SINK_OTLP, 200, "{\"partialSuccess\":{}}", 0, SINK_TAKEN, NULL, 0, 0},
	    {SINK_OTLP, 200, "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"old\"}}", 0, SINK_TAKEN,
	     "not take 3 of what it was sent: old", 0, 0},
	    {SINK_OTLP, 200, "{\"partialSuccess\":{\"rejectedDataPoints\":2}}", 0, SINK_TAKEN, "not take 2", 0, 0},
	    {SINK_HEALTHCHECKS, 200, "OK", 0, SINK_TAKEN, NULL, 0, 0},
	    {SINK_HEALTHCHECKS, 200, "OK (not found)", 0, SINK_REFUSED, "no such check", 0, 0},
	    {SINK_HEALTHCHECKS, 200, "OK (rate limited)", 0, SINK_LATER, "too often", 0, 0},
	    {SINK_HEALTHCHECKS, 404, "not found", 0, SINK_REFUSED, "404", 0, 0},
	    {SINK_HEALTHCHECKS, 409, "", 0, SINK_REFUSED, "409", 0, 0},
	    {SINK_UPTIME_KUMA, 200, "{\"ok\":true}", 0, SINK_TAKEN, NULL, 0, 0},
	    {SINK_UPTIME_KUMA, 200, "{\"ok\":false,\"msg\":\"Monitor not found\"}", 0, SINK_REFUSED,
	     "it says: Monitor not found", 0, 0},
	    {SINK_UPTIME_KUMA, 200, "<html>", 0, SINK_REFUSED, "does not say", 0, 0},
	    {SINK_UPTIME_KUMA, 404, "{\"ok\":false,\"msg\":\"Monitor not found or not active.\"}", 0, SINK_REFUSED,
	     "404: Monitor not found", 0, 0},
	};
	AUTO(arena) struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct sink s = {.kind = cases[i].kind};
		struct sink_request q = {0};
		const struct sink_reply r = {cases[i].status, str_of(cases[i].body), cases[i].retry_after_s, 0};
		struct sink_answer x;
		*vec_add(&q.spans, &a) = 1;
		*vec_add(&q.spans, &a) = 2;
		sink_judge(&s, &q, &r, &a, &x);
		assert_int_equal(x.said, cases[i].said);
		assert_int_equal(x.left.n, cases[i].left);
		assert_int_equal(x.wait_ms, cases[i].wait_ms);
		assert_int_equal(x.why == NULL, cases[i].why == NULL);
		if (x.why != NULL && strstr(x.why, cases[i].why) == NULL)
			fail_msg("%zu: '%s'", i, x.why);
		assert_true(x.said == SINK_TAKEN || x.hint != NULL || cases[i].kind == SINK_HEALTHCHECKS);
	}
}

/* healthchecks.io says how much it takes. */
static void body_limits(void **state)
{
	static const struct {
		int64_t memo;
		size_t least, most;
	} cases[] = {
	    {0, 9000, 10000}, {200, 150, 200}, {30, 20, 30}, {100000, 90000, 100000}, {1 << 30, 90000, 100000}};
	AUTO(arena) struct arena a = {0};
	const struct sink s = {.kind = SINK_HEALTHCHECKS};
	struct sink_answer x;

	(void)state;
	struct report r = run(TRACE_SUCCESS, &a);
	char *log = arena_alloc(&a, 500001);
	for (size_t i = 0; i < 500000; i++)
		log[i] = i % 50 == 49 ? '\n' : 'x';
	r.log = log;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sink_requests q = {0};
		const struct sink_secrets k = {.url = "u", .key = "k", .memo = cases[i].memo};
		sink_encode(&s, &k, &r, &(struct span_ids){0}, &a, &q);
		assert_in_range(strlen(q.v[0].body), cases[i].least, cases[i].most);
	}
	const struct sink_reply reply = {200, str_of("OK"), 0, 5000};
	sink_judge(&s, &(struct sink_request){0}, &reply, &a, &x);
	assert_int_equal(x.memo, 5000);
}

static void wants(void **state)
{
	AUTO(arena) struct arena a = {0};
	const struct report all[] = {
	    {.kind = REPORT_START}, run(TRACE_SUCCESS, &a), run(TRACE_PARTIAL, &a), run(TRACE_DIED, &a), alert(),
	    {.kind = REPORT_TEST}};
	static const struct {
		struct sink s;
		const char *told;
	} cases[] = {
	    {{.on_start = true}, "1....1"},
	    {{.on_success = true}, ".1...1"},
	    {{.on_failure = true}, "..11.1"},
	    {{.on_alert = true}, "....11"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t k = 0; k < ARRAY_LEN(all); k++)
			assert_int_equal(sink_wants(&cases[i].s, &all[k]), cases[i].told[k] == '1');
}

static void carried(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct courier_order o = {.request = {.method = "POST", .url = "https://s", .body = "a\nb", .sign_key = "k"},
				  .timeout_ms = 5,
				  .once = true,
				  .allow_http = true,
				  .ca_file = "/ca"},
			     p;
	struct sink_reply r = {429, str_of("slow"), 3, 7}, s;
	struct err e;

	(void)state;
	sink_header(&o.request, &a, "x", "y");
	courier_write_order(&b, &o);
	assert_int_equal(courier_read_order(str_trim(buf_str(&b)), &a, &p, &e), 0);
	assert_string_equal(p.request.body, "a\nb");
	assert_string_equal(p.request.sign_key, "k");
	assert_string_equal(p.request.headers.v[0].value, "y");
	assert_string_equal(p.ca_file, "/ca");
	assert_true(p.allow_http && p.once);
	assert_null(memchr(b.p, '\n', b.n - 1));
	assert_int_equal(courier_read_order(str_of("{}"), &a, &p, &e), -1);
	buf_clear(&b);
	courier_write_reply(&b, &r);
	assert_int_equal(courier_read_reply(str_trim(buf_str(&b)), &a, &s, &e), 0);
	assert_int_equal(s.status, 429);
	assert_int_equal(s.retry_after_s, 3);
	assert_int_equal(s.body_limit, 7);
	assert_true(str_eq(s.body, "slow"));
	buf_clear(&b);
	(void)err_set(&e, ERR_TIMEOUT, "no answer");
	courier_write_error(&b, &e);
	(void)err_set(&e, ERR_SYSTEM, "x");
	assert_int_equal(courier_read_reply(str_trim(buf_str(&b)), &a, &s, &e), -1);
	assert_int_equal(e.kind, ERR_TIMEOUT);
}

static void secrets_go(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct strings secrets = {0};
	struct trace_spans spans = {0};

	(void)state;
	*vec_add(&secrets, &a) = "hunter2\n";
	*vec_add(&secrets, &a) = "hunter2longer";
	*vec_add(&secrets, &a) = "abc";
	assert_string_equal(redact("x hunter2, hunter2longer and hunter2", &secrets, &a), "x ***, *** and ***");
	assert_string_equal(redact("abc hunter", &secrets, &a), "abc hunter");
	assert_null(redact(NULL, &secrets, &a));
	struct trace_span *s = vec_add(&spans, &a);
	*s = (struct trace_span){.id = 1};
	trace_put_text(s, &a, "x", "hunter2");
	trace_put_int(s, &a, "y", 1);
	redact_spans(&spans, &secrets, &a);
	assert_string_equal(s->attrs.v[0].text, "***");
	struct err e;
	AUTO(json) json_t *j = json_parse(str_of("{\"hunter2\":[\"a hunter2\",{\"b\":\"hunter2\"},7]}"), "", &e);
	AUTO(buf) struct buf b = {0};
	redact_json(j, &secrets);
	json_write(&b, j);
	assert_string_equal(buf_text(&b), "{\"hunter2\":[\"a ***\",{\"b\":\"***\"},7]}");
}

static void metrics(void **state)
{
	static const char summaries[] =
	    "{\"s\\\"\\\\\\n\":{\"running\":[{\"id\":4,\"began\":400}],\"runs\":["
	    "{\"id\":3,\"began\":300,\"ended\":301,\"exit\":2},"
	    "{\"id\":2,\"began\":100,\"ended\":160,\"exit\":1,\"bytes\":\"4096\"},"
	    "{\"id\":1,\"began\":10,\"ended\":20,\"exit\":0},{\"id\":0,\"began\":1,\"ended\":2,\"exit\":0}],"
	    "\"results\":{\"s\\\"\\\\\\n\":[{\"dataset\":\"tank/x\",\"proven\":true,\"newest_at\":90},"
	    "{\"dataset\":\"tank/y\",\"proven\":false}]}},"
	    "\"new\":{\"running\":[],\"runs\":[],\"results\":{}},"
	    "\"t\":{\"running\":[],\"runs\":[{\"id\":5,\"began\":100,\"ended\":160,\"exit\":1,\"bytes\":\"4096\"}]}}";
	static const char sinks[] =
	    "[{\"sink\":\"hc\",\"ok_ms\":5000,\"waiting\":2,\"tries\":1,\"refused\":3,\"dropped\":4}]";
	static const char *const lines[] = {
	    "dormouse_build_info{version=\"" DORMOUSE_VERSION "\"} 1",
	    "dormouse_running{backup=\"s\\\"\\\\\\n\"} 1",
	    "dormouse_running{backup=\"new\"} 0",
	    "dormouse_last_run_timestamp_seconds{backup=\"s\\\"\\\\\\n\"} 301",
	    "dormouse_last_run_timestamp_seconds{backup=\"new\"} 0",
	    "dormouse_last_success_timestamp_seconds{backup=\"s\\\"\\\\\\n\"} 20",
	    "dormouse_last_success_timestamp_seconds{backup=\"new\"} 0",
	    "dormouse_last_success_timestamp_seconds{backup=\"t\"} 0",
	    "dormouse_last_run_outcome{backup=\"s\\\"\\\\\\n\",outcome=\"success\"} 0",
	    "dormouse_last_run_outcome{backup=\"s\\\"\\\\\\n\",outcome=\"failed\"} 1",
	    "dormouse_last_run_outcome{backup=\"t\",outcome=\"partial\"} 1",
	    "dormouse_run_duration_seconds{backup=\"t\"} 60",
	    "dormouse_run_sent_bytes{backup=\"t\"} 4096",
	    "dormouse_newest_replicated_snapshot_timestamp_seconds{backup=\"s\\\"\\\\\\n\",dataset=\"tank/x\"} 90",
	    "dormouse_dataset_proven{backup=\"s\\\"\\\\\\n\",dataset=\"tank/y\"} 0",
	    "dormouse_report_sink_last_success_timestamp_seconds{sink=\"hc\"} 5",
	    "dormouse_report_sink_waiting{sink=\"hc\"} 2",
	    "dormouse_report_sink_refused_total{sink=\"hc\"} 3",
	    "dormouse_report_sink_dropped_total{sink=\"hc\"} 4",
	};
	AUTO(buf) struct buf b = {0};
	struct err e;

	(void)state;
	AUTO(json) json_t *all = json_parse(str_of(summaries), "", &e), *s = json_parse(str_of(sinks), "", &e);
	metrics_write(&b, all, s);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *at = strstr(buf_text(&b), lines[i]);
		if (at == NULL || at[strlen(lines[i])] != '\n' || at[-1] != '\n')
			fail_msg("'%s' is not in\n%s", lines[i], buf_text(&b));
	}
	assert_null(strstr(buf_text(&b), "tank/y\"} 90"));
	assert_null(strstr(buf_text(&b), "outcome{backup=\"new\""));
}

static void waterfalls(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct report r = run(TRACE_SUCCESS, &a);

	(void)state;
	*vec_add(&r.trace.spans, &a) =
	    (struct trace_span){3, 1, "a.name.that.is.much.longer.than.its.column", AT + 1000, 0, TRACE_RUNNING, {0}};
	waterfall_write(&b, &r.trace, AT + 1500);
	assert_string_equal(buf_text(&b),
			    "backup.run                   |==============================| 2.0 s\n"
			    "  tank/h\xc3\xb6me                  |===============               | 1.0 s\n"
			    "  ..h.longer.than.its.column |               >>>>>>>        | 500 ms  running\n");
	/* Of a thousand datasets the slowest, and each that failed. */
	r = run(TRACE_PARTIAL, &a);
	*vec_add(&r.trace.spans, &a) = (struct trace_span){3, 1, "replicate", AT, AT + 2000, TRACE_SUCCESS, {0}};
	for (int64_t id = 4; id < 1004; id++)
		*vec_add(&r.trace.spans, &a) = (struct trace_span){
		    id, 3, "replicate.dataset", AT, AT + id, id == 5 ? TRACE_FAILED : TRACE_SUCCESS, {0}};
	buf_clear(&b);
	waterfall_write(&b, &r.trace, AT + 2000);
	size_t lines = 0, widest = 0;
	for (struct str rest = buf_str(&b); rest.n > 0; lines++) {
		struct str line = str_cut(&rest, '\n');
		widest = line.n > widest ? line.n : widest;
	}
	assert_in_range(lines, 25, 40);
	assert_in_range(widest, 60, 81);
	assert_non_null(strstr(buf_text(&b), "5 ms  failed"));
	assert_non_null(strstr(buf_text(&b), "datasets that took less"));
	/* Nothing at all is no line. */
	buf_clear(&b);
	waterfall_write(&b, &(struct trace){0}, AT);
	assert_int_equal(b.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(to_honeycomb),  cmocka_unit_test(to_honeycomb_in_parts),
	    cmocka_unit_test(to_otlp),	     cmocka_unit_test(to_the_others),
	    cmocka_unit_test(whole_reports), cmocka_unit_test(signatures),
	    cmocka_unit_test(tails),	     cmocka_unit_test(mails),
	    cmocka_unit_test(journal),	     cmocka_unit_test(answers),
	    cmocka_unit_test(body_limits),   cmocka_unit_test(wants),
	    cmocka_unit_test(carried),	     cmocka_unit_test(secrets_go),
	    cmocka_unit_test(metrics),	     cmocka_unit_test(waterfalls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
