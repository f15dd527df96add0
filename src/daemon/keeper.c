#include "daemon/keeper.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "sys/notify.h"

enum { IDLE_MS = 1500, WAIT_MS = 4 * IDLE_MS, MAPPED_BYTES = 64 * 1024 };
enum { GRACE_MS = 10000, DOUBT_MS = 120000, LOOK_MS = 300000 };

struct pollfds VEC(struct pollfd);

static bool machines_exist(const struct keeper *k)
{
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (machine_exists(&h->m))
			return true;
	return false;
}

static bool idle(const struct keeper *k)
{
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (host_matters(h) || h->look.op != NULL)
			return false;
	return k->clients == NULL && !reports_busy(k);
}

/* How long to sleep: to the next timer of anybody. */
static int64_t next_timer(const struct keeper *k, int64_t now)
{
	int64_t at = k->idle_exit && idle(k) ? k->idle_since_ms + IDLE_MS : INT64_MAX;

	if (k->accepting.until_ms > now && k->accepting.until_ms < at)
		at = k->accepting.until_ms;
	for (const struct host *h = k->hosts; h != NULL; h = h->next)
		if (host_next(h) < at)
			at = host_next(h);
	for (const struct client *c = k->clients; c != NULL; c = c->next) {
		int64_t t = c->dial < 0 ? c->dial_again_ms : c->dial_until_ms;
		if (c->state == CLIENT_CONNECTING && t < at)
			at = t;
	}
	int64_t left = at == INT64_MAX ? -1 : at <= now ? 0 : at - now > 3600000 ? 3600000 : at - now;
	int64_t others[] = {jobs_timer(k), jumphost_timer(k), reports_timer(k), alerts_timer(k),
			    k->watchdog_ms > 0 ? k->watchdog_ms : -1};
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i] >= 0 && (left < 0 || others[i] < left))
			left = others[i];
	return left;
}

/* A timer that goes on while the host is suspended, as poll's own does not: what was to go off meanwhile goes off when
 * it wakes. */
static void arm(int timer, int64_t left_ms)
{
	struct itimerspec when = {0};

	if (left_ms >= 0)
		when.it_value = (struct timespec){left_ms / 1000, left_ms % 1000 * 1000000 + 1};
	(void)timerfd_settime(timer, 0, &when, NULL);
}

static void gather(const struct keeper *k, int signals, int timer, int64_t now, struct arena *a, struct pollfds *p)
{
	*vec_add(p, a) = (struct pollfd){signals, POLLIN, 0};
	*vec_add(p, a) = (struct pollfd){k->accepting.until_ms > now ? -1 : k->listener, POLLIN, 0};
	*vec_add(p, a) = (struct pollfd){timer, POLLIN, 0};
	*vec_add(p, a) = (struct pollfd){k->jump.proc.pid == 0 ? -1 : k->jump.proc.out, POLLIN, 0};
	for (const struct host *h = k->hosts; h != NULL; h = h->next) {
		*vec_add(p, a) = (struct pollfd){h->work.proc.out, POLLIN, 0};
		*vec_add(p, a) = (struct pollfd){h->look.proc.out, POLLIN, 0};
	}
	for (const struct client *c = k->clients; c != NULL; c = c->next) {
		short events = (short)(c->out.n > 0 ? POLLIN | POLLOUT : POLLIN);
		*vec_add(p, a) = (struct pollfd){c->fd, events, 0};
		*vec_add(p, a) = (struct pollfd){c->dial, POLLOUT, 0};
	}
}

/* What poll found; a client that is closed on the way frees only itself. */
static void serve(struct keeper *k, const struct pollfds *p)
{
	size_t i = 4;
	/* Later ones are new, and at the front. */
	struct client *last = k->clients;

	for (struct host *h = k->hosts, *next; h != NULL; h = next, i += 2) {
		next = h->next;
		if (p->v[i].revents != 0 && h->work.op != NULL && h->work.proc.out == p->v[i].fd)
			host_worker_ready(k, h);
		if (p->v[i + 1].revents != 0 && h->look.op != NULL && h->look.proc.out == p->v[i + 1].fd)
			look_ready(k, h);
	}
	for (struct client *c = last, *next; c != NULL; c = next, i += 2) {
		next = c->next;
		if (p->v[i + 1].revents != 0 && c->dial >= 0 && c->dial == p->v[i + 1].fd)
			client_dial_ready(k, c);
		if (p->v[i].revents & (POLLIN | POLLHUP | POLLERR))
			client_readable(k, c);
	}
	if (p->v[1].revents != 0)
		client_accept(k);
	int64_t now = clock_mono_ms();
	for (struct host *h = k->hosts; h != NULL; h = h->next)
		host_timers(k, h, now);
	for (struct client *c = k->clients; c != NULL; c = c->next)
		client_timers(k, c, now);
	/* Answers go out at once; what does not fit waits for POLLOUT. */
	for (struct client *c = k->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (c->out.n > 0 || c->closing)
			client_writable(k, c);
	}
	hosts_sweep(k);
}

static void reload(struct keeper *k)
{
	struct err e;
	char text[80];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_ms() * 1000);
	notify(text);
	if (jobs_load(k, &e) < 0)
		(void)fprintf(
		    stderr, "<3>dormouse: the new file is NOT taken, the one before stays: %s%s%s\nhint: %s\n", e.what,
		    e.why[0] ? ": " : "", e.why, e.hint[0] ? e.hint : "put it there, and tell the daemon to reload");
	notify("READY=1");
}

/* Told to end: first no machine may be left on.  Told twice: now; the next keeper finds them. */
static void signalled(struct keeper *k, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGHUP) {
		if (!k->idle_exit)
			reload(k);
		return;
	}
	notify("STOPPING=1");
	(void)jobs_end(k);
	jumphost_end(k);
	k->ending = k->leaving;
	k->leaving = true;
	for (struct host *h = k->hosts; h != NULL; h = h->next) {
		(void)err_set(&h->last, ERR_CANCELLED, "target '%s' goes to sleep: the keeper was told to end",
			      h->target);
		(void)err_hint(&h->last, "start the keeper again; what was under way can be resumed");
		host_event(k, h, MACHINE_SLEEP);
	}
}

/* Closes the door and looks who still got in: an idle keeper that just ended would leave them without an
 * answer.  True when somebody did; then the door is open again. */
static bool last_call(struct keeper *k)
{
	struct err e;

	(void)unlink(k->paths->socket);
	client_accept(k);
	if (k->clients == NULL)
		return false;
	for (size_t more = 0; more < 128; more++)
		client_accept(k);
	fd_close(&k->listener);
	return ipc_listen(k->paths->socket, &k->listener, &e) == 0;
}

static void loop(struct keeper *k, int signals, int timer)
{
	k->idle_since_ms = clock_mono_ms();
	while (!k->ending) {
		AUTO(arena) struct arena a = {0};
		struct pollfds p = {0};
		int64_t now = clock_mono_ms();
		gather(k, signals, timer, now, &a, &p);
		arm(timer, next_timer(k, now));
		if (poll(p.v, p.n, -1) < 0 && errno != EINTR)
			return;
		if (p.v[0].revents != 0)
			signalled(k, signals);
		serve(k, &p);
		jobs_tick(k);
		jumphost_tick(k);
		reports_tick(k);
		alerts_tick(k);
		if (k->watchdog_ms > 0)
			notify("WATCHDOG=1");
		k->ending |= k->leaving && !machines_exist(k) && !jobs_run(k) && !reports_busy(k);
		if (!idle(k))
			k->idle_since_ms = clock_mono_ms();
		else if (k->idle_exit && clock_mono_ms() - k->idle_since_ms >= IDLE_MS)
			k->ending = !last_call(k);
	}
}

static int open_all(struct keeper *k, struct arena *a, int *lock, struct err *e)
{
	const char *path = arena_printf(a, "%s/lock", k->paths->state_dir);
	/* One that a command has started ends soon, when nobody needs it: a daemon that is to stay waits for that. */
	int64_t until = k->idle_exit ? 0 : clock_mono_ms() + WAIT_MS;

	while (paths_lock(path, "another keeper has the state", lock, e) < 0) {
		if (e->kind != ERR_BUSY || clock_mono_ms() >= until)
			return err_hint(e, "one is enough; every command finds it by itself");
		clock_sleep_ms(100);
	}
	if (store_open(arena_printf(a, "%s/state.db", k->paths->state_dir), &k->store, e) < 0)
		return -1;
	if (!k->idle_exit && jobs_load(k, e) < 0)
		return -1;
	/* A disk that is full keeps no keeper from ending machines. */
	k->unburied = records_bury(k, e) < 0;
	if (hosts_adopt(k, e) < 0)
		return -1;
	reports_look(k);
	return ipc_listen(k->paths->socket, &k->listener, e);
}

/* For tests, which cannot wait for minutes. */
static void from_environment(const char *name, int64_t *ms)
{
	const char *text = getenv(name);

	if (text != NULL)
		*ms = strtoll(text, NULL, 10);
}

int keeper_run(const struct paths *paths, bool idle_exit, daemon_load_config *load)
{
	AUTO(arena) struct arena a = {0};
	struct keeper k = {.paths = paths,
			   .load = load,
			   .listener = -1,
			   .grace_ms = GRACE_MS,
			   .doubt_ms = DOUBT_MS,
			   .look_ms = LOOK_MS,
			   .idle_exit = idle_exit};
	AUTO(fd) int lock = -1;
	struct err e;
	sigset_t set;
	int rc = 0;

	/* What a look at thousands of snapshots takes goes back to the system, instead of staying for the next one. */
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	k.config_path = paths->config;
	k.watchdog_ms = idle_exit ? 0 : notify_watchdog_ms();
	if (!idle_exit) {
		/* What is read is a copy of the last file that was right; what it names, it names from its own folder.
		 */
		const char *slash = strrchr(paths->config, '/'), *dot = strrchr(paths->config, '.');
		const char *folder =
		    slash == NULL ? "." : arena_strndup(&a, paths->config, (size_t)(slash - paths->config));
		(void)setenv("DORMOUSE_CONFIG_FOLDER", folder[0] == '\0' ? "/" : folder, 1);
		k.config_path = arena_printf(&a, "%s/config%s", paths->state_dir,
					     dot != NULL && strcmp(dot, ".json") == 0 ? ".json" : ".hcl");
	}
	from_environment("DORMOUSE_GRACE_MS", &k.grace_ms);
	from_environment("DORMOUSE_DOUBT_MS", &k.doubt_ms);
	from_environment("DORMOUSE_LOOK_MS", &k.look_ms);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	AUTO(fd) int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	AUTO(fd) int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (open_all(&k, &a, &lock, &e) < 0) {
		char line[600];
		err_line(&e, line, sizeof(line));
		(void)fprintf(stderr, "dormouse: %s\n%s%s%s", line, e.hint[0] ? "hint: " : "", e.hint,
			      e.hint[0] ? "\n" : "");
		rc = err_exit_code(&e);
	} else {
		/* One that a command has started is nobody's service, whatever it inherits. */
		if (!idle_exit)
			notify("READY=1");
		loop(&k, signals, timer);
		(void)unlink(paths->socket);
	}
	while (k.clients != NULL) {
		struct client *c = k.clients;
		c->host = NULL;
		client_close(&k, c);
	}
	fd_close(&k.listener);
	jumphost_end(&k);
	reports_end(&k);
	alerts_end(&k);
	jobs_free(&k);
	hosts_free(&k);
	store_close(k.store);
	return rc;
}
