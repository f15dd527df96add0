#include "sys/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void fd_auto(int *fd)
{
	fd_close(fd);
}

bool fd_exhausted(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

bool fd_pause_after(struct fd_pause *p, int fd, int64_t now_ms)
{
	enum { PAUSE_MS = 500 };
	bool full = fd < 0 && fd_exhausted(errno), told = p->told;

	if (full)
		p->until_ms = now_ms + PAUSE_MS;
	p->told = full || (told && fd < 0);
	return full && !told;
}

void fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void fd_block(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* epoll(7) watches a file without holding it: its last user closes it, and it is gone from the list that proc(5)
 * shows. */
int fd_shadow(int fd)
{
	struct epoll_event none = {0};
	int shadow = epoll_create1(EPOLL_CLOEXEC);

	if (shadow >= 0 && epoll_ctl(shadow, EPOLL_CTL_ADD, fd, &none) < 0)
		fd_close(&shadow);
	return shadow;
}

bool fd_shadowed(int shadow)
{
	AUTO(arena) struct arena a = {0};
	struct str text = {"", 0};
	struct err ignored;

	return shadow >= 0 &&
	       fd_read_file(arena_printf(&a, "/proc/self/fdinfo/%d", shadow), 4096, &a, &text, &ignored) == 0 &&
	       strstr(text.p, "tfd:") != NULL;
}

int fd_pipe(int ends[2], struct err *e)
{
	if (pipe2(ends, O_CLOEXEC) == 0)
		return 0;
	ends[0] = ends[1] = -1;
	return err_sys(e, errno, "cannot make a pipe");
}

int fd_write_all(int fd, const void *bytes, size_t n, struct err *e)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return err_sys(e, errno, "cannot write");
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int fd_read_some(int fd, struct buf *b, size_t n)
{
	for (;;) {
		ssize_t r = read(fd, buf_room(b, n), n);
		if (r >= 0) {
			buf_added(b, (size_t)r);
			return (int)r;
		}
		if (errno != EINTR)
			return errno == EAGAIN ? -2 : -1;
	}
}

int fd_read_file(const char *path, size_t max, struct arena *a, struct str *out, struct err *e)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(buf) struct buf b = {0};

	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", path);
	for (;;) {
		int n = fd_read_some(fd, &b, 64 * 1024);
		if (n < 0)
			return err_sys(e, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		if (b.n > max)
			return err_set(e, ERR_CORRUPT, "'%s' is larger than %zu bytes", path, max);
	}
	*out = (struct str){str_dup(a, buf_str(&b)), b.n};
	return 0;
}

int fd_replace_file(const char *path, struct str text, mode_t mode, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	char real[PATH_MAX];
	struct stat old = {.st_mode = mode, .st_uid = (uid_t)-1, .st_gid = (gid_t)-1};

	path = realpath(path, real) != NULL ? real : path;
	const char *fresh = arena_printf(&a, "%s.%d", path, (int)getpid());
	bool there = stat(path, &old) == 0;
	AUTO(fd) int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno, "cannot write '%s'", fresh);
	if ((there && fchown(fd, old.st_uid, old.st_gid) < 0) || fchmod(fd, old.st_mode & 07777) < 0)
		(void)err_sys(e, errno, "cannot give '%s' the owner of '%s'", fresh, path);
	else if (fd_write_all(fd, text.p, text.n, e) < 0)
		(void)err_wrap(e, "cannot write '%s'", fresh);
	else if (fsync(fd) < 0 || rename(fresh, path) < 0)
		(void)err_sys(e, errno, "cannot write '%s'", path);
	else
		return 0;
	(void)unlink(fresh);
	return -1;
}
