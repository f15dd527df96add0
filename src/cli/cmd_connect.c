/* The local door: ssh's ProxyCommand. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "sys/pump.h"

/* For the person who waits; what a program captures stays what ssh says. */
static void on_stderr(void *ctx, const char *text)
{
	if (isatty(STDERR_FILENO))
		(void)fprintf(stderr, "dormouse: %s: %s\n", (const char *)ctx, text);
}

/* --- the lease -------------------------------------------------------------------------------------- */

/* What the keeper says after it gave the lease.  When it goes away, the next one gets the same lease; false: it was
 * taken from us. */
static bool lease_goes_on(struct cli *c, struct control *link, const struct control_request *lease)
{
	struct err e;

	if (ipc_receive(link->fd, &link->in, &link->passed) <= 0) {
		control_close(link);
		return control_open(&c->paths, link, &e) == 0 && control_send(link, lease, &e) == 0;
	}
	for (const char *end; link->in.n > 0 && (end = memchr(link->in.p, '\n', link->in.n)) != NULL;) {
		AUTO(arena) struct arena a = {0};
		struct control_reply reply;
		size_t len = (size_t)(end - link->in.p);
		if (control_read_reply((struct str){link->in.p, len}, &a, &reply, &e) < 0 ||
		    reply.event == CONTROL_ERROR)
			return false;
		buf_drop(&link->in, len + 1);
	}
	return true;
}

/* Keeps the lease, in a process of its own, for as long as anybody has the connection: while user lives, which the
 * kernel tells; after that it is looked at now and then, because one that goes into the background hands it to a
 * child. */
static void hold(struct cli *c, struct control *link, const struct control_request *r, pid_t user)
{
	enum { LOOK_MS = 1000 };
	int pidfd = user > 0 ? (int)syscall(SYS_pidfd_open, user, 0) : -1;
	const char *token = link->token[0] == '\0' ? NULL : arena_strdup(&c->arena, link->token);
	const struct control_request lease = {.op = CONTROL_LEASE, .target = r->target, .token = token};
	int shadow = fd_shadow(link->passed), nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Nothing of what the caller waits for may stay open here. */
	fd_close(&link->passed);
	(void)setsid();
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(nothing, fd);
	while (pidfd >= 0 || fd_shadowed(shadow)) {
		struct pollfd p[] = {{pidfd, POLLIN, 0}, {link->fd, POLLIN, 0}};
		if (poll(p, ARRAY_LEN(p), pidfd >= 0 ? -1 : LOOK_MS) < 0)
			continue;
		if (p[0].revents != 0)
			fd_close(&pidfd);
		if (p[1].revents != 0 && !lease_goes_on(c, link, &lease))
			break;
	}
}

/* Forks the holder, whose the control connection is from then on. */
static int hand_over_lease(struct cli *c, struct control *link, const struct control_request *r, pid_t user)
{
	struct err e;
	pid_t pid = fork();

	if (pid == 0) {
		hold(c, link, r, user);
		_exit(EXIT_DONE);
	}
	fd_close(&link->fd);
	if (pid > 0)
		return EXIT_DONE;
	(void)err_sys(&e, errno, "cannot start the process that keeps '%s' on", r->target);
	return cli_fail(c, &e);
}

/* --- the bytes -------------------------------------------------------------------------------------- */

/* To ssh itself, through the socket that is our standard output.  False: that is none, as with programs that know
 * ProxyCommand but not ProxyUseFdpass. */
static bool give_away(int passed, pid_t *user)
{
	struct ucred maker;
	socklen_t n = sizeof(maker);

	*user = getsockopt(STDOUT_FILENO, SOL_SOCKET, SO_PEERCRED, &maker, &n) == 0 ? maker.pid : 0;
	return ipc_send(STDOUT_FILENO, "\0", 1, passed) == 1;
}

/* Both directions, each with an end of its own, until both have ended or nobody hears us. */
static int relay(struct cli *c, int passed, const char *target)
{
	enum { ROOM = 1 << 20 };
	struct pump up, down;
	struct err e;
	int back = fcntl(passed, F_DUPFD_CLOEXEC, 3);

	if (back < 0) {
		(void)err_sys(&e, errno, "cannot use the connection to '%s'", target);
		return cli_fail(c, &e);
	}
	fd_nonblock(back);
	pump_splice(&up, STDIN_FILENO, passed, ROOM, (struct str){0});
	pump_splice(&down, back, STDOUT_FILENO, ROOM, (struct str){0});
	while (up.out >= 0 || down.out >= 0) {
		struct pollfd p[] = {{pump_wants_in(&up) ? up.in : -1, POLLIN, 0},
				     {pump_wants_out(&up) || down.in < 0 ? up.out : -1, pump_wants_out(&up), 0},
				     {pump_wants_in(&down) ? down.in : -1, POLLIN, 0},
				     {down.out, pump_wants_out(&down), 0}};
		if (poll(p, ARRAY_LEN(p), -1) < 0)
			continue;
		/* The reader of what we write has gone: it needs no more of it. */
		if (p[3].revents & (POLLERR | POLLHUP | POLLNVAL))
			break;
		if ((p[2].revents | p[3].revents) != 0)
			(void)pump_step(&down);
		if ((p[0].revents | p[1].revents) != 0)
			(void)pump_step(&up);
		/* The other end has closed all of it. */
		if (down.in < 0 && (p[1].revents & (POLLERR | POLLHUP)))
			pump_release(&up);
	}
	int code = down.error != 0 && down.error != EPIPE ? down.error : up.error != EPIPE ? up.error : 0;
	pump_release(&up);
	pump_release(&down);
	if (code == 0)
		return EXIT_DONE;
	(void)err_sys(&e, code, "the connection to '%s' was cut", target);
	(void)err_hint(&e, "is the machine still on? dormouse machines");
	return cli_fail(c, &e);
}

/* With the connection in hand. */
static int serve(struct cli *c, struct control *link, const struct control_request *r, bool fdpass)
{
	struct err e;
	pid_t user;

	if (link->passed < 0) {
		(void)err_set(&e, ERR_SYSTEM, "the keeper sent no connection to '%s'", r->target);
		(void)err_hint(&e, "restart dormouse daemon: it may be of an older version");
		return cli_fail(c, &e);
	}
	bool given = fdpass && give_away(link->passed, &user);
	int rc = hand_over_lease(c, link, r, given ? user : getpid());
	if (given || rc != EXIT_DONE)
		return rc;
	int passed = link->passed;
	link->passed = -1;
	return relay(c, passed, r->target);
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
		(void)err_set(&e, ERR_USAGE, "name one place to connect to");
		(void)err_hint(&e, "TARGET or TARGET:PORT");
		rc = cli_fail(&c, &e);
		return cli_end(&c), rc;
	}
	r.port = (int64_t)port;
	if (control_call(&c.paths, &link, &r, &c.arena, on_stderr, (void *)(uintptr_t)r.target, NULL, &e) < 0)
		rc = cli_fail(&c, &e);
	else
		rc = serve(&c, &link, &r, fdpass);
	cli_end(&c);
	return rc;
}
