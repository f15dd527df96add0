/* The jump host of the file's server block: a process of its own, started again when it ends. */
#include <poll.h>
#include <signal.h>

#include "daemon/keeper.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/tcp.h"

enum { PAUSE_MS = 1000, PAUSE_MAX_MS = 60000, RETIRE_MS = 2000 };

static void begin(struct keeper *k)
{
	struct jumphost *j = &k->jump;
	const char *const argv[] = {k->paths->jump, "jump", "--kept", "-c", k->config_path, NULL};
	/* Its standard output tells us, by its end, that it has ended. */
	struct proc_spec spec = {.argv = argv,
				 .in = PROC_NULL,
				 .out = PROC_PIPE,
				 .err = PROC_INHERIT,
				 .tied = true,
				 .keep = j->activated.fd,
				 .nkeep = j->activated.n};
	struct err e;

	j->began_ms = clock_mono_ms();
	j->again_ms = 0;
	if (proc_spawn(&spec, &j->proc, &e) == 0)
		return;
	(void)fprintf(stderr, "<3>dormouse: %s: %s\n", e.what, e.why);
	j->again_ms = j->began_ms + PAUSE_MAX_MS;
}

/* It takes no more connections; those that it has go on.  Blocks until its place is free: a moment. */
static void retire(struct jumphost *j)
{
	struct pollfd p = {j->proc.out, POLLIN, 0};
	size_t i = 0;

	if (j->proc.pid == 0)
		return;
	proc_signal(&j->proc, SIGHUP);
	(void)poll(&p, 1, RETIRE_MS);
	fd_close(&j->proc.out);
	while (i + 1 < ARRAY_LEN(j->retired) && j->retired[i].pid != 0)
		i++;
	proc_end(&j->retired[i]); /* the last one, if none was free */
	j->retired[i] = j->proc;
	j->proc = (struct proc){.in = -1, .out = -1, .err = -1};
}

void jumphost_load(struct keeper *k, const struct config *c)
{
	struct jumphost *j = &k->jump;

	if (j->proc.pid == 0 && j->activated.n == 0)
		(void)tcp_activated(&j->activated);
	retire(j); /* it reads the file but once */
	j->wanted = c->server.set;
	j->pause_ms = PAUSE_MS;
	if (j->wanted)
		begin(k);
}

void jumphost_tick(struct keeper *k)
{
	struct jumphost *j = &k->jump;
	int64_t now = clock_mono_ms();
	int status;
	char how[80];

	for (size_t i = 0; i < ARRAY_LEN(j->retired); i++)
		(void)proc_ended(&j->retired[i], &status);
	if (j->proc.pid == 0 && j->wanted && !k->leaving && j->again_ms != 0 && now >= j->again_ms)
		begin(k);
	if (j->proc.pid == 0 || !proc_ended(&j->proc, &status))
		return;
	fd_close(&j->proc.out);
	if (now - j->began_ms >= PAUSE_MAX_MS)
		j->pause_ms = PAUSE_MS;
	j->again_ms = now + j->pause_ms;
	if (!k->leaving)
		(void)fprintf(stderr, "<3>dormouse: the jump host ended with %s; it is started again in %d s\n",
			      proc_status_text(status, how, sizeof(how)), (int)(j->pause_ms / 1000));
	j->pause_ms = j->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : j->pause_ms * 2;
}

int jumphost_timer(const struct keeper *k)
{
	const struct jumphost *j = &k->jump;
	int64_t left = j->again_ms - clock_mono_ms();

	if (j->proc.pid != 0 || !j->wanted || k->leaving || j->again_ms == 0)
		return -1;
	return left < 0 ? 0 : (int)left;
}

void jumphost_end(struct keeper *k)
{
	proc_end(&k->jump.proc);
	for (size_t i = 0; i < ARRAY_LEN(k->jump.retired); i++)
		proc_end(&k->jump.retired[i]);
}
