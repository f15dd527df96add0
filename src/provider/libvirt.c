/* A domain of libvirt, by virsh(1).  It is made and kept by other means; here it is switched on and off. */
#include "provider/existing.h"
#include "provider/registry.h"
#include "provider/tool.h"

struct libvirt_settings {
	const char *program, *uri, *domain, *addr, *stop_mode;
	int64_t power_off_ms;
};

#define F(member, kind, ...)                                                                                    \
	{                                                                                                       \
		.name = #member, .type = kind, .offset = offsetof(struct libvirt_settings, member), __VA_ARGS__ \
	}
static const struct field fields[] = {
    F(domain, FIELD_STRING, .required = true, .doc = "the domain's name or UUID"),
    F(uri, FIELD_STRING, .fallback = "qemu:///system", .doc = "which libvirt it is of"),
    F(addr, FIELD_STRING, .doc = "its name or address; default: what libvirt knows of it"),
    F(stop_mode, FIELD_STRING, .fallback = "shutdown", .words = "shutdown, managedsave, destroy",
      .doc = "how it is stopped"),
    F(program, FIELD_STRING, .fallback = "virsh", .doc = "the virsh to run"),
    {.name = "power_off_timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct libvirt_settings, power_off_ms),
     .fallback = "60s",
     .doc = "how long it may take to go off by itself"},
};

struct domain {
	const struct provider_env *env;
	const struct target *target;
};

static int virsh(const struct provider_env *env, const struct target *t, const char *command, const char *more,
		 struct str *out, struct err *e)
{
	const struct libvirt_settings *s = t->settings;
	const char *const argv[] = {s->program, "-q", "-c", s->uri, command, s->domain, more, NULL};

	if (tool_do(env, argv, out, e, "%s the domain '%s'", command, s->domain) == 0)
		return 0;
	if (strstr(e->why, "failed to get domain") != NULL) {
		e->kind = ERR_MISSING;
		return err_hint(e, "there is none of that name; those there are: %s -c %s list --all", s->program,
				s->uri);
	}
	if (strstr(e->why, "failed to connect") != NULL)
		return err_hint(e,
				"is libvirt installed and running?  apt install libvirt-daemon-system; uri says which");
	return err_hint(e, "to see more: %s -c %s dominfo '%s'", s->program, s->uri, s->domain);
}

/* Its state in virsh's words, "running", "shut off"; NULL with e. */
static const char *state_of(const struct provider_env *env, const struct target *t, struct err *e)
{
	struct str out;
	return virsh(env, t, "domstate", NULL, &out, e) < 0 ? NULL : str_dup(env->arena, str_trim(out));
}

static int off(void *arg, struct err *e)
{
	const struct domain *d = arg;
	const char *state = state_of(d->env, d->target, e);

	return state == NULL ? -1 : strcmp(state, "shut off") == 0 || strcmp(state, "crashed") == 0;
}

static int libvirt_is_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	struct domain d = {env, t};
	int is = off(&d, e);
	return is < 0 ? -1 : !is;
}

static int libvirt_switch_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	tool_progress(env, "starting the domain");
	return virsh(env, t, "start", NULL, NULL, e);
}

/* "vnet0  52:54:00:12:34:56  ipv4  192.168.122.3/24", a line for each: the first IPv4 one that is not loopback's. */
static const char *first_address(struct str out, struct arena *a)
{
	while (out.n > 0) {
		struct str line = str_trim(str_cut(&out, '\n')), word = {0};
		bool v4 = false, loopback = str_starts(line, "lo ");
		while (line.n > 0) {
			word = str_cut(&line, ' ');
			line = str_trim(line);
			v4 |= str_eq(word, "ipv4");
		}
		if (v4 && !loopback)
			return str_dup(a, str_cut(&word, '/'));
	}
	return NULL;
}

static int libvirt_address(const struct provider_env *env, const struct target *t, const char **address, struct err *e)
{
	static const char *const sources[] = {"--source=lease", "--source=agent", "--source=arp"};
	const struct libvirt_settings *s = t->settings;
	struct str out;

	if (s->addr != NULL)
		return tool_address(env, s->addr, address, e) < 0 ? -1 : 1;
	/* Not all of them know every domain. */
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (virsh(env, t, "domifaddr", sources[i], &out, e) == 0 &&
		    (*address = first_address(out, env->arena)) != NULL)
			return 1;
	return 0;
}

static int libvirt_switch_off(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct libvirt_settings *s = t->settings;
	struct domain d = {env, t};

	tool_progress(env, "switching the domain off");
	/* One that is paused, or hangs, does not hear of it. */
	int gone = virsh(env, t, s->stop_mode, NULL, NULL, e) < 0 ? 0 : tool_wait(env, s->power_off_ms, off, &d, e);
	if (gone != 0)
		return gone < 0 ? -1 : 0;
	tool_progress(env, "it does not go off by itself: ending it");
	if (virsh(env, t, "destroy", NULL, NULL, e) < 0)
		return -1;
	gone = tool_wait(env, s->power_off_ms, off, &d, e);
	if (gone != 0)
		return gone < 0 ? -1 : 0;
	return err_set(e, ERR_TIMEOUT, "the domain '%s' does not go off", s->domain);
}

static int libvirt_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct libvirt_settings *s = t->settings;

	if (tool_have(env, s->program, "virsh: apt install libvirt-clients", e) < 0)
		return -1;
	const char *state = state_of(env, t, e);
	if (state == NULL || (strcmp(state, "paused") != 0 && strcmp(state, "pmsuspended") != 0))
		return state == NULL ? -1 : 0;
	(void)err_set(e, ERR_BUSY, "the domain '%s' is %s", s->domain, state);
	return err_hint(e, "somebody meant that; to let it go on: %s -c %s %s '%s'", s->program, s->uri,
			strcmp(state, "paused") == 0 ? "resume" : "dompmwakeup", s->domain);
}

static const struct existing_ops existing = {libvirt_is_on, libvirt_switch_on, libvirt_address, libvirt_switch_off};

const struct provider_ops provider_libvirt = {
    .kind = {.name = "libvirt",
	     .doc = "a domain of libvirt",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct libvirt_settings),
	     .one = true},
    .check = libvirt_check,
    .start = existing_start,
    .describe = existing_describe,
    .stop = existing_stop,
    .list = existing_list,
    .existing = &existing,
};
