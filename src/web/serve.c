/* The one that speaks HTTP.  It has its connections, and a link to ask by; no file, no other socket, no program.
 * libmicrohttpd reads what strangers send. */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/sandbox.h"
#include "web/server.h"
#include "web/web.h"

/* CONNECTIONS: of each of the sockets. */
enum {
	CONNECTIONS = 100,
	FIRST = LINK + 1,
	DESCRIPTORS = 1024,
	MEMORY = 512 << 20,
	RULES_MAX = 65536,
	HEADERS = 16 * 1024,
	ANSWER_MS = 60 * 1000
};

static void on_connection(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct server *s = cls;
	struct visit *v = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED && v != NULL) {
		*v->at = v->next;
		if (v->next != NULL)
			v->next->at = v->at;
		free(v);
		*context = NULL;
		return;
	}
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (code != MHD_CONNECTION_NOTIFY_STARTED || info == NULL)
		return;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		abort();
	*v = (struct visit){.next = s->visits, .at = &s->visits, .fd = info->connect_fd, .since_ms = clock_mono_ms()};
	if (v->next != NULL)
		v->next->at = &v->next;
	s->visits = v;
	*context = v;
}

/* Who sends a byte now and then has so long for all of its question; who waits for an answer, so long for that. */
static void timers(struct server *s)
{
	int64_t now = clock_mono_ms();

	for (struct visit *v = s->visits; v != NULL; v = v->next) {
		if (v->since_ms != 0 && now - v->since_ms > s->patience_s * 1000) {
			(void)shutdown(v->fd, SHUT_RDWR);
			v->since_ms = now;
		}
	}
	if (s->queue != NULL && s->on_its_way && now - s->queue->since_ms > ANSWER_MS)
		s->gone = true; /* it hangs: whoever keeps us starts both again */
	asked_next(s);
	viewers_wake(s);
}

static void hear(struct server *s)
{
	struct str body;
	size_t used;
	int status, rc;

	if (fd_read_some(LINK, &s->in, 1 << 20) <= 0) {
		s->gone = true;
		return;
	}
	while ((rc = link_read_answer(&s->in, &status, &body, &used)) > 0) {
		asked_answered(s, status, body);
		buf_drop(&s->in, used);
	}
	s->gone |= rc < 0;
}

static void loop(struct server *s)
{
	struct pollfd p[1 + TCP_LISTENERS];

	while (!s->gone) {
		int64_t wait = 1000;
		MHD_UNSIGNED_LONG_LONG ms;
		p[0] = (struct pollfd){.fd = LINK, .events = POLLIN};
		for (size_t i = 0; i < s->n; i++) {
			const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemons[i], MHD_DAEMON_INFO_EPOLL_FD);
			p[1 + i] = (struct pollfd){.fd = info->epoll_fd, .events = POLLIN};
			if (MHD_get_timeout(s->daemons[i], &ms) == MHD_YES && (int64_t)ms < wait)
				wait = (int64_t)ms;
		}
		(void)poll(p, 1 + s->n, (int)wait);
		if (p[0].revents != 0)
			hear(s);
		for (size_t i = 0; i < s->n; i++)
			(void)MHD_run(s->daemons[i]);
		timers(s);
	}
}

static int read_rules(struct server *s, int64_t *uid, int64_t *gid, struct err *e)
{
	AUTO(buf) struct buf text = {0};
	json_t *host;
	size_t i;

	while (text.n <= RULES_MAX && fd_read_some(STDIN_FILENO, &text, 4096) > 0)
		;
	AUTO(json) json_t *j = json_parse(buf_str(&text), "the rules", e);
	if (j == NULL)
		return -1;
	s->rules.any_host = json_is_true(json_object_get(j, "any_host"));
	s->patience_s = json_integer_value(json_object_get(j, "patience_s"));
	s->rules.token = json_text(j, "token", &s->arena);
	json_array_foreach(json_object_get(j, "hosts"), i, host) * vec_add(&s->rules.hosts, &s->arena) =
	    arena_strdup(&s->arena, json_string_value(host));
	*uid = json_integer_value(json_object_get(j, "uid"));
	*gid = json_integer_value(json_object_get(j, "gid"));
	return 0;
}

static int start(struct server *s, struct err *e)
{
	int type;
	socklen_t size = sizeof(type);

	for (int fd = FIRST; s->n < TCP_LISTENERS && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0; fd++) {
		fd_nonblock(fd);
		s->daemons[s->n] = MHD_start_daemon(
		    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, request_handle, s,
		    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
		    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)s->patience_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		    (size_t)HEADERS, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, request_completed, s,
		    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
		if (s->daemons[s->n] == NULL)
			return err_set(e, ERR_SYSTEM, "cannot start the page's server");
		s->n++;
	}
	return s->n == 0 ? err_set(e, ERR_USAGE, "dormouse web starts this") : 0;
}

int web_serve(void)
{
	struct server s = {0};
	int64_t uid = -1, gid = -1;
	struct err e;

	if (read_rules(&s, &uid, &gid, &e) < 0 || start(&s, &e) < 0 || sandbox_become(uid, gid, &e) < 0 ||
	    sandbox_lock(DESCRIPTORS, MEMORY, true, &e) < 0) {
		(void)fprintf(stderr, "<3>dormouse: web: %s%s%s\n", e.what, e.why[0] == '\0' ? "" : ": ", e.why);
		return err_exit_code(&e);
	}
	loop(&s);
	return 0;
}
