#include "engine/ssh_master.h"

#include <unistd.h>

#include "sys/clock.h"

/* ssh(1) makes the socket under a name that is 17 characters longer, and a socket's has 107 at most. */
enum { PATH_LIMIT = 90, WAIT_MS = 30000 };

void ssh_master_init(struct ssh_master *m, const char *const *argv, const char *path, struct arena *a)
{
	const char *const first[] = {argv[0], "-M", "-N"};
	size_t n = 0;

	*m = (struct ssh_master){0};
	if (strlen(path) > PATH_LIMIT)
		return;
	while (argv[n] != NULL)
		n++;
	const char **v = arena_alloc(a, (n + ARRAY_LEN(first)) * sizeof(*v));
	memcpy(v, first, sizeof(first));
	memcpy(v + ARRAY_LEN(first), argv + 1, n * sizeof(*v));
	m->argv = v;
	m->path = path;
}

void ssh_master_keep(struct ssh_master *m)
{
	struct proc_spec spec = {.argv = m->argv, .in = PROC_NULL, .out = PROC_NULL, .err = PROC_NULL, .tied = true};
	struct err ignored;
	int status;

	if (m->argv == NULL || (m->proc.pid > 0 && !proc_ended(&m->proc, &status)))
		return;
	/* Of one that was killed, the socket is still there. */
	(void)unlink(m->path);
	if (proc_spawn(&spec, &m->proc, &ignored) < 0)
		return;
	int64_t until = clock_mono_ms() + WAIT_MS;
	while (access(m->path, F_OK) != 0 && clock_mono_ms() < until && !proc_ended(&m->proc, &status))
		clock_sleep_ms(5);
}

void ssh_master_end(struct ssh_master *m)
{
	if (m->argv == NULL)
		return;
	proc_end(&m->proc);
	(void)unlink(m->path);
}
