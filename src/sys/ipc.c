#include "sys/ipc.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/fdio.h"
#include "sys/tcp.h"

static int address(const char *path, struct sockaddr_un *a, struct err *e)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path)) {
		(void)err_set(e, ERR_CONFIG, "the path of the control socket is too long: '%s'", path);
		return err_hint(e, "set DORMOUSE_RUNTIME_DIR to a shorter folder");
	}
	memcpy(a->sun_path, path, strlen(path));
	return 0;
}

int ipc_listen(const char *path, int *fd, struct err *e)
{
	struct sockaddr_un a;

	if (address(path, &a, e) < 0)
		return -1;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlink(path);
	mode_t old = umask(0177);
	int rc = *fd < 0 ? -1 : bind(*fd, (struct sockaddr *)&a, sizeof(a));
	int bind_errno = errno;
	(void)umask(old);
	if (rc == 0 && listen(*fd, 128) == 0)
		return 0;
	(void)err_sys(e, rc < 0 ? bind_errno : errno, "cannot listen on '%s'", path);
	fd_close(fd);
	return -1;
}

int ipc_connect(const char *path, int *fd, struct err *e)
{
	struct sockaddr_un a;

	if (address(path, &a, e) < 0)
		return -1;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && connect(*fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return 0;
	int code = errno;
	fd_close(fd);
	(void)err_sys(e, code, "cannot reach the keeper at '%s'", path);
	if (code == ENOENT || code == ECONNREFUSED)
		e->kind = ERR_MISSING;
	return -1;
}

int ipc_send(int fd, const void *bytes, size_t n, int pass)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec v = {(void *)(uintptr_t)bytes, n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (pass >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	for (;;) {
		ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (sent >= 0)
			return (int)sent;
		if (errno != EINTR)
			return errno == EAGAIN ? -2 : -1;
	}
}

int ipc_receive(int fd, struct buf *b, int *passed)
{
	enum { READ = 64 * 1024 };
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = {buf_room(b, READ), READ};
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
	ssize_t n;

	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -2 : -1;
	buf_added(b, (size_t)n);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
			continue;
		fd_close(passed);
		memcpy(passed, CMSG_DATA(c), sizeof(int));
	}
	return (int)n;
}

int ipc_dial(const char *host, int64_t port, int *fd, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
			*found = NULL;
	char service[16];

	*fd = -1;
	(void)snprintf(service, sizeof(service), "%d", (int)port);
	if (getaddrinfo(host, service, &hints, &found) != 0 || found == NULL)
		return err_set(e, ERR_NET, "'%s' is not an IP address", host);
	*fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0)
		tcp_keepalive(*fd);
	int rc = *fd < 0 ? -1 : connect(*fd, found->ai_addr, found->ai_addrlen);
	int code = errno;
	freeaddrinfo(found);
	if (rc == 0 || (*fd >= 0 && code == EINPROGRESS))
		return 0;
	fd_close(fd);
	(void)err_sys(e, code, "cannot connect to %s port %d", host, (int)port);
	e->kind = ERR_NET;
	return -1;
}
