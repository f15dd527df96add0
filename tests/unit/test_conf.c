#include "test_conf.h"

static void strings(void **state)
{
	(void)state;
	is("\"plain\"", "plain");
	is("\"\"", "");
	is("\"a\\n\\r\\t\\\"\\\\b\"", "a\n\r\t\"\\b");
	is("\"\\u00e9\\U0001F600\"", "\xc3\xa9\xf0\x9f\x98\x80");
	is("\"$${x} %%{y} $5 100%\"", "${x} %{y} $5 100%");
	is("\"a${\"b\"}c\"", "abc");
	is("\"${5}-${true}-${-1.5}\"", "5-true--1.5");
	is("\"${trimspace(\"  x \")}!\"", "x!");
	is("\"x  ${~ \"y\" ~}  z\"", "xyz");
	is("5", "5");
	is("-2.5e3", "-2.5e3");
	is("(\"x\")", "x");
	is("(\n\"x\"\n)", "x");
	is("file(\"there\")", "  from file\n");
	is("trimspace(file(\"there\"))", "from file");
	is("env(\"SET\")", "value");
	is("env(\n  \"SET\",\n)", "value");
	is("\"${env(\"SET\")}${env(\"SET\")}\"", "valuevalue");
	is("\"x\" # c", "x");
	is("\"x\" // c", "x");
	is("\"x\" /* c\n */", "x");
	is("\"\xc3\xa9\"", "\xc3\xa9");
}

static void heredocs(void **state)
{
	(void)state;
	is("<<EOF\na\n  b\nEOF\n", "a\n  b\n");
	is("<<EOF\nEOF\n", "");
	is("<<-EOF\n    a\n      b\n\n    c\n    EOF\n", "a\n  b\n\nc\n");
	is("<<-EOF\n\ta\n\t\tb\nEOF\n", "a\n\tb\n");
	is("<<-EOF\n  a\n b\nEOF\n", " a\nb\n");
	is("<<EOF\na ${\"b\"} \\n $${c}\nEOF\n", "a b \\n ${c}\n");
	is("<<EOF\r\na\r\nEOF\r\n", "a\n");
	is("<<EOF\n${\"x\"}\nEOF\n", "x\n");
	is("<<-EOF\n  ${\"x\"}\n    y\n  EOF\n", "x\n  y\n");
	is("<<E-F_1\nEOF\nE-F_1\n", "EOF\n");
	is("<<EOF\nnot EOF\nEOF\n", "not EOF\n");
}

static void whole_file(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	const char *text =
	    "\xef\xbb\xbf# a comment\n"
	    "backup \"safe\" {\n"
	    "  source      = \"archiver:rpool/safe dir\"\n"
	    "  destination = \"other.1:rpool/backup\"\n"
	    "  exclude     = [\"rpool/safe/cache/*\", \"x\",]\n"
	    "  timeout     = \"25h\"\n"
	    "}\n"
	    "backup local { source = \"a\" destination = \"b\" }\n"
	    "target archiver probe {\n"
	    "  linger = \"2m\" // so long\n"
	    "  pools  = [\n    \"rpool\", # one\n    \"x\"\n  ]\n"
	    "  s = \"t\"\n  b = true\n  i = 5\n  d = \"1h30m\"\n  z = \"1.5K\"\n  l = []\n"
	    "  ssh { port = 2222 }\n"
	    "}\n"
	    "target \"other.1\" \"probe\" {\n"
	    "  ssh {\n    user = \"u\"\n    identity_file = \"/k\"\n    host_key = \"ssh-ed25519 AAAA\\n\"\n  }\n"
	    "}\n"
	    "snapshots {\n  frequent = 4\n  yearly = 0\n}\n";

	(void)state;
	/* One-line blocks hold one attribute; two need a line each. */
	text = arena_printf(&a, "%s", text);
	char *local = strstr((char *)(uintptr_t)text, "a\" destination");
	assert_non_null(local);
	local[2] = '\n';
	if (!load(text, strlen(text), false, &a, &c, &d))
		fail_msg("%s", all_of(&d, &a, text));
	const struct target *t = config_target(&c, "archiver");
	const struct probe *p = t->settings;
	assert_true(t->linger_ms == 120000 && t->start_timeout_ms == 300000 && t->stop_timeout_ms == 120000);
	assert_true(t->pools.n == 2 && t->ssh.port == 2222 && strcmp(t->ssh.user, "root") == 0);
	assert_true(p->b && p->i == 5 && p->d == 5400000 && p->z == 1536 && p->l.n == 0);
	t = config_target(&c, "other.1");
	assert_string_equal(t->ssh.host_key, "ssh-ed25519 AAAA");
	assert_true(((const struct probe *)t->settings)->z == 1024);
	const struct backup *b = config_backup(&c, "safe");
	assert_string_equal(b->source_target, "archiver");
	assert_string_equal(b->source, "rpool/safe dir");
	assert_string_equal(b->dest_target, "other.1");
	assert_true(b->exclude.n == 2 && b->timeout_ms == 90000000);
	b = config_backup(&c, "local");
	assert_true(b->source_target == NULL && b->dest_target == NULL);
	const struct snapshot_policy *policy = config_policy(&c, NULL);
	assert_true(policy->takes[LABEL_FREQUENT] && policy->keep[LABEL_FREQUENT] == 4);
	assert_true(policy->takes[LABEL_YEARLY] && policy->keep[LABEL_YEARLY] == 0 && !policy->takes[LABEL_DAILY]);
	assert_null(config_target(&c, "none"));
	assert_null(config_backup(&c, "none"));

	/* What the keeper remembers of a target reads back to the same. */
	for (size_t i = 0; i < c.targets.n; i++) {
		AUTO(buf) struct buf one = {0};
		AUTO(buf) struct buf two = {0};
		struct config again;
		conf_write_target(&one, &c.targets.v[i], &probe_kind);
		if (!load(buf_text(&one), one.n, false, &a, &again, &d))
			fail_msg("%s", all_of(&d, &a, buf_text(&one)));
		conf_write_target(&two, &again.targets.v[0], &probe_kind);
		assert_string_equal(buf_text(&one), buf_text(&two));
	}
	struct target odd = c.targets.v[0];
	struct probe odd_probe = {.s = "\"\\ ${x} %{y} \n\x01 $"};
	odd.settings = &odd_probe;
	AUTO(buf) struct buf written = {0};
	conf_write_target(&written, &odd, &probe_kind);
	assert_true(load(buf_text(&written), written.n, false, &a, &c, &d));
	assert_string_equal(((const struct probe *)c.targets.v[0].settings)->s, odd_probe.s);
}

/* What a block says of a machine's life, what it means when it says nothing, and that it is remembered whole. */
static void life_of_a_machine(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf kept = {0};
	struct config c;
	struct diags d;
	const char *text = "target own probe {\n  shared = false\n  max_lifetime = \"8h\"\n  starts_per_hour = 4\n"
			   "  watchdog = \"1m\"\n"
			   "  ready = [\"test\", \"-e\", \"/run/up\"]\n}\ntarget plain probe {}\n"
			   "limits {\n  machines = 2\n  connections = 9\n  starts_per_hour = 6\n}\n";

	(void)state;
	if (!load(text, strlen(text), false, &a, &c, &d))
		fail_msg("%s", all_of(&d, &a, text));
	assert_true(c.limits.machines == 2 && c.limits.connections == 9 && c.limits.starts_per_hour == 6);
	const struct target *plain = config_target(&c, "plain");
	assert_true(plain->shared && plain->max_lifetime_ms == 0 && plain->starts_per_hour == 60 &&
		    plain->ready.n == 0 && plain->watchdog_ms == 0);
	conf_write_target(&kept, config_target(&c, "own"), &probe_kind);
	assert_true(load(buf_text(&kept), kept.n, false, &a, &c, &d));
	const struct target *own = config_target(&c, "own");
	assert_true(!own->shared && own->max_lifetime_ms == 8 * 3600 * 1000 && own->starts_per_hour == 4);
	assert_int_equal(own->watchdog_ms, 60000);
	assert_true(own->ready.n == 3 && strcmp(own->ready.v[2], "/run/up") == 0);
	/* Without a block, nothing is limited. */
	assert_true(c.limits.machines == 0 && c.limits.connections == 0 && c.limits.starts_per_hour == 0);
}

static void json_form(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	const char *text =
	    "{\"//\": \"a comment\", \"target\": {\"t\": {\"probe\": {\"s\": "
	    "\"${env(\\\"SET\\\")}\\u00e9\\ud83d\\ude00\\/\", \"b\": true,"
	    " \"i\": 5, \"l\": [\"x\", \"y\"], \"d\": null, \"ssh\": {\"port\": 23}}}},\n"
	    " \"backup\": [{\"b\": {\"source\": \"t:a\", \"destination\": \"b\"}}], \"snapshots\": {\"daily\": 7} }\n";

	(void)state;
	if (!load(text, strlen(text), true, &a, &c, &d))
		fail_msg("%s", all_of(&d, &a, text));
	const struct probe *p = c.targets.v[0].settings;
	assert_string_equal(p->s, "value\xc3\xa9\xf0\x9f\x98\x80/");
	assert_true(p->b && p->i == 5 && p->l.n == 2 && c.targets.v[0].ssh.port == 23);
	assert_string_equal(c.backups.v[0].source_target, "t");

	static const char *const bad[][2] = {
	    {"", "1:1: here a value is missing"},
	    {"5", "1:1: the file must be one JSON object"},
	    {"[{}, 5]", "1:6: the file must be one JSON object"},
	    {"{} x", "1:4: after the file's JSON object something follows"},
	    {"{\"a\": 1}", "1:2: unknown attribute 'a' in the file"},
	    {"{\"target\": 5}", "1:12: 'target' is a block"},
	    {"{\"target\": {\"t\": {\"prob\": {}}}}", "1:19: unknown kind of target 'prob'"},
	    {"{\"snapshots\": {\"daily\": 1, \"daily\": 2}}", "1:28: 'daily' stands twice"},
	    {"{\"snapshots\": {\"daily\": 1.5}}", "1:25: 'daily' must be a whole number"},
	    {"{\"a\" 1}", "1:6: here a ':' is missing"},
	    {"{\"a\": 1 \"b\": 2}", "1:9: here a ',' or the '}'"},
	    {"{\"a\": [1 2]}", "1:10: here a ',' or the ']'"},
	    {"{a: 1}", "1:2: here a name in quotes is missing"},
	    {"{\"a\": \"x", "1:9: this string is not one"},
	    {"{\"a\": \"\\q\"}", "1:8: this string is not one"},
	    {"{\"a\": \"\\ud800\"}", "1:14: this string is not one"},
	    {"{\"a\": nul}", "1:7: this is no value as JSON has it"},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		wrong_in(bad[i][0], true, bad[i][1], 1);
	wrong_in("{\"target\": {\"t\": {\"probe\": {\"s\": \"${x}\"}}}}", true, "1:34: 'x' is no value", 1);
}

static void wrong_expressions(void **state)
{
	(void)state;
	wrong_value("\"open", "2:5: this string has no end on its line");
	wrong_value("\"a\\q\"", "2:7: unknown escape in a string");
	wrong_value("\"\\u12\"", "2:6: not a Unicode escape");
	wrong_value("\"\\ud800\"", "2:6: not a Unicode escape");
	wrong_value("\"${\"a\"\"", "2:6: this ${ has no }");
	wrong_value("\"%{ if true }\"", "2:6: template directives");
	wrong_value("\"a${[1]}\"", "2:7: a list cannot be part of a text");
	wrong_value("\"a${null}\"", "2:7: null cannot be part of a text");
	wrong_value("var.x", "2:5: 'var' is no value");
	wrong_value("yes", "2:5: 'yes' is no value");
	wrong_value("1 + 2", "2:7: operators are not part");
	wrong_value("\"a\" == \"b\"", "2:9: operators are not part");
	wrong_value("fil(\"x\")", "2:5: unknown function 'fil'");
	wrong_value("frobnicate(1)", "2:5: unknown function 'frobnicate'");
	wrong_value("file(\"missing\")", "2:5: cannot read the file 'missing': No such file");
	wrong_value("env(\"UNSET\")", "2:5: the environment variable 'UNSET' is not set");
	wrong_value("env()", "2:5: 'env' takes one string");
	wrong_value("env(true)", "2:5: 'env' takes one string, this is true or false");
	wrong_value("env(\"a\", \"b\")", "2:5: 'env' takes one argument");
	wrong_value("[1, 2", "3:1: here a ',' or the ']'");
	wrong_value("[1 2]", "2:8: here a ',' or the ']'");
	wrong_value("{ a = 1, b }", "2:16: here a '=' is missing");
	wrong_value("{ a = 1 b = 2 }", "2:13: here a ',' or the '}'");
	wrong_value("{ a = 1, a = 2 }", "2:14: 'a' stands twice in this object");
	wrong_value("{ @ = 1 }", "2:7: here a name or the '}'");
	wrong_value("(1", "2:5: this parenthesis is not closed");
	wrong_value("@", "2:5: here a value is missing");
	wrong_value("", "2:5: here a value is missing");
	wrong_value("true", "2:5: 's' must be a string");
	wrong_value("[\"a\"]", "2:5: 's' must be a string");
	wrong_value("{ a = 1, \"b c\": 2\n d = 3 }", "2:5: 's' must be a string");
	wrong_value("<<EOF\nabc\n", "2:5: this heredoc has no end");
	wrong_value("<<5\nabc\n5", "2:5: a heredoc begins with a marker");
	wrong_value("<<EOF x\nEOF", "2:5: a heredoc begins with a marker");
	wrong_value("\"x\" \"y\"", "2:9: here a new line is missing");
	wrong("a = /* never", "1:5: this comment has no end");
	wrong("target t probe {\nb = \"yes\"\n}", "2:5: 'b' must be true or false");
	wrong("target t probe {\ni = \"5x\"\n}", "2:5: 'i' must be a whole number");
	wrong("target t probe {\nd = 5\n}", "2:5: 'd' must be a duration");
	wrong("target t probe {\nz = \"5X\"\n}", "2:5: 'z' must be a size");
	wrong("target t probe {\nl = [1]\n}", "2:6: 'l' must be a list of strings");
}

static void wrong_files(void **state)
{
	(void)state;
	wrong("target t probe {\n  lingr = \"2m\"\n}", "2:3: unknown attribute 'lingr' in block 'target'");
	wrong("target t prob {\n}", "1:10: unknown kind of target 'prob'");
	wrong("target t must {\n}", "1:1: 'must' is missing in block 'target'");
	wrong("targets t probe {\n}", "1:1: unknown block 'targets'");
	wrong("x = 1", "1:1: unknown attribute 'x' in the file");
	wrong("target t {\n}", "1:1: block 'target' has 1 label, it must have 2");
	wrong("target \"\" probe {\n}", "1:8: a label may not be empty");
	wrong("target \"a${\"x\"}\" probe {\n}", "1:8: a label must be plain text");
	wrong("target \"a b\" probe {\n}", "1:8: 'a b' is not a name for a target");
	wrong("target t probe {}\ntarget t probe {}", "2:1: a second target 't'");
	wrong("target t probe {\nssh {}\nssh {}\n}", "3:1: a second 'ssh' block");
	wrong("target t probe {\nssh { port = 0 }\n}", "2:14: 'port' must be a port, a number from 1 to 65535");
	wrong("target t probe {\nsssh {}\n}", "2:1: unknown block 'sssh'");
	wrong("target t probe {\nlinger = \"1m\"\nlinger = \"2m\"\n}", "3:1: 'linger' stands here twice");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\n}\n"
	      "backup b {\nsource = \"p/x/y\"\ndestination = \"q\"\n}",
	      "5:1: backup 'b' writes the same copies as backup 'a'");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nrun = \"sometimes\"\n}",
	      "4:7: 'sometimes' is no time to run at");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nbandwidth = \"fast\"\n}",
	      "4:13: 'fast' is no bandwidth");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\ncompress = \"lz4\"\n}",
	      "4:12: 'compress' must be \"auto\", \"zstd\" or \"none\"");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nchoose = \"some\"\n}",
	      "4:10: 'choose' must be \"all\" or \"property\"");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nfirst_copy = \"some\"\n}",
	      "4:14: 'first_copy' must be");
	wrong("target t probe {\nchannels = 0\n}", "2:12: 'channels' is a number from 1 to 16");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nrun = \"every day\"\n}", "4:7: 'day' is no duration");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nrun = \"*-02-30\"\n}", "4:7: '*-02-30' never comes");
	wrong("snapshots {\nhourly = 0\n}\nbackup a {\nsource = \"p/x\"\ndestination = \"q\"\nrun = \"after "
	      "snapshot\"\n}",
	      "4:1: backup 'a' runs after snapshots, and none are taken");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nkeep {\ndaily = 0\n}\n}",
	      "4:1: this 'keep' block keeps nothing but the newest snapshot");
	wrong("backup a {\nsource = \"p/x\"\ndestination = \"q\"\nkeep {\ndaily = -1\nwithin = \"1h\"\n}\n}",
	      "5:9: 'daily' must be a whole number from 0");
	wrong("snapshots {\nadopt = [\"sanoid\", \"me\"]\nhourly = 1\n}",
	      "2:20: 'me' is nobody whose snapshots are known");
	wrong("snapshots {\non = \"nas\"\nhourly = 1\n}", "2:6: there is no target 'nas'");
	wrong("snapshots {\non_hook_failure = \"panic\"\nhourly = 1\n}", "2:19: 'on_hook_failure' must be");
	wrong("snapshots {\ndaily = 1\n}\nsnapshots {\ndaily = 1\n}", "4:1: a second 'snapshots' block for this host");
	wrong("snapshots {\nhourly = -2\n}", "2:10: 'hourly' must be a whole number from 0");
	wrong("backup b {\nsource = \"a\"\n}", "1:1: 'destination' is missing in block 'backup'");
	wrong("backup b {\nsource = \"x:a\"\ndestination = \"b\"\n}", "2:10: there is no target 'x'");
	wrong("backup b {\nsource = \"a\"\ndestination = \"b//c\"\n}", "3:15: 'b//c' is not a dataset's name");
	wrong("backup b {\nsource = \"a@b\"\ndestination = \"c\"\n}", "2:10: 'a@b' is not a dataset's name");
	wrong("backup b {\nsource = \"a\"\ndestination = \"a/b\"\n}", "3:15: the destination lies within the source");
	wrong("backup b {\nsource = \"a\"\ndestination = \"c\"\n}\nbackup b {\nsource = \"a\"\ndestination = \"c\"\n}",
	      "5:1: a second backup 'b'");
	wrong("backup b {\nsource = \"a\"\ndestination = \"c\"", "1:10: the block 'backup' is not closed");
	wrong("target t probe {}\n}", "2:1: this '}' closes nothing");
	wrong("target t probe", "1:1: after 'target' neither '=' nor '{'");
	wrong("\"x\" = 1", "1:1: here the name of an attribute");
	wrong("= 1", "1:1: here the name of an attribute");
}

static void all_are_shown(void **state)
{
	(void)state;
	wrong_in("target t probe {\n  lingr = \"2m\"\n  b = 5\n  i = @\n  d = \"x\"\n}\nbackup b {\n}\nfoo {\n}\n",
		 false, "2:3: unknown attribute 'lingr'", 7);
	/* Beyond a hundred they are only counted. */
	AUTO(buf) struct buf b = {0};
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	for (int i = 0; i < 150; i++)
		buf_printf(&b, "x%d = 1\n", i);
	assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
	assert_true(d.n == DIAGS_MAX && d.dropped == 50);
	assert_non_null(strstr(all_of(&d, &a, buf_text(&b)), "f: and 50 more\n"));
}

static void rendering(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	const char *text = "target t probe {\n\t/* \xc3\xa9 */ lingr = \"2m\"\n}\n";

	(void)state;
	assert_false(load(text, strlen(text), false, &a, &c, &d));
	assert_string_equal(all_of(&d, &a, text), "f:2:10: unknown attribute 'lingr' in block 'target'\n"
						  "    2 |         /* \xc3\xa9 */ lingr = \"2m\"\n"
						  "      |                 ^^^^^\n"
						  "hint: did you mean 'linger'?\n");
	text = "snapshots {\ndaily = 1\n}\nsnapshots {\ndaily = 1\n}\n";
	assert_false(load(text, strlen(text), false, &a, &c, &d));
	assert_string_equal(all_of(&d, &a, text),
			    "f:4:1: a second 'snapshots' block for this host\n    4 | snapshots {\n      | ^^^^^^^^^\n"
			    "f:1:1: it stands here already\n    1 | snapshots {\n      | ^^^^^^^^^\n"
			    "hint: there is one for each host; 'on' names a target's\n");
	/* A long line is cut around the place. */
	AUTO(buf) struct buf b = {0};
	for (int i = 0; i < 100; i++)
		buf_puts(&b, "/* \xc3\xa9\xe2\x82\xac */ ");
	buf_puts(&b, "x = 1 # ");
	for (int i = 0; i < 300; i++)
		buf_puts(&b, "\xe2\x82\xac");
	assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
	const char *all = all_of(&d, &a, buf_text(&b));
	assert_true(strlen(all) < 700);
	size_t bad;
	assert_true(str_is_utf8(str_of(all), &bad));
	assert_non_null(strstr(all, "x = 1"));
}

static void not_a_text(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct config c;
	struct diags d;

	(void)state;
	wrong("a = \"\xff\"", "1:6: byte 0xff at offset 5 is not UTF-8");
	assert_false(load("a\0b", 3, false, &a, &c, &d));
	assert_string_equal(d.v[0].what, "a NUL byte at offset 1");
	for (int i = 0; i < 10 * 1024; i++)
		buf_printf(&b, "%1023s\n", "# x");
	assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
	assert_int_equal(d.n, 1);
	assert_non_null(strstr(d.v[0].what, "the file is 10485760 bytes long"));
	static const char *const openers[] = {"[", "{a=", "(", "\"${", "a {\n", "env("};
	for (size_t i = 0; i < ARRAY_LEN(openers); i++) {
		buf_clear(&b);
		buf_puts(&b, i == 4 ? "" : "a = ");
		for (int k = 0; k < 10000; k++)
			buf_puts(&b, openers[i]);
		assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
		assert_int_equal(d.n, 1);
		assert_string_equal(d.v[0].what, "nested more than 100 levels deep");
	}
	buf_clear(&b);
	for (int k = 0; k < 10000; k++)
		buf_puts(&b, "[");
	assert_false(load(buf_text(&b), b.n, true, &a, &c, &d));
	assert_string_equal(d.v[0].what, "nested more than 100 levels deep");
	buf_clear(&b);
	for (int k = 0; k < 5000; k++)
		buf_printf(&b, "x%d = 1\n", k);
	assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
	assert_int_equal(d.n, 1);
	assert_string_equal(d.v[0].what, "more than 1000 entries in one place");
}

/* By one name or two, in both languages; and what of it all is secret. */
static void sinks(void **state)
{
	static const struct {
		const char *text;
		bool json;
	} cases[] = {
	    {"report webhook ops {\n  url = \"https://secret\"\n  on = [\"failure\"]\n}\n"
	     "report otlp {\n  url = \"https://public\"\n  headers = { a = \"header\" }\n  token_file = \"/t\"\n}\n"
	     "report honeycomb {\n  dataset = \"d\"\n  api_key = \"key\"\n  region = \"eu\"\n  config_key = \"ck\"\n"
	     "  alert_to = [\"a@b\"]\n}\n",
	     false},
	    {"{\"report\": {\"webhook\": {\"ops\": {\"url\": \"https://secret\", \"on\": [\"failure\"]}},"
	     "\"otlp\": {\"url\": \"https://public\", \"headers\": {\"a\": \"header\"}, \"token_file\": \"/t\"},"
	     "\"honeycomb\": {\"dataset\": \"d\", \"api_key\": \"key\", \"region\": \"eu\","
	     "\"config_key\": \"ck\", \"alert_to\": [\"a@b\"]}}}",
	     true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena a = {0};
		struct strings secrets = {0};
		struct config c;
		struct diags d;
		if (!load(cases[i].text, strlen(cases[i].text), cases[i].json, &a, &c, &d))
			fail_msg("%s", all_of(&d, &a, cases[i].text));
		assert_int_equal(c.sinks.n, 3);
		const struct sink *ops = config_sink(&c, "ops"), *otlp = config_sink(&c, "otlp");
		assert_int_equal(ops->kind, SINK_WEBHOOK);
		assert_true(ops->on_failure && !ops->on_success && !ops->on_start && !ops->on_alert);
		assert_int_equal(ops->timeout_ms, 10000);
		assert_true(otlp->on_start && otlp->on_alert);
		assert_string_equal(otlp->key.file, "/t");
		assert_string_equal(otlp->service, "dormouse");
		assert_string_equal(config_sink(&c, "honeycomb")->url.text, "https://api.eu1.honeycomb.io");
		assert_null(config_sink(&c, "webhook"));
		config_secrets(&c, kinds, ARRAY_LEN(kinds), &a, &secrets);
		assert_true(sink_watches(config_sink(&c, "honeycomb")) && !sink_watches(otlp));
		assert_int_equal(secrets.n, 4);
		assert_string_equal(secrets.v[0], "https://secret");
		assert_string_equal(secrets.v[1], "header");
		assert_string_equal(secrets.v[2], "key");
		assert_string_equal(secrets.v[3], "ck");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sinks),	   cmocka_unit_test(strings),		cmocka_unit_test(heredocs),
	    cmocka_unit_test(whole_file),  cmocka_unit_test(json_form),		cmocka_unit_test(wrong_expressions),
	    cmocka_unit_test(wrong_files), cmocka_unit_test(all_are_shown),	cmocka_unit_test(rendering),
	    cmocka_unit_test(not_a_text),  cmocka_unit_test(life_of_a_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
