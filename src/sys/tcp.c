#include "sys/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/fdio.h"

enum { FIRST_FD = 3, BACKLOG = 256 };

static int listen_on(const struct addrinfo *at, const char *place, int *fd, struct err *e)
{
	int one = 1;

	*fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0 && errno == EAFNOSUPPORT)
		return 0;
	if (*fd >= 0) {
		(void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (at->ai_family == AF_INET6)
			(void)setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	}
	if (*fd >= 0 && bind(*fd, at->ai_addr, at->ai_addrlen) == 0 && listen(*fd, BACKLOG) == 0)
		return 0;
	int code = errno;
	fd_close(fd);
	if (code == EADDRNOTAVAIL)
		return 0;
	(void)err_sys(e, code, "cannot listen on '%s'", place);
	return code == EADDRINUSE ? err_hint(e, "who has it: ss -ltnp; another place is: server { listen = \"…\" }")
				  : -1;
}

int tcp_listen(const char *place, struct tcp_listeners *l, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
	AUTO(arena) struct arena a = {0};
	const char *colon = strrchr(place, ':');

	*l = (struct tcp_listeners){.n = 0};
	if (colon == NULL)
		return err_set(e, ERR_CONFIG, "'%s' is no place to listen at", place);
	bool brackets = place[0] == '[' && colon > place && colon[-1] == ']';
	const char *host = brackets ? arena_strndup(&a, place + 1, (size_t)(colon - place) - 2)
				    : arena_strndup(&a, place, (size_t)(colon - place));
	int rc = getaddrinfo(host[0] == '\0' ? NULL : host, colon + 1, &hints, &found);
	if (rc != 0) {
		(void)err_set(e, ERR_CONFIG, "cannot listen on '%s': %s", place, gai_strerror(rc));
		return err_hint(e, "server { listen = \"localhost:7922\" }");
	}
	for (const struct addrinfo *at = found; at != NULL && l->n < TCP_LISTENERS; at = at->ai_next) {
		if (listen_on(at, place, &l->fd[l->n], e) < 0) {
			freeaddrinfo(found);
			tcp_close(l);
			return -1;
		}
		if (l->fd[l->n] >= 0)
			l->n++;
	}
	freeaddrinfo(found);
	return l->n > 0 ? 0 : err_set(e, ERR_NET, "this host has no address of '%s'", place);
}

bool tcp_activated(struct tcp_listeners *l)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t whose, n;

	*l = (struct tcp_listeners){.n = 0};
	if (pid == NULL || fds == NULL || !num_i64(str_of(pid), &whose) || !num_i64(str_of(fds), &n) ||
	    (whose != getpid() && whose != getppid()))
		return false;
	for (int fd = FIRST_FD; fd < FIRST_FD + n && l->n < TCP_LISTENERS; fd++) {
		int listens = 0;
		socklen_t size = sizeof(listens);
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || listens == 0)
			continue;
		fd_nonblock(fd);
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		l->fd[l->n++] = fd;
	}
	return l->n > 0;
}

void tcp_close(struct tcp_listeners *l)
{
	while (l->n > 0)
		fd_close(&l->fd[--l->n]);
}

void tcp_keepalive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},
		       {IPPROTO_TCP, TCP_KEEPIDLE, 30},
		       {IPPROTO_TCP, TCP_KEEPINTVL, 10},
		       {IPPROTO_TCP, TCP_KEEPCNT, 3},
		       {IPPROTO_TCP, TCP_NODELAY, 1}};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

int tcp_accept(int listener, struct tcp_peer *peer)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr plain;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} from = {0};
	socklen_t size = sizeof(from);
	int fd = accept4(listener, &from.plain, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	*peer = (struct tcp_peer){"a local program", 0};
	if (fd < 0)
		return -1;
	tcp_keepalive(fd);
	(void)getnameinfo(&from.plain, size, peer->text, sizeof(peer->text), NULL, 0, NI_NUMERICHOST);
	if (from.any.ss_family == AF_INET)
		peer->number = from.v4.sin_addr.s_addr;
	else if (from.any.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from.v6.sin6_addr))
		memcpy(&peer->number, &from.v6.sin6_addr.s6_addr[12], 4);
	else if (from.any.ss_family == AF_INET6)
		memcpy(&peer->number, &from.v6.sin6_addr.s6_addr[0], 8);
	return fd;
}
