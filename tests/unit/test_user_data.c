/* What machines are given at their start, with a host key in it. */
#include "check.h"

#include "wire/user_data.h"

static const char *const names[] = {
    [USER_DATA_NONE] = "none", [USER_DATA_NIXOS] = "nixos", [USER_DATA_CLOUD_INIT] = "cloud-init"};

static void images(void **state)
{
	static const char *const rows[][2] = {
	    {NULL, "none"},
	    {"nixos-25.11", "nixos"},
	    {"nixos-26.05", "nixos"},
	    {"nixos-25.05", "none"},
	    {"ubuntu-24.04", "cloud-init"},
	    {"debian-13", "cloud-init"},
	    {"ssm:/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id", "cloud-init"},
	    {"ssm:/mine", "none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(names[user_data_of_image(rows[i][0])], rows[i][1]);
}

static void formats(void **state)
{
	/* The word, what the image reads, the user's own, what comes of it. */
	static const struct {
		const char *word;
		enum user_data_format image;
		const char *given, *expected;
	} rows[] = {
	    {"auto", USER_DATA_NONE, NULL, "none"},
	    {"auto", USER_DATA_NIXOS, NULL, "nixos"},
	    {"auto", USER_DATA_CLOUD_INIT, " \n", "cloud-init"},
	    {"auto", USER_DATA_NONE, "#cloud-config\n", "cloud-init"},
	    {"auto", USER_DATA_NONE, "#include\nhttps://x\n", "cloud-init"},
	    {"auto", USER_DATA_NONE, "## template: jinja\n#cloud-config\n", "cloud-init"},
	    {"auto", USER_DATA_NONE, "Content-Type: multipart/mixed; boundary=\"x\"\n", "cloud-init"},
	    {"auto", USER_DATA_NIXOS, "#cloud-config\n", "none"},
	    {"auto", USER_DATA_NONE, "{ pkgs, ... }: { }\n", "nixos"},
	    {"auto", USER_DATA_NONE, "### https://x nixos\n\n# a\n/* { */ { }\n", "nixos"},
	    {"auto", USER_DATA_NONE, "### https://x nixos\n", "nixos"},
	    {"auto", USER_DATA_NONE, "let x = 1; in { }", "nixos"},
	    {"auto", USER_DATA_CLOUD_INIT, "{ pkgs, ... }: { }\n", "none"},
	    {"auto", USER_DATA_NONE, "{\n \"ignition\": { } }\n", "none"},
	    {"auto", USER_DATA_NONE, "/* open", "none"},
	    {"auto", USER_DATA_NONE, "# a\n", "none"},
	    {"auto", USER_DATA_NIXOS, "rec { }", "nixos"},
	    {"auto", USER_DATA_NONE, "#!/bin/sh\n", "none"},
	    {"auto", USER_DATA_NIXOS, "#!/bin/sh\n", "nixos"},
	    {"auto", USER_DATA_CLOUD_INIT, "#!/bin/sh\n", "cloud-init"},
	    {"none", USER_DATA_CLOUD_INIT, "#cloud-config\n", "none"},
	    {"nixos", USER_DATA_NONE, "#!/bin/sh\n", "nixos"},
	    {"cloud-init", USER_DATA_NONE, "", "cloud-init"},
	};
	static const char *const own[] = {"#cloud-config\nssh_keys:\n", "ssh_keys: {}", "/*\nSSH_HOST_DSA_KEY:x\n*/",
					  "{ services.openssh.hostKeys = [ ]; }",
					  "#!/bin/sh\ncp k /etc/ssh/ssh_host_ed25519_key\n"};
	static const char *const others[] = {NULL, "", "#cloud-config\nssh_import_id: [ssh_keys]\n  ssh_keys: x\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(names[user_data_format(rows[i].word, rows[i].image, rows[i].given)],
				    rows[i].expected);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		assert_true(user_data_sets_keys(own[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(user_data_sets_keys(others[i]));
}

#define PRIVATE "SSH_HOST_ED25519_KEY:BEGIN|k|END|\n"
#define PUBLIC	"SSH_HOST_ED25519_KEY_PUB:ssh-ed25519 A dormouse\n"
#define OURS                                                                                                \
	"#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n    BEGIN\n    k\n    END\n" \
	"  ed25519_public: ssh-ed25519 A dormouse\n  ed25519_certificate: C\n"
#define HEAD(mark)                                                                           \
	"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"" mark "\"\n\n--" mark \
	"\nContent-Type: text/cloud-config; charset=\"utf-8\"\n\n" OURS "\n--" mark "\n"
#define PLAIN "Content-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\n\n"

static void composed(void **state)
{
	static const struct {
		enum user_data_format format;
		const char *given, *expected;
	} rows[] = {
	    {USER_DATA_NONE, "x", "x"},
	    {USER_DATA_NIXOS, NULL, PRIVATE PUBLIC},
	    {USER_DATA_NIXOS, "### https://x nixos\n\n", PRIVATE PUBLIC "### https://x nixos\n\n"},
	    {USER_DATA_NIXOS, "### https://x nixos\n{ a = b || c; }\n",
	     "/*\n" PRIVATE PUBLIC "*/\n### https://x nixos\n{ a = b || c; }\n"},
	    {USER_DATA_NIXOS, "#!/bin/sh\na | b\n", "#!/bin/sh\n: <<'DORMOUSE'\n" PRIVATE PUBLIC "DORMOUSE\na | b\n"},
	    {USER_DATA_NIXOS, "#!/bin/sh", "#!/bin/sh\n: <<'DORMOUSE'\n" PRIVATE PUBLIC "DORMOUSE\n"},
	    {USER_DATA_CLOUD_INIT, "", OURS},
	    {USER_DATA_CLOUD_INIT, "#cloud-config\na: b\n",
	     HEAD("dormouse") PLAIN "#cloud-config\na: b\n\n--dormouse--\n"},
	    {USER_DATA_CLOUD_INIT, "#!/bin/sh\n: dormouse dormouse-0",
	     HEAD("dormouse-1") PLAIN "#!/bin/sh\n: dormouse dormouse-0\n--dormouse-1--\n"},
	    {USER_DATA_CLOUD_INIT, "MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n",
	     HEAD("dormouse") "MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n\n--dormouse--\n"},
	};
	const struct user_data_key key = {str_of("BEGIN\nk\nEND\n"), str_of("ssh-ed25519 A dormouse"), str_of("C")};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf) struct buf b = {0};
		assert_int_equal(user_data_compose(&b, rows[i].format, rows[i].given, &key, 4096, &e), 0);
		assert_string_equal(buf_text(&b), rows[i].expected);
	}
}

static void refused(void **state)
{
	const struct user_data_key key = {str_of("k\n"), str_of("p"), {"", 0}};
	AUTO(buf) struct buf b = {0};
	AUTO(buf) struct buf short_one = {0};
	AUTO(buf) struct buf long_one = {0};
	struct err e;

	(void)state;
	assert_int_equal(user_data_compose(&b, USER_DATA_NIXOS, "#!/bin/sh -c 'a|b'\n", &key, 4096, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	size_t all = strlen("SSH_HOST_ED25519_KEY:k|\nSSH_HOST_ED25519_KEY_PUB:p\n#\n");
	assert_int_equal(user_data_compose(&short_one, USER_DATA_NIXOS, "#\n", &key, all, &e), 0);
	assert_int_equal(user_data_compose(&long_one, USER_DATA_NIXOS, "#\n", &key, all - 1, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.what, "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(images),
	    cmocka_unit_test(formats),
	    cmocka_unit_test(composed),
	    cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
