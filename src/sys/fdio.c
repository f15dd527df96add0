#include "sys/fdio.h"

#include <errno.h>
#include <fcntl.h>
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

int fd_replace_file(const char *path, struct str text, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const char *fresh = arena_printf(&a, "%s.%d", path, (int)getpid());
	AUTO(fd) int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, errno, "cannot write '%s'", fresh);
	if (fd_write_all(fd, text.p, text.n, e) < 0)
		return -1;
	return rename(fresh, path) < 0 ? err_sys(e, errno, "cannot write '%s'", path) : 0;
}
