#include "wire/user_data.h"

enum form { FORM_EMPTY, FORM_SCRIPT, FORM_CLOUD_INIT, FORM_NIX, FORM_OTHER };

static struct str text_of(const char *given)
{
	return str_of(given == NULL ? "" : given);
}

static bool any_starts(struct str s, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(s, prefixes[i]))
			return true;
	return false;
}

/* Nothing but lines that begin with '#', and blank ones. */
static bool only_comments(struct str s)
{
	while (s.n > 0) {
		struct str line = str_cut(&s, '\n');
		if (!str_starts(line, "#") && str_trim(line).n > 0)
			return false;
	}
	return true;
}

/* Behind comments and blanks. */
static struct str nix_begin(struct str s)
{
	for (s = str_trim(s); s.n > 0; s = str_trim(s)) {
		const char *end = str_starts(s, "/*") ? memmem(s.p + 2, s.n - 2, "*/", 2) : NULL;
		if (end != NULL)
			s = (struct str){end + 2, s.n - (size_t)(end + 2 - s.p)};
		else if (str_starts(s, "#"))
			(void)str_cut(&s, '\n');
		else
			break;
	}
	return s;
}

static bool is_nix(struct str s)
{
	static const char *const words[] = {"let", "with", "import", "("};
	struct str first = nix_begin(s);

	if (first.n == 0) /* channels and nothing else */
		return str_starts(s, "###") || memmem(s.p, s.n, "\n###", 4) != NULL;
	if (str_starts(first, "{")) { /* JSON begins like that, too */
		struct str more = {first.p + 1, first.n - 1};
		return !str_starts(str_trim(more), "\"");
	}
	return any_starts(first, words, ARRAY_LEN(words));
}

static enum form form_of(struct str s)
{
	static const char *const cloud_init[] = {"#cloud-config", "#cloud-boothook", "#include",
						 "#part-handler", "## template:",    "#upstart-job",
						 "Content-Type:", "MIME-Version:",   "From nobody"};

	if (str_trim(s).n == 0)
		return FORM_EMPTY;
	if (str_starts(s, "#!"))
		return FORM_SCRIPT;
	if (any_starts(s, cloud_init, ARRAY_LEN(cloud_init)))
		return FORM_CLOUD_INIT;
	return is_nix(s) ? FORM_NIX : FORM_OTHER;
}

enum user_data_format user_data_of_image(const char *name)
{
	static const char *const by_cloud_init[] = {"ubuntu", "debian", "amazon-linux"};

	if (name == NULL)
		return USER_DATA_NONE;
	/* An older one often makes a key of its own before it has looked. */
	if (strncmp(name, "nixos-", 6) == 0)
		return strcmp(name, "nixos-25.11") >= 0 ? USER_DATA_NIXOS : USER_DATA_NONE;
	for (size_t i = 0; i < ARRAY_LEN(by_cloud_init); i++)
		if (strstr(name, by_cloud_init[i]) != NULL)
			return USER_DATA_CLOUD_INIT;
	return USER_DATA_NONE;
}

bool user_data_sets_keys(const char *given)
{
	static const char *const anywhere[] = {"SSH_HOST_", "hostKeys", "/etc/ssh/ssh_host_"};
	static const char *const begins[] = {"ssh_keys:", "\"ssh_keys\"", "'ssh_keys'"};
	struct str s = text_of(given);

	for (size_t i = 0; i < ARRAY_LEN(anywhere); i++)
		if (strstr(s.p, anywhere[i]) != NULL)
			return true;
	while (s.n > 0)
		if (any_starts(str_cut(&s, '\n'), begins, ARRAY_LEN(begins)))
			return true;
	return false;
}

enum user_data_format user_data_format(const char *word, enum user_data_format image, const char *given)
{
	if (strcmp(word, "nixos") == 0)
		return USER_DATA_NIXOS;
	if (strcmp(word, "cloud-init") == 0)
		return USER_DATA_CLOUD_INIT;
	if (strcmp(word, "none") == 0)
		return USER_DATA_NONE;
	switch (form_of(text_of(given))) {
	case FORM_NIX:
		return image == USER_DATA_CLOUD_INIT ? USER_DATA_NONE : USER_DATA_NIXOS;
	case FORM_CLOUD_INIT:
		return image == USER_DATA_NIXOS ? USER_DATA_NONE : USER_DATA_CLOUD_INIT;
	case FORM_EMPTY:
	case FORM_SCRIPT:
	case FORM_OTHER:
		return image;
	}
	return USER_DATA_NONE;
}

/* --- with the key ------------------------------------------------------------------------------------------ */

/* The private key first: where it is looked for, each line with a bar in it counts, and what follows it does no harm.
 */
static void put_nixos_key(struct buf *b, const struct user_data_key *key)
{
	struct str lines = str_trim(key->private);

	buf_puts(b, "SSH_HOST_ED25519_KEY:");
	while (lines.n > 0) {
		struct str line = str_cut(&lines, '\n');
		buf_add(b, line.p, line.n);
		buf_putc(b, '|');
	}
	buf_printf(b, "\nSSH_HOST_ED25519_KEY_PUB:%.*s\n", (int)key->public.n, key->public.p);
}

static int nixos(struct buf *b, struct str given, const struct user_data_key *key, struct err *e)
{
	if (str_starts(given, "#!")) {
		struct str first = str_cut(&given, '\n');
		if (memchr(first.p, '|', first.n) != NULL) {
			(void)err_set(e, ERR_CONFIG, "the first line of 'user_data' has a '|'");
			return err_hint(e, "NixOS would take it for a part of the host key: write it otherwise");
		}
		buf_printf(b, "%.*s\n: <<'DORMOUSE'\n", (int)first.n, first.p);
		put_nixos_key(b, key);
		buf_puts(b, "DORMOUSE\n");
	} else if (only_comments(given)) {
		put_nixos_key(b, key); /* in a comment of Nix it would be a configuration, and a wrong one */
	} else {
		buf_puts(b, "/*\n");
		put_nixos_key(b, key);
		buf_puts(b, "*/\n");
	}
	buf_add(b, given.p, given.n);
	return 0;
}

static void put_cloud_config(struct buf *b, const struct user_data_key *key)
{
	struct str lines = str_trim(key->private);

	buf_puts(b, "#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n");
	while (lines.n > 0) {
		struct str line = str_cut(&lines, '\n');
		buf_printf(b, "    %.*s\n", (int)line.n, line.p);
	}
	buf_printf(b, "  ed25519_public: %.*s\n", (int)key->public.n, key->public.p);
	if (key->certificate.n > 0)
		buf_printf(b, "  ed25519_certificate: %.*s\n", (int)key->certificate.n, key->certificate.p);
}

/* Ours comes first: where both say something, the later one counts. */
static void cloud_init(struct buf *b, struct str given, const struct user_data_key *key)
{
	AUTO(arena) struct arena a = {0};
	const char *mark = "dormouse";

	if (str_trim(given).n == 0) {
		put_cloud_config(b, key);
		return;
	}
	for (unsigned i = 0; strstr(given.p, mark) != NULL; i++)
		mark = arena_printf(&a, "dormouse-%u", i);
	buf_printf(b, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"%s\"\n\n--%s\n", mark, mark);
	buf_puts(b, "Content-Type: text/cloud-config; charset=\"utf-8\"\n\n");
	put_cloud_config(b, key);
	buf_printf(b, "\n--%s\n", mark);
	/* A message brings its own head; of plain text, cloud-init finds out what it is. */
	if (given.p[0] == '#' || form_of(given) != FORM_CLOUD_INIT)
		buf_puts(b, "Content-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\n\n");
	buf_add(b, given.p, given.n);
	buf_printf(b, "\n--%s--\n", mark);
}

int user_data_compose(struct buf *b, enum user_data_format format, const char *given, const struct user_data_key *key,
		      size_t max, struct err *e)
{
	struct str own = text_of(given);

	switch (format) {
	case USER_DATA_NONE:
		buf_add(b, own.p, own.n);
		break;
	case USER_DATA_NIXOS:
		if (nixos(b, own, key, e) < 0)
			return -1;
		break;
	case USER_DATA_CLOUD_INIT:
		cloud_init(b, own, key);
		break;
	}
	if (b->n <= max)
		return 0;
	(void)err_set(e, ERR_CONFIG, "'user_data' is too long: %zu bytes with the host key, and %zu may be", b->n, max);
	return err_hint(
	    e, "let the machine fetch the rest by itself; without a host key in it: user_data_format = \"none\"");
}
