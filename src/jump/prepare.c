/* What every connection's process is told: the host key, the keys of the clients, their doors. */
#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "jump/internal.h"
#include "jump/ssh.h"
#include "model/public_key.h"
#include "sys/fdio.h"
#include "wire/jump_brief.h"

enum { KEYS_FILE_MAX = 1024 * 1024, HOST_KEY_MAX = 64 * 1024 };

struct preparing {
	const struct paths *paths;
	const struct config *config;
	struct arena *arena;
};

static int read_keys_file(const struct preparing *p, struct jump_client *c, struct err *e)
{
	struct str text;
	size_t number = 0;

	if (fd_read_file(c->keys_file, KEYS_FILE_MAX, p->arena, &text, e) < 0)
		return err_wrap(e, "cannot read the keys of client '%s'", c->name);
	while (text.n > 0) {
		struct str line = str_trim(str_cut(&text, '\n'));
		const char *why = "";
		number++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		const char *key = public_key_read(line, p->arena, &why);
		if (key == NULL)
			return err_set(e, ERR_CONFIG, "line %zu of '%s' is not a public key: %s", number, c->keys_file,
				       why);
		*vec_add(&c->keys, p->arena) = key;
	}
	return 0;
}

/* A key that others may read is none. */
static int read_host_key(const struct preparing *p, const char *path, struct str *out, struct err *e)
{
	struct stat st;

	if (fd_read_file(path, HOST_KEY_MAX, p->arena, out, e) < 0)
		return err_wrap(e, "cannot read the jump host's key");
	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0) {
		(void)err_set(e, ERR_CONFIG, "others may read the jump host's key '%s'", path);
		return err_hint(e, "chmod 600 %s; and if somebody has read it, make a new one", path);
	}
	return 0;
}

/* The one of the file; or one of our own, made when it is first needed. */
static const char *host_key(const struct preparing *p, struct err *e)
{
	const struct jump_server *s = &p->config->server;
	const char *path = s->host_key_file;
	struct str text = str_of(s->host_key == NULL ? "" : s->host_key);

	if (s->host_key == NULL && path == NULL) {
		path = arena_printf(p->arena, "%s/jump_host_key", p->paths->state_dir);
		if (access(path, F_OK) < 0 && errno == ENOENT) {
			const char *made = ssh_host_key_make(p->arena);
			if (made == NULL || fd_replace_file(path, str_of(made), 0600, e) < 0)
				return made == NULL ? err_set(e, ERR_SYSTEM, "cannot make a host key"), NULL : NULL;
		}
	}
	if (path != NULL && read_host_key(p, path, &text, e) < 0)
		return NULL;
	const char *key = str_dup(p->arena, text), *public = ssh_host_key_public(key, p->arena);
	if (public == NULL) {
		(void)err_set(e, ERR_CONFIG, "the jump host's key cannot be read");
		(void)err_hint(e, "it must be a private key without a passphrase, as ssh-keygen -t ed25519 makes it");
		return NULL;
	}
	/* For known_hosts. */
	if (fd_replace_file(arena_printf(p->arena, "%s/jump_host_key.pub", p->paths->state_dir),
			    str_of(arena_printf(p->arena, "%s\n", public)), 0644, e) < 0)
		return NULL;
	(void)fprintf(stderr, "<6>dormouse: jump: host key: %s\n", public);
	return key;
}

int jump_prepare(const struct paths *paths, const struct config *config, struct buf *out, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const struct preparing all = {paths, config, &a}, *p = &all;
	struct jump_brief brief = {.uid = -1, .gid = -1, .host_key = host_key(p, e)};

	if (brief.host_key == NULL)
		return -1;
	for (size_t i = 0; i < p->config->clients.n; i++) {
		struct jump_client *c = vec_add(&brief.clients, p->arena);
		*c = p->config->clients.v[i];
		c->keys.cap = c->keys.n; /* what is added does not go into the file's own array */
		if (c->keys_file != NULL && read_keys_file(p, c, e) < 0)
			return -1;
	}
	if (geteuid() == 0) {
		const struct passwd *user = getpwnam(p->config->server.user);
		if (user == NULL || user->pw_uid == 0) {
			(void)err_set(e, ERR_CONFIG, "'%s' is no user that a connection's process can become",
				      p->config->server.user);
			return err_hint(e, "server { user = \"nobody\" }");
		}
		brief.uid = user->pw_uid;
		brief.gid = user->pw_gid;
	}
	jump_brief_write(out, &brief);
	return 0;
}
