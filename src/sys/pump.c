#include "sys/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/fdio.h"

void pump_init(struct pump *p, int in, int out, size_t ring_bytes, struct str first)
{
	*p = (struct pump){.in = in, .out = out, .size = ring_bytes, .first = first};
	p->ring = malloc(ring_bytes);
	if (p->ring == NULL)
		abort();
	p->in_flags = fcntl(in, F_GETFL);
	p->out_flags = fcntl(out, F_GETFL);
	fd_nonblock(in);
	fd_nonblock(out);
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

enum {
	PIPE = 1 << 20, /* more than this only root may have (pipe(7)) */
	REST_MS = 20,
};

/* The more fits, the fewer turns it takes. */
static void widen(int fd, size_t bytes)
{
	if (fcntl(fd, F_SETPIPE_SZ, (int)bytes) < 0 && bytes > PIPE)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE);
}

void pump_splice(struct pump *p, int in, int out, size_t room, struct str first)
{
	pump_init(p, in, out, room, first);
	p->direct = is_pipe(in) || is_pipe(out);
	widen(in, room);
	/* What is in there counts as passed on, and nobody sees it move. */
	widen(out, PIPE);
}

int64_t pump_rest_ms(struct pump *p, int64_t now_ms)
{
	int there = 0;

	if (now_ms < p->rest.until_ms)
		return p->rest.until_ms - now_ms;
	p->rest.until_ms = 0;
	if (!p->blocked || p->out < 0 || !is_pipe(p->out) || ioctl(p->out, FIONREAD, &there) < 0 || there < PIPE / 2)
		return 0;
	int64_t passed = now_ms - p->rest.at_ms, moved = (int64_t)(p->bytes - p->rest.bytes);
	if (passed == 0 || moved == 0)
		return 0;
	p->rest.at_ms = now_ms;
	p->rest.bytes = p->bytes;
	int64_t enough = there / 2 * passed / moved;
	enough = enough > REST_MS ? REST_MS : enough;
	p->rest.until_ms = enough > 0 ? now_ms + enough : 0;
	return enough;
}

static void end(int *fd, int flags)
{
	if (*fd >= 0 && flags >= 0)
		(void)fcntl(*fd, F_SETFL, flags);
	fd_close(fd);
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
	size_t most = p->direct ? p->size : p->len;

	if (p->limit == NULL || p->limit->rate == 0 || p->limit->left > most)
		return most;
	return (size_t)p->limit->left;
}

short pump_wants_in(const struct pump *p)
{
	bool now =
	    p->direct ? p->first.n == 0 && p->rest.until_ms == 0 && !p->blocked && allowed(p) > 0 : p->len < p->size;
	return p->in >= 0 && now ? POLLIN : 0;
}

short pump_wants_out(const struct pump *p)
{
	bool now = p->first.n > 0 || (allowed(p) > 0 && p->rest.until_ms == 0 && (p->blocked || !p->direct));
	return p->out >= 0 && now ? POLLOUT : 0;
}

static void count(struct pump *p, size_t n)
{
	p->bytes += n;
	if (p->limit != NULL && p->limit->rate > 0)
		p->limit->left -= n;
}

static void fill(struct pump *p)
{
	size_t tail = (p->head + p->len) % p->size, room = p->size - p->len;
	size_t run = tail + room > p->size ? p->size - tail : room;
	struct iovec v[2] = {{p->ring + tail, run}, {p->ring, room - run}};

	if (p->in < 0 || room == 0)
		return;
	ssize_t n = readv(p->in, v, 2);
	if (n > 0) {
		p->len += (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		p->error = n == 0 ? p->error : errno;
		end(&p->in, p->in_flags);
	}
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
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0) {
		p->error = errno;
		return false;
	}
	if (first) {
		p->first.p += n;
		p->first.n -= (size_t)n;
	} else {
		p->head = (p->head + (size_t)n) % p->size;
		p->len -= (size_t)n;
		count(p, (size_t)n);
	}
	return true;
}

/* In place of fill and drain.  The kernel does not say which of the two has nothing or takes nothing: each is waited
 * for in turn. */
static bool splice_some(struct pump *p)
{
	size_t some = allowed(p);

	if (p->in < 0 || some == 0)
		return true;
	ssize_t n = splice(p->in, NULL, p->out, NULL, some, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0) {
		count(p, (size_t)n);
		p->blocked = false;
	} else if (n == 0) {
		end(&p->in, p->in_flags);
	} else if (errno == EAGAIN) {
		p->blocked = !p->blocked;
	} else if (errno == EINVAL) {
		p->direct = p->blocked = false;
	} else if (errno != EINTR) {
		p->error = errno;
		return false;
	}
	return true;
}

/* A socket has its end whoever else may have it open. */
static void end_both(struct pump *p)
{
	end(&p->in, p->in_flags);
	if (p->out >= 0)
		(void)shutdown(p->out, SHUT_WR);
	end(&p->out, p->out_flags);
}

enum pump_end pump_step(struct pump *p)
{
	bool good;

	if (p->out < 0)
		return PUMP_DONE;
	if (p->direct) {
		good = p->first.n > 0 ? drain(p) : splice_some(p);
	} else {
		fill(p);
		good = drain(p);
	}
	if (good && (p->in >= 0 || p->len > 0 || p->first.n > 0))
		return PUMP_GOES_ON;
	end_both(p);
	return p->error == 0 ? PUMP_DONE : PUMP_CUT;
}

void pump_release(struct pump *p)
{
	end_both(p);
	free(p->ring);
	p->ring = NULL;
}
