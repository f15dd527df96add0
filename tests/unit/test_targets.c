/* What the kinds of targets read from a file, seen in what is written of them for the keeper to remember. */
#include "check.h"

#include <sys/resource.h>

#include "conf/conf.h"
#include "provider/existing.h"
#include "provider/registry.h"

static bool read_text(const char *text, bool json, struct arena *a, struct config *c, struct diags *d)
{
	*d = (struct diags){0};
	return conf_load(str_of(text), "f", json, provider_kinds(), PROVIDERS, NULL, a, c, d);
}

/* A file's only target, as it is written; reads back to the same. */
static const char *as_written(const char *text, bool json, struct arena *a)
{
	AUTO(buf) struct buf first = {0};
	AUTO(buf) struct buf second = {0};
	struct config c;
	struct diags d;

	if (!read_text(text, json, a, &c, &d)) {
		diags_render(&d, "f", str_of(text), &first);
		fail_msg("%s", buf_text(&first));
	}
	assert_int_equal(c.targets.n, 1);
	conf_write_target(&first, &c.targets.v[0], &provider_find(c.targets.v[0].kind)->kind);
	assert_true(read_text(buf_text(&first), false, a, &c, &d));
	assert_int_equal(d.n, 0);
	conf_write_target(&second, &c.targets.v[0], &provider_find(c.targets.v[0].kind)->kind);
	assert_string_equal(buf_text(&first), buf_text(&second));
	return str_dup(a, buf_str(&first));
}

/* Every line of want stands in the written target, those of a block one after the other. */
static void says(const char *text, bool json, const char *const *want, size_t n)
{
	AUTO(arena) struct arena a = {0};
	const char *all = as_written(text, json, &a);

	for (size_t i = 0; i < n; i++)
		if (strstr(all, arena_printf(&a, "\n%s\n", want[i])) == NULL)
			fail_msg("%s\nis not in\n%s", want[i], all);
}
#define SAYS(text, json, ...) \
	says(text, json, (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

/* And what was not said is not written: the default of whoever is asked for the machine. */
static void says_nothing_of(const char *text, const char *name)
{
	AUTO(arena) struct arena a = {0};
	const char *all = as_written(text, false, &a);

	if (strstr(all, name) != NULL)
		fail_msg("%s is in\n%s", name, all);
}

#define EC2 "target t aws_ec2 {\nimage_id = \"ami-1\"\ninstance_type = \"t4g.nano\"\nkey_name = \"k\"\n"
#define HCLOUD \
	"target t hcloud {\ntoken = \"x\"\nimage = \"i\"\nserver_type = \"s\"\nssh_key = \"k\"\nlocation = \"l\"\n"
#define VIRTUALBOX "target t virtualbox {\nname = \"Debian\"\n"

/* lazyssh's defaults; where its documentation and its program disagree, those of the documentation. */
static void lazyssh_defaults(void **state)
{
	(void)state;
	SAYS(EC2 "}", false, "linger = \"0ms\"", "check_port = 22", "shared = true");
	SAYS(HCLOUD "}", false, "linger = \"0ms\"", "check_port = 22", "shared = true", "labels = {}");
	SAYS(VIRTUALBOX "}", false, "linger = \"0ms\"", "check_port = 22", "start_mode = \"headless\"",
	     "stop_mode = \"acpipowerbutton\"");
	/* It waits for nothing: any port of it may be the one that answers. */
	SAYS("target t forward {\nto = \"example.org\"\n}", false, "to = \"example.org\"");
	says_nothing_of("target t forward {\nto = \"example.org\"\n}", "check_port");
	says_nothing_of(EC2 "ebs_block_device {\ndevice_name = \"d\"\n}\n}", "delete_on_termination");
	says_nothing_of(EC2 "}", "ebs_block_device");
}

static void lazyssh_values(void **state)
{
	(void)state;
	SAYS(EC2 "check_port = 2222\nlinger = \"1.5h\"\nuser_data = <<-EOF\n    a\n      b\n  EOF\n}", false,
	     "check_port = 2222", "linger = \"5400000ms\"", "user_data = \"a\\u000a  b\\u000a\"");
	SAYS(
	    EC2
	    "ebs_block_device {\ndevice_name = \"a\"\nencrypted = false\n}\nplacement {\navailability_zone = \"z\"\n}\n"
	    "ebs_block_device {\ndevice_name = \"b\"\ndelete_on_termination = true\niops = 400\n}\n}",
	    false, "ebs_block_device {\ndevice_name = \"a\"\nencrypted = false\nvolume_size = 0\niops = 0\n}",
	    "ebs_block_device {\ndevice_name = \"b\"\ndelete_on_termination = true\nvolume_size = 0\niops = 400\n}",
	    "placement {\navailability_zone = \"z\"\n}");
	SAYS(EC2 "attach_volume {\ndevice_name = \"d\"\nvolume_id = \"v\"\n}\n}", false,
	     "attach_volume {\ndevice_name = \"d\"\nvolume_id = \"v\"\n}");
	SAYS(HCLOUD "labels = { \"made by\" = \"me\", n = 5 }\nshared = false\n}", false,
	     "labels = {\"made by\" = \"me\", \"n\" = \"5\"}", "shared = false");
	SAYS(VIRTUALBOX "start_mode = \"separate\"\nstop_mode = \"poweroff\"\naddr = \"localhost\"\n}", false,
	     "addr = \"localhost\"", "start_mode = \"separate\"", "stop_mode = \"poweroff\"");
	/* Of two that say where sshd is, each says its own. */
	SAYS(VIRTUALBOX "ssh {\nport = 2222\n}\n}", false, "check_port = 2222", "port = 2222");
	SAYS(VIRTUALBOX "check_port = 80\nssh {\nport = 2222\n}\n}", false, "check_port = 80", "port = 2222");
	SAYS("{\"target\": {\"t\": {\"virtualbox\": {\"name\": \"x\", \"ssh\": {\"port\": \"2222\"}}}}}", true,
	     "check_port = 2222");
	SAYS("{\"target\": {\"t\": {\"aws_ec2\": {\"image_id\": \"i\", \"instance_type\": \"t\", \"key_name\": \"k\","
	     "\"ebs_block_device\": [{\"device_name\": \"a\", \"encrypted\": \"true\"}, {\"device_name\": \"b\"}]}}}}",
	     true, "ebs_block_device {\ndevice_name = \"a\"\nencrypted = true\nvolume_size = 0\niops = 0\n}",
	     "ebs_block_device {\ndevice_name = \"b\"\nvolume_size = 0\niops = 0\n}");
}

#define ZONE   "placement {\navailability_zone = \"z\"\n}\n"
#define COLD10 "volume \"cold\" {\nsize = \"10GiB\"\npool = \"p\"\n"
#define COLD   "volume \"cold\" {\nsize = \"2GiB\"\npool = \"p\"\n"

/* Blocks with a name, and blocks in blocks. */
static void made(void **state)
{
	static const char want[] =
	    "volume \"cold\" {\nsize = 2147483648\ntype = \"gp3\"\niops = 0\nthroughput = 0\npool = \"p\"\n"
	    "dataset \"b\" {\nproperties = {\"xattr\" = \"sa\"}\n}\ndataset \"c\" {\nproperties = {}\n}\n}";

	(void)state;
	SAYS(EC2 ZONE COLD "dataset \"b\" {\nproperties = { xattr = \"sa\" }\n}\ndataset \"c\" {\n}\n}\n}", false, want,
	     "pools = [\"p\"]");
	SAYS(EC2 "pools = [\"q\", \"p\"]\n" ZONE COLD "}\n}", false, "pools = [\"q\", \"p\"]");
	/* Where it is logged in to anyway, and being off ends the bill, it ends itself unless the file says no. */
	SAYS(EC2 ZONE COLD "}\n}", false, "watchdog = \"3600000ms\"");
	SAYS(EC2 "watchdog = \"0s\"\n" ZONE COLD "}\n}", false, "watchdog = \"0ms\"");
	SAYS(EC2 "}", false, "watchdog = \"0ms\"");
	SAYS("{\"target\": {\"t\": {\"aws_ec2\": {\"image_id\": \"i\", \"instance_type\": \"t\", \"key_name\": \"k\","
	     "\"placement\": {\"availability_zone\": \"z\"}, \"volume\": {\"cold\": {\"size\": \"2GiB\", \"pool\": "
	     "\"p\","
	     "\"dataset\": {\"b\": {\"properties\": {\"xattr\": \"sa\"}}, \"c\": {}}}}}}}}",
	     true, want, "pools = [\"p\"]");
	SAYS(HCLOUD COLD10 "dataset \"backup\" {\n}\n}\nfirewall {\nfrom = [\"::/0\"]\n}\n}", false,
	     "volume \"cold\" {\nsize = 10737418240\npool = \"p\"\ndataset \"backup\" {\nproperties = {}\n}\n}",
	     "firewall {\nfrom = [\"::/0\"]\n}", "pools = [\"p\"]");
	SAYS("target t aws_ec2 {\nimage_id = \"ami-1\"\ninstance_type = \"t4g.nano\"\nkey_pair {\npublic_key = "
	     "\"ssh-ed25519 "
	     "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me\"\n}\n"
	     "security_group {\nfrom = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n}\n}",
	     false, "security_group {\nfrom = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n}");
}

static void made_wrongly(void **state)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
	    {EC2 ZONE COLD "}\n" COLD "}\n}", "a second 'volume' block cold"},
	    {"target t disk {\ndevices = [\"/dev/x\"]\npools = [\"p\"]\nwatchdog = \"1h\"\n}",
	     "is nothing that goes off"},
	    {"target t forward {\nto = \"h\"\nwatchdog = \"1h\"\n}", "is nothing that goes off"},
	    {EC2 ZONE "volume {\nsize = \"1GiB\"\n}\n}", "block 'volume' has 0 labels, it must have 1"},
	    {EC2 ZONE COLD "dataset {\n}\n}\n}", "block 'dataset' has 0 labels, it must have 1"},
	    {EC2 ZONE COLD "dataset \"a\" {\n}\ndataset \"a\" {\n}\n}\n}", "a second 'dataset' block a"},
	    {EC2 ZONE "volume \"a b\" {\nsize = \"1GiB\"\n}\n}", "'a b' is not a name for a volume"},
	    {EC2 ZONE "volume \"a\" {\nsize = \"1MiB\"\n}\n}", "volume 'a' is smaller than 1 GiB"},
	    {EC2 ZONE "volume \"a\" {\n}\n}", "'size'"},
	    {EC2 COLD "}\n}", "it has a volume, and no zone is said"},
	    {EC2 ZONE "volume \"a\" {\nsize = \"1GiB\"\npool = \"mirror1\"\n}\n}", "'mirror1' is no name for a pool"},
	    {EC2 ZONE "volume \"a\" {\nsize = \"1GiB\"\ndataset \"b\" {\n}\n}\n}",
	     "volume 'a' has datasets and no pool"},
	    {EC2 "key_pair {\npublic_key = \"x\"\n}\n}", "the key of 'key_pair' is none"},
	    {EC2 "security_group {\nfrom = [\"10.0.0.1\"]\n}\n}", "'10.0.0.1' in 'security_group' is no CIDR block"},
	    {HCLOUD "firewall {\nfrom = [\"any/0\"]\n}\n}", "'any/0' in 'firewall' is no CIDR block"},
	    {HCLOUD "volume \"a\" {\nsize = \"9GiB\"\n}\n}", "volume 'a' is smaller than 10 GiB"},
	    {HCLOUD "volume \"a\" {\nsize = \"11TiB\"\n}\n}", "volume 'a' is larger than 10240 GiB"},
	    {HCLOUD "volume \"a\" {\nsize = \"9GiB\"\ntype = \"x\"\n}\n}", "'type'"},
	    {"target t hcloud {\ntoken = \"x\"\nimage = \"i\"\nserver_type = \"s\"\nlocation = \"l\"\n}",
	     "'ssh_key' is not said"},
	    {"target t aws_ec2 {\nimage_id = \"ami-1\"\ninstance_type = \"t4g.nano\"\n}", "'key_name' is not said"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		struct config c;
		struct diags d;
		assert_false(read_text(rows[i].text, false, &a, &c, &d));
		if (strstr(diags_wrong(&d)->what, rows[i].what) == NULL)
			fail_msg("%s: %s", rows[i].what, diags_wrong(&d)->what);
	}
}

/* Warned of, as lazyssh did; the file is good, and linger is 0. */
static void lazyssh_warnings(void **state)
{
	(void)state;
	static const char *const texts[] = {EC2 "shared = false\nlinger = \"5m\"\n}",
					    HCLOUD "shared = false\nlinger = \"5m\"\n}"};
	static const size_t lines[] = {6, 8};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(arena) struct arena a = {0};
		AUTO(buf) struct buf b = {0};
		struct config c;
		struct diags d;
		assert_true(read_text(texts[i], false, &a, &c, &d));
		assert_int_equal(d.n, 1);
		diags_render(&d, "f", str_of(texts[i]), &b);
		const char *want =
		    arena_printf(&a, "f:%zu:1: warning: 'linger' has no effect with shared = false\n", lines[i]);
		assert_int_equal(strncmp(buf_text(&b), want, strlen(want)), 0);
		assert_false(c.targets.v[0].shared);
		assert_int_equal(c.targets.v[0].linger_ms, 0);
	}
}

/* However many warnings there are, they are not errors; and one error among them is. */
static void many_warnings(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct config c;
	struct diags d;

	(void)state;
	for (int i = 0; i < 2 * DIAGS_MAX; i++)
		buf_printf(&b, "target t%d qemu {\nshared = false\nlinger = \"1s\"\n}\n", i);
	assert_true(read_text(buf_text(&b), false, &a, &c, &d));
	assert_int_equal(d.n, DIAGS_MAX);
	buf_puts(&b, "x = 1\n");
	assert_false(read_text(buf_text(&b), false, &a, &c, &d));
	assert_non_null(diags_wrong(&d)->what);
}

/* What the journal holds is read without files and variables, whatever is in it. */
static void from_nowhere(void **state)
{
	static const char *const texts[] = {"target t qemu {\nbridge = file(\"x\")\n}\n",
					    "target t qemu {\nbridge = env(\"x\")\n}\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(arena) struct arena a = {0};
		struct config c;
		struct diags d;
		assert_false(read_text(texts[i], false, &a, &c, &d));
		assert_non_null(strstr(diags_wrong(&d)->what, i == 0 ? "there are no files here" : "is not set"));
	}
}

static void count(void *arg, const struct machine_id *id, const struct machine_facts *f)
{
	(void)id, (void)f;
	++*(int *)arg;
}

/* What runs cannot be seen: that is not nothing. */
static void unseen_is_not_absent(void **state)
{
	AUTO(arena) struct arena a = {0};
	const struct provider_ops *qemu = provider_find("qemu");
	const struct provider_env env = {.arena = &a, .runtime_dir = "/nowhere"};
	const struct machine_id id = {"t", "x"};
	struct machine_facts f;
	struct rlimit all, none;
	struct config c;
	struct diags d;
	struct err e;
	int n = 0, listed, described, stopped;

	(void)state;
	assert_true(read_text("target t qemu {\n}\n", false, &a, &c, &d));
	const struct target *t = &c.targets.v[0];
	assert_int_equal(qemu->list(&env, t, count, &n, &e), 0);
	assert_int_equal(qemu->stop(&env, t, &id, &e), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	for (none = all, none.rlim_cur = 0; none.rlim_cur < 5; none.rlim_cur++) {
		/* At first the folder of all processes cannot be opened, then one of them. */
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		listed = qemu->list(&env, t, count, &n, &e);
		described = qemu->describe(&env, t, &id, &f, &e);
		stopped = qemu->stop(&env, t, &id, &e);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
		if (listed == 0)
			break;
		assert_int_equal(described, -1);
		assert_int_equal(stopped, -1);
		assert_non_null(strstr(e.what, "cannot see which guests of target 't' run"));
	}
	assert_true(none.rlim_cur >= 2);
	assert_int_equal(n, 0);
}

/* Nor is a note of who switched it on that cannot be read: what was ours would be left on. */
static void unread_is_not_unwritten(void **state)
{
	AUTO(arena) struct arena a = {0};
	const struct provider_ops *forward = provider_find("forward");
	const struct provider_env env = {.arena = &a, .runtime_dir = "/nowhere", .deadline_ms = INT64_MAX};
	const struct machine_id id = {"t", "x"};
	struct rlimit all, none;
	struct config c;
	struct diags d;
	struct err e;
	int n = 0;

	(void)state;
	assert_true(read_text("target t forward {\nto = \"127.0.0.1\"\n}\n", false, &a, &c, &d));
	const struct target *t = &c.targets.v[0];
	assert_int_equal(forward->list(&env, t, count, &n, &e), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = all;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int listed = forward->list(&env, t, count, &n, &e);
	int stopped = listed < 0 ? forward->stop(&env, t, &id, &e) : 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(listed, -1);
	assert_int_equal(stopped, -1);
	assert_non_null(strstr(e.what, "cannot see who switched target 't' on"));
	assert_int_equal(n, 0);
}

/* Nor does a machine sleep because nobody here can connect to it. */
static void unasked_is_not_asleep(void **state)
{
	AUTO(arena) struct arena a = {0};
	const struct provider_env env = {.arena = &a, .runtime_dir = "/nowhere", .deadline_ms = INT64_MAX};
	struct rlimit all, none;
	struct config c;
	struct diags d;
	struct err e;

	(void)state;
	assert_true(read_text("target t wake_on_lan {\nmac = \"52:54:00:00:00:01\"\naddr = \"127.0.0.1\"\n"
			      "check_port = 1\n}\n",
			      false, &a, &c, &d));
	const struct existing_ops *ops = provider_find("wake_on_lan")->existing;
	assert_int_equal(ops->is_on(&env, &c.targets.v[0], &e), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = all;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int on = ops->is_on(&env, &c.targets.v[0], &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(on, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lazyssh_defaults),
	    cmocka_unit_test(lazyssh_values),
	    cmocka_unit_test(made),
	    cmocka_unit_test(made_wrongly),
	    cmocka_unit_test(lazyssh_warnings),
	    cmocka_unit_test(many_warnings),
	    cmocka_unit_test(from_nowhere),
	    cmocka_unit_test(unseen_is_not_absent),
	    cmocka_unit_test(unread_is_not_unwritten),
	    cmocka_unit_test(unasked_is_not_asleep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
