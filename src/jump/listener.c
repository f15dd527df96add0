/* The listener: takes connections, gives each a process of its own, and asks the keeper for them.  It reads nothing
 * that a stranger has sent. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "base/vec.h"
#include "engine/control_client.h"
#include "jump/internal.h"
#include "jump/jump.h"
#include "plan/jump_admit.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "sys/notify.h"
#include "sys/proc.h"
#include "sys/tcp.h"

enum { HELPERS = 64, COMPLAIN_MS = 10000, DAEMON_MS = 45000 };

/* One connection. */
struct visit {
	struct visit *next;
	struct proc proc;
	int link; /* -1: it has ended */
	struct tcp_peer peer;
	const struct jump_client *client; /* NULL: has not logged in */
	int64_t until_ms;		  /* to log in */
};

struct listener {
	const struct paths *paths;
	const struct config *config;
	struct tcp_listeners doors;
	struct buf brief;
	struct jump_admit admit;
	struct visit *visits;
	unsigned helpers; /* processes that ask the keeper */
	unsigned turned_away;
	int64_t complain_ms; /* when that may be said again */
	int64_t grace_ms;    /* to log in; DORMOUSE_LOGIN_GRACE_MS, for tests */
	struct fd_pause taking;
	bool retiring, ending;
};

__attribute__((format(printf, 2, 3))) static void say(int level, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "<%d>dormouse: jump: ", level);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* --- connections -------------------------------------------------------------------------------------------- */

static void turn_away(int fd, const char *why)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "dormouse: %s; try again in a moment\r\n", why);

	/* RFC 4253, 4.2: lines before the version are shown, or at least allowed. */
	(void)send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The brief, in a pipe that is large enough for all of it: nothing waits here. */
static int brief_fd(struct listener *l)
{
	struct err e;
	int ends[2];

	if (fd_pipe(ends, &e) < 0)
		return -1;
	if (fcntl(ends[1], F_SETPIPE_SZ, (int)l->brief.n) < (int)l->brief.n ||
	    fd_write_all(ends[1], l->brief.p, l->brief.n, &e) < 0)
		fd_close(&ends[0]);
	fd_close(&ends[1]);
	return ends[0];
}

static int start(struct listener *l, int fd, struct visit *v, struct err *e)
{
	/* The last two are for people who look at the processes. */
	const char *const argv[] = {l->paths->jump, "jump-session", v->peer.text, l->config->server.listen, NULL};
	int pair[2];
	AUTO(fd) int brief = brief_fd(l);

	if (brief < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_sys(e, errno, "cannot start a connection's process");
	const int keep[] = {fd, pair[1]};
	struct proc_spec spec = {
	    .argv = argv, .in = brief, .out = PROC_NULL, .err = PROC_INHERIT, .bare = true, .keep = keep, .nkeep = 2};
	int rc = proc_spawn(&spec, &v->proc, e);
	fd_close(&pair[1]);
	v->link = pair[0];
	if (rc < 0)
		fd_close(&v->link);
	return rc;
}

static void take(struct listener *l, int door)
{
	struct tcp_peer peer;
	struct err e;
	AUTO(fd) int fd = tcp_accept(door, &peer);

	if (fd_pause_after(&l->taking, fd, clock_mono_ms()))
		say(3, "no descriptors are left for connections: %s", strerror(errno));
	if (fd < 0)
		return;
	const char *why =
	    jump_admit(&l->admit, peer.number, (unsigned)l->config->server.max_connections, clock_mono_ms());
	if (why != NULL) {
		turn_away(fd, why);
		l->turned_away++;
		if (clock_mono_ms() >= l->complain_ms) {
			say(4, "%s is turned away: %s (%u so far)", peer.text, why, l->turned_away);
			l->complain_ms = clock_mono_ms() + COMPLAIN_MS;
		}
		return;
	}
	struct visit *v = calloc(1, sizeof(*v));
	if (v == NULL)
		abort();
	*v = (struct visit){.next = l->visits, .peer = peer, .until_ms = clock_mono_ms() + l->grace_ms};
	if (start(l, fd, v, &e) < 0) {
		say(3, "%s: %s", e.what, e.why);
		turn_away(fd, "something is wrong here");
		jump_admit_end(&l->admit, peer.number, false);
		free(v);
		return;
	}
	l->visits = v;
}

static void end_visit(struct listener *l, struct visit *v, int status)
{
	char how[80];

	if (v->client == NULL && v->until_ms == INT64_MAX)
		say(6, "%s did not log in in time", v->peer.text);
	else if (status != 0)
		say(4, "the process of a connection from %s ended with %s", v->peer.text,
		    proc_status_text(status, how, sizeof(how)));
	else if (v->client != NULL)
		say(6, "'%s' from %s is gone", v->client->name, v->peer.text);
	jump_admit_end(&l->admit, v->peer.number, v->client != NULL);
	for (struct visit **p = &l->visits; *p != NULL; p = &(*p)->next) {
		if (*p == v) {
			*p = v->next;
			break;
		}
	}
	fd_close(&v->link);
	free(v);
}

/* --- what their processes ask ------------------------------------------------------------------------------- */

static void tell(const struct visit *v, uint32_t id, bool good, const char *why, int pass)
{
	struct jump_told told = {.id = id, .good = good};

	(void)snprintf(told.text, sizeof(told.text), "%s", why);
	(void)ipc_send(v->link, &told, sizeof(told), pass);
}

/* In a process of its own, because a keeper may have to be started first. */
__attribute__((noreturn)) static void ask_keeper(struct listener *l, const struct visit *v, const struct jump_ask *q,
						 const char *target)
{
	AUTO(control) struct control c = CONTROL_INIT;
	char why[TCP_PEER + 48];
	struct control_request r = {.op = q->port == 0 ? CONTROL_LEASE : CONTROL_OPEN,
				    .target = target,
				    .port = q->port,
				    .text = why,
				    .client = v->client->name,
				    .token = q->token[0] == '\0' ? NULL : q->token};
	struct err e;
	sigset_t none;

	(void)snprintf(why, sizeof(why), "through the jump host, from %s", v->peer.text);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* What is not closed here would outlive a listener that ends meanwhile. */
	(void)close(STDOUT_FILENO);
	tcp_close(&l->doors);
	for (struct visit *o = l->visits; o != NULL; o = o->next)
		if (o != v)
			fd_close(&o->link);
	/* A daemon that has died comes back, and must not find the keeper that we would start. */
	int64_t until = clock_mono_ms() + (l->retiring ? DAEMON_MS : 0);
	while (ipc_connect(l->paths->socket, &c.fd, &e) < 0 && e.kind == ERR_MISSING && clock_mono_ms() < until)
		clock_sleep_ms(100);
	if ((c.fd < 0 && control_open(l->paths, &c, &e) < 0) || control_send(&c, &r, &e) < 0) {
		char line[sizeof(e.what) + sizeof(e.why) + 8];
		err_line(&e, line, sizeof(line));
		tell(v, q->id, false, line, -1);
	} else {
		fd_nonblock(c.fd);
		tell(v, q->id, true, "", c.fd);
	}
	_exit(0);
}

static void admit(struct listener *l, struct visit *v, const struct jump_ask *q, const struct jump_client *c)
{
	int64_t n = 0;

	for (const struct visit *o = l->visits; o != NULL; o = o->next)
		n += o->client == c;
	if (v->client != NULL || n >= c->max_connections) {
		say(5, "'%s' from %s is turned away: it has %d connections", c->name, v->peer.text, (int)n);
		tell(v, q->id, false, "you have too many connections here; close some", -1);
		return;
	}
	v->client = c;
	jump_admit_user(&l->admit, v->peer.number);
	say(6, "'%s' from %s is logged in", c->name, v->peer.text);
	tell(v, q->id, true, "", -1);
}

/* The connection's process decided the same; it is not trusted with it. */
static void serve(struct listener *l, struct visit *v, const struct jump_ask *q)
{
	const struct jump_clients *clients = &l->config->clients;
	const struct jump_client *c = q->client < clients->n ? &clients->v[q->client] : NULL;

	if (c == NULL || (q->id != JUMP_ASK_ADMIT && (v->client != c || q->door >= c->doors.n))) {
		say(3, "the process of a connection from %s asks what it may not; it is ended", v->peer.text);
		proc_signal(&v->proc, SIGKILL);
		return;
	}
	if (q->id == JUMP_ASK_ADMIT) {
		admit(l, v, q, c);
		return;
	}
	const char *target = c->doors.v[q->door].target;
	if (q->port != 0 && !jump_allowed(c, target, q->port)) {
		tell(v, q->id, false, "this is not allowed", -1);
		return;
	}
	if (l->helpers >= HELPERS) {
		tell(v, q->id, false, "too much is asked for at once; try again in a moment", -1);
		return;
	}
	if (q->port != 0)
		say(6, "'%s' from %s opens %s:%u", c->name, v->peer.text, target, q->port);
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		ask_keeper(l, v, q, target);
	if (pid < 0)
		tell(v, q->id, false, "the jump host cannot start a process", -1);
	else
		l->helpers++;
}

/* --- the loop ----------------------------------------------------------------------------------------------- */

static void reap(struct listener *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct visit *v = l->visits;
		while (v != NULL && v->proc.pid != pid)
			v = v->next;
		if (v != NULL)
			end_visit(l, v, status);
		else if (l->helpers > 0)
			l->helpers--;
	}
}

static void signalled(struct listener *l, int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap(l);
		} else if (info.ssi_signo == SIGHUP) {
			tcp_close(&l->doors);
			(void)close(STDOUT_FILENO);
			l->retiring = true;
		} else {
			l->ending = true;
		}
	}
}

/* Who has not logged in by now never will.  How long until the next one is at that point, or connections are taken
 * again, in milliseconds. */
static int timers(struct listener *l, int64_t now)
{
	int64_t next = l->taking.until_ms > now ? l->taking.until_ms : INT64_MAX;

	for (struct visit *v = l->visits; v != NULL; v = v->next) {
		if (v->client != NULL || v->until_ms == INT64_MAX)
			continue;
		if (now >= v->until_ms) {
			v->until_ms = INT64_MAX;
			proc_signal(&v->proc, SIGTERM);
		} else if (v->until_ms < next) {
			next = v->until_ms;
		}
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}

static void round_of(struct listener *l, int signals)
{
	AUTO(arena) struct arena a = {0};
	struct pollfds VEC(struct pollfd);
	struct pollfds p = {0};
	size_t i = 0;
	int64_t now = clock_mono_ms();

	*vec_add(&p, &a) = (struct pollfd){signals, POLLIN, 0};
	for (size_t d = 0; d < l->doors.n; d++)
		*vec_add(&p, &a) = (struct pollfd){l->taking.until_ms > now ? -1 : l->doors.fd[d], POLLIN, 0};
	for (struct visit *v = l->visits; v != NULL; v = v->next)
		*vec_add(&p, &a) = (struct pollfd){v->link, POLLIN, 0};
	if (poll(p.v, p.n, timers(l, now)) < 0)
		return;
	i = 1 + l->doors.n;
	for (struct visit *v = l->visits; v != NULL; v = v->next, i++) {
		struct jump_ask q;
		if (p.v[i].revents == 0)
			continue;
		ssize_t n = recv(v->link, &q, sizeof(q), 0);
		q.token[sizeof(q.token) - 1] = '\0';
		if (n == sizeof(q))
			serve(l, v, &q);
		else if (n >= 0 || errno != EAGAIN)
			fd_close(&v->link);
	}
	for (size_t d = 0; d < l->doors.n; d++)
		if (p.v[1 + d].revents != 0)
			take(l, l->doors.fd[d]);
	if (p.v[0].revents != 0)
		signalled(l, signals);
}

int jump_listen(const struct paths *paths, const struct config *config, bool kept)
{
	struct listener *l = calloc(1, sizeof(*l));
	struct err e = {0};
	sigset_t set;

	if (l == NULL)
		abort();
	l->paths = paths;
	l->config = config;
	const char *grace = getenv("DORMOUSE_LOGIN_GRACE_MS");
	if (grace == NULL || !num_i64(str_of(grace), &l->grace_ms))
		l->grace_ms = JUMP_GRACE_MS;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (kept)
		(void)prctl(PR_SET_PDEATHSIG, SIGHUP);
	AUTO(fd) int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	int rc = jump_prepare(paths, config, &l->brief, &e);
	if (rc == 0 && !tcp_activated(&l->doors))
		rc = tcp_listen(config->server.listen, &l->doors, &e);
	if (rc == 0) {
		say(5, "listening on %s", config->server.listen);
		notify("READY=1");
		while (!l->ending && !(l->retiring && l->visits == NULL))
			round_of(l, signals);
	} else {
		say(3, "%s%s%s", e.what, e.why[0] == '\0' ? "" : ": ", e.why);
		if (e.hint[0] != '\0')
			(void)fprintf(stderr, "hint: %s\n", e.hint);
	}
	tcp_close(&l->doors);
	while (l->visits != NULL) {
		struct visit *v = l->visits;
		l->visits = v->next;
		fd_close(&v->link); /* it goes on as long as it has a channel */
		free(v);
	}
	explicit_bzero(l->brief.p, l->brief.n);
	buf_release(&l->brief);
	free(l);
	return rc < 0 ? err_exit_code(&e) : 0;
}
