#include "sys/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *absolute(const char *path, struct arena *a)
{
	char real[PATH_MAX];

	if (path[0] == '/' || realpath(path, real) == NULL)
		return path;
	return arena_strdup(a, real);
}

static int folder(char *path, struct err *e)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	(void)err_sys(e, errno, "cannot make the folder '%s'", path);
	return err_hint(e, "DORMOUSE_RUNTIME_DIR and DORMOUSE_STATE_DIR choose others");
}

static const char *place(const char *variable, const char *root, const char *xdg, const char *home, struct arena *a)
{
	const char *given = getenv(variable), *base = getenv(xdg), *h = getenv("HOME");

	if (given != NULL && *given != '\0')
		return given;
	if (geteuid() == 0)
		return root;
	if (base != NULL && *base == '/')
		return arena_printf(a, "%s/dormouse", base);
	return arena_printf(a, "%s/%s", h == NULL ? "/tmp" : h, home);
}

int paths_find(const char *config, struct arena *a, struct paths *p, struct err *e)
{
	const char *named = config != NULL ? config : getenv("DORMOUSE_CONFIG");
	char self[PATH_MAX];

	char *run = arena_strdup(a, place("DORMOUSE_RUNTIME_DIR", "/run/dormouse", "XDG_RUNTIME_DIR", ".dormouse", a));
	char *state = arena_strdup(
	    a, place("DORMOUSE_STATE_DIR", "/var/lib/dormouse", "XDG_STATE_HOME", ".local/state/dormouse", a));
	if (folder(run, e) < 0 || folder(state, e) < 0)
		return -1;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return err_sys(e, errno, "cannot find this program's own file");
	p->runtime_dir = run;
	p->state_dir = state;
	p->socket = arena_printf(a, "%s/control.sock", run);
	p->config = absolute(named != NULL ? named : "/etc/dormouse/config.hcl", a);
	/* Each of the programs knows where all are. */
	if (n > 5 && memcmp(self + n - 5, "-jump", 5) == 0)
		n -= 5;
	else if (n > 4 && memcmp(self + n - 4, "-web", 4) == 0)
		n -= 4;
	p->self = arena_strndup(a, self, (size_t)n);
	p->jump = arena_printf(a, "%s-jump", p->self);
	p->cloud = arena_printf(a, "%s-cloud", p->self);
	p->web = arena_printf(a, "%s-web", p->self);
	return 0;
}

int paths_lock(const char *path, const char *what, int *fd, struct err *e)
{
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return err_sys(e, errno, "cannot open '%s'", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	(void)close(*fd);
	*fd = -1;
	return err_set(e, ERR_BUSY, "%s", what);
}
