/* Faults one by one: one fault, one diagnostic, at its place; and what only a hostile file does. */
#include "test_conf.h"

#include <dirent.h>

#include "provider/registry.h"
#include "sys/fdio.h"

static void says(const char *text, const char *want)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;

	assert_false(load(text, strlen(text), false, &a, &c, &d));
	if (strcmp(all_of(&d, &a, text), want) != 0)
		fail_msg("%s\nsays:\n%s\nnot:\n%s", text, all_of(&d, &a, text), want);
}

static void hint_is(const char *text, const char *want)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;

	assert_false(load(text, strlen(text), false, &a, &c, &d));
	if (d.v[0].hint == NULL || strstr(d.v[0].hint, want) == NULL)
		fail_msg("%s\nsays:\n%s\nnot: %s", text, all_of(&d, &a, text), want);
}

/* Each is one mistake that people make, and may not be answered with more than one complaint. */
static void no_cascades(void **state)
{
	(void)state;
	wrong("target t probe\n{\n  s = \"x\"\n}\n", "2:1: this '{' must stand on the line of 'target'");
	wrong("target t probe # c\n\n{\n}\n", "3:1: this '{' must stand on the line of 'target'");
	wrong("target \"t probe {\n  s = \"x\"\n}\n", "1:8: this string has no end on its line");
	wrong("target \"t \"probe\" {\r\n  s = \"x\"\r\n}\r\n", "1:17: this string has no end on its line");
	wrong("target \"\" probe {\n  s = \"x\"\n}\n", "1:8: a label may not be empty");
	wrong("target \"\" probe { s = \"x\" }\n", "1:8: a label may not be empty");
	wrong("target \"${\nx = 1\n", "2:1: 'x' is no value");
	wrong("target t must {\n  must = @\n}\n", "2:10: here a value is missing");
	wrong("target t must {\n  must = \"${[1]}a\"\n}\n", "2:11: a list cannot be part of a text");
	wrong("target t probe {\n  ssh {\n    port = \"x\"\n  }\n}\n", "3:12: 'port' must be a port");
	wrong("snapshots {\n  hourly = \"x\"\n}\n", "2:12: 'hourly' must be a whole number");
	wrong("target t probe {\n  shared = 1\n}\n", "2:12: 'shared' must be true or false");
	wrong("target t probe {\n  starts_per_hour = -1\n}\n", "2:21: 'starts_per_hour' must be a whole number from 0");
	wrong("target t probe {\n  max_lifetime = 5\n}\n", "2:18: 'max_lifetime' must be");
	wrong("target t probe {\n  watchdog = \"59s\"\n}\n", "2:14: 'watchdog' must be at least a minute");
	wrong("target t probe {\n  ready = \"x\"\n}\n", "2:11: 'ready' must be a list");
	wrong("limits {\n  machines = -1\n}\n", "2:14: 'machines' must be a whole number from 0");
	wrong("limits {\n  connections = 99999999999\n}\n", "2:17: 'connections' must be a whole number from 0");
	wrong("limits {\n  starts_per_hour = 1.5\n}\n", "2:21: 'starts_per_hour' must be a whole number");
	wrong("limits {}\nlimits {}\n", "2:1: ");
	wrong("lingr = @\n", "1:9: here a value is missing");
	wrong("a = (1 /* x", "1:8: this comment has no end");
	wrong("a = [1 /* x", "1:8: this comment has no end");
	wrong("a = env(\"x\" /* x", "1:13: this comment has no end");
	wrong("a = env(x)", "1:9: 'x' is no value");
	wrong("a = \"x\\\nsnapshots {\nhourly = 1\n}", "1:5: this string has no end on its line");
	wrong("a = \"x\\\r\nsnapshots {\nhourly = 1\n}", "1:5: this string has no end on its line");
	wrong("a = \"\\\xe2\x82\xac\"", "1:6: unknown escape in a string");
	wrong("snapshots {\nhourly = 1\n} snapshots {\nhourly = 1\n}",
	      "3:3: here a new line is missing, after the block 'snapshots'");
	wrong("a = {\n  b = [1 2]\n  c = \"}\"\n}\n", "2:10: here a ',' or the ']'");
	wrong("a = [\n  @, # it's ( open\n  // {\n  \"\\\"(\",\n]\n", "2:3: here a value is missing");
	wrong("a = [@,\n<<EOF\n( } \"\nEOF\n]\n", "1:6: here a value is missing");
	wrong("a = <<EOF\n( ${@} }\nEOF\n", "2:5: here a value is missing");
	wrong("a = \"${ 1 + \"2\" }\"\n", "1:11: operators are not part");
	wrong("target t probe {\n  l = [\"a\", @]\n}\n", "2:13: here a value is missing");
	wrong("= 1 }", "1:1: here the name of an attribute");
	wrong_in("a = @ }", false, "1:5: here a value is missing", 2);
	/* Two faults are two. */
	wrong_in("a = \"${\"y\" ~}\n\"\n", false, "1:5: this string has no end on its line", 2);
	wrong_in("a = [@\nb = [@\n", false, "1:6: here a value is missing", 2);
	wrong_in("a = [<<EOF\nb = @\n", false, "1:6: this heredoc has no end", 1);
	wrong_in("a = [@, <<EOF\nb = @\n", false, "1:6: here a value is missing", 2);
	wrong_in("a = @\na = @\n", false, "1:5: here a value is missing", 3);
	wrong_in("target t probe {\n  ssh {\n    x = 1\n    port = 0\n  }\n}\n", false, "3:5: unknown attribute 'x'",
		 2);
	wrong_in("\"x\" = 1\n\"y\" = @\n", false, "1:1: here the name of", 2);
}

static void hints(void **state)
{
	(void)state;
	hint_is("\"x\" = 1\n", "names stand without quotes");
	hint_is("snapshots = {}\n", "it is a block, without '=': snapshots { … }");
	hint_is("target t probe {\nlinger {}\n}\n", "it is an attribute: linger = VALUE");
	hint_is("target t probe {\nssh = {}\n}\n", "it is a block, without '=': ssh { … }");
	hint_is("targt t probe {}\n", "did you mean 'target'?");
	hint_is("snapshots {\nhourly = 1,\n}\n", "without commas");
	hint_is("a = \xe2\x80\x9cx\xe2\x80\x9d\n", "plain quotes");
	hint_is("a = \xe2\x82\xac\n", "no variables");
	hint_is("a = [for x in y : x]\n", "write out");
	hint_is("a = fil(\"x\")\n", "did you mean 'file'?");
	hint_is("target t prob {}\n", "did you mean 'probe'?");
	hint_is("target t abcdefgh {}\n", "the kinds are: probe, must");
	hint_is("target arch probe {}\nbackup b {\nsource = \"arhc:a\"\ndestination = \"b\"\n}\n",
		"did you mean 'arch'?");
	hint_is("target t probe {\nshared = false\n}\nbackup b {\nsource = \"t:a\"\ndestination = \"b\"\n}\n",
		"leave out shared = false");
	hint_is("target t must {\n}\n", "must: what it is for");
	hint_is("target t probe {\nb = 5\n}\n", "this is a number");
	hint_is("a = <<EOF\nx\n", "a line with nothing but EOF ends it");
}

static void not_the_language(void **state)
{
	(void)state;
	wrong_value("!true", "2:5: operators are not part");
	wrong_value("-x", "2:5: operators are not part");
	wrong_value("- 5", "2:5: operators are not part");
	wrong_value("true ? 1 : 2", "2:10: conditionals (a ? b : c) are not part");
	wrong_value("[for x in y : x]", "2:6: 'for' is not part");
	wrong_value("{for k, v in m : k => v}", "2:6: 'for' is not part");
	wrong_value("\"x\"[0]", "2:8: operators are not part");
	wrong_value("{ (true) = 1 }", "2:7: the name of an object's member must be a text");
	wrong_value("{ \"a\" = 1, (\"a\") = 2 }", "2:16: 'a' stands twice in this object");
	wrong_value("file(\"nul\")", "2:5: the file 'nul' is not a text: byte 0x00 at offset 1");
	wrong_value("file(\"latin1\")", "2:5: the file 'latin1' is not a text: byte 0xe9 at offset 2");
	wrong_value("env(\"LATIN1\")", "2:5: the environment variable 'LATIN1' is not a text");
	wrong_value("\"${[1]}\"", "2:5: 's' must be a string");
	wrong_value("\"${[1]}${[2]}\"", "2:6: a list cannot be part of a text");
	wrong_value("\"${{}}-\"", "2:6: an object cannot be part of a text");
	wrong_value("<<EOF\n${[1]}\nEOF\n", "3:1: a list cannot be part of a text");
	wrong_value("\"\\u0000\"", "2:6: not a Unicode escape");
	wrong_value("\"\\U00110000\"", "2:6: not a Unicode escape");
	wrong("target t probe {\nl = [\"a\", 5]\n}", "2:11: 'l' must be a list of strings");
	wrong("target t probe {\nl = \"a\"\n}", "2:5: 'l' must be a list of strings");
	wrong("target t probe {\nl = [\"a\", null]\n}", "2:11: 'l' must be a list of strings");
	wrong("target t probe {\nssh { user = \"a\\nProxyCommand x\" }\n}", "2:14: 'user' must be one line of text");
	wrong("target t probe {\nssh { host_key = \"a\\u007fb\" }\n}", "2:18: 'host_key' must be one line of text");
	wrong("target t probe {\nssh { port = 65536 }\n}", "2:14: 'port' must be a port, a number from 1 to 65535");
	static const char *const names[] = {"1a", "a/", "/a", "a/./b", "..", "a/..", "a%b", "", "a//b", "_a", "a/b/."};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO(arena) struct arena a = {0};
		wrong(arena_printf(&a, "backup b {\nsource = \"%s\"\ndestination = \"z\"\n}", names[i]),
		      arena_printf(&a, "2:10: '%s' is not a dataset's name", names[i]));
	}
}

static void values(void **state)
{
	(void)state;
	is("\"  ${~ \"y\" ~}  \"", "y");
	is("\"${\" x \"}${~ \"y\"}\"", " x y");
	is("\"${\"a\"}\"", "a");
	is("\"${5}\"", "5");
	is("\"${\n\"x\" // c\n}\"", "x");
	is("<<-EOF\n    a\n      \n    b\nEOF\n", "a\n      \nb\n");
	is("<<-EOF\n  a ${~ \"x\" ~}\n    b\n  EOF\n", "axb\n");
	is("<<-EOF\n${\"x\"}\n    b\n  EOF\n", "x\n    b\n");
	is("trimspace(<<EOF\n  x\nEOF\n)", "x");
	is("\"\\u20ac\"", "\xe2\x82\xac");
	is("\"$\"", "$");
	is("\"$$\"", "$$");
	is("\"%\"", "%");
	is("0.5", "0.5");
	is("1E+2", "1E+2");
	is("trimspace(5)", "5");
}

static void json_strict(void **state)
{
	static const char *const bad[][2] = {
	    {"{\"a\": 1,}", "1:9: here a name in quotes is missing"},
	    {"{\"a\": [1,]}", "1:10: here a value is missing"},
	    {"{\"a\": [,1]}", "1:8: here a value is missing"},
	    {"{,}", "1:2: here a name in quotes is missing"},
	    {"{\"a\": 01}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": 1-2}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": 1.}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": -}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": 1e}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": +1}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": .5}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": tru}", "1:7: this is no value as JSON has it"},
	    {"{\"a\": [", "1:8: here a value is missing"},
	    {"{\"a\": [1", "1:9: here a ',' or the ']'"},
	    {"{", "1:2: here a name in quotes is missing"},
	    {"{\"a\"", "1:5: here a ':' is missing"},
	    {"{\"a", "1:4: this string is not one as JSON has it"},
	    {"{\"a\": \"\\u12\"}", "1:8: this string is not one"},
	    {"{\"a\": \"\\udc00\"}", "1:14: this string is not one"},
	    {"{\"a\": \"\\ud800\\u0041\"}", "1:14: this string is not one"},
	    {"{\"a\": \"x\ny\"}", "1:9: this string is not one"},
	    {"{\"snapshots\": {\"hourly\": \"${\\\"x\"}}", "1:26: this string has no end"},
	    {"{\"snapshots\": {\"hourly\": \"${(1\"}}", "1:26: this parenthesis is not closed"},
	    {"{\"snapshots\": {\"hourly\": \"${1+1}\"}}", "1:26: operators are not part"},
	};
	static const char *const good[] = {
	    "[]",
	    "[{}, {\"snapshots\": {}}]",
	    "{\"//\": 1, \"//\": 2}",
	    " \t\r\n{ }\n",
	    "{\"target\": null, \"snapshots\": [], \"backup\": {\"b\": null}}",
	    "{\"target\": [{\"a\": {\"probe\": {\"s\": 1.5E-3, \"ssh\": null}}}, {\"b\": [{\"probe\": {}}]}]}",
	    "{\"snapshots\": {\"hourly\": null, \"//\": \"c\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		wrong_in(bad[i][0], true, bad[i][1], 1);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(arena) struct arena a = {0};
		struct config c;
		struct diags d;
		if (!load(good[i], strlen(good[i]), true, &a, &c, &d))
			fail_msg("%s:\n%s", good[i], all_of(&d, &a, good[i]));
		assert_true(c.policies.n <= 1);
		assert_int_equal(c.targets.n, strstr(good[i], "probe") != NULL ? 2 : 0);
	}
}

static void shown(void **state)
{
	(void)state;
	/* A byte order mark takes no column; wide characters take two. */
	says("\xef\xbb\xbf"
	     "aa = 1\n",
	     "f:1:1: unknown attribute 'aa' in the file\n    1 | aa = 1\n      | ^^\n");
	says("/* \xe6\xbc\xa2 e\xcc\x81 \xf0\x9f\x98\x80 */ aa = 1",
	     "f:1:14: unknown attribute 'aa' in the file\n"
	     "    1 | /* \xe6\xbc\xa2 e\xcc\x81 \xf0\x9f\x98\x80 */ aa = 1\n"
	     "      |               ^^\n");
	/* What could work on a terminal is shown as '?', in the file's line and in the message. */
	says("target \"a\\u001b[2J\\n\" probe {}\n",
	     "f:1:8: 'a?[2J?' is not a name for a target\n    1 | target \"a\\u001b[2J\\n\" probe {}\n"
	     "      |        ^^^^^^^^^^^^^^\n"
	     "hint: letters, digits, '_', '.' and '-', at most 64, not beginning with '.' or '-'\n");
	says("/*\x1b\xc2\x9b\xe2\x80\xae*/ aa = 1",
	     "f:1:9: unknown attribute 'aa' in the file\n    1 | /*???*/ aa = 1\n      |         ^^\n");
	/* A character is marked whole; the end of the file can be marked. */
	says("a = [1 \xe2\x82\xac]",
	     "f:1:8: here a ',' or the ']' of the list is missing\n    1 | a = [1 \xe2\x82\xac]\n"
	     "      |        ^\n");
	says("a = [1\n", "f:2:1: here a ',' or the ']' of the list is missing\n    2 | \n      | ^\n");
	says("a = \xff\n", "f:1:5: byte 0xff at offset 4 is not UTF-8\n    1 | a = \n      |     ^\n"
			   "hint: save the file as UTF-8\n");
	says("a = \r\n", "f:1:6: here a value is missing\n    1 | a = \n      |     ^\n"
			 "hint: a \"string\", a number, true, false, a [list], an {object}, or a heredoc (<<EOF)\n");
	says("a = file(\"odd\")\n",
	     "f:1:5: cannot read the file 'odd': \n    1 | a = file(\"odd\")\n      |     ^^^^^^^^^^^\n"
	     "hint: a path that does not begin with / is taken from the folder of this file\n");
	/* A place in the middle of a character is that character. */
	AUTO(buf) struct buf out = {0};
	struct diag middle = {.at = {2, 3}, .what = "x"};
	struct diags one = {.v = &middle, .n = 1};
	diags_render(&one, "f", str_of("a\xe2\x82\xac z"), &out);
	assert_string_equal(buf_text(&out), "f:1:3: x\n    1 | a\xe2\x82\xac z\n      |  ^\n");
	/* A long name does not make a long message. */
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct config c;
	struct diags d;
	for (int i = 0; i < 2000; i++)
		buf_puts(&b, "\xc3\xa9");
	buf_puts(&b, " = 1");
	assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
	const char *all = all_of(&d, &a, buf_text(&b));
	size_t bad;
	assert_true(strlen(all) < 600 && str_is_utf8(str_of(all), &bad));
	assert_non_null(strstr(all, " … "));
	assert_non_null(strstr(all, "' in the file\n"));
	assert_non_null(strstr(all, "…\n      | ^^"));
	/* The place stands under its mark in a long line, too. */
	for (int blanks = 0; blanks < 200; blanks++) {
		AUTO(arena) struct arena each = {0};
		static const char euros[] =
		    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
		const char *text = arena_printf(&each, "/*%*s%.*s*/ xyz = 1 #%s%s%s", blanks, "", 3 * (blanks % 14 + 1),
						euros, euros, euros, euros);
		assert_false(load(text, strlen(text), false, &each, &c, &d));
		char *line = strchr(all_of(&d, &each, text), '\n') + 1, *mark = strchr(line, '\n') + 1;
		*strchr(line, '\n') = '\0';
		size_t column = 0;
		for (const char *p = line; strncmp(p, "xyz", 3) != 0; p++)
			column += ((unsigned char)*p & 0xc0) != 0x80;
		assert_int_equal(strspn(mark, " |"), column);
		assert_int_equal(strncmp(mark + column, "^^^\n", 4), 0);
	}
}

/* Text made of one piece again and again, up to what is read at all, is answered in time that grows with it. */
static void hostile(void **state)
{
	static const struct {
		const char *pre, *piece, *post;
		bool json;
	} files[] = {
	    {"", "x=[@\n", "", false},
	    {"", "x={@\n", "", false},
	    {"", "x=[@]\n", "", false},
	    {"", "x=\"${\n", "", false},
	    {"", "x=[@,<<E\n", "", false},
	    {"", "a \"\"}", "", false},
	    {"", "a \"\" {", "", false},
	    {"", "a=[@}", "", false},
	    {"", "a=[@ <<E\n", "", false},
	    {"", "#\n", "a\n", false},
	    {"", "a {\"\" {\n", "", false},
	    {"", "a ", "", false},
	    {"", "a {\n", "", false},
	    {"", "a {}\n", "", false},
	    {"", "a\n", "", false},
	    {"", "}", "", false},
	    {"", "\"", "", false},
	    {"", "/*", "", false},
	    {"", "x=<<E\nE\n", "", false},
	    {"x=<<-E\n", " ", "\nE\n", false},
	    {"x=[", "1,", "]", false},
	    {"x=[", "file(\"there\"),", "]", false},
	    {"x=\"", "${1}", "\"", false},
	    {"x=\"", " ${~1", "\"", false},
	    {"x=\"${1}", "  ", "${~1}\"", false},
	    {"{\"snapshots\":[", "{},", "{}]}", true},
	    {"{\"target\":[", "{\"t\":{\"probe\":{}}},", "{}]}", true},
	    {"{\"target\":[[", "{\"t\":{\"probe\":{}}},{}],[", "{}]]}", true},
	    {"{\"target\":{\"t\":{\"probe\":{\"ssh\":[", "{},", "{}]}}}}", true},
	    {"", "[", "", true},
	    {"[", "\"${@}\",", "1]", true},
	};
	const double limit = 10; /* linear is below one second, squared is an hour */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		AUTO(arena) struct arena a = {0};
		AUTO(buf) struct buf b = {0};
		AUTO(buf) struct buf out = {0};
		struct config c;
		struct diags d;
		buf_puts(&b, files[i].pre);
		while (b.n + strlen(files[i].piece) + strlen(files[i].post) <= CONF_MAX)
			buf_puts(&b, files[i].piece);
		buf_puts(&b, files[i].post);
		clock_t begin = clock();
		if (!load(b.p, b.n, files[i].json, &a, &c, &d))
			diags_render(&d, "f", buf_str(&b), &out);
		double took = (double)(clock() - begin) / CLOCKS_PER_SEC;
		if (took > limit)
			fail_msg("%s%s…: %.1f s", files[i].pre, files[i].piece, took);
		assert_true(out.n < 200000);
	}
}

static void bounds(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct config c;
	struct diags d;

	(void)state;
	/* Brackets of lines that are wrong do not add up to deep nesting. */
	for (int i = 0; i < 60; i++)
		buf_printf(&b, "x%d = [@]\ny%d = {@}\nz%d = \"${[@]}\"\n", i, i, i);
	assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
	assert_int_equal(d.n + d.dropped, 180);
	/* Exactly as deep as may be, and one more. */
	for (int depth = 100; depth <= 101; depth++) {
		buf_clear(&b);
		buf_puts(&b, "target t probe {\ns = ");
		for (int i = 1; i < depth; i++)
			buf_putc(&b, '(');
		buf_puts(&b, "\"x\"");
		for (int i = 1; i < depth; i++)
			buf_putc(&b, ')');
		buf_puts(&b, "\n}\n");
		assert_int_equal(load(buf_text(&b), b.n, false, &a, &c, &d), depth == 100);
	}
	/* As many items as may be, and one more. */
	for (int n = AST_ITEMS; n <= AST_ITEMS + 1; n++) {
		buf_clear(&b);
		buf_puts(&b, "target t probe {\nl = [");
		for (int i = 0; i < n; i++)
			buf_puts(&b, "\"x\",");
		buf_puts(&b, "]\n}\n");
		assert_int_equal(load(buf_text(&b), b.n, false, &a, &c, &d), n == AST_ITEMS);
		buf_clear(&b);
		buf_puts(&b, "{\"target\":[");
		for (int i = 0; i < n; i++)
			buf_printf(&b, "%s[{\"t%d\":{\"probe\":{}}}]",
				   i % 500 == 0 && i > 0 ? "],["
				   : i > 0		 ? ","
							 : "[",
				   i);
		buf_puts(&b, "]]}");
		assert_int_equal(load(buf_text(&b), b.n, true, &a, &c, &d), n == AST_ITEMS);
		assert_true(n == AST_ITEMS || (d.n == 1 && strstr(d.v[0].what, "more than 1000 entries") != NULL));
	}
	for (int n = AST_ITEMS; n <= AST_ITEMS + 1; n++) {
		buf_clear(&b);
		buf_puts(&b, "{\"a\": [1");
		for (int i = 1; i < n; i++)
			buf_puts(&b, ",1");
		buf_puts(&b, "]}");
		assert_false(load(buf_text(&b), b.n, true, &a, &c, &d));
		assert_string_equal(d.v[0].what, n == AST_ITEMS ? "unknown attribute 'a' in the file"
								: "more than 1000 entries in one place");
		buf_clear(&b);
		buf_puts(&b, "{\"a\": {\"b0\": 1");
		for (int i = 1; i < n; i++)
			buf_printf(&b, ",\"b%d\":1", i);
		buf_puts(&b, "}}");
		assert_false(load(buf_text(&b), b.n, true, &a, &c, &d));
		assert_int_equal(d.n, 1);
		assert_string_equal(d.v[0].what, n == AST_ITEMS ? "unknown attribute 'a' in the file"
								: "more than 1000 entries in one place");
	}
	/* Exactly as long as may be. */
	buf_clear(&b);
	while (b.n < CONF_MAX)
		buf_putc(&b, '\n');
	assert_true(load(buf_text(&b), b.n, false, &a, &c, &d));
	buf_putc(&b, '\n');
	assert_false(load(buf_text(&b), b.n, false, &a, &c, &d));
	/* Names as long as may be. */
	for (int n = 64; n <= 65; n++) {
		buf_clear(&b);
		buf_printf(&b, "target %.*s probe {}\n", n,
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		assert_int_equal(load(buf_text(&b), b.n, false, &a, &c, &d), n == 64);
	}
}

static bool big_file(void *ctx, const char *path, struct arena *a, struct str *out, const char **why)
{
	(void)path, (void)a, (void)why;
	*out = *(struct str *)ctx;
	return true;
}

static void files_are_bounded(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct config c;
	struct diags d = {0};

	(void)state;
	while (b.n < CONF_MAX)
		buf_putc(&b, 'x');
	struct str content = buf_str(&b);
	struct conf_env big = {&content, big_file, fake_env};
	const char *text = "target t probe {\nl = [file(\"a\"), file(\"a\"), file(\"a\"), file(\"a\")]\n}\n";
	assert_true(conf_load(str_of(text), "f", false, kinds, ARRAY_LEN(kinds), &big, &a, &c, &d));
	text = "target t probe {\nl = [file(\"a\"), file(\"a\"), file(\"a\"), file(\"a\"), file(\"a\")]\n}\n";
	assert_false(conf_load(str_of(text), "f", false, kinds, ARRAY_LEN(kinds), &big, &a, &c, &d));
	assert_int_equal(d.n, 1);
	assert_string_equal(d.v[0].what, "file() and env() bring in more than 4194304 bytes");
	/* In JSON each text is read on its own, but they count together. */
	d = (struct diags){0};
	text = "{\"target\":{\"t\":{\"probe\":{\"l\":[\"${file(\\\"a\\\")}\",\"${file(\\\"a\\\")}\",\"${file(\\\"a\\\")"
	       "}\","
	       "\"${file(\\\"a\\\")}\",\"${file(\\\"a\\\")}\"]}}}}";
	assert_false(conf_load(str_of(text), "f", true, kinds, ARRAY_LEN(kinds), &big, &a, &c, &d));
	assert_int_equal(d.n, 1);
}

/* --- files of tests/corpus/conf ------------------------------------------------------------------- */

/* What a file of bad/ says of itself: "want: LINE:COLUMN: WHAT", each up to the end of its line (or of its
 * text, in JSON), in the order of the diagnostics. */
static void wanted(const char *name, const char *text, const struct diags *d, struct arena *a)
{
	size_t n = 0;
	AUTO(buf) struct buf b = {0};

	diags_render(d, "f", str_of(text), &b);
	for (const char *p = text; (p = strstr(p, "want: ")) != NULL; n++) {
		size_t line, column;
		p += strlen("want: ");
		const char *want = arena_strndup(a, p, strcspn(p, "\r\n\""));
		if (n >= d->n)
			fail_msg("%s: nothing says %s; but:\n%s", name, want, buf_text(&b));
		span_place(str_of(text), d->v[n].at.from, &line, &column);
		const char *got = arena_printf(a, "%zu:%zu: %s", line, column, d->v[n].what);
		if (strncmp(got, want, strlen(want)) != 0)
			fail_msg("%s: %s\nnot: %s", name, got, want);
	}
	if (n == 0 || n != d->n)
		fail_msg("%s: %zu wanted, but:\n%s", name, n, buf_text(&b));
}

static bool ends_with(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

enum corpus { ANY, GOOD, BAD };

static int corpus_of(const char *folder, enum corpus kind)
{
	DIR *dir = opendir(folder);
	int n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		AUTO(arena) struct arena a = {0};
		struct config c;
		struct str text;
		struct err err;
		if (e->d_type != DT_REG)
			continue;
		const char *path = arena_printf(&a, "%s/%s", folder, e->d_name);
		assert_int_equal(fd_read_file(path, 1 << 24, &a, &text, &err), 0);
		const char *copy = str_dup(&a, text);
		for (int json = 0; json < 2; json++) {
			AUTO(buf) struct buf b = {0};
			struct diags d = {0};
			bool good = conf_load(text, "f", json, provider_kinds(), PROVIDERS, &env, &a, &c, &d);
			assert_int_equal(good, diags_wrong(&d) == NULL);
			diags_render(&d, "f", text, &b);
			if (json != ends_with(e->d_name, ".json"))
				continue;
			if (kind == GOOD && !good)
				fail_msg("%s:\n%s", path, buf_text(&b));
			if (kind == BAD)
				wanted(path, copy, &d, &a);
		}
		n++;
	}
	(void)closedir(dir);
	return n;
}

static void corpus(void **state)
{
	(void)state;
	assert_true(corpus_of(TEST_DATA "/corpus/conf", ANY) >= 5);
	assert_true(corpus_of(TEST_DATA "/corpus/conf/good", GOOD) >= 4);
	assert_true(corpus_of(TEST_DATA "/corpus/conf/bad", BAD) >= 4);
}

/* A report in a file with two backups and a target; what is wrong, or NULL. */
static void watched(const char *labels, const char *attrs, const char *want)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	const char *file =
	    arena_printf(&a,
			 "target arch probe {\n}\nbackup a {\nsource = \"t/a\"\ndestination = \"v\"\n}\n"
			 "backup b {\nsource = \"t/b\"\ndestination = \"v\"\n}\nreport \"%s\" {\n%s\n}\n",
			 labels, attrs);
	bool good = load(file, strlen(file), false, &a, &c, &d);

	assert_int_equal(good, want == NULL);
	if (want != NULL && strstr(all_of(&d, &a, file), want) == NULL)
		fail_msg("%s\nis not about: %s", all_of(&d, &a, file), want);
}

static void reports(void **state)
{
	(void)state;
	wrong("report honycomb {\n}\n", "1:8: unknown kind of report 'honycomb'");
	hint_is("report honycomb {\n}\n", "did you mean 'honeycomb'?");
	hint_is("report pigeon {\n}\n", "the kinds are: honeycomb, otlp, ");
	wrong("report {\n}\n", "1:1: block 'report' has 0 labels");
	wrong("report journald a b {\n}\n", "1:1: block 'report' has 3 labels");
	wrong("report journald \"a b\" {\n}\n", "1:17: 'a b' is not a name for a report");
	wrong("report journald {\n}\nreport journald {\n}\n", "3:1: a second report 'journald'");
	wrong("report journald {\n  x {\n  }\n}\n", "2:3: unknown block 'x'");
	wrong("report journald {\n  ca_file = \"/x\"\n}\n", "2:3: unknown attribute 'ca_file' in block 'report'");
	wrong("report journald {\n  on = [\"start\", \"end\"]\n}\n", "2:18: 'end' is nothing that is told");
	wrong("report journald {\n  backups = [\"x\"]\n}\n", "2:14: there is no backup 'x'");
	wrong("report journald {\n  timeout = \"10m\"\n}\n", "2:13: 'timeout' is from 1s to 60s");
	wrong("report honeycomb {\n  dataset = \"d\"\n}\n", "1:1: 'api_key' is missing in block 'report'");
	wrong("report honeycomb {\n  api_key = \"k\"\n}\n", "1:1: 'dataset' is missing in block 'report'");
	wrong("report honeycomb {\n  dataset = \"d\"\n  api_key = \"k\"\n  region = \"moon\"\n}\n",
	      "4:12: 'region' must be one of: us, eu");
	wrong("report honeycomb {\n  dataset = \"d\"\n  api_key = \"k\"\n  api_key_command = [\"x\"]\n}\n",
	      "4:3: 'api_key' and 'api_key_command' are two answers");
	wrong("report webhook {\n  url = \"host/x\"\n}\n", "2:9: 'url' must be an address");
	watched("honeycomb", "dataset = \"d\"\napi_key = \"k\"\nconfig_key = \"c\"", "need each other");
	watched("honeycomb", "dataset = \"d\"\napi_key = \"k\"\nalert_to = [\"a@b\"]", "need each other");
	watched("honeycomb", "dataset = \"d\"\napi_key = \"k\"\nconfig_key = \"c\"\nalert_to = []", "has nobody");
	watched("honeycomb", "dataset = \"d\"\napi_key = \"k\"\nconfig_key = \"c\"\nalert_to = [\"a b\"]",
		"'a b' is nobody who can be told");
	watched("honeycomb",
		"dataset = \"d\"\napi_key = \"k\"\nconfig_key = \"c\"\nalert_to = [\"a@b\"]\non = [\"failure\"]",
		"it is not told of success");
	watched("honeycomb", "dataset = \"d\"\napi_key = \"k\"\nconfig_key_file = \"c\"\nalert_to = [\"a@b\"]",
		"'config_key_file' must be a path");
	watched("honeycomb",
		"dataset = \"d\"\napi_key = \"k\"\nconfig_key = \"c\"\nalert_to = [\"a@b\", \"x\", \"a@b\"]",
		"'a@b' is there twice");
	watched("healthchecks", "check = \"c\"\napi_key = \"k\"", "one check is told of 2 backups");
	watched("healthchecks", "check = \"c\"\napi_key = \"k\"\nbackups = [\"a\"]\napi_url = \"x\"",
		"'api_url' must be an address");
	watched("healthchecks\" \"arch", "check = \"c\"\napi_key = \"k\"\nbackups = [\"a\"]",
		"'arch' is a target, too");
	watched("healthchecks", "check = \"c\"\napi_key = \"k\"\nbackups = [\"a\"]", NULL);
	watched("healthchecks", "check = \"c\"", NULL);
	wrong("report webhook {\n  url_file = \"x\"\n}\n", "2:14: 'url_file' must be a path that begins with '/'");
	wrong("report otlp {\n  url = \"https://x\"\n  headers = { \"a b\" = \"c\" }\n}\n", "3:23: this is no header");
	wrong("report otlp {\n  url = \"https://x\"\n  headers = { a = \"c\\nd: e\" }\n}\n", "3:19: this is no header");
	wrong("report prometheus {\n  file = \"/x/y.txt\"\n}\n", "2:10: '/x/y.txt' is read by nobody");
	wrong("report command {\n  command = []\n}\n", "2:13: 'command' has no words");
	wrong("report mail {\n  to = []\n}\n", "2:8: 'to' has no address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reports), cmocka_unit_test(no_cascades),
	    cmocka_unit_test(hints),   cmocka_unit_test(not_the_language),
	    cmocka_unit_test(values),  cmocka_unit_test(json_strict),
	    cmocka_unit_test(shown),   cmocka_unit_test(hostile),
	    cmocka_unit_test(bounds),  cmocka_unit_test(files_are_bounded),
	    cmocka_unit_test(corpus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
