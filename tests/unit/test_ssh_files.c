#include "check.h"

#include "wire/ssh_args.h"
#include "wire/ssh_files.h"

/* Blocks as one line: "|" is a new line, tabs are left out. */
static void block(const struct target *t, const struct ssh_way *way, const char *expected)
{
	AUTO(buf) struct buf b = {0};
	AUTO(buf) struct buf line = {0};

	ssh_host_block(&b, t, way);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] != '\t')
			buf_putc(&line, b.p[i] == '\n' ? '|' : b.p[i]);
	assert_string_equal(buf_text(&line), expected);
}

#define ALIVE "ServerAliveInterval 15|ServerAliveCountMax 4|"

static void blocks(void **state)
{
	const struct ssh_way here = {.self = "/usr/bin/dormouse", .config = "/etc/c.hcl", .known_hosts = "/h/.ssh/k"};
	const struct ssh_way printed = {.self = "/usr/bin/dormouse", .config = "/etc/c.hcl", .runtime_dir = "/run/d"};
	const struct ssh_way jump = {.self = "/x", .config = "/y", .jump = "far.example:7922"};
	const struct ssh_way as_me = {.self = "/x", .config = "/y", .jump = "me@far.example:1"};
	struct target t = {.name = "arch", .ssh = {.user = "root", .port = 22}};

	(void)state;
#define PROXY "ProxyCommand '/usr/bin/dormouse' connect --fdpass -c '/etc/c.hcl' arch:%p|ProxyUseFdpass yes|"
	block(&t, &here, "Host arch|HostKeyAlias arch|User \"root\"|Port 22|" PROXY ALIVE);
	t.ssh.host_key = "ssh-ed25519 AAAA";
	t.ssh.identity_file = "~/.ssh/id %u";
	t.ssh.config = "/etc/more";
	block(&t, &here,
	      "Host arch|HostKeyAlias arch@dormouse|StrictHostKeyChecking yes|UpdateHostKeys no|"
	      "UserKnownHostsFile \"/h/.ssh/k\"|GlobalKnownHostsFile /dev/null|User \"root\"|Port 22|"
	      "IdentityFile \"~/.ssh/id %u\"|IdentitiesOnly yes|" PROXY ALIVE "Include \"/etc/more\"|");
	block(&t, &printed,
	      "Host arch|HostKeyAlias arch@dormouse|StrictHostKeyChecking yes|UpdateHostKeys no|User \"root\"|Port 22|"
	      "IdentityFile \"~/.ssh/id %u\"|IdentitiesOnly yes|" PROXY ALIVE "Include \"/etc/more\"|");
	/* On another machine this host's files are not there. */
	block(&t, &jump,
	      "Host arch|HostKeyAlias arch@dormouse|StrictHostKeyChecking yes|UpdateHostKeys no|User \"root\"|Port 22|"
	      "ProxyJump arch@far.example:7922|" ALIVE);
	t = (struct target){.name = "arch", .ssh = {.user = "dana", .port = 2222}};
	block(&t, &as_me, "Host arch|HostKeyAlias arch|User \"dana\"|Port 2222|ProxyJump me@far.example:1|" ALIVE);
	/* A key for each start: where it is not signed, it is pinned where the start is made, and only there. */
#define STRICT "StrictHostKeyChecking yes|UpdateHostKeys no|"
	t = (struct target){.name = "arch", .ssh = {.user = "root", .port = 22, .made = MADE_SIGNED}};
	block(&t, &here,
	      "Host arch|HostKeyAlias arch@dormouse|" STRICT
	      "UserKnownHostsFile \"/h/.ssh/k\"|GlobalKnownHostsFile /dev/null|User \"root\"|Port 22|" PROXY ALIVE);
	block(&t, &jump,
	      "Host arch|HostKeyAlias arch@dormouse|" STRICT
	      "User \"root\"|Port 22|ProxyJump arch@far.example:7922|" ALIVE);
	t.ssh.made = MADE_PLAIN;
	block(&t, &printed,
	      "Host arch|HostKeyAlias arch@dormouse|" STRICT
	      "UserKnownHostsFile \"/run/d/known_hosts-arch\"|GlobalKnownHostsFile /dev/null|User \"root\"|Port "
	      "22|" PROXY ALIVE);
	block(&t, &jump,
	      "Host arch|HostKeyAlias arch@dormouse|User \"root\"|Port 22|ProxyJump arch@far.example:7922|" ALIVE);
}

static void hostile(void **state)
{
	const struct ssh_way way = {
	    .self = "/my 'own'/100%/dormouse", .config = "/c;$(x)`y`\"#", .known_hosts = "/h%/\"k\\"};
	struct target t = {.name = "a.b-c_D",
			   .ssh = {.user = "x y\\", .port = 22, .host_key = "k", .identity_file = "/a \"b\" # \\c"}};

	(void)state;
	block(&t, &way,
	      "Host a.b-c_D|HostKeyAlias a.b-c_D@dormouse|StrictHostKeyChecking yes|UpdateHostKeys no|"
	      "UserKnownHostsFile \"/h%%/\\\"k\\\\\"|GlobalKnownHostsFile /dev/null|User \"x y\\\\\"|Port 22|"
	      "IdentityFile \"/a \\\"b\\\" # \\\\c\"|IdentitiesOnly yes|"
	      "ProxyCommand '/my '\\''own'\\''/100%%/dormouse' connect --fdpass -c '/c;$(x)`y`\"#' a.b-c_D:%p|"
	      "ProxyUseFdpass yes|" ALIVE);
}

static void keys(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct target t = {.name = "arch", .ssh = {.host_key = "ssh-ed25519 AAAA me"}};

	(void)state;
	assert_string_equal(ssh_known_hosts_line(&t, NULL, &a), "arch@dormouse ssh-ed25519 AAAA me\n");
	t.ssh.host_key = NULL;
	assert_null(ssh_known_hosts_line(&t, NULL, &a));
	t.ssh.made = MADE_SIGNED;
	assert_string_equal(ssh_known_hosts_line(&t, "ssh-ed25519 BBBB ca", &a),
			    "@cert-authority arch@dormouse ssh-ed25519 BBBB ca\n");
	t.ssh.made = MADE_PLAIN; /* nobody knows it before the start */
	assert_null(ssh_known_hosts_line(&t, "ssh-ed25519 BBBB ca", &a));
}

static void jumps(void **state)
{
	static const char *const table[][2] = {
	    {"host", "host:7922"},
	    {"me@host.example", "me@host.example:7922"},
	    {"host:22", "host:22"},
	    {"192.0.2.7:1", "192.0.2.7:1"},
	    {"[2001:db8::7]", "[2001:db8::7]:7922"},
	    {"me@[fe80::1%eth0]:65535", "me@[fe80::1%eth0]:65535"},
	    {"", NULL},
	    {"-oProxyCommand=x", NULL},
	    {"host:", NULL},
	    {"host:0", NULL},
	    {"host:65536", NULL},
	    {"host:22x", NULL},
	    {"2001:db8::7", NULL},
	    {"a b", NULL},
	    {"a,b", NULL},
	    {"a\nProxyCommand x", NULL},
	    {"a\"b", NULL},
	    {"a#b", NULL},
	    {"a$(b)", NULL},
	};
	AUTO(arena) struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *out = NULL;
		struct err e;
		int rc = ssh_jump(table[i][0], &a, &out, &e);
		assert_int_equal(rc, table[i][1] == NULL ? -1 : 0);
		if (rc == 0)
			assert_string_equal(out, table[i][1]);
		else
			assert_true(e.kind == ERR_USAGE && e.hint[0] != '\0');
	}
}

static void listening(void **state)
{
	static const char *const table[][3] = {
	    {":7922", "box:7922", "[box]:7922 ssh-ed25519 AAAA\n"},
	    {"0.0.0.0:22", "box:22", "box ssh-ed25519 AAAA\n"},
	    {"[::]:1", "box:1", "[box]:1 ssh-ed25519 AAAA\n"},
	    {"192.0.2.7:7922", "192.0.2.7:7922", "[192.0.2.7]:7922 ssh-ed25519 AAAA\n"},
	    {"[2001:db8::7]:22", "[2001:db8::7]:22", "2001:db8::7 ssh-ed25519 AAAA\n"},
	    {"[2001:db8::7]:99", "[2001:db8::7]:99", "[2001:db8::7]:99 ssh-ed25519 AAAA\n"},
	    {"localhost:7922", NULL, NULL},
	    {"127.0.0.1:7922", NULL, NULL},
	    {"[::1]:7922", NULL, NULL},
	};
	AUTO(arena) struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *out = NULL;
		struct err e;
		int rc = ssh_jump_at(table[i][0], "box", &a, &out, &e);
		assert_int_equal(rc, table[i][1] == NULL ? -1 : 0);
		if (rc < 0) {
			assert_true(e.kind == ERR_CONFIG && e.hint[0] != '\0');
			continue;
		}
		assert_string_equal(out, table[i][1]);
		assert_string_equal(ssh_jump_known(out, str_of("ssh-ed25519 AAAA\n"), &a), table[i][2]);
		/* Who logs in there is no part of its name. */
		out = arena_printf(&a, "me@%s", out);
		assert_string_equal(ssh_jump_known(out, str_of("ssh-ed25519 AAAA"), &a), table[i][2]);
	}
}

static void includes(void **state)
{
	static const char *const table[][2] = {
	    {"", ""},
	    {"Host x\n  User y", "Host x\n  User y"},
	    {"Include \"/o\"\nHost x\n", "Host x\n"},
	    {"Host x\r\n\tInclude \"/o\" \r\n\n", "Host x\r\n\n"},
	    {"a\nInclude \"/o\"\nInclude \"/o\"", "a\n"},
	    {"Include \"/o\" # mine\nInclude \"/o2\"\n#Include \"/o\"\n",
	     "Include \"/o\" # mine\nInclude \"/o2\"\n#Include \"/o\"\n"},
	    {"\n\n\n", "\n\n\n"},
	};
	AUTO(arena) struct arena a = {0};

	(void)state;
	assert_string_equal(ssh_include_line("/h m/[x]*\\\"", &a), "Include \"/h m/\\\\[x]\\\\*\\\\\\\\\\\"\"");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO(buf) struct buf b = {0};
		ssh_without_line(&b, str_of(table[i][0]), ssh_include_line("/o", &a));
		assert_string_equal(buf_text(&b), table[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks), cmocka_unit_test(hostile),   cmocka_unit_test(keys),
	    cmocka_unit_test(jumps),  cmocka_unit_test(listening), cmocka_unit_test(includes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
