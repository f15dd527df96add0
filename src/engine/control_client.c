#include "engine/control_client.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "sys/proc.h"

enum { START_MS = 30000, CALLS = 3 };

/* A keeper of its own session, which outlives us.  Two of us at once may start two: one gets the lock,
 * the other ends. */
static int start_keeper(const struct paths *p, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	const char *log = arena_printf(&a, "%s/keeper.log", p->state_dir);
	const char *const argv[] = {p->self, "daemon", "--idle-exit", "-c", p->config, NULL};
	AUTO(fd) int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct proc_spec spec = {.argv = argv, .in = PROC_NULL, .out = out, .err = out, .session = true};
	struct proc proc;

	if (out < 0)
		spec.out = spec.err = PROC_NULL;
	return proc_spawn(&spec, &proc, e);
}

int control_open(const struct paths *p, struct control *c, struct err *e)
{
	int64_t until = clock_mono_ms() + START_MS, again = 0;

	*c = (struct control)CONTROL_INIT;
	while (ipc_connect(p->socket, &c->fd, e) < 0) {
		int64_t now = clock_mono_ms();
		if (e->kind != ERR_MISSING)
			return -1;
		if (now >= until) {
			(void)err_hint(e, "why the keeper does not start is in '%s/keeper.log'", p->state_dir);
			return -1;
		}
		/* One that was just ending may have kept ours from starting: try again now and then. */
		if (now >= again && start_keeper(p, e) < 0)
			return -1;
		if (now >= again)
			again = now + 2000;
		clock_sleep_ms(20);
	}
	return 0;
}

void control_close(struct control *c)
{
	fd_close(&c->fd);
	fd_close(&c->passed);
	buf_release(&c->in);
}

void control_auto(struct control *c)
{
	control_close(c);
}

static int lost(struct control *c, struct err *e)
{
	control_close(c);
	(void)err_set(e, ERR_NET, "the keeper went away");
	return err_hint(e, "run the command again: it starts another, which finds what there is");
}

int control_send(struct control *c, const struct control_request *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};

	control_write_request(&b, r);
	while (b.n > 0) {
		int n = ipc_send(c->fd, b.p, b.n, -1);
		if (n < 0)
			return lost(c, e);
		buf_drop(&b, (size_t)n);
	}
	return 0;
}

int control_try(struct control *c, struct arena *a, control_progress *fn, void *ctx, const char **json, struct err *e)
{
	for (;;) {
		const char *end = c->in.n == 0 ? NULL : memchr(c->in.p, '\n', c->in.n);
		if (end == NULL) {
			int n = ipc_receive(c->fd, &c->in, &c->passed);
			if (n == -2)
				return 1;
			if (n <= 0)
				return lost(c, e);
			continue;
		}
		struct control_reply r;
		size_t len = (size_t)(end - c->in.p);
		int rc = control_read_reply((struct str){c->in.p, len}, a, &r, e);
		buf_drop(&c->in, len + 1);
		if (rc < 0)
			return -1;
		switch (r.event) {
		case CONTROL_PROGRESS:
			if (fn != NULL)
				fn(ctx, r.text);
			break;
		case CONTROL_READY:
			(void)snprintf(c->token, sizeof(c->token), "%s", r.text == NULL ? "" : r.text);
			return 0;
		case CONTROL_ANSWER:
			if (json != NULL)
				*json = r.text;
			return 0;
		case CONTROL_ERROR:
			*e = r.err;
			return -1;
		}
	}
}

int control_wait(struct control *c, struct arena *a, control_progress *fn, void *ctx, const char **json, struct err *e)
{
	int rc = control_try(c, a, fn, ctx, json, e);

	assert(rc <= 0); /* c->fd blocks */
	return rc;
}

int control_ask(struct control *c, const struct control_request *r, struct arena *a, const char **json, struct err *e)
{
	if (control_send(c, r, e) < 0)
		return -1;
	return control_wait(c, a, NULL, NULL, json, e);
}

int control_call(const struct paths *p, struct control *c, const struct control_request *r, struct arena *a,
		 control_progress *fn, void *ctx, const char **json, struct err *e)
{
	for (int tries = 0;; tries++) {
		if (c->fd < 0 && control_open(p, c, e) < 0)
			return -1;
		if (control_send(c, r, e) == 0 && control_wait(c, a, fn, ctx, json, e) == 0)
			return 0;
		if (c->fd >= 0 || tries == CALLS)
			return -1;
		clock_sleep_ms(100);
	}
}

json_t *control_json(const struct paths *p, struct control *c, const struct control_request *r, struct arena *a,
		     struct err *e)
{
	const char *text = NULL;

	if (control_call(p, c, r, a, NULL, NULL, &text, e) < 0)
		return NULL;
	return json_parse(str_of(text), "the keeper's answer", e);
}

bool control_lost(struct control *c)
{
	struct pollfd p = {c->fd, POLLIN, 0};

	if (c->fd < 0)
		return true;
	if (poll(&p, 1, 0) <= 0)
		return false;
	return ipc_receive(c->fd, &c->in, &c->passed) == 0 || (p.revents & (POLLERR | POLLHUP)) != 0;
}
