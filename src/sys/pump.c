#include "sys/pump.h"

#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/fdio.h"

void pump_init(struct pump *p, int in, int out, size_t ring_bytes, struct str first)
{
	*p = (struct pump){.in = in, .out = out, .size = ring_bytes, .first = first};
	p->ring = malloc(ring_bytes);
	if (p->ring == NULL)
		abort();
	fd_nonblock(in);
	fd_nonblock(out);
}

void pump_refill(struct pump_limit *l, uint64_t rate, int64_t now_ms)
{
	uint64_t most = rate / 10 > 0 ? rate / 10 : 1, passed = (uint64_t)(now_ms - l->at_ms);
	uint64_t gain = (passed < 1000 ? passed : 1000) * rate / 1000;

	l->rate = rate;
	if (gain == 0)
		return;
	l->at_ms = now_ms;
	l->left = l->left + gain < most ? l->left + gain : most;
}

static size_t allowed(const struct pump *p)
{
	if (p->limit == NULL || p->limit->rate == 0 || p->limit->left > p->len)
		return p->len;
	return (size_t)p->limit->left;
}

short pump_wants_in(const struct pump *p)
{
	return p->in >= 0 && p->len < p->size ? POLLIN : 0;
}

short pump_wants_out(const struct pump *p)
{
	return p->out >= 0 && (allowed(p) > 0 || p->first.n > 0) ? POLLOUT : 0;
}

static void fill(struct pump *p)
{
	size_t tail = (p->head + p->len) % p->size, room = p->size - p->len;
	size_t run = tail + room > p->size ? p->size - tail : room;
	struct iovec v[2] = {{p->ring + tail, run}, {p->ring, room - run}};

	if (p->in < 0 || room == 0)
		return;
	ssize_t n = readv(p->in, v, 2);
	if (n > 0)
		p->len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		fd_close(&p->in);
}

/* False when nobody reads any more. */
static bool drain(struct pump *p)
{
	size_t len = allowed(p), run = p->head + len > p->size ? p->size - p->head : len;
	struct iovec v[2] = {{p->ring + p->head, run}, {p->ring, len - run}};
	bool first = p->first.n > 0;

	if (!first && len == 0)
		return true;
	ssize_t n = first ? write(p->out, p->first.p, p->first.n) : writev(p->out, v, 2);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (first) {
		p->first.p += n;
		p->first.n -= (size_t)n;
	} else {
		p->head = (p->head + (size_t)n) % p->size;
		p->len -= (size_t)n;
		p->bytes += (uint64_t)n;
		if (p->limit != NULL && p->limit->rate > 0)
			p->limit->left -= (uint64_t)n;
	}
	return true;
}

enum pump_end pump_step(struct pump *p)
{
	if (p->out < 0)
		return PUMP_DONE;
	fill(p);
	if (!drain(p)) {
		fd_close(&p->out);
		fd_close(&p->in);
		return PUMP_READER_GONE;
	}
	if (p->in >= 0 || p->len > 0 || p->first.n > 0)
		return PUMP_GOES_ON;
	fd_close(&p->out);
	return PUMP_DONE;
}

void pump_release(struct pump *p)
{
	fd_close(&p->in);
	fd_close(&p->out);
	free(p->ring);
	p->ring = NULL;
}
