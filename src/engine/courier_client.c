#include "engine/courier_client.h"

#include <poll.h>

#include "sys/clock.h"
#include "sys/fdio.h"

enum { SPARE_MS = 5000 };

void courier_client_auto(struct courier_client *c)
{
	proc_end(&c->proc);
	fd_close(&c->proc.in);
	fd_close(&c->proc.out);
	buf_release(&c->in);
}

static int lost(struct courier_client *c, struct err *e)
{
	courier_client_auto(c);
	c->in = (struct buf){0};
	(void)err_set(e, ERR_SYSTEM, "who carries reports has ended, or does not answer");
	return err_hint(e, "what it wrote to standard error, or to the keeper's log, may say why");
}

/* One line to it, and one back. */
static int carry(struct courier_client *c, const struct courier_order *o, struct arena *a, struct sink_reply *r,
		 struct err *e)
{
	const char *const argv[] = {c->paths->cloud, "courier", NULL};
	struct proc_spec spec = {.argv = argv, .in = PROC_PIPE, .out = PROC_PIPE, .err = PROC_INHERIT, .tied = true};
	AUTO(buf) struct buf order = {0};
	const char *end;

	if (c->proc.pid == 0 && proc_spawn(&spec, &c->proc, e) < 0)
		return err_hint(e, "it belongs into the same folder as dormouse itself: install both");
	courier_write_order(&order, o);
	if (fd_write_all(c->proc.in, order.p, order.n, e) < 0)
		return lost(c, e);
	for (int64_t until = clock_mono_ms() + o->timeout_ms + SPARE_MS;
	     c->in.n == 0 || (end = memchr(c->in.p, '\n', c->in.n)) == NULL;) {
		struct pollfd p = {c->proc.out, POLLIN, 0};
		int64_t rest = until - clock_mono_ms();
		if (rest <= 0 || poll(&p, 1, (int)rest) <= 0 || fd_read_some(c->proc.out, &c->in, 64 * 1024) <= 0)
			return lost(c, e);
	}
	size_t len = (size_t)(end - c->in.p);
	int rc = courier_read_reply((struct str){c->in.p, len}, a, r, e);
	buf_drop(&c->in, len + 1);
	return rc;
}

int courier_client_send(struct courier_client *c, const struct courier_order *o, struct arena *a, struct sink_reply *r,
			struct err *e)
{
	if (carry(c, o, a, r, e) == 0)
		return 0;
	if (e->kind == ERR_DENIED)
		return err_hint(e, "does its certificate fit? ca_file in the report block says whom to trust");
	if (e->kind == ERR_CONFIG)
		return err_hint(e, "https://…; in a network of your own, allow_http = true");
	return -1;
}
