/* What is said to Hetzner Cloud, and what it says. */
#include "check.h"

#include "wire/hcloud.h"
#include "wire/json.h"
#include "wire/price_json.h"

static void create(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct hcloud_settings s = {.image = "debian-13",
				    .server_type = "cx22",
				    .ssh_key = "mine",
				    .location = "fsn1",
				    .user_data = "#cloud-config\n\"x\": 1\n"};
	struct hcloud_launch l = {.settings = &s, .name = "dormouse-1"};
	struct err e;

	(void)state;
	*vec_add(&s.volumes, &a) = "42";
	*vec_add(&s.firewalls, &a) = "5";
	*vec_add(&l.labels, &a) = "dormouse-token";
	*vec_add(&l.labels, &a) = "1";
	assert_int_equal(hcloud_create(&b, &l, &e), 0);
	assert_string_equal(
	    buf_text(&b),
	    "{\"name\":\"dormouse-1\",\"server_type\":\"cx22\",\"image\":\"debian-13\",\"location\":\"fsn1\","
	    "\"start_after_create\":true,\"ssh_keys\":[\"mine\"],\"labels\":{\"dormouse-token\":\"1\"},\"volumes\":[42]"
	    ","
	    "\"automount\":false,\"firewalls\":[{\"firewall\":5}],\"user_data\":\"#cloud-config\\n\\\"x\\\": 1\\n\"}");
	static const char *const bad[] = {"cold", "-1", "0", "", "1x"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s.volumes.v[0] = bad[i];
		assert_int_equal(hcloud_create(&b, &l, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		s.volumes.v[0] = "42";
		s.firewalls.v[0] = bad[i];
		assert_int_equal(hcloud_create(&b, &l, &e), -1);
		s.firewalls.v[0] = "5";
	}
	/* A key by its number. */
	s.ssh_key = "7";
	buf_clear(&b);
	assert_int_equal(hcloud_create(&b, &l, &e), 0);
	assert_non_null(strstr(buf_text(&b), "\"ssh_keys\":[7],"));
}

static void things(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct hcloud_thing wall = {.name = "n", .port = 22}, size = {.size_gib = 20}, v;
	struct hcloud_things list = {0};
	int64_t next;
	struct err e;

	(void)state;
	hcloud_thing_write(&b, &wall); /* nobody is let in */
	assert_string_equal(buf_text(&b), "{\"name\":\"n\",\"rules\":[]}");
	*vec_add(&wall.from, &a) = "::/0";
	strings_add_pair(&wall.labels, &a, "x", "1");
	strings_add_pair(&wall.labels, &a, "x", "2"); /* the last one counts */
	buf_clear(&b);
	hcloud_thing_write(&b, &wall);
	assert_string_equal(buf_text(&b), "{\"name\":\"n\",\"labels\":{\"x\":\"2\"},\"rules\":[{\"direction\":\"in\","
					  "\"protocol\":\"tcp\",\"port\":\"22\",\"source_ips\":[\"::/0\"]}]}");
	buf_clear(&b);
	hcloud_thing_write(&b, &size);
	assert_string_equal(buf_text(&b), "{\"size\":20}");
	/* Whatever is not ours of a rule is told in other words. */
	static const char rules[] =
	    "{\"firewalls\":[{\"id\":1,\"name\":\"n\",\"rules\":["
	    "{\"direction\":\"in\",\"protocol\":\"tcp\",\"port\":\"22\",\"source_ips\":[\"::/0\",\"10.0.0.0/8\"]},"
	    "{\"direction\":\"in\",\"protocol\":\"tcp\",\"port\":\"1-22\",\"source_ips\":[\"::/0\"]},"
	    "{\"direction\":\"in\",\"protocol\":\"udp\",\"port\":\"22\",\"source_ips\":[7]},"
	    "{\"direction\":\"out\",\"protocol\":\"icmp\",\"port\":null,\"destination_ips\":[\"::/0\"]}]}]}";
	static const char *const told[] = {"::/0", "10.0.0.0/8", "in-tcp-1-22-::/0", "in-udp-22-?",
					   "out-icmp-any-::/0"};
	assert_int_equal(hcloud_things_read(str_of(rules), "firewalls", 22, &a, &list, &next, &e), 0);
	assert_int_equal(list.v[0].from.n, ARRAY_LEN(told));
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		assert_string_equal(list.v[0].from.v[i], told[i]);
	assert_int_equal(hcloud_volume_read(str_of("{\"volume\":{\"id\":3,\"name\":\"v\",\"size\":10,\"server\":null,"
						   "\"location\":{\"name\":\"fsn1\"},\"labels\":{\"a\":\"b\"}}}"),
					    &a, &v, &e),
			 0);
	assert_true(v.size_gib == 10 && v.server == 0 && strcmp(v.location, "fsn1") == 0);
	static const char *const bad[] = {"", "{}", "{\"firewalls\":{}}", "{\"firewalls\":[{}]}",
					  "{\"volume\":{\"id\":1}}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(hcloud_things_read(str_of(bad[i]), "firewalls", 22, &a, &list, &next, &e), -1);
		assert_int_equal(hcloud_volume_read(str_of(bad[i]), &a, &v, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

#define SERVER(net)                                                            \
	"{\"id\":7,\"name\":\"n\",\"status\":\"running\",\"public_net\":{" net \
	"},\"labels\":{\"a\":\"1\",\"b\":2},\"new\":[{}],"                     \
	"\"server_type\":{\"name\":\"cx22\"},\"location\":{\"name\":\"fsn1\"}}"
#define V4 "\"ipv4\":{\"ip\":\"203.0.113.7\"}"
#define V6 "\"ipv6\":{\"ip\":\"2001:db8:1::/64\"}"

static void answers(void **state)
{
	static const struct {
		const char *body, *address;
	} rows[] = {{SERVER(V4 "," V6), "203.0.113.7"},
		    {SERVER("\"ipv4\":null," V6), "2001:db8:1::1"},
		    {SERVER("\"ipv6\":{\"ip\":\"x\"}"), NULL},
		    {SERVER(""), NULL}};
	static const char *const bad[] = {
	    "", "[]", "{}", "{\"server\":{}}", "{\"servers\":{}}", "{\"servers\":[{}]}", "{\"action\":{}}", "<html>"};
	AUTO(arena) struct arena a = {0};
	struct hcloud_servers v = {0};
	struct hcloud_server one;
	struct hcloud_numbers actions = {0};
	int64_t next;
	struct err e;
	bool done;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		v.n = 0;
		const char *body = arena_printf(&a, "{\"servers\":[%s],\"meta\":{\"pagination\":{\"next_page\":%s}}}",
						rows[i].body, i == 0 ? "2" : "null");
		assert_int_equal(hcloud_servers_read(str_of(body), &a, &v, &next, &e), 0);
		assert_int_equal(next, i == 0 ? 2 : 0);
		assert_int_equal(v.n, 1);
		if (rows[i].address == NULL)
			assert_null(v.v[0].address);
		else
			assert_string_equal(v.v[0].address, rows[i].address);
	}
	assert_string_equal(strings_pair(&v.v[0].labels, "a"), "1");
	assert_null(strings_pair(&v.v[0].labels, "b"));
	assert_int_equal(
	    hcloud_created_read(str_of("{\"server\":" SERVER(V4) ",\"action\":{\"id\":9,\"status\":\"running\"},"
								 "\"next_actions\":[{\"id\":10},{}]}"),
				&a, &one, &actions, &e),
	    0);
	assert_int_equal(one.id, 7);
	assert_int_equal(actions.n, 2);
	assert_int_equal(actions.v[0] + actions.v[1], 19);
	actions.n = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(hcloud_servers_read(str_of(bad[i]), &a, &v, &next, &e), -1);
		assert_int_equal(hcloud_created_read(str_of(bad[i]), &a, &one, &actions, &e), -1);
		assert_int_equal(hcloud_action_read(str_of(bad[i]), &done, &e), -1);
	}
	assert_int_equal(hcloud_action_read(str_of("{\"action\":{\"status\":\"running\"}}"), &done, &e), 0);
	assert_false(done);
	assert_int_equal(hcloud_action_read(str_of("{\"action\":{\"status\":\"success\",\"error\":null}}"), &done, &e),
			 0);
	assert_true(done);
	assert_int_equal(
	    hcloud_action_read(str_of("{\"action\":{\"status\":\"error\",\"error\":{\"message\":\"no\"}}}"), &done, &e),
	    -1);
	assert_string_equal(e.why, "no");
}

static void prices(void **state)
{
	static const char body[] =
	    "{\"pricing\":{\"currency\":\"USD\",\"volume\":{\"price_per_gb_month\":{\"net\":\"0.0572000000\",\"gross\":"
	    "\"9\"}},"
	    "\"server_types\":[{\"name\":\"cx22\",\"prices\":[{\"location\":\"ash\",\"price_hourly\":{\"net\":\"1\"}}]}"
	    ","
	    "{\"name\":\"cx23\",\"prices\":[{\"location\":\"ash\",\"price_hourly\":{\"net\":\"2\"}},"
	    "{\"location\":\"fsn1\",\"price_hourly\":{\"net\":\"0.00881234\"},\"price_monthly\":{\"net\":\"5.49\"}}]}],"
	    "\"primary_ips\":[{\"type\":\"ipv4\",\"prices\":[{\"location\":\"fsn1\",\"price_hourly\":{\"net\":\"x\"}}]}"
	    "]}}";
	static const struct {
		const char *text;
		int64_t micros; /* -1: none */
	} rows[] = {{"0", 0},	 {"12.", 12000000}, {"0.0000019", 1}, {"1000000000.5", 1000000000500000},
		    {"", -1},	 {".5", -1},	    {"-1", -1},	      {"1.2.3", -1},
		    {"1e3", -1}, {"1,5", -1},	    {NULL, -1},	      {"1000000001", -1}};
	AUTO(arena) struct arena a = {0};
	struct price_list list, again;
	struct err e;
	int64_t micros;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(price_micros(rows[i].text, &micros), rows[i].micros >= 0);
		if (rows[i].micros >= 0)
			assert_int_equal(micros, rows[i].micros);
	}
	assert_int_equal(hcloud_pricing_read(str_of(body), "cx23", "fsn1", &a, &list, &e), 0);
	list.date = "2026-12-01";
	/* From a worker to who asked it. */
	AUTO(json) json_t *j = price_list_json(&list);
	assert_int_equal(price_list_read(j, &a, &again, &e), 0);
	assert_int_equal(again.n, 3);
	assert_string_equal(again.sign, "$");
	static const struct price want[] = {{"volume", "", 57200}, {"hour", "cx23", 8812}, {"month", "cx23", 5490000}};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(again.v[i].kind, want[i].kind);
		assert_string_equal(again.v[i].name, want[i].name);
		assert_int_equal(again.v[i].micros, want[i].micros);
	}
	static const char *const bad[] = {"", "{}", "[]", "{\"pricing\":{}}", "{\"pricing\":[]}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(hcloud_pricing_read(str_of(bad[i]), "cx23", "fsn1", &a, &list, &e), -1);
	(void)json_object_del(j, "date");
	assert_int_equal(price_list_read(j, &a, &again, &e), -1);
}

static void faults(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum hcloud_class class;
		enum err_kind kind;
		const char *why;
	} rows[] = {
	    {429, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"m\"}}", HCLOUD_AGAIN, ERR_BUSY,
	     "rate_limit_exceeded: m"},
	    {423, "{\"error\":{\"code\":\"locked\"}}", HCLOUD_AGAIN, ERR_BUSY, "locked: "},
	    {409, "{\"error\":{\"code\":\"uniqueness_error\"}}", HCLOUD_EXISTS, ERR_EXISTS, "uniqueness_error: "},
	    {404, "{\"error\":{\"code\":\"not_found\"}}", HCLOUD_MISSING, ERR_MISSING, "not_found: "},
	    {422, "{\"error\":{\"code\":\"resource_in_use\"}}", HCLOUD_NOT_NOW, ERR_BUSY, "resource_in_use: "},
	    {423, "{\"error\":{\"code\":\"protected\"}}", HCLOUD_OTHER, ERR_DENIED, "protected: "},
	    {401, "{\"error\":{\"code\":\"unauthorized\"}}", HCLOUD_OTHER, ERR_DENIED, "unauthorized: "},
	    {422,
	     "{\"error\":{\"code\":\"invalid_input\",\"message\":\"m\",\"details\":{\"fields\":[{\"name\":\"image\","
	     "\"messages\":[\"d\"]}]}}}",
	     HCLOUD_OTHER, ERR_CONFIG, "invalid_input: m: d"},
	    {502, "<html>", HCLOUD_AGAIN, ERR_NET, "Hetzner Cloud answers with HTTP status 502"},
	    {418, "{\"error\":{\"code\":\"new\"}}", HCLOUD_OTHER, ERR_SYSTEM, "new: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;
		assert_int_equal(hcloud_fault(rows[i].status, str_of(rows[i].body), "do it", &e), rows[i].class);
		assert_int_equal(e.kind, rows[i].kind);
		assert_string_equal(e.what, "cannot do it");
		assert_string_equal(e.why, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(create), cmocka_unit_test(things), cmocka_unit_test(answers),
	    cmocka_unit_test(prices), cmocka_unit_test(faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
