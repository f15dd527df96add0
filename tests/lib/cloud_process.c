/* The processes of cloud_life: workers and commands are fibers, and what belongs to a process is theirs (the linker's
 * --wrap; see meson.build). */
#include "cloud_sim.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "engine/reach.h"
#include "provider/cloud.h"
#include "sys/clock.h"

bool is_dead(void)
{
	return fiber_here() != NULL && fiber_here()->dead;
}

/* --- processes -------------------------------------------------------------------------------------------------- */

int __real_fd_write_all(int fd, const void *bytes, size_t n, struct err *e);
int __wrap_fd_write_all(int fd, const void *bytes, size_t n, struct err *e);
int __real_fd_read_some(int fd, struct buf *b, size_t n);
int __wrap_fd_read_some(int fd, struct buf *b, size_t n);
int __wrap_proc_spawn(const struct proc_spec *spec, struct proc *p, struct err *e);
void __wrap_proc_end(struct proc *p);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __wrap_prctl(int option, ...);
int __real_paths_lock(const char *path, const char *what, int *fd, struct err *e);
int __wrap_paths_lock(const char *path, const char *what, int *fd, struct err *e);
int __wrap_control_call(const struct paths *p, struct control *c, const struct control_request *r, struct arena *a,
			control_progress *fn, void *ctx, const char **json, struct err *e);

/* A worker writes to whoever started it; a dead one no more. */
int __wrap_fd_write_all(int fd, const void *bytes, size_t n, struct err *e)
{
	struct fiber *f = fiber_here();

	if (fd != STDOUT_FILENO || f == NULL)
		return __real_fd_write_all(fd, bytes, n, e);
	if (f->dead)
		return 0;
	if (f->parent != NULL)
		f->parent->wake_at = 0;
	return __real_fd_write_all(f->out, bytes, n, e);
}

int __wrap_fd_read_some(int fd, struct buf *b, size_t n)
{
	struct fiber *f = fiber_here();

	if (fd == STDIN_FILENO && f != NULL)
		return __real_fd_read_some(f->in, b, n);
	if (f != NULL)
		fd_nonblock(fd);
	for (;;) {
		int rc = __real_fd_read_some(fd, b, n);
		if (rc != -2 || f == NULL)
			return rc;
		if (!fiber_wait(INT64_MAX))
			return -1;
	}
}

static const struct provider_ops *find(const char *kind)
{
	return strcmp(kind, cloud_aws_ec2.kind.name) == 0 ? &cloud_aws_ec2 : NULL;
}

static void works(void *arg)
{
	char *argv[] = {(char[]){"dormouse"}, (char[]){"worker"}, NULL};

	(void)arg;
	(void)worker_run(argv, find);
}

int __wrap_proc_spawn(const struct proc_spec *spec, struct proc *p, struct err *e)
{
	int in[2], out[2];

	if (is_dead())
		return err_set(e, ERR_SYSTEM, "killed");
	if (strcmp(spec->argv[1], "worker") != 0)
		wrong("another program is started", spec->argv[1]);
	if (fd_pipe(in, e) < 0 || fd_pipe(out, e) < 0)
		wrong("no pipe", e->what);
	struct fiber *f = fiber_new(works, NULL, play.t);
	f->in = in[0];
	f->out = out[1];
	*p = (struct proc){.pid = f->id, .in = in[1], .out = out[0], .err = -1};
	tell("worker %d: %s", f->id, spec->argv[2]);
	return 0;
}

void __wrap_proc_end(struct proc *p)
{
	struct fiber *f = fiber_find(p->pid);

	if (f != NULL)
		fiber_kill(f);
	fd_close(&p->in);
	fd_close(&p->out);
	p->pid = 0;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	(void)status;
	(void)options;
	return pid;
}

int __wrap_prctl(int option, ...)
{
	(void)option;
	return 0;
}

/* Until this process ends. */
int __wrap_paths_lock(const char *path, const char *what, int *fd, struct err *e)
{
	if (is_dead())
		return err_set(e, ERR_SYSTEM, "killed");
	if (__real_paths_lock(path, what, fd, e) < 0)
		return -1;
	int *lock = fiber_here()->locks;
	while (*lock >= 0)
		lock++;
	*lock = *fd;
	return 0;
}

/* What a command asks the keeper, which does not answer on the command's stack. */
struct letter {
	const struct control_request *r; /* NULL: it has been read */
	int heard;
};

void read_letter(void)
{
	struct letter *l = sim.letter;

	sim.letter = NULL;
	if (l != NULL)
		(void)person_asks(l->r, INT64_MAX, &l->heard);
}

/* Its connection ends. */
static void leave(const struct letter *l)
{
	if (sim.letter == l)
		sim.letter = NULL;
	for (struct client *c = play.k.clients; c != NULL; c = c->next) {
		struct person *p = person_of(c);
		if (p->heard != &l->heard)
			continue;
		p->heard = NULL;
		p->leave = play.t;
	}
}

/* Until the keeper has given it what it asks for. */
static int wait_for(struct letter *l, struct err *e)
{
	for (int tries = 0; tries < 4 && !is_dead(); tries++) {
		l->heard = 0;
		while ((!play.alive || sim.letter != NULL) && !is_dead())
			clock_sleep_ms(100);
		int64_t keeper = sim.keepers;
		sim.letter = l;
		while (l->heard == 0 && sim.keepers == keeper && !is_dead())
			clock_sleep_ms(50);
		if (l->heard > 0)
			return 0;
		leave(l);
		if (l->heard < 0)
			return err_set(e, ERR_BUSY, "refused");
	}
	return err_set(e, ERR_NET, "no keeper");
}

/* As over the socket: with the next keeper, if this one goes away. */
int __wrap_control_call(const struct paths *paths, struct control *c, const struct control_request *r, struct arena *a,
			control_progress *fn, void *ctx, const char **json, struct err *e)
{
	(void)paths;
	(void)c;
	(void)a;
	(void)fn;
	(void)ctx;
	(void)json;
	struct letter l = {r, 0};
	int rc = wait_for(&l, e);

	leave(&l);
	return rc;
}

/* --- a machine that a command holds on to ------------------------------------------------------------------------- */

static struct letter held;

int reach_init(struct reach *r, const struct config *c, const struct paths *paths, const char *name,
	       const char *purpose, struct arena *a, struct run_listener *listener, struct err *e)
{
	(void)e;
	*r = (struct reach){
	    .paths = paths, .target = config_target(c, name), .purpose = purpose, .arena = a, .listener = listener};
	return 0;
}

int reach_wake(struct reach *r, struct err *e)
{
	struct control_request *lease = arena_alloc(r->arena, sizeof(*lease));

	*lease = (struct control_request){
	    .op = CONTROL_LEASE, .target = r->target->name, .text = r->purpose, .use = machine_use_name(r->use)};
	held = (struct letter){lease, 0};
	return wait_for(&held, e);
}

/* And waits until it is gone. */
void reach_rest(struct reach *one, struct reach *other)
{
	(void)one;
	(void)other;
	leave(&held);
	for (int64_t until = play.t + 5 * MINUTE; play.t < until && !is_dead(); clock_sleep_ms(200)) {
		bool on = false;
		for (const struct host *h = play.k.hosts; h != NULL; h = h->next)
			on |= machine_exists(&h->m);
		if (!on)
			return;
	}
}

/* --- apply and destroy ------------------------------------------------------------------------------------------ */

static void run_command(void *arg)
{
	char *argv[8], words[200], *rest = words;
	int argc = 0;

	(void)snprintf(words, sizeof(words), "%s", (const char *)arg);
	while ((argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	sim.apply_code = -1;
	int code = strcmp(argv[0], "apply") == 0 ? cmd_apply(argc, argv) : cmd_destroy(argc, argv);
	sim.apply_code = is_dead() ? -1 : code;
	tell("%s: %d", (const char *)arg, sim.apply_code);
}

void command(const char *words)
{
	tell("%s", words);
	if ((strstr(words, "--with-data") != NULL || strstr(words, "--drop-old") != NULL) && !sim.erases) {
		sim.erases = true;
		json_decref(ask("erase", json_object()));
	}
	(void)fiber_new(run_command, (void *)(uintptr_t)words, play.t);
}

struct fiber *command_running(void)
{
	for (int i = 0; i < FIBERS; i++)
		if (fiber_nth(i)->used && fiber_nth(i)->run == run_command)
			return fiber_nth(i);
	return NULL;
}
