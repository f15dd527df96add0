#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "conf/conf.h"
#include "engine/prepare.h"
#include "provider/registry.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "wire/machine_json.h"
#include "wire/price_json.h"
#include "wire/resource_json.h"
#include "wire/worker_order.h"

enum { ORDER_MAX = 4 * 1024 * 1024, LINES = 50, LINE_MS = 200, LINE_MAX_BYTES = 256 };

static void say(json_t *j)
{
	AUTO(buf) struct buf b = {0};
	struct err ignored;

	json_write(&b, j);
	buf_putc(&b, '\n');
	(void)!fd_write_all(STDOUT_FILENO, b.p, b.n, &ignored);
	json_decref(j);
}

/* So many lines at once, then five a second, none long: a program that talks without end keeps nobody busy but us. */
static void progress(const struct provider_env *env, const char *text)
{
	static int64_t paid_until_ms;
	int64_t now = clock_mono_ms(), earliest = now - (int64_t)LINES * LINE_MS;
	char line[LINE_MAX_BYTES];

	(void)env;
	if (paid_until_ms < earliest)
		paid_until_ms = earliest;
	if (paid_until_ms > now)
		return;
	paid_until_ms += LINE_MS;
	(void)snprintf(line, sizeof(line), "%s", text);
	str_plain(line, "");
	json_t *j = json_object();
	(void)json_object_set_new(j, "progress", json_any(line));
	say(j);
}

static void list_one(void *arg, const struct machine_id *id, const struct machine_facts *f)
{
	json_t *j = machine_facts_json(f);
	(void)json_object_set_new(j, "token", json_any(id->token));
	(void)json_array_append_new(arg, j);
}

/* What the environment says is said to the keeper before there is a machine: it is found there, wherever from. */
static int start(const struct provider_ops *ops, const struct provider_env *env, const struct target *t,
		 const struct machine_id *id, enum machine_use use, struct machine_facts *f, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct target settled = *t;

	if (ops->check(env, t, e) < 0)
		return -1;
	if (ops->settle != NULL) {
		if (ops->settle(env, &settled, use, e) < 0)
			return -1;
		conf_write_target(&b, &settled, &provider_find(t->kind)->kind);
		json_t *j = json_object();
		(void)json_object_set_new(j, "config", json_any(buf_text(&b)));
		say(j);
	}
	return ops->start(env, &settled, id, f, e);
}

/* One resource out of an order, NULL if it names none. */
static int resource_of(const char *text, struct arena *a, const struct resource **out, struct err *e)
{
	struct resource *r = arena_new(a, struct resource);

	*out = NULL;
	if (text == NULL)
		return 0;
	AUTO(json) json_t *j = json_parse(str_of(text), "the order", e);
	if (j == NULL || resource_read(j, a, r, e) < 0)
		return -1;
	*out = r;
	return 0;
}

/* What stays when machines go. */
static int set_up(const struct provider_ops *ops, const struct provider_env *env, const struct target *t,
		  const struct worker_order *o, json_t *answer, struct err *e)
{
	struct resources wants = {0}, has = {0};
	const struct resource *wanted, *found;

	if (strcmp(o->op, "survey") == 0) {
		if (ops->survey != NULL && ops->survey(env, t, &wants, &has, e) < 0)
			return -1;
		(void)json_object_set_new(answer, "wanted", resources_json(&wants));
		(void)json_object_set_new(answer, "found", resources_json(&has));
		return 0;
	}
	if (resource_of(o->wanted, env->arena, &wanted, e) < 0 || resource_of(o->found, env->arena, &found, e) < 0)
		return -1;
	if (ops->survey != NULL && strcmp(o->op, "make") == 0 && wanted != NULL)
		return ops->make(env, t, wanted, o->token, e);
	if (ops->survey != NULL && strcmp(o->op, "change") == 0 && wanted != NULL && found != NULL)
		return ops->change(env, t, wanted, found, e);
	if (ops->survey != NULL && strcmp(o->op, "remove") == 0 && found != NULL)
		return ops->remove(env, t, found, e);
	return err_set(e, ERR_USAGE, "a worker is started by dormouse itself, not by hand");
}

/* A disk whose pool is new, or has taken the place of another, is marked with it before anybody gets the machine. */
static int prepare(const struct provider_ops *ops, const struct provider_env *env, const struct target *t,
		   const struct machine_facts *f, struct err *e)
{
	struct pool_disks disks = {0};

	if (ops->disks != NULL && ops->disks(env, t, &disks, e) < 0)
		return -1;
	if (machine_prepare(env, t, f, &disks, e) < 0)
		return -1;
	for (size_t i = 0; i < disks.n; i++)
		if ((disks.v[i].fresh || disks.v[i].moved) && ops->mark(env, t, &disks.v[i], e) < 0)
			return -1;
	return 0;
}

/* These need nothing of a machine that runs, and are done whether or not its host key can be pinned. */
static bool is_of_machine(const char *op)
{
	static const char *const others[] = {"check", "list", "survey", "make", "change", "remove", "prices"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(others[i], op) == 0)
			return false;
	return true;
}

static int tell_prices(const struct provider_ops *ops, const struct provider_env *env, const struct target *t,
		       json_t *answer, struct err *e)
{
	struct price_list list = {0};

	if (ops->prices == NULL)
		return err_set(e, ERR_USAGE, "the provider of target '%s' cannot be asked for prices", t->name);
	if (ops->prices(env, t, &list, e) < 0)
		return -1;
	(void)json_object_set_new(answer, "prices", price_list_json(&list));
	return 0;
}

static int perform(const struct provider_ops *ops, const struct provider_env *env, const struct target *t,
		   const struct worker_order *o, json_t *answer, struct err *e)
{
	struct machine_id id = {t->name, o->token};
	struct machine_facts f = {0};

	if (strcmp(o->op, "prices") == 0)
		return tell_prices(ops, env, t, answer, e);
	if (!is_of_machine(o->op) && strcmp(o->op, "check") != 0 && strcmp(o->op, "list") != 0)
		return set_up(ops, env, t, o, answer, e);
	if (o->facts != NULL) {
		AUTO(json) json_t *known = json_parse(str_of(o->facts), "facts", e);
		if (known == NULL || machine_facts_read(known, env->arena, &f, e) < 0)
			return -1;
	}
	bool prepares = strcmp(o->op, "prepare") == 0, drains = strcmp(o->op, "drain") == 0;
	/* Found again after a restart, the machine is known, and where it is reached is not. */
	bool unknown = prepares ? f.address == NULL && f.doors.n == 0 : drains && o->facts == NULL && t->pools.n > 0;
	if (unknown && ops->describe(env, t, &id, &f, e) < 0)
		return -1;
	if (prepares) {
		if (f.power != POWER_RUNNING)
			return err_set(e, ERR_MISSING, "the machine of target '%s' is gone", t->name);
		if (prepare(ops, env, t, &f, e) < 0)
			return -1;
	} else if (drains) {
		return machine_drain(env, t, &f, e);
	} else if (strcmp(o->op, "feed") == 0) {
		return machine_feed(env, t, &f, 0, e);
	} else if (strcmp(o->op, "check") == 0) {
		return ops->check(env, t, e);
	} else if (strcmp(o->op, "stop") == 0) {
		return ops->stop(env, t, &id, e);
	} else if (strcmp(o->op, "list") == 0) {
		json_t *machines = json_array();
		(void)json_object_set_new(answer, "machines", machines);
		return ops->list(env, t, list_one, machines, e);
	} else if (start(ops, env, t, &id, machine_use_of(o->use), &f, e) < 0) {
		return -1;
	}
	AUTO(json) json_t *facts = machine_facts_json(&f);
	(void)json_object_update(answer, facts);
	return 0;
}

/* Goes on as the other program, which is given the same order.  Returns only with an error. */
static int become(const char *program, char **argv, struct str order, struct err *e)
{
	AUTO(fd) int fd = memfd_create("order", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, order.p, order.n, e) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    dup2(fd, STDIN_FILENO) < 0)
		return err_sys(e, errno, "cannot hand the order on");
	(void)execv(program, argv);
	(void)err_sys(e, errno, "cannot run '%s'", program);
	return err_hint(e, "it belongs into the same folder as dormouse itself: install both");
}

int worker_run(char **argv, const struct provider_ops *(*find)(const char *kind))
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf order = {0};
	struct worker_order o;
	struct config config;
	struct diags diags = {0};
	struct err e;

	/* Without the keeper nobody would hear the answer; the next keeper finds what there is. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	json_t *answer = json_object();
	while (order.n < ORDER_MAX && fd_read_some(STDIN_FILENO, &order, 64 * 1024) > 0)
		;
	bool ok = worker_order_read(buf_str(&order), &a, &o, &e) == 0;
	if (ok && !conf_load(str_of(o.config), "", false, provider_kinds(), PROVIDERS, NULL, &a, &config, &diags))
		ok = err_set(&e, ERR_CONFIG, "%s", diags_wrong(&diags)->what) == 0;
	if (ok) {
		const struct target *t = config_target(&config, o.target);
		struct provider_env env = {.arena = &a,
					   .runtime_dir = o.runtime_dir,
					   .exported = o.drained && t->pools.n > 0,
					   .deadline_ms = clock_mono_ms() + o.timeout_ms,
					   .progress = progress};
		const struct provider_ops *ops = find(t->kind);
		struct paths paths;
		bool found = paths_find(NULL, &a, &paths, &e) == 0;
		env.state_dir = found ? paths.state_dir : NULL;
		if (ops == NULL)
			ok = err_set(&e, ERR_USAGE, "this program has no machines of kind '%s'", t->kind) == 0;
		else if (ops->start == NULL)
			ok = found && become(paths.cloud, argv, buf_str(&order), &e) == 0;
		/* A machine is ended whatever else goes wrong. */
		else if (is_of_machine(o.op) &&
			 (!found ||
			  machine_known_hosts(o.runtime_dir, paths.state_dir, t, &a, &env.known_hosts, &e) < 0) &&
			 strcmp(o.op, "stop") != 0)
			ok = false;
		else
			ok = perform(ops, &env, t, &o, answer, &e) == 0;
	}
	(void)json_object_set_new(answer, "ok", json_boolean(ok));
	if (!ok)
		(void)json_object_set_new(answer, "error", json_of_err(&e));
	say(answer);
	return ok ? 0 : 2;
}
