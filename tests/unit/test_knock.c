/* Knocking at servers that are not ready yet, in all the ways of not being ready.  What is bounded is the number of
 * connections, not the time: how long anything takes is the host's affair. */
#include "check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/knock.h"

enum { LONG_MS = 60000, SHORT_MS = 400 };

static int listen_at(int64_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* A server that says each of these to one connection, and closes it (NULL: without a word), and no more after. */
static pid_t serve(int fd, const char *const *says, size_t n)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	for (size_t i = 0; pid == 0 && i < n; i++) {
		int c = accept(fd, NULL, NULL);
		if (says[i] != NULL)
			(void)!write(c, says[i], strlen(says[i]));
		(void)close(c);
	}
	if (pid == 0)
		_exit(0);
	return pid;
}

static void sooner_or_later(void **state)
{
	static const char *const says[] = {NULL, "SS", NULL, "HTTP/1.0 400 Bad Request\r\n", "SSH-2.0-x\r\n"};
	int64_t port;
	int fd = listen_at(&port), status = 1, got = -1;
	char text[64];
	struct err e;

	(void)state;
	pid_t pid = serve(fd, says, ARRAY_LEN(says));
	assert_int_equal(knock("127.0.0.1", port, "SSH-", clock_mono_ms() + LONG_MS, &got, &e), 0);
	/* The greeting is still to be read. */
	assert_int_equal(recv(got, text, sizeof(text), 0), 11);
	assert_memory_equal(text, "SSH-2.0-x\r\n", 11);
	(void)close(got);
	/* It needed every one of them. */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(fd);
}

/* Accepts, and says nothing, as what forwards ports does: one connection waits, and is not joined by others. */
static void silence(void **state)
{
	int64_t port;
	int fd = listen_at(&port), n = 0;
	struct err e;

	(void)state;
	assert_int_equal(knock("127.0.0.1", port, "SSH-", clock_mono_ms() + SHORT_MS, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_TIMEOUT);
	fd_nonblock(fd);
	for (int c; (c = accept(fd, NULL, NULL)) >= 0; n++)
		(void)close(c);
	assert_int_equal(n, 1);
	(void)close(fd);
}

static void nobody(void **state)
{
	int64_t port, began = clock_mono_ms();
	struct err e;

	(void)state;
	(void)close(listen_at(&port));
	assert_int_equal(knock("127.0.0.1", port, "SSH-", began + SHORT_MS, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_TIMEOUT);
	assert_true(clock_mono_ms() >= began + SHORT_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sooner_or_later),
	    cmocka_unit_test(silence),
	    cmocka_unit_test(nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
