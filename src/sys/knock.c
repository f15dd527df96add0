#include "sys/knock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"

/* A refusal costs nothing and says that the host is up: the port will be there soon. */
enum { AT_ONCE = 32, EVERY_MS = 50, REFUSED_MS = 10, PATIENCE_MS = AT_ONCE * EVERY_MS };

struct
try {
	int fd; /* -1: none */
	bool connected;
	int64_t until_ms;
};

static void give_up(struct try *t)
{
	fd_close(&t->fd);
	*t = (struct try){.fd = -1};
}

/* One more, if there is room.  Whoever accepts is given time to greet: sshd counts those who have not logged in. */
static void begin(struct try *tries, const char *host, int64_t port, int64_t now)
{
	struct try *free = NULL;
	struct err ignored;

	for (size_t i = 0; i < AT_ONCE; i++) {
		if (tries[i].connected)
			return;
		if (tries[i].fd < 0)
			free = &tries[i];
	}
	if (free == NULL)
		return;
	*free = (struct try){.fd = -1, .until_ms = now + PATIENCE_MS};
	if (ipc_dial(host, port, &free->fd, &ignored) < 0)
		give_up(free);
}

static bool greets(struct try *t, short revents, const char *greeting, int64_t now, bool *refused)
{
	size_t want = strlen(greeting);
	char text[64];
	int code = 0;
	socklen_t n = sizeof(code);

	if (t->fd < 0)
		return false;
	if (revents != 0 && !t->connected) {
		t->connected = getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &code, &n) == 0 && code == 0;
		t->until_ms = t->connected ? now + PATIENCE_MS : now;
		*refused = *refused || code == ECONNREFUSED;
		if (t->connected && want == 0)
			return true;
	} else if (revents != 0) {
		ssize_t got = recv(t->fd, text, want < sizeof(text) ? want : sizeof(text), MSG_PEEK);
		if (got >= (ssize_t)want && memcmp(text, greeting, want) == 0)
			return true;
		if (got == 0 || got >= (ssize_t)want || (got < 0 && errno != EAGAIN))
			t->until_ms = now;
	}
	if (now >= t->until_ms)
		give_up(t);
	return false;
}

int knock(const char *host, int64_t port, const char *greeting, int64_t until_ms, int *fd, struct err *e)
{
	struct try tries[AT_ONCE];
	struct pollfd p[AT_ONCE];
	int64_t next = 0, now = 0;
	bool found = false, refused;

	for (size_t i = 0; i < AT_ONCE; i++)
		tries[i] = (struct try){.fd = -1};
	while (!found && (now = clock_mono_ms()) < until_ms) {
		if (now >= next) {
			begin(tries, host, port, now);
			next = now + EVERY_MS;
		}
		for (size_t i = 0; i < AT_ONCE; i++)
			p[i] = (struct pollfd){tries[i].fd, tries[i].connected ? POLLIN : POLLOUT, 0};
		if (poll(p, AT_ONCE, (int)(next - now)) < 0 && errno != EINTR)
			break;
		now = clock_mono_ms();
		refused = false;
		for (size_t i = 0; i < AT_ONCE && !found; i++) {
			found = greets(&tries[i], p[i].revents, greeting, now, &refused);
			if (found && fd != NULL) {
				*fd = tries[i].fd;
				tries[i].fd = -1;
			}
		}
		if (refused && next > now + REFUSED_MS)
			next = now + REFUSED_MS;
	}
	for (size_t i = 0; i < AT_ONCE; i++)
		give_up(&tries[i]);
	if (found)
		return 0;
	return err_set(e, ERR_TIMEOUT, "nothing answers at %s port %lld", host, (long long)port);
}
