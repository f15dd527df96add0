#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/keeper.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "wire/json.h"

/* TOLD_MAX: more that are only told that there are too many. */
enum { CLIENTS_MAX = 500, TOLD_MAX = 50 };

void client_accept(struct keeper *k)
{
	size_t n = 0;
	int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd_pause_after(&k->accepting, fd, clock_mono_ms()))
		(void)fprintf(stderr, "<3>dormouse: no descriptors are left for those who ask: %s\n", strerror(errno));
	if (fd < 0)
		return;
	for (struct client *c = k->clients; c != NULL; c = c->next)
		n++;
	struct client *c = n < CLIENTS_MAX + TOLD_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL) {
		(void)close(fd);
		return;
	}
	*c = (struct client){.next = k->clients, .fd = fd, .pass = -1, .dial = -1, .too_many = n >= CLIENTS_MAX};
	k->clients = c;
}

void client_close(struct keeper *k, struct client *c)
{
	for (struct client **p = &k->clients; *p != NULL; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			break;
		}
	}
	client_leaves(k, c);
	client_run_over(k, c);
	fd_close(&c->fd);
	fd_close(&c->pass);
	fd_close(&c->dial);
	buf_release(&c->in);
	buf_release(&c->out);
	free(c->who);
	free(c->name);
	free(c->backup);
	free(c->progress);
	free(c);
}

void client_reply(struct client *c, const struct control_reply *r)
{
	control_write_reply(&c->out, r);
}

void client_fail(struct client *c, const struct err *e)
{
	struct control_reply r = {.event = CONTROL_ERROR, .err = *e};

	client_reply(c, &r);
	c->closing = true;
}

void client_answer(struct client *c, json_t *j)
{
	AUTO(buf) struct buf b = {0};

	json_write(&b, j);
	json_decref(j);
	client_reply(c, &(struct control_reply){.event = CONTROL_ANSWER, .text = buf_text(&b)});
}

void client_progress(struct client *c, const char *text)
{
	client_reply(c, &(struct control_reply){.event = CONTROL_PROGRESS, .text = text});
}

static void request(struct keeper *k, struct client *c, const struct control_request *r)
{
	struct err e;

	if (c->too_many) {
		(void)err_set(&e, ERR_BUSY, "%d others are using or asking for machines", CLIENTS_MAX);
		(void)err_hint(&e, "the keeper takes no more; try again when some have ended");
		client_fail(c, &e);
		return;
	}
	if (c->state != CLIENT_IDLE) {
		(void)err_set(&e, ERR_USAGE, "a lease's connection takes no more requests");
		client_fail(c, &e);
		return;
	}
	switch (r->op) {
	case CONTROL_OPEN:
	case CONTROL_LEASE:
		client_wants(k, c, r);
		break;
	case CONTROL_SLEEP:
		client_sleeps(k, c, r);
		break;
	case CONTROL_REAP:
		client_reaps(k, c);
		break;
	case CONTROL_MACHINES:
		client_machines(k, c);
		break;
	case CONTROL_STARTS:
		client_starts(k, c, r);
		break;
	case CONTROL_RUN_BEGIN:
	case CONTROL_RUN_STORY:
	case CONTROL_RUN_END:
	case CONTROL_RECORD:
	case CONTROL_RECALL:
	case CONTROL_HISTORY:
	case CONTROL_RUN:
	case CONTROL_TRACE:
		client_record(k, c, r);
		break;
	case CONTROL_RUN_PROGRESS:
		client_run_progress(c, r);
		break;
	case CONTROL_SUMMARY:
		client_summary(k, c, r);
		break;
	case CONTROL_ALERTS:
	case CONTROL_ALERTED:
		client_alert(k, c, r);
		break;
	case CONTROL_TELL:
	case CONTROL_SINKS:
	case CONTROL_DUE:
	case CONTROL_TOLD:
		client_report(k, c, r);
		break;
	}
}

void client_readable(struct keeper *k, struct client *c)
{
	int passed = -1;
	struct err e;
	int n = ipc_receive(c->fd, &c->in, &passed);

	fd_close(&passed); /* nobody has a descriptor for us */
	if (n == 0 || n == -1) {
		client_close(k, c);
		return;
	}
	for (const char *end; !c->closing && c->in.n > 0 && (end = memchr(c->in.p, '\n', c->in.n)) != NULL;) {
		AUTO(arena) struct arena a = {0};
		struct control_request r;
		size_t len = (size_t)(end - c->in.p);
		if (control_read_request((struct str){c->in.p, len}, &a, &r, &e) < 0)
			client_fail(c, &e);
		else
			request(k, c, &r);
		buf_drop(&c->in, len + 1);
	}
	if (c->in.n > CONTROL_MAX) {
		(void)err_set(&e, ERR_USAGE, "a request is longer than %d bytes", CONTROL_MAX);
		client_fail(c, &e);
		buf_clear(&c->in);
	}
}

void client_writable(struct keeper *k, struct client *c)
{
	while (c->out.n > 0) {
		int n = ipc_send(c->fd, c->out.p, c->out.n, c->pass);
		if (n == -2)
			return;
		if (n < 0) {
			client_close(k, c);
			return;
		}
		fd_close(&c->pass);
		buf_drop(&c->out, (size_t)n);
	}
	if (c->closing)
		client_close(k, c);
}
