#include "engine/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"
#include "sys/pump.h"
#include "wire/program.h"
#include "wire/zfs_text.h"

enum { RING = 16 * 1024 * 1024, TEXT_MAX = 1024 * 1024, TELL_MS = 200, READ = 16 * 1024 };

/* What is open while a channel runs. */
struct flow {
	struct channel *c;
	struct proc sender, receiver;
	struct pump orders; /* the sender's program, into its stdin */
	struct pump stream; /* the receiver's program and then the streams */
	struct buf answers, sender_err, receiver_err;
	int64_t moved_ms; /* when something last moved */
	int64_t told_ms;
	bool stalled;
};

static int start(const struct side *side, int out, struct proc *p, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct proc_spec spec = {.argv = side_argv(side, &a), .in = PROC_PIPE, .out = out, .err = PROC_PIPE};

	if (proc_spawn(&spec, p, e) < 0)
		return err_wrap(e, "cannot reach %s", side->label);
	return 0;
}

static size_t answered(const struct flow *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->answers.n; i++)
		n += f->answers.p[i] == '\n' && (i + 1 == f->answers.n || f->answers.p[i + 1] != '!');
	return n < f->c->nsteps ? n : f->c->nsteps - 1;
}

static void tell(struct flow *f, int64_t now)
{
	if (f->c->listener == NULL || now - f->told_ms < TELL_MS)
		return;
	f->told_ms = now;
	const struct send_step *s = &f->c->steps[answered(f)];
	struct run_event ev = {.kind = EVENT_PROGRESS,
			       .stage = STAGE_SEND,
			       .dataset = s->source,
			       .text = s->reason,
			       .bytes = f->stream.bytes};
	f->c->listener->tell(f->c->listener, &ev);
}

/* Reads what is there; false at the end.  Of a text that is too long only the end is kept. */
static bool take(int *fd, struct buf *b)
{
	int n = fd_read_some(*fd, b, READ);

	if (n == -2)
		return true;
	if (n <= 0)
		fd_close(fd);
	if (b->n > TEXT_MAX)
		buf_drop(b, b->n - TEXT_MAX);
	return n > 0;
}

static void flow_turn(struct flow *f, int wait_ms)
{
	struct pollfd p[] = {
	    {f->stream.in, pump_wants_in(&f->stream), 0},
	    {f->stream.out, pump_wants_out(&f->stream), 0},
	    {f->orders.out, pump_wants_out(&f->orders), 0},
	    {f->receiver.out, POLLIN, 0},
	    {f->receiver.err, POLLIN, 0},
	    {f->sender.err, POLLIN, 0},
	};
	uint64_t before = f->stream.bytes;
	size_t text = f->answers.n + f->sender_err.n + f->receiver_err.n;

	/* A descriptor that nothing is wanted of must not be polled: a hang-up would spin. */
	for (size_t i = 0; i < 3; i++)
		if (p[i].events == 0)
			p[i].fd = i == 1 ? p[i].fd : -1;
	if (poll(p, ARRAY_LEN(p), wait_ms) < 0 && errno != EINTR)
		return;
	if (p[2].revents != 0)
		(void)pump_step(&f->orders);
	if (p[0].revents != 0 || p[1].revents != 0) {
		/* The receiver left although more is to come: its answer tells why. */
		if ((p[1].revents & (POLLERR | POLLHUP)) != 0 && f->stream.len == 0 && f->stream.first.n == 0)
			pump_release(&f->stream);
		else
			(void)pump_step(&f->stream);
	}
	if (p[3].revents != 0)
		(void)take(&f->receiver.out, &f->answers);
	if (p[4].revents != 0)
		(void)take(&f->receiver.err, &f->receiver_err);
	if (p[5].revents != 0)
		(void)take(&f->sender.err, &f->sender_err);
	if (f->stream.bytes != before || text != f->answers.n + f->sender_err.n + f->receiver_err.n)
		f->moved_ms = clock_mono_ms();
}

static bool flow_open(const struct flow *f)
{
	return f->receiver.out >= 0 || f->stream.out >= 0 || f->sender.err >= 0 || f->receiver.err >= 0;
}

static void flow_run(struct flow *f)
{
	f->moved_ms = clock_mono_ms();
	while (flow_open(f)) {
		flow_turn(f, TELL_MS);
		int64_t now = clock_mono_ms();
		tell(f, now);
		if (f->c->stall_ms > 0 && now - f->moved_ms > f->c->stall_ms) {
			f->stalled = true;
			return;
		}
		/* Once the receiver has said all it will say, nobody needs the sender. */
		if (f->receiver.out < 0 && f->stream.out >= 0)
			pump_release(&f->stream);
	}
}

static int reap(struct proc *p, bool kill_first)
{
	struct err ignored;
	int status = 0;

	fd_close(&p->out);
	fd_close(&p->err);
	if (kill_first)
		proc_signal(p, SIGTERM);
	if (p->pid > 0 && proc_wait(p, &status, &ignored) < 0)
		status = 0;
	return status;
}

/* Turns what both ends said into one result for each step. */
static void judge(struct flow *f, int sender_status, int receiver_status, struct stream_result *results)
{
	AUTO(arena) struct arena a = {0};
	struct channel *c = f->c;
	struct receive_answers answers = {0};
	struct err e;

	bool readable = receive_answers_parse(buf_str(&f->answers), &a, &answers, &e) == 0;
	size_t next = 0;
	for (size_t i = 0; i < answers.n && i < c->nsteps; i++) {
		const struct receive_answer *ans = &answers.v[i];
		struct stream_result *r = &results[i];
		next = i + 1;
		/* The GUID decides, not the exit code: a receive that could not mount has received. */
		if (ans->guid == c->steps[i].to.guid) {
			r->state = STREAM_PROVEN;
			continue;
		}
		r->state = STREAM_FAILED;
		struct stage_end send = {sender_status, buf_str(&f->sender_err), i};
		struct stage_end recv = {ans->code, ans->text, i};
		stream_blame(&c->steps[i], &send, &recv, &r->err);
		return;
	}
	if (next >= c->nsteps)
		return;
	struct stream_result *r = &results[next];
	r->state = STREAM_FAILED;
	if (f->stalled) {
		(void)err_set(&r->err, ERR_TIMEOUT, "'%s' stopped moving", c->steps[next].source);
		(void)err_why(&r->err, "no byte and no answer for %d s", (int)(c->stall_ms / 1000));
		(void)err_hint(&r->err, "what has arrived is kept; the next run goes on from there");
	} else if (!readable) {
		r->err = e;
	} else {
		struct stage_end send = {sender_status, buf_str(&f->sender_err), next};
		struct stage_end recv = {receiver_status, buf_str(&f->receiver_err), next};
		stream_blame(&c->steps[next], &send, &recv, &r->err);
	}
}

int channel_run(struct channel *c, struct stream_result *results, struct err *e)
{
	AUTO(buf) struct buf send = {0};
	AUTO(buf) struct buf receive = {0};
	struct flow f = {.c = c};

	memset(results, 0, c->nsteps * sizeof(*results));
	program_send(&send, c->steps, c->nsteps);
	program_receive(&receive, c->steps, c->nsteps);
	if (start(c->target, PROC_PIPE, &f.receiver, e) < 0)
		return -1;
	if (start(c->source, PROC_PIPE, &f.sender, e) < 0) {
		proc_end(&f.receiver);
		return -1;
	}
	pump_init(&f.orders, -1, f.sender.in, 1, buf_str(&send));
	pump_init(&f.stream, f.sender.out, f.receiver.in, RING, buf_str(&receive));
	f.sender.in = f.sender.out = f.receiver.in = -1;
	fd_nonblock(f.receiver.out);
	fd_nonblock(f.receiver.err);
	fd_nonblock(f.sender.err);

	flow_run(&f);
	pump_release(&f.orders);
	c->bytes += f.stream.bytes;
	pump_release(&f.stream);
	int receiver_status = reap(&f.receiver, f.stalled);
	int sender_status = reap(&f.sender, f.stalled);
	judge(&f, sender_status, receiver_status, results);
	buf_release(&f.answers);
	buf_release(&f.sender_err);
	buf_release(&f.receiver_err);
	return 0;
}
