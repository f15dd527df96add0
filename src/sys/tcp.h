/* Listening where others connect from a network. */
#ifndef SYS_TCP_H
#define SYS_TCP_H

#include "base/err.h"

enum { TCP_LISTENERS = 8, TCP_PEER = 64 };

struct tcp_listeners {
	int fd[TCP_LISTENERS]; /* non-blocking */
	size_t n;
};

/* On all addresses of "HOST:PORT", "[HOST]:PORT" or ":PORT". */
int tcp_listen(const char *place, struct tcp_listeners *l, struct err *e) MUST_CHECK;
/* The sockets that the service manager listens on for us (sd_listen_fds(3)), or for the daemon that started us; false:
 * there are none. */
bool tcp_activated(struct tcp_listeners *l);
void tcp_close(struct tcp_listeners *l);

struct tcp_peer {
	char text[TCP_PEER]; /* the address, for people */
	uint64_t number;     /* its network: what one stranger can have */
};

/* A connection, non-blocking, with tcp_keepalive; -1: there is none now. */
int tcp_accept(int listener, struct tcp_peer *peer);
/* Without delay (TCP_NODELAY), and over when the other side has been gone for a minute in which nothing was to be sent.
 * No TCP_USER_TIMEOUT: it would also end what the other side only does not read for a while. */
void tcp_keepalive(int fd);

#endif
