#include "engine/reach.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "engine/prepare.h"
#include "engine/side_run.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/json.h"
#include "wire/program.h"
#include "wire/ssh_args.h"
#include "wire/zfs_blame.h"

enum { TRIES = 3, OURS_MS = 3000 };

static void note(void *ctx, const char *text)
{
	struct reach *r = ctx;
	struct run_event ev = {.kind = EVENT_NOTE, .stage = STAGE_WAKE, .text = text};

	if (r->listener != NULL)
		r->listener->tell(r->listener, &ev);
	if (r->start == 0)
		return;
	tracer_end(r->tracer, r->stage, TRACE_SUCCESS);
	int64_t under = r->tracer->under;
	r->tracer->under = r->start;
	r->stage = tracer_begin(r->tracer, "machine.stage");
	r->tracer->under = under;
	tracer_text(r->tracer, r->stage, "text", arena_strdup(r->arena, text));
}

static void start_begins(struct reach *r)
{
	note(r, r->target->name);
	r->start = tracer_begin(r->tracer, "machine.start");
	tracer_text(r->tracer, r->start, "machine.target", r->target->name);
	tracer_text(r->tracer, r->start, "machine.kind", r->target->kind);
	tracer_flush(r->tracer);
}

/* e NULL: it is on. */
static void start_ends(struct reach *r, const struct err *e)
{
	tracer_close(r->tracer, r->stage, e);
	tracer_close(r->tracer, r->start, e);
	r->start = r->stage = 0;
}

int reach_init(struct reach *r, const struct config *c, const struct paths *paths, const char *name,
	       const char *purpose, struct arena *a, struct run_listener *listener, struct err *e)
{
	static const char *const local[] = {"/bin/sh", "-c", NULL};
	static unsigned made; /* two ways to one machine have a socket each */
	struct ssh_door door = {0};

	*r = (struct reach){.paths = paths, .purpose = purpose, .arena = a, .listener = listener, .link = CONTROL_INIT};
	r->side = (struct side){name == NULL ? "this host" : name, local, false};
	if (name == NULL)
		return 0;
	const struct target *t = config_target(c, name);
	assert(t != NULL); /* conf saw to it */
	r->target = t;
	if (t->local)
		return 0;
	if (machine_known_hosts(paths->runtime_dir, paths->state_dir, t, a, &door.known_hosts, e) < 0)
		return -1;
	door.proxy_command =
	    ssh_proxy_command(paths->self, paths->config, t->name, arena_printf(a, "%lld", (long long)t->ssh.port), a);
	door.control_path = arena_printf(a, "%s/ssh-%d-%u", paths->runtime_dir, (int)getpid(), ++made);
	ssh_master_init(&r->master, ssh_args(t, &door, a), door.control_path, a);
	if (r->master.argv == NULL)
		door.control_path = NULL;
	r->side = (struct side){t->name, ssh_args(t, &door, a), true};
	return 0;
}

static struct control_request lease_of(const struct reach *r)
{
	return (struct control_request){
	    .op = CONTROL_LEASE, .target = r->target->name, .text = r->purpose, .use = machine_use_name(r->use)};
}

void reach_begin(struct reach *r)
{
	struct err ignored;

	if (!reach_unasked(r))
		return;
	control_close(&r->link);
	struct control_request lease = lease_of(r);
	start_begins(r);
	r->asked = control_open(r->paths, &r->link, &ignored) == 0 && control_send(&r->link, &lease, &ignored) == 0;
}

bool reach_unasked(struct reach *r)
{
	return r->target != NULL && !r->asked && control_lost(&r->link);
}

/* rc is control_try's.  A keeper that went away has not answered: another will be asked. */
static void answered(struct reach *r, int rc)
{
	r->asked = rc == 1;
	if (rc == 0 || r->link.fd < 0)
		r->refused.kind = ERR_NONE;
	if (rc == 0 || (rc < 0 && r->link.fd >= 0))
		start_ends(r, rc == 0 ? NULL : &r->refused);
}

bool reach_asleep(struct reach *r, int64_t wait_ms)
{
	struct pollfd f = {r->link.fd, POLLIN, 0};

	if (reach_unasked(r))
		return true;
	for (int64_t until = clock_mono_ms() + wait_ms, left = wait_ms; r->asked; left = until - clock_mono_ms()) {
		if (poll(&f, 1, left < 0 ? 0 : (int)left) <= 0)
			return true;
		fd_nonblock(r->link.fd);
		int rc = control_try(&r->link, r->arena, note, r, NULL, &r->refused);
		if (r->link.fd >= 0)
			fd_block(r->link.fd);
		answered(r, rc);
	}
	return false;
}

/* What was asked for without waiting has its answer now, or there is none. */
static int hear(struct reach *r, struct err *e)
{
	if (r->asked)
		answered(r, control_wait(&r->link, r->arena, note, r, NULL, &r->refused));
	if (r->refused.kind == ERR_NONE)
		return 0;
	*e = r->refused;
	r->refused.kind = ERR_NONE;
	control_close(&r->link);
	return -1;
}

int reach_wake(struct reach *r, struct err *e)
{
	if (r->target == NULL)
		return 0;
	if (hear(r, e) < 0)
		return -1;
	if (control_lost(&r->link)) {
		control_close(&r->link);
		struct control_request lease = lease_of(r);
		start_begins(r);
		int rc = control_call(r->paths, &r->link, &lease, r->arena, note, r, NULL, e);
		start_ends(r, rc < 0 ? e : NULL);
		if (rc < 0) {
			control_close(&r->link);
			return -1;
		}
	}
	ssh_master_keep(&r->master);
	return 0;
}

int reach_ask(struct reach *r, struct str program, struct proc_result *out, struct err *e)
{
	for (int tries = 0;;) {
		if (reach_wake(r, e) < 0)
			return -1;
		if (side_run(&r->side, program, REACH_MS, r->arena, out, e) == 0)
			return 0;
		if (e->retry == RETRY_NEVER || ++tries == TRIES)
			return -1;
		note(r, e->why);
		clock_sleep_ms(500 << tries);
		reach_keep(r);
	}
}

int reach_do(struct reach *r, struct str program, const char *what, struct err *e)
{
	struct proc_result out;

	if (reach_wake(r, e) < 0 || side_run(&r->side, program, REACH_MS, r->arena, &out, e) < 0)
		return -1;
	if (out.status == 0)
		return 0;
	zfs_blame(out.err, e);
	return err_wrap(e, "cannot %s on %s", what, r->side.label);
}

void reach_keep(struct reach *r)
{
	char token[sizeof(r->link.token)];
	struct err ignored;

	if (r->target == NULL || !control_lost(&r->link))
		return;
	memcpy(token, r->link.token, sizeof(token));
	struct control_request lease = lease_of(r);
	lease.token = token[0] == '\0' ? NULL : token;
	control_close(&r->link);
	if (control_open(r->paths, &r->link, &ignored) == 0)
		(void)!control_send(&r->link, &lease, &ignored);
	memcpy(r->link.token, token, sizeof(token)); /* the next one may die before it has answered */
}

void reach_end(struct reach *r)
{
	if (r->target == NULL)
		return;
	ssh_master_end(&r->master);
	control_close(&r->link);
}

/* How many use it; -1: it is gone, or nobody can tell. */
static int64_t users_of(struct reach *r, struct control *link)
{
	AUTO(arena) struct arena a = {0};
	struct control_request q = {.op = CONTROL_MACHINES};
	struct err ignored;
	int64_t users = -1;
	json_t *m;
	size_t i;

	AUTO(json) json_t *list = control_json(r->paths, link, &q, &a, &ignored);
	json_array_foreach(list, i, m)
	{
		const char *name = json_text(m, "target", &a), *state = json_text(m, "state", &a);
		if (strcmp(name, r->target->name) == 0 && strcmp(state, "absent") != 0)
			users = json_integer_value(json_object_get(m, "leases"));
	}
	return users;
}

/* Whether it is to be waited for. */
static bool let_go(struct reach *r)
{
	bool was_used = r->target != NULL && r->link.fd >= 0;

	reach_end(r);
	return was_used && r->target->linger_ms == 0;
}

static void wait_for(struct reach *r)
{
	AUTO(control) struct control link = CONTROL_INIT;
	struct run_event ev = {.kind = EVENT_STAGE, .stage = STAGE_SLEEP, .text = r->target->name};
	int64_t users;

	if (r->listener != NULL)
		r->listener->tell(r->listener, &ev);
	int64_t span = tracer_begin(r->tracer, "machine.stop");
	tracer_text(r->tracer, span, "machine.target", r->target->name);
	tracer_flush(r->tracer);
	int64_t began = clock_mono_ms(), until = began + r->target->stop_timeout_ms + 60000;
	/* Our own ssh connections are leases too, and may end a moment after us. */
	while ((users = users_of(r, &link)) >= 0 && clock_mono_ms() < (users > 0 ? began + OURS_MS : until))
		clock_sleep_ms(100);
	tracer_bool(r->tracer, span, "machine.stopped", users < 0);
	tracer_end(r->tracer, span, users < 0 ? TRACE_SUCCESS : TRACE_PARTIAL);
}

void reach_rest(struct reach *one, struct reach *other)
{
	bool first = let_go(one), second = other != NULL && let_go(other);

	if (first)
		wait_for(one);
	if (second)
		wait_for(other);
}
