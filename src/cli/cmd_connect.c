/* The local door: ssh's ProxyCommand. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "sys/pump.h"

static void on_stderr(void *ctx, const char *text)
{
	/* ssh shows it to the person who waits; a program that captures it sees why it took so long. */
	if (isatty(STDERR_FILENO))
		(void)fprintf(stderr, "dormouse: %s: %s\n", (const char *)ctx, text);
}

/* Waits, in a process of its own, as long as ssh lives: with it ends the control connection, and so the
 * lease.  The kernel tells; nothing is polled. */
static int hold(pid_t ssh, int link)
{
	int pidfd = (int)syscall(SYS_pidfd_open, ssh, 0);

	if (pidfd < 0)
		return EXIT_FAILED;
	(void)setsid();
	int held = fcntl(link, F_DUPFD, 3);
	if (held < 0)
		return EXIT_FAILED;
	for (int fd = 0; fd < 3; fd++)
		(void)close(fd);
	for (;;) {
		struct pollfd p[2] = {{pidfd, POLLIN, 0}, {held, POLLIN, 0}};
		char drop[256];
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents != 0)
			break;
		if (p[1].revents != 0 && recv(held, drop, sizeof(drop), 0) <= 0)
			break;
	}
	return EXIT_DONE;
}

static int give_away(struct cli *c, struct control *link)
{
	struct err e;
	pid_t ssh = getppid();

	if (ipc_send(STDOUT_FILENO, "\0", 1, link->passed) != 1) {
		(void)err_set(&e, ERR_USAGE, "standard output is not a socket that takes a descriptor");
		(void)err_hint(&e, "--fdpass is for ssh's ProxyCommand with ProxyUseFdpass yes");
		return cli_fail(c, &e);
	}
	pid_t pid = fork();
	if (pid == 0)
		_exit(hold(ssh, link->fd));
	return pid < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Both directions, until both have ended. */
static int relay(struct control *link)
{
	struct pump up, down;
	int back = dup(link->passed);

	if (back < 0)
		return EXIT_FAILED;
	pump_init(&up, STDIN_FILENO, link->passed, 256 * 1024, (struct str){0});
	pump_init(&down, back, STDOUT_FILENO, 256 * 1024, (struct str){0});
	link->passed = -1;
	for (bool half_closed = false; down.out >= 0;) {
		struct pollfd p[] = {{up.in, pump_wants_in(&up), 0},
				     {up.out, pump_wants_out(&up), 0},
				     {down.in, pump_wants_in(&down), 0},
				     {down.out, pump_wants_out(&down), 0}};
		for (size_t i = 0; i < ARRAY_LEN(p); i++)
			if (p[i].events == 0)
				p[i].fd = -1;
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents != 0 || p[1].revents != 0)
			(void)pump_step(&up);
		if (up.out < 0 && !half_closed) {
			(void)shutdown(down.in, SHUT_WR);
			half_closed = true;
		}
		if ((p[2].revents != 0 || p[3].revents != 0) && pump_step(&down) != PUMP_GOES_ON)
			break;
	}
	pump_release(&up);
	pump_release(&down);
	return EXIT_DONE;
}

int cmd_connect(int argc, char **argv)
{
	struct cli c;
	bool fdpass = false;
	const struct cli_option own[] = {{"--fdpass", &fdpass, NULL}};
	struct control_request r = {.op = CONTROL_OPEN, .port = 22};
	AUTO(control) struct control link = CONTROL_INIT;
	struct err e;
	uint64_t port = 22;
	int rc = cli_begin(&c, argc, argv,
			   "usage: dormouse connect [--fdpass] TARGET[:PORT]\nA connection to a port of the machine "
			   "(22), which is started if it is off.  For ssh_config:\n  ProxyCommand dormouse connect "
			   "--fdpass %h:%p\n  ProxyUseFdpass yes",
			   own, ARRAY_LEN(own));

	if (rc >= 0)
		return cli_end(&c), rc;
	struct str place = str_of(c.args.n == 1 ? c.args.v[0] : "");
	r.target = str_dup(&c.arena, str_cut(&place, ':'));
	if (c.args.n != 1 || (place.n > 0 && (!num_u64(place, &port) || port < 1 || port > 65535))) {
		(void)err_set(&e, ERR_USAGE, "name one place to connect to: TARGET or TARGET:PORT");
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	r.port = (int64_t)port;
	if (control_call(&c.paths, &link, &r, &c.arena, on_stderr, (void *)(uintptr_t)r.target, NULL, &e) < 0)
		rc = cli_fail(&c, &e);
	else if (link.passed < 0)
		rc = EXIT_FAILED;
	else
		rc = fdpass ? give_away(&c, &link) : relay(&link);
	cli_end(&c);
	return rc;
}
