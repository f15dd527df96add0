#include "provider/existing.h"

#include <errno.h>
#include <unistd.h>

#include "provider/registry.h"
#include "provider/tool.h"
#include "sys/fdio.h"

static const struct existing_ops *ops_of(const struct target *t)
{
	return provider_find(t->kind)->existing;
}

/* --- whose doing ---------------------------------------------------------------------------------- */

enum mark { MARK_NONE, MARK_STARTED, MARK_FOUND };
static const char *const words[] = {[MARK_STARTED] = "started ", [MARK_FOUND] = "found "};

static const char *mark_path(const struct provider_env *env, const struct target *t)
{
	return arena_printf(env->arena, "%s/%s-%s.mark", env->runtime_dir, t->kind, t->name);
}

/* A note that cannot be read is not none. */
static int marked(const struct provider_env *env, const struct target *t, enum mark *m, const char **token,
		  struct err *e)
{
	struct str text;

	*m = MARK_NONE;
	*token = "";
	if (fd_read_file(mark_path(env, t), 4096, env->arena, &text, e) < 0)
		return e->sys == ENOENT ? 0 : err_wrap(e, "cannot see who switched target '%s' on", t->name);
	*m = str_starts(text, words[MARK_FOUND]) ? MARK_FOUND : MARK_STARTED;
	size_t n = strlen(words[*m]);
	*token = text.n > n ? arena_strndup(env->arena, text.p + n, text.n - n) : "";
	return 0;
}

/* --- the vtable ----------------------------------------------------------------------------------- */

struct asking {
	const struct provider_env *env;
	const struct target *target;
	const char *address;
};

static int has_address(void *arg, struct err *e)
{
	struct asking *q = arg;
	return ops_of(q->target)->address(q->env, q->target, &q->address, e);
}

static int facts_of(const struct provider_env *env, const struct target *t, bool wait, struct machine_facts *f,
		    struct err *e)
{
	struct asking q = {env, t, NULL};

	*f = (struct machine_facts){.power = POWER_RUNNING, .id = t->name};
	if (ops_of(t)->address == NULL)
		return 0;
	int rc = tool_wait(env, wait ? INT32_MAX : 0, has_address, &q, e);
	if (rc == 0 && wait) {
		(void)err_set(e, ERR_TIMEOUT, "target '%s' is on, but has no address", t->name);
		return err_hint(e, "if it has one that cannot be found out, say it in its block: addr = \"…\"");
	}
	f->address = q.address;
	return rc < 0 ? -1 : 0;
}

int existing_start(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		   struct machine_facts *f, struct err *e)
{
	const char *token;
	enum mark m;
	int on = ops_of(t)->is_on(env, t, e);

	if (on < 0 || marked(env, t, &m, &token, e) < 0)
		return -1;
	/* Before it is on; what an earlier start of ours left on is ours still. */
	m = on && m != MARK_STARTED ? MARK_FOUND : MARK_STARTED;
	const char *text = arena_printf(env->arena, "%s%s", words[m], id->token);
	if (fd_replace_file(mark_path(env, t), str_of(text), 0600, e) < 0)
		return -1;
	if (!on && ops_of(t)->switch_on(env, t, e) < 0)
		return -1;
	return facts_of(env, t, true, f, e);
}

int existing_describe(const struct provider_env *env, const struct target *t, const struct machine_id *id,
		      struct machine_facts *f, struct err *e)
{
	int on = ops_of(t)->is_on(env, t, e);

	(void)id;
	*f = (struct machine_facts){.power = POWER_ABSENT};
	return on <= 0 ? on : facts_of(env, t, true, f, e);
}

int existing_stop(const struct provider_env *env, const struct target *t, const struct machine_id *id, struct err *e)
{
	const char *token;
	enum mark m;

	(void)id;
	if (marked(env, t, &m, &token, e) < 0)
		return -1;
	int on = m == MARK_FOUND ? 0 : ops_of(t)->is_on(env, t, e);
	/* What was never there, nobody has switched on. */
	if (on < 0 && m == MARK_NONE && e->kind == ERR_MISSING)
		return 0;
	if (on < 0 || (on > 0 && ops_of(t)->switch_off(env, t, e) < 0))
		return -1;
	(void)unlink(mark_path(env, t));
	return 0;
}

int existing_list(const struct provider_env *env, const struct target *t, machine_fn *fn, void *arg, struct err *e)
{
	struct machine_id id = {t->name, ""};
	struct machine_facts f;
	enum mark m;

	/* What was found on is in use, too. */
	if (marked(env, t, &m, &id.token, e) < 0)
		return -1;
	if (m == MARK_NONE)
		return 0;
	int on = ops_of(t)->is_on(env, t, e);
	if (on <= 0)
		return on;
	if (facts_of(env, t, false, &f, e) < 0)
		return -1;
	fn(arg, &id, &f);
	return 0;
}
