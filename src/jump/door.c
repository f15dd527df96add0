#include "jump/door.h"

#include <errno.h>
#include <sys/socket.h>

#include "sys/fdio.h"

void door_init(struct door *d)
{
	*d = (struct door){.lease = CONTROL_INIT, .machine = -1};
}

void door_release(struct door *d)
{
	control_close(&d->lease);
	fd_close(&d->machine);
	free(d->up);
	free(d->down);
	d->up = d->down = NULL;
	d->up_n = d->down_n = 0;
	d->ask = 0;
}

/* --- what libssh tells -------------------------------------------------------------------------------- */

/* Only noted: the data stays where it is until door_step reads it, and so the window stays closed.  libssh takes what
 * is sent beyond that, as much as comes. */
static int on_data(ssh_session s, ssh_channel c, void *data, uint32_t len, int is_stderr, void *ctx)
{
	struct door *d = ctx;

	(void)s, (void)c, (void)data;
	if (is_stderr)
		return (int)len; /* means nothing here */
	d->broken |= len > DOOR_WAITING;
	if (d->broken || d->state != DOOR_OPEN)
		return (int)len; /* nobody takes it any more */
	d->has_data = true;
	return 0;
}

static void on_end(ssh_session s, ssh_channel c, void *ctx)
{
	struct door *d = ctx;

	(void)s, (void)c;
	d->ended = true;
}

static void on_close(ssh_session s, ssh_channel c, void *ctx)
{
	struct door *d = ctx;

	(void)s, (void)c;
	d->ended = d->closed = true;
}

void door_open(struct door *d, ssh_channel channel)
{
	d->state = DOOR_OPEN;
	d->channel = channel;
	d->callbacks = (struct ssh_channel_callbacks_struct){.userdata = d,
							     .channel_data_function = on_data,
							     .channel_eof_function = on_end,
							     .channel_close_function = on_close};
	ssh_callbacks_init(&d->callbacks);
	(void)ssh_set_channel_callbacks(channel, &d->callbacks);
	d->up = malloc(DOOR_UP);
	d->down = malloc(DOOR_DOWN);
	if (d->up == NULL || d->down == NULL)
		abort();
	d->in_ready = true;
}

/* --- passing on --------------------------------------------------------------------------------------- */

static bool is_full(ssh_session s)
{
	return (ssh_get_poll_flags(s) & SSH_WRITE_PENDING) != 0;
}

static bool may_read(const struct door *d, bool ssh_full)
{
	return !d->in_ended && d->down_n == 0 && !ssh_full && ssh_channel_window_size(d->channel) > 0;
}

short door_wants(const struct door *d, bool ssh_full)
{
	short events = 0;

	if (d->state != DOOR_OPEN || d->broken)
		return 0;
	if (d->up_n > 0)
		events |= POLLOUT;
	if (may_read(d, ssh_full))
		events |= POLLIN;
	return events;
}

/* From the client to the machine. */
static bool step_up(struct door *d)
{
	bool called = false;

	for (;;) {
		if (d->up_n == 0 && d->has_data) {
			int n = ssh_channel_read_nonblocking(d->channel, d->up, DOOR_UP, 0);
			called = true;
			d->has_data = n == DOOR_UP;
			d->up_at = 0;
			d->up_n = n > 0 ? (size_t)n : 0;
		}
		if (d->up_n == 0)
			break;
		ssize_t sent = send(d->machine, d->up + d->up_at, d->up_n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0) {
			d->broken = errno != EAGAIN && errno != EINTR;
			return called;
		}
		d->up_at += (size_t)sent;
		d->up_n -= (size_t)sent;
	}
	if (d->ended && !d->out_ended) {
		(void)shutdown(d->machine, SHUT_WR);
		d->out_ended = true;
	}
	return called;
}

/* From the machine to the client. */
static bool step_down(struct door *d, ssh_session s)
{
	bool called = false;

	if (d->in_ready && may_read(d, is_full(s))) {
		ssize_t got = recv(d->machine, d->down, DOOR_DOWN, MSG_DONTWAIT);
		d->in_ready = got > 0;
		d->in_ended = got == 0;
		d->broken |= got < 0 && errno != EAGAIN && errno != EINTR;
		d->down_at = 0;
		d->down_n = got > 0 ? (size_t)got : 0;
	}
	uint32_t room = d->down_n > 0 && !is_full(s) ? ssh_channel_window_size(d->channel) : 0;
	if (room > 0) {
		/* None while keys are exchanged anew: then it is tried again when the client has sent something. */
		int n = ssh_channel_write(d->channel, d->down + d->down_at,
					  (uint32_t)d->down_n < room ? (uint32_t)d->down_n : room);
		d->broken |= n < 0;
		called = n > 0;
		d->down_at += n > 0 ? (size_t)n : 0;
		d->down_n -= n > 0 ? (size_t)n : 0;
	}
	if (d->in_ended && d->down_n == 0 && !d->in_passed && !is_full(s)) {
		d->in_passed = ssh_channel_send_eof(d->channel) != SSH_ERROR;
		called = true;
	}
	return called;
}

bool door_step(struct door *d, ssh_session s)
{
	bool called = false;

	if (d->state != DOOR_OPEN)
		return false;
	if (!d->broken)
		called = step_up(d);
	if (!d->broken && !d->closed)
		called |= step_down(d, s);
	bool over = d->broken || (d->out_ended && (d->closed || d->in_passed));
	if (over && !is_full(s)) {
		/* SSH_AGAIN: the end was sent, the close goes with the next call. */
		called = true;
		if (ssh_channel_close(d->channel) != SSH_AGAIN) {
			d->state = DOOR_CLOSING;
			door_release(d);
		}
	}
	return called;
}
