#include "sys/host_key.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/fdio.h"
#include "sys/proc.h"

enum { KEYGEN_MS = 30000, KEY_MAX = 16 * 1024 };

static int keygen(const char *const *argv, struct arena *a, struct str *out, const char *doing, struct err *e)
{
	struct proc_result r;

	if (proc_run(argv, NULL, NULL, KEY_MAX, KEYGEN_MS, a, &r, e) < 0) {
		(void)err_wrap(e, "cannot %s", doing);
		return e->sys == ENOENT ? err_hint(e, "install ssh-keygen (Debian: openssh-client)") : -1;
	}
	*out = str_trim(r.out);
	if (r.status == 0)
		return 0;
	struct str said = str_trim(r.err);
	(void)err_set(e, ERR_SYSTEM, "cannot %s", doing);
	return err_why(e, "ssh-keygen says: %.*s", (int)(said.n < 300 ? said.n : 300), said.p);
}

static int make(const char *path, struct arena *a, struct err *e)
{
	const char *const argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dormouse", "-f", path, NULL};
	struct str none;

	return keygen(argv, a, &none, "make an ssh host key", e);
}

static const char *with(const char *path, const char *end, struct arena *a)
{
	return arena_printf(a, "%s%s", path, end);
}

void host_key_remove(const char *path, struct arena *a)
{
	(void)unlink(path);
	(void)unlink(with(path, ".pub", a));
	(void)unlink(with(path, "-cert.pub", a));
}

/* Whoever is first makes it; it is whole, and on disk, before it has its name. */
static int make_authority(const char *path, struct arena *a, struct err *e)
{
	const char *draft = arena_printf(a, "%s.%ld", path, (long)getpid());
	int rc = -1;

	host_key_remove(draft, a);
	if (make(draft, a, e) == 0) {
		AUTO(fd) int fd = open(draft, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fsync(fd) < 0 || (link(draft, path) < 0 && errno != EEXIST))
			(void)err_sys(e, errno, "cannot keep '%s'", path);
		else
			rc = 0;
	}
	host_key_remove(draft, a);
	return rc;
}

static const char *authority_path(const char *state_dir, const char *target, struct arena *a)
{
	return arena_printf(a, "%s/host-ca-%s", state_dir, target);
}

int host_authority(const char *state_dir, const char *target, struct arena *a, const char **public, struct err *e)
{
	const char *path = authority_path(state_dir, target, a), *half = with(path, ".pub", a);
	const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", path, NULL};
	bool there = access(path, F_OK) == 0;
	struct str text = {"", 0};

	if (there && fd_read_file(half, KEY_MAX, a, &text, e) == 0 && str_trim(text).n > 0) {
		*public = str_dup(a, str_trim(text));
		return 0;
	}
	if ((!there && make_authority(path, a, e) < 0) ||
	    keygen(argv, a, &text, "read the key that signs host keys", e) < 0)
		return err_wrap(e, "there is no authority for the host keys of target '%s'", target);
	*public = str_dup(a, text);
	return fd_replace_file(half, str_of(with(*public, "\n", a)), 0600, e);
}

static int sign(const struct host_key_wish *w, struct arena *a, struct err *e)
{
	const char *id = with("dormouse ", w->target, a), *half = with(w->path, ".pub", a), *authority;
	const char *valid = w->valid_s == 0 ? "always:forever" : arena_printf(a, "-1h:+%llds", (long long)w->valid_s);
	const char *const argv[] = {"ssh-keygen",  "-q", "-s",	authority_path(w->state_dir, w->target, a),
				    "-h",	   "-I", id,	"-n",
				    w->principals, "-V", valid, half,
				    NULL};
	struct str none;

	if (host_authority(w->state_dir, w->target, a, &authority, e) < 0)
		return -1;
	return keygen(argv, a, &none, "sign an ssh host key", e);
}

static int read_half(const char *path, struct arena *a, struct str *out, struct err *e)
{
	if (fd_read_file(path, KEY_MAX, a, out, e) < 0)
		return -1;
	*out = str_trim(*out);
	return 0;
}

int host_key_make(const struct host_key_wish *w, struct arena *a, struct host_key *k, struct err *e)
{
	*k = (struct host_key){0};
	host_key_remove(w->path, a);
	int rc = make(w->path, a, e);
	if (rc == 0 && w->principals != NULL)
		rc = sign(w, a, e);
	if (rc == 0)
		rc = fd_read_file(w->path, KEY_MAX, a, &k->private, e);
	if (rc == 0)
		rc = read_half(with(w->path, ".pub", a), a, &k->public, e);
	if (rc == 0 && w->principals != NULL)
		rc = read_half(with(w->path, "-cert.pub", a), a, &k->certificate, e);
	host_key_remove(w->path, a);
	return rc;
}
