/* Is everything safe, and what is wrong: tables of facts, and what is said of them. */
#include "test_conf.h"

#include "plan/coverage_plan.h"
#include "plan/health_plan.h"
#include "plan/health_text.h"
#include "wire/facts_json.h"
#include "wire/health_json.h"

enum { NOW = 1700000000 };

/* Facts as JSON with ' for ", at NOW; a number with a leading + is so many seconds before it, one with
 * an S behind in milliseconds. */
static void read_facts(const char *text, struct arena *a, struct facts *f)
{
	AUTO(buf) struct buf b = {0};
	struct err e;

	buf_printf(&b, "{\"format\":1,\"now\":%d", NOW);
	if (text[0] != '\0')
		buf_putc(&b, ',');
	for (const char *p = text; *p != '\0'; p++) {
		char *end = NULL;
		if (*p == '+') {
			buf_printf(&b, "%ld", NOW - strtol(p + 1, &end, 10));
			if (*end == 'S')
				buf_puts(&b, "000");
			p = *end == 'S' ? end : end - 1;
		} else {
			buf_putc(&b, *p == '\'' ? '"' : *p);
		}
	}
	buf_putc(&b, '}');
	AUTO(json) json_t *j = json_parse(buf_str(&b), "the facts", &e);
	if (j == NULL || facts_read(j, a, f, &e) < 0)
		fail_msg("%s: %s\n%s", e.what, e.why, buf_text(&b));
}

struct judged {
	struct arena arena;
	struct config config;
	struct facts facts;
	struct health health;
};

static void judge(struct judged *j, const char *file, const char *facts)
{
	struct diags d;

	*j = (struct judged){0};
	if (!load(file, strlen(file), false, &j->arena, &j->config, &d))
		fail_msg("%s", all_of(&d, &j->arena, file));
	read_facts(facts, &j->arena, &j->facts);
	health_plan(&j->config, &j->facts, &j->arena, &j->health);
}

#define TARGET	     "target arch probe {\n}\n"
#define BACKUP(more) TARGET "backup b {\nsource = \"tank/x\"\ndestination = \"arch:vault\"\n" more "\n}\n"
#define GOOD(id, began, took)                                                                        \
	"{'id':" #id ",'backup':'b','began':" #began ",'ended':" #began ",'exit':0,'took_ms':" #took \
	",'bytes':'1000','datasets':1,'proven':1}"
#define SENT(id, bytes) "{'id':" #id ",'backup':'b','began':+9,'ended':+9,'exit':0,'took_ms':1,'bytes':'" #bytes "'}"
#define PROVEN		"'results':{'b':[{'dataset':'tank/x','proven':true,'newest':'s','newest_at':+360,'size':'5'}]}"

static const struct {
	const char *file, *facts;
	int exit;
	const char *verdict; /* begins so */
	const char *keys;    /* of all problems, in their order, each with its level's first letter */
} cases[] = {
    /* Nothing is known to be safe by itself. */
    {TARGET, "", 2, "the file has no backup: nothing is safe", "c:backup"},
    {BACKUP(""), "", 2, "b: never ran, so nothing is safe yet", "c:backup/b"},
    {BACKUP(""), "'running':[{'id':1,'backup':'b','began':+9}]", 2,
     "b: the first run is under way; nothing is safe yet", "c:backup/b"},
    {BACKUP(""), "'runs':[" GOOD(1, +300, 1) "]," PROVEN, 0, "The only dataset is restorable to 6 min ago; arch is off",
     ""},
    {BACKUP(""),
     "'runs':[" GOOD(1, +300, 1) "]," PROVEN ",'machines':[{'target':'arch','state':'ready','since':+60}],"
				 "'running':[{'id':2,'backup':'b','began':+9}]",
     0, "The only dataset is restorable to 6 min ago; arch is on", ""},
    /* Runs that went wrong. */
    {BACKUP(""),
     "'runs':[{'id':1,'backup':'b','began':+9,'ended':+8,'exit':2,'error':{'what':'no way','why':'a wall'}}]", 2,
     "b: the last run came to no dataset, so nothing is known to be safe: no way: a wall", "c:backup/b"},
    {BACKUP(""),
     "'runs':[{'id':2,'backup':'b','began':+9,'ended':+8,'exit':2,'error':{'what':'no way'}}," GOOD(1, +300,
												    1) "]," PROVEN,
     1, "b: the last run failed: no way; the only dataset is restorable to 6 min ago", "c:backup/b"},
    {BACKUP(""), "'runs':[{'id':2,'backup':'b','began':+9,'ended':+8,'exit':-1}," GOOD(1, +300, 1) "]," PROVEN, 1,
     "b: the last run died on the way; the only dataset is", "c:backup/b"},
    {BACKUP(""),
     "'runs':[{'id':1,'backup':'b','began':+9,'ended':+8,'exit':1,'datasets':2,'proven':1}],'results':{'b':["
     "{'dataset':'tank/x','proven':true,'newest_at':+60},{'dataset':'tank/x/y','proven':false,"
     "'error':{'kind':'conflict','what':'both went on','hint':'dormouse repair tank/x/y'}}]}",
     1, "tank/x/y is NOT safe: both went on", "c:dataset/b/tank/x/y"},
    {BACKUP(""), "'runs':[{'id':1,'backup':'b','began':+9,'ended':+8,'exit':1,'datasets':1,'proven':1}]," PROVEN, 0,
     "The only dataset is restorable to 6 min ago; arch is off; one warning", "w:partly/b"},
    /* Late: by what the file says, and by the schedule, of which one run may be missed. */
    {BACKUP("alert {\nno_success_within = \"1h\"\n}"), "'runs':[" GOOD(1, +3500, 1) "]," PROVEN, 0, "The only", ""},
    {BACKUP("alert {\nno_success_within = \"1h\"\n}"), "'runs':[" GOOD(1, +3700, 1) "]," PROVEN, 1,
     "b: no run has succeeded for 61 min; the only dataset", "c:backup/b"},
    {BACKUP("alert {\nno_success_within = \"1h\"\n}") "alert {\nno_success_within = \"1d\"\n}\n",
     "'runs':[" GOOD(1, +3700, 1) "]," PROVEN, 1, "b: no run", "c:backup/b"},
    {BACKUP("") "alert {\nno_success_within = \"1h\"\n}\n", "'runs':[" GOOD(1, +3700, 1) "]," PROVEN, 1, "b: no run",
     "c:backup/b"},
    {BACKUP("run = \"every 1h\""), "'runs':[" GOOD(1, +7700, 1) "]," PROVEN, 0, "The only", ""},
    {BACKUP("run = \"every 1h\""), "'runs':[" GOOD(1, +7900, 1) "]," PROVEN, 1,
     "b: no run has succeeded for 2 h 11 min", "c:backup/b"},
    {BACKUP("run = \"after snapshot\"") "snapshots {\nfrequent = 4\n}\n", "'runs':[" GOOD(1, +3700, 1) "]," PROVEN, 1,
     "b: no run has", "c:backup/b"},
    {BACKUP(""), "'runs':[" GOOD(1, +99999999, 1) "]," PROVEN, 0, "The only", ""},
    {BACKUP("alert {\nlag = \"5m\"\n}"), "'runs':[" GOOD(1, +3, 1) "]," PROVEN, 1,
     "the newest snapshot of tank/x in the archive is 6 min old", "c:dataset/b/tank/x"},
    /* Runs unlike others: far shorter, far longer, and not over. */
    {BACKUP(""),
     "'runs':[" GOOD(7, +1, 2000) "," GOOD(6, +2, 90000) "," GOOD(5, +3, 90000) "," GOOD(4, +4, 90000) "," GOOD(
	 3, +5, 80000) "," GOOD(2, +6, 90000) "]," PROVEN,
     0, "The only dataset", "w:run/b/duration"},
    {BACKUP(""),
     "'runs':[" GOOD(7, +1, 2000000) "," GOOD(6, +2, 90000) "," GOOD(5, +3, 90000) "," GOOD(4, +4, 90000) "," GOOD(
	 3, +5, 80000) "," GOOD(2, +6, 90000) "]," PROVEN,
     0, "The only dataset", "w:run/b/duration"},
    /* … and far larger, far smaller. */
    {BACKUP(""),
     "'runs':[" SENT(7, 9000000000) "," SENT(6, 200000000) "," SENT(5, 200000000) "," SENT(4, 200000000) "," SENT(
	 3, 200000000) "," SENT(2, 200000000) "]," PROVEN,
     0, "The only dataset", "w:run/b/size"},
    {BACKUP(""),
     "'runs':[" SENT(7, 9000) "," SENT(6, 200000000) "," SENT(5, 200000000) "," SENT(4, 200000000) "," SENT(
	 3, 200000000) "," SENT(2, 200000000) "]," PROVEN,
     0, "The only dataset", "w:run/b/size"},
    {BACKUP(""),
     "'runs':[" SENT(7, 900000000) "," SENT(6, 200000000) "," SENT(5, 200000000) "," SENT(4, 200000000) "," SENT(
	 3, 200000000) "," SENT(2, 200000000) "]," PROVEN,
     0, "The only dataset", ""},
    /* Four tell nothing, and what takes seconds may take one. */
    {BACKUP(""),
     "'runs':[" GOOD(7, +1, 2000000) "," GOOD(6, +2, 90000) "," GOOD(5, +3, 90000) "," GOOD(4, +4, 90000) "," GOOD(
	 3, +5, 80000) "]," PROVEN,
     0, "The only dataset", ""},
    {BACKUP(""),
     "'runs':[" GOOD(7, +1, 10) "," GOOD(6, +2, 9000) "," GOOD(5, +3, 9000) "," GOOD(4, +4, 9000) "," GOOD(
	 3, +5, 8000) "," GOOD(2, +6, 9000) "]," PROVEN,
     0, "The only dataset", ""},
    {BACKUP(""),
     "'runs':[" GOOD(7, +1, 60000) "," GOOD(6, +2, 900) "," GOOD(5, +3, 900) "," GOOD(4, +4, 900) "," GOOD(
	 3, +5, 800) "," GOOD(2, +6, 900) "]," PROVEN,
     0, "The only dataset", ""},
    {BACKUP(""),
     "'running':[{'id':8,'backup':'b','began':+5000}],'runs':[" GOOD(7, +1, 90000) "," GOOD(6, +2, 90000) "," GOOD(
	 5, +3, 90000) "," GOOD(4, +4, 90000) "," GOOD(3, +5, 80000) "]," PROVEN,
     0, "The only dataset", "w:run/b/long"},
    /* A clock that was set back, or was ahead: by a run, and by a snapshot. */
    {BACKUP(""), "'runs':[" GOOD(1, +-500, 1) "]," PROVEN, 0, "The only", ""},
    {BACKUP("") "alert {\nno_success_within = \"1h\"\n}\n", "'runs':[" GOOD(1, +-90000, 1) "]," PROVEN, 1,
     "the clock says 2023-11-14 22:13, and a run of 'b' is of 2023-11-15 23:13: it was set back, or was ahead",
     "c:clock"},
    {BACKUP(""), "'runs':[" GOOD(2, +60, 1) "," GOOD(1, +-90000, 1) "]," PROVEN, 0, "The only", ""},
    {BACKUP(""),
     "'runs':[" GOOD(1, +60, 1) "],'results':{'b':[{'dataset':'tank/x','proven':true,'newest_at':+-90000}]}", 1,
     "the clock says 2023-11-14 22:13, and a snapshot of tank/x is of 2023-11-15 23:13", "c:clock"},
    {BACKUP(""), "'running':[{'id':2,'backup':'b','began':+-90000}],'runs':[" GOOD(1, +60, 1) "]," PROVEN, 1,
     "the clock says", "c:clock"},
    {BACKUP(""), "'runs':[" GOOD(1, +60, 1) "]," PROVEN ",'state_error':{'what':'cannot write','why':'full'}", 1,
     "no run can be recorded, nor told later: cannot write: full", "c:state"},
    /* Machines, pools, sinks, and what is forgotten. */
    {BACKUP(""),
     "'runs':[" GOOD(1, +3, 1) "]," PROVEN ",'machines':[{'target':'arch','state':'stopping','since':+1000}]", 1,
     "arch is to be off and is not, for 16 min", "c:machine/arch/off"},
    {BACKUP(""),
     "'runs':[" GOOD(1, +3, 1) "]," PROVEN
			       ",'machines':[{'target':'arch','state':'ready','since':+90000,'users':['joe']}]",
     0, "The only", "w:machine/arch/on"},
    {BACKUP("") "alert {\nmachine_on = \"2d\"\n}\n",
     "'runs':[" GOOD(1, +3, 1) "]," PROVEN ",'machines':[{'target':'arch','state':'ready','since':+90000}]", 0,
     "The only", ""},
    {BACKUP(""), "'runs':[" GOOD(1, +3, 1) "]," PROVEN ",'pools':[{'pool':'tank','health':'DEGRADED'}]", 1,
     "pool 'tank' on this host is DEGRADED", "c:pool/this host/tank/health"},
    {BACKUP(""),
     "'runs':[" GOOD(1, +3,
		     1) "]," PROVEN
			",'pools':[{'pool':'cold/a','on':'arch','health':'DEGRADED'},{'pool':'cold/b','on':'arch',"
			"'health':'DEGRADED'},{'pool':'cold','on':'two','health':'ONLINE'}]",
     1, "pool 'cold' on arch is DEGRADED", "c:pool/arch/cold/health"},
    {BACKUP(""),
     "'runs':[" GOOD(1, +3, 1) "]," PROVEN
			       ",'pools':[{'pool':'tank','used':'89','size':'100'},{'pool':'v','on':'arch','used':'90',"
			       "'size':'100'},{'pool':'w','on':'arch','used':'97','size':'100'}]",
     1, "'w' on arch is full to 97 %", "c:pool/arch/w/full w:pool/arch/v/full"},
    {BACKUP(""),
     "'runs':[" GOOD(1, +3, 1) "]," PROVEN ",'sinks':[{'sink':'ntfy','waiting':1,'oldest_ms':+2000S,'error':'refused'},"
			       "{'sink':'mail','waiting':1,'oldest_ms':+20S,'error':'slow'},{'sink':'hook','error_ms':+"
			       "20S,'error':'no'},{'sink':'ok','error':'','ok_ms':1}]",
     0, "The only", "w:sink/ntfy w:sink/hook"},
    {BACKUP(""),
     "'runs':[" GOOD(1, +3, 1) "]," PROVEN ",'uncovered':['tank/y'],'unmatched':[{'backup':'b','glob':'tank/z'}]", 0,
     "The only dataset is restorable to 6 min ago; arch is off; 2 warnings", "w:uncovered/tank/y w:unmatched/b/tank/z"},
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct judged j;
		AUTO(buf) struct buf keys = {0};
		judge(&j, cases[i].file, cases[i].facts);
		for (size_t k = 0; k < j.health.problems.n; k++) {
			const struct problem *p = &j.health.problems.v[k];
			buf_printf(&keys, "%s%c:%s", k == 0 ? "" : " ", health_level_name(p->level)[0], p->key);
			assert_true(p->text[0] != '\0' && p->subject[0] != '\0');
		}
		if (strncmp(j.health.verdict, cases[i].verdict, strlen(cases[i].verdict)) != 0)
			fail_msg("case %zu: '%s'", i, j.health.verdict);
		if (strcmp(buf_text(&keys), cases[i].keys) != 0)
			fail_msg("case %zu has '%s'", i, buf_text(&keys));
		if (health_exit(&j.health) != cases[i].exit)
			fail_msg("case %zu: exit %d", i, health_exit(&j.health));
		arena_release(&j.arena);
	}
}

/* When a run is next, and when it will be late. */
static void times(void **state)
{
	struct judged j;

	(void)state;
	judge(&j, BACKUP("run = \"every 1h\""), "'runs':[" GOOD(1, +600, 1000) "]," PROVEN);
	assert_int_equal(j.health.backups.v[0].next_at, NOW + 3000);
	assert_int_equal(j.health.backups.v[0].late_at, NOW - 600 + 7200 + 600);
	assert_non_null(strstr(j.health.verdict, "; next run 23:03"));
	assert_string_equal(j.health.datasets.v[0].word, "safe");
	arena_release(&j.arena);
	/* One that is due since long is next now; what is late, its datasets are. */
	judge(&j, BACKUP("run = \"daily 03:00\""), "'runs':[" GOOD(1, +100000, 1000) "]," PROVEN);
	assert_int_equal(j.health.backups.v[0].next_at, NOW);
	assert_true(j.health.backups.v[0].late_at > NOW);
	arena_release(&j.arena);
	judge(&j, BACKUP("run = \"every 1h\""), "'runs':[" GOOD(1, +100000, 1000) "]," PROVEN);
	assert_string_equal(j.health.datasets.v[0].word, "late");
	assert_int_equal(j.health.datasets.v[0].level, HEALTH_CRITICAL);
	arena_release(&j.arena);
	judge(&j, BACKUP(""), "'runs':[" GOOD(1, +100000, 1000) "]," PROVEN);
	assert_true(j.health.backups.v[0].next_at == INT64_MAX && j.health.backups.v[0].late_at == INT64_MAX);
	arena_release(&j.arena);
}

static void coverage(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	const char *file =
	    "backup b {\nsource = \"tank/x\"\ndestination = \"vault\"\nexclude = [\"tank/x/tmp\", \"tank/x/old\"]\n}\n";
	struct dataset all[] = {{.name = "data", .referenced = 9},
				{.name = "data-b", .referenced = 9},
				{.name = "tank", .referenced = 9},
				{.name = "tank/big", .referenced = 1 << 30},
				{.name = "tank/big/y", .chosen = "off"},
				{.name = "tank/x"},
				{.name = "tank/x/tmp"},
				{.name = "vault"},
				{.name = "vault/tank"}};
	struct side_state host = {.datasets = {all, ARRAY_LEN(all), ARRAY_LEN(all)}};
	struct strings uncovered = {0};
	struct fact_filters unmatched = {0};

	(void)state;
	assert_true(load(file, strlen(file), false, &a, &c, &d));
	coverage_plan(&c, &host, &a, &uncovered, &unmatched);
	assert_int_equal(uncovered.n, 3);
	assert_string_equal(uncovered.v[0], "data");
	assert_string_equal(uncovered.v[1], "data-b");
	assert_string_equal(uncovered.v[2], "tank/big");
	assert_int_equal(unmatched.n, 1);
	assert_string_equal(unmatched.v[0].glob, "tank/x/old");
}

/* As text nothing but sentences is wider than 80 columns, however long the names are; folded, nothing is. */
static void text(void **state)
{
	struct judged j;
	AUTO(buf) struct buf plain = {0};
	AUTO(buf) struct buf folded = {0};
	AUTO(buf) struct buf nagios = {0};

	(void)state;
	judge(
	    &j, BACKUP("run = \"every 1h\""),
	    "'runs':[" GOOD(
		1, +60,
		1000) "],'results':{'b':["
		      "{'dataset':'tank/x/"
		      "a-name-that-is-by-far-too-long-for-a-column-of-a-table','proven':true,'newest_at':+360},"
		      "{'dataset':'tank/x','proven':false,'error':{'what':'a | b'}}]},"
		      "'running':[{'id':9,'backup':'b','began':+60,'stage':'send     x','bytes':'100','total':'400'}]");
	health_text(&j.health, false, false, &plain);
	health_text(&j.health, false, true, &folded);
	assert_int_equal(strncmp(buf_text(&plain), "tank/x is NOT safe: a | b\n", 26), 0);
	assert_non_null(strstr(buf_text(&plain), "b: 1 of 2 datasets are NOT safe: a | b; a run is under way\n"));
	assert_non_null(strstr(buf_text(&plain), "  tank/x/a-name-…"));
	assert_non_null(strstr(buf_text(&plain), "run 9 for 60 s: send     x; 100 B of 400 B, some 3 min left\n"));
	for (struct str rest = buf_str(&folded), line; rest.n > 0;) {
		line = str_cut(&rest, '\n');
		size_t columns = 0;
		for (size_t i = 0; i < line.n; i++)
			columns += ((unsigned char)line.p[i] & 0xc0) != 0x80;
		if (columns > 80)
			fail_msg("%zu: %.*s", columns, (int)line.n, line.p);
	}
	/* What the first line says is not said again. */
	buf_clear(&folded);
	struct judged other;
	judge(&other, BACKUP(""), "");
	health_text(&other.health, false, false, &folded);
	assert_string_equal(buf_text(&folded), "b: never ran, so nothing is safe yet\nhint: dormouse backup b\n\nb:\n"
					       "\narch is off\n");
	arena_release(&other.arena);
	assert_int_equal(health_nagios(&j.health, &nagios), 2);
	assert_string_equal(buf_text(&nagios), "DORMOUSE CRITICAL - tank/x is NOT safe: a   b | datasets=2 unsafe=1;;0 "
					       "warnings=0 'lag_b'=360s 'took_b'=1.000s 'sent_b'=1000B\n");
	arena_release(&j.arena);
}

/* A thousand datasets and a year of hourly runs; the document says of each what the text says. */
static void many(void **state)
{
	AUTO(buf) struct buf facts = {0};
	AUTO(buf) struct buf out = {0};
	struct judged j;

	(void)state;
	buf_puts(&facts, "'runs':[");
	for (int i = 0; i < 8760; i++)
		buf_printf(&facts,
			   "%s{'id':%d,'backup':'b','began':+%d,'ended':+%d,'exit':0,'took_ms':5000,'bytes':'9'}",
			   i == 0 ? "" : ",", 9000 - i, 3600 * i + 60, 3600 * i + 50);
	buf_puts(&facts, "],'results':{'b':[");
	for (int i = 0; i < 1000; i++)
		buf_printf(&facts, "%s{'dataset':'tank/x/%03d','proven':true,'newest_at':+%d}", i == 0 ? "" : ",", i,
			   60 + i);
	buf_puts(&facts, "]}");
	judge(&j, BACKUP(""), buf_text(&facts));
	assert_non_null(strstr(j.health.verdict, "All 1000 datasets are restorable to 17 min ago"));
	health_text(&j.health, false, true, &out);
	assert_true(out.n < 500);
	AUTO(json) json_t *doc = health_json(&j.health);
	assert_int_equal(json_array_size(json_object_get(doc, "datasets")), 1000);
	assert_int_equal(
	    json_integer_value(json_object_get(json_array_get(json_object_get(doc, "datasets"), 999), "lag_s")), 1059);
	arena_release(&j.arena);
}

/* What is no document of facts is refused, and says where. */
static void wrong_facts(void **state)
{
	static const char *const texts[] = {"{}",
					    "[]",
					    "{\"format\":2}",
					    "{\"format\":1,\"runs\":[{}]}",
					    "{\"format\":1,\"runs\":[{\"backup\":\"b\"}]}",
					    "{\"format\":1,\"results\":{\"b\":[{\"dataset\":1}]}}",
					    "{\"format\":1,\"machines\":[1]}",
					    "{\"format\":1,\"uncovered\":[null]}",
					    "{\"format\":1,\"zone\":[[0,999999]]}"};
	AUTO(arena) struct arena a = {0};
	struct facts f;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(json) json_t *j = json_parse(str_of(texts[i]), "facts", &e);
		assert_non_null(j);
		if (facts_read(j, &a, &f, &e) == 0)
			fail_msg("taken: %s", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(table),    cmocka_unit_test(times),
					   cmocka_unit_test(coverage), cmocka_unit_test(text),
					   cmocka_unit_test(many),     cmocka_unit_test(wrong_facts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
