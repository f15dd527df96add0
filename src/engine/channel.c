#include "engine/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/proc.h"
#include "sys/pump.h"
#include "sys/stop.h"
#include "wire/program.h"
#include "wire/zfs_blame.h"
#include "wire/zfs_text.h"

enum { RING = 16 * 1024 * 1024, TEXT_MAX = 1024 * 1024, TELL_MS = 200, LIMITED_MS = 20, READ = 16 * 1024, FDS = 6 };

/* What is open while a channel runs. */
struct flow {
	const struct send_step *steps;
	size_t nsteps;
	struct proc sender, receiver;
	struct buf send, receive; /* the programs */
	struct pump orders;	  /* the sender's program, into its stdin */
	struct pump stream;	  /* the receiver's program and then the streams */
	struct buf answers, sender_err, receiver_err;
	int64_t moved_ms; /* when something last moved */
	struct stream_result *results;
	size_t recorded;      /* so many streams have an end in the run's record */
	uint64_t recorded_at; /* bytes by then */
	bool stalled, late;   /* given up */
	bool failed;	      /* could not be begun */
	struct err err;
};

struct running {
	struct channels *c;
	struct flow flows[CHANNELS_MAX];
	struct pump_limit limit;
	int64_t told_ms, rated_ms;
	uint64_t rate;
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
	return n < f->nsteps ? n : f->nsteps - 1;
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

static void flow_wants(const struct flow *f, struct pollfd *p)
{
	const struct pollfd all[FDS] = {
	    {f->stream.in, pump_wants_in(&f->stream), 0},
	    {f->stream.out, pump_wants_out(&f->stream), 0},
	    {f->orders.out, pump_wants_out(&f->orders), 0},
	    {f->receiver.out, POLLIN, 0},
	    {f->receiver.err, POLLIN, 0},
	    {f->sender.err, POLLIN, 0},
	};
	/* A descriptor that nothing is wanted of must not be polled: a hang-up would spin.  But the end of the stream,
	 * which is always of interest, unless a limit holds it back. */
	bool held = f->stream.limit->rate > 0 && f->stream.len > 0;

	memcpy(p, all, sizeof(all));
	for (size_t i = 0; i < 3; i++)
		if (p[i].events == 0 && (i != 1 || held))
			p[i].fd = -1;
}

static void flow_step(struct flow *f, const struct pollfd *p, int64_t now)
{
	uint64_t before = f->stream.bytes;
	size_t text = f->answers.n + f->sender_err.n + f->receiver_err.n;

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
		f->moved_ms = now;
	/* Once the receiver has said all it will say, nobody needs the sender. */
	if (f->receiver.out < 0 && f->stream.out >= 0)
		pump_release(&f->stream);
}

static void record_begin(struct running *r, struct flow *f)
{
	const struct send_step *s = &f->steps[f->recorded];
	struct tracer *t = r->c->tracer;
	int64_t span = tracer_begin(t, "replicate.dataset");

	f->results[f->recorded].span = span;
	tracer_text(t, span, "dataset", s->source);
	tracer_bool(t, span, "first", send_is_first(s));
	tracer_bool(t, span, "resumed", s->kind == SEND_RESUME);
	tracer_text(t, span, "from_snap", s->base.name);
	tracer_text(t, span, "to_snap", s->to.name);
	if (span != 0)
		tracer_text(t, span, "guid", arena_printf(t->arena, "%llu", (unsigned long long)s->to.guid));
	tracer_int(t, span, "snapshots", (int64_t)s->snapshots);
}

/* What went through since the last end; what lies between source and target may be the next one's. */
static void record_end(struct running *r, struct flow *f)
{
	int64_t span = f->results[f->recorded].span;

	tracer_int(r->c->tracer, span, "bytes", (int64_t)(f->stream.bytes - f->recorded_at));
	f->recorded_at = f->stream.bytes;
	tracer_end(r->c->tracer, span, TRACE_SUCCESS);
	f->recorded++;
}

static void record(struct running *r, struct flow *f)
{
	for (size_t done = r->c->tracer == NULL ? 0 : answered(f); f->recorded < done;) {
		record_end(r, f);
		record_begin(r, f);
	}
}

static bool flow_open(const struct flow *f)
{
	return !f->stalled && !f->late &&
	       (f->receiver.out >= 0 || f->stream.out >= 0 || f->sender.err >= 0 || f->receiver.err >= 0);
}

static void flow_watch(struct flow *f, const struct channels *c, int64_t now)
{
	bool stalled = c->stall_ms > 0 && now - f->moved_ms > c->stall_ms;
	bool late = stop_asked();

	if (!flow_open(f) || (!stalled && !late))
		return;
	f->stalled = stalled;
	f->late = late;
	pump_release(&f->stream);
	proc_signal(&f->receiver, SIGTERM);
	proc_signal(&f->sender, SIGTERM);
}

static void tell(struct running *r, int64_t now)
{
	const struct flow *busy = NULL;
	uint64_t bytes = r->c->bytes;

	if (now - r->told_ms < TELL_MS)
		return;
	r->told_ms = now;
	tracer_tick(r->c->tracer);
	reach_keep(r->c->source);
	reach_keep(r->c->target);
	for (size_t i = 0; i < r->c->n; i++) {
		const struct flow *f = &r->flows[i];
		bytes += f->stream.bytes;
		if (!f->failed && (busy == NULL || f->moved_ms > busy->moved_ms))
			busy = f;
	}
	if (busy == NULL || r->c->listener == NULL)
		return;
	const struct send_step *s = &busy->steps[answered(busy)];
	struct run_event ev = {.kind = EVENT_PROGRESS,
			       .stage = STAGE_SEND,
			       .dataset = s->source,
			       .text = s->reason,
			       .bytes = bytes,
			       .total = r->c->total};
	r->c->listener->tell(r->c->listener, &ev);
}

static void limit(struct running *r, int64_t now)
{
	if (r->c->bandwidth != NULL && (r->rated_ms == 0 || now - r->rated_ms > 1000)) {
		r->rated_ms = now;
		r->rate = bandwidth_at(r->c->bandwidth, r->c->zone, clock_unix_s());
	}
	pump_refill(&r->limit, r->rate, now);
}

static bool turn(struct running *r)
{
	struct pollfd p[CHANNELS_MAX * FDS];
	struct flow *polled[CHANNELS_MAX];
	nfds_t n = 0;
	int64_t now = clock_mono_ms(), wait_ms = r->rate > 0 ? LIMITED_MS : TELL_MS;

	limit(r, now);
	for (size_t i = 0; i < r->c->n; i++)
		if (flow_open(&r->flows[i])) {
			int64_t rest_ms = pump_rest_ms(&r->flows[i].stream, now);
			wait_ms = rest_ms > 0 && rest_ms < wait_ms ? rest_ms : wait_ms;
			flow_wants(&r->flows[i], &p[n * FDS]);
			polled[n++] = &r->flows[i];
		}
	if (n == 0)
		return false;
	if (poll(p, n * FDS, (int)wait_ms) < 0 && errno != EINTR)
		return true;
	now = clock_mono_ms();
	for (nfds_t i = 0; i < n; i++) {
		flow_step(polled[i], &p[i * FDS], now);
		record(r, polled[i]);
		flow_watch(polled[i], r->c, now);
	}
	tell(r, now);
	return true;
}

static int reap(struct proc *p)
{
	struct err ignored;
	int status = 0;

	fd_close(&p->out);
	fd_close(&p->err);
	if (p->pid > 0 && proc_wait(p, &status, &ignored) < 0)
		status = 0;
	return status;
}

/* Turns what both ends said into one result for each step. */
static void judge(struct flow *f, int sender_status, int receiver_status, int64_t stall_ms,
		  struct stream_result *results)
{
	AUTO(arena) struct arena a = {0};
	struct receive_answers answers = {0};
	struct err e;

	bool readable = receive_answers_parse(buf_str(&f->answers), &a, &answers, &e) == 0;
	size_t next = 0;
	for (size_t i = 0; i < answers.n && i < f->nsteps; i++) {
		const struct receive_answer *ans = &answers.v[i];
		struct stream_result *r = &results[i];
		next = i + 1;
		/* A receive that could not mount has received. */
		if (ans->code == 0 || ans->guid == f->steps[i].to.guid) {
			r->state = STREAM_TAKEN;
			continue;
		}
		r->state = STREAM_FAILED;
		struct stage_end send = {sender_status, buf_str(&f->sender_err), i};
		struct stage_end recv = {ans->code, ans->text, i};
		stream_blame(&f->steps[i], &send, &recv, &r->err);
		return;
	}
	if (next >= f->nsteps)
		return;
	struct stream_result *r = &results[next];
	r->state = STREAM_FAILED;
	if (stop_check(&r->err) < 0) {
		(void)err_wrap(&r->err, "'%s' is not finished", f->steps[next].source);
	} else if (f->stalled) {
		(void)err_set(&r->err, ERR_TIMEOUT, "'%s' stopped moving", f->steps[next].source);
		(void)err_why(&r->err, "no byte and no answer for %d s", (int)(stall_ms / 1000));
		(void)err_hint(&r->err, "what has arrived is kept; the next run goes on from there");
	} else if (!readable) {
		r->err = e;
	} else {
		struct stage_end send = {sender_status, buf_str(&f->sender_err), next};
		struct stage_end recv = {receiver_status, buf_str(&f->receiver_err), next};
		stream_blame(&f->steps[next], &send, &recv, &r->err);
	}
}

static void flow_begin(struct flow *f, struct running *r, const struct send_steps *steps, struct stream_result *results)
{
	memset(results, 0, steps->n * sizeof(*results));
	f->results = results;
	f->steps = steps->v;
	f->nsteps = steps->n;
	f->orders.out = f->stream.out = -1;
	f->moved_ms = clock_mono_ms();
	program_send(&f->send, f->steps, f->nsteps, r->c->zstd);
	program_receive(&f->receive, f->steps, f->nsteps, r->c->zstd);
	f->failed = start(&r->c->target->side, PROC_PIPE, &f->receiver, &f->err) < 0;
	if (!f->failed && start(&r->c->source->side, PROC_PIPE, &f->sender, &f->err) < 0) {
		proc_end(&f->receiver);
		f->failed = true;
	}
	if (f->failed) {
		f->sender = f->receiver = (struct proc){.in = -1, .out = -1, .err = -1};
		return;
	}
	pump_init(&f->orders, -1, f->sender.in, 1, buf_str(&f->send));
	pump_splice(&f->stream, f->sender.out, f->receiver.in, RING, buf_str(&f->receive));
	f->stream.limit = &r->limit;
	f->sender.in = f->sender.out = f->receiver.in = -1;
	record_begin(r, f);
	fd_nonblock(f->receiver.out);
	fd_nonblock(f->receiver.err);
	fd_nonblock(f->sender.err);
}

/* What became of each is known now. */
static void record_results(struct running *r, struct flow *f)
{
	struct tracer *t = r->c->tracer;

	for (size_t i = 0; i < f->nsteps; i++) {
		const struct stream_result *s = &f->results[i];
		/* The last has no successor whose beginning ends it; one that failed may come before those that did. */
		if (i == f->recorded && s->span != 0)
			record_end(r, f);
		if (s->state == STREAM_FAILED)
			tracer_close(t, s->span, &s->err);
	}
}

static void flow_end(struct flow *f, struct running *r)
{
	struct channels *c = r->c;
	struct stream_result *results = f->results;

	if (f->failed) {
		results[0].state = STREAM_FAILED;
		results[0].err = f->err;
	} else {
		pump_release(&f->orders);
		c->bytes += f->stream.bytes;
		pump_release(&f->stream);
		int receiver_status = reap(&f->receiver);
		int sender_status = reap(&f->sender);
		judge(f, sender_status, receiver_status, c->stall_ms, results);
		record_results(r, f);
	}
	buf_release(&f->send);
	buf_release(&f->receive);
	buf_release(&f->answers);
	buf_release(&f->sender_err);
	buf_release(&f->receiver_err);
}

int channels_run(struct channels *c, struct err *e)
{
	struct running r = {.c = c, .limit = {.at_ms = clock_mono_ms()}};
	size_t begun = 0;

	assert(c->n <= CHANNELS_MAX);
	for (size_t i = 0; i < c->n; i++) {
		flow_begin(&r.flows[i], &r, &c->lists[i], c->results[i]);
		begun += !r.flows[i].failed;
	}
	while (begun > 0 && turn(&r))
		;
	if (begun == 0)
		*e = r.flows[0].err;
	for (size_t i = 0; i < c->n; i++)
		flow_end(&r.flows[i], &r);
	return begun > 0 ? 0 : -1;
}
