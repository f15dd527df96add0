/* A VirtualBox machine of this user, by VBoxManage (VirtualBox's user manual, chapter "VBoxManage").  It is made and
 * kept by other means; here it is switched on and off. */
#include "provider/existing.h"
#include "provider/registry.h"
#include "provider/tool.h"

struct virtualbox_settings {
	const char *program, *name, *addr, *start_mode, *stop_mode;
	int64_t power_off_ms;
};

#define F(member, kind, ...)                                                                                       \
	{                                                                                                          \
		.name = #member, .type = kind, .offset = offsetof(struct virtualbox_settings, member), __VA_ARGS__ \
	}
static const struct field fields[] = {
    F(name, FIELD_STRING, .required = true, .doc = "the machine's name or UUID"),
    F(addr, FIELD_STRING, .doc = "its name or address; default: what its guest additions say"),
    F(start_mode, FIELD_STRING, .fallback = "headless", .words = "headless, gui, separate", .doc = "how it is started"),
    F(stop_mode, FIELD_STRING, .fallback = "acpipowerbutton", .words = "poweroff, acpipowerbutton, acpisleepbutton",
      .doc = "what is done to it to stop it"),
    F(program, FIELD_STRING, .fallback = "VBoxManage", .doc = "the VBoxManage to run"),
    {.name = "power_off_timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct virtualbox_settings, power_off_ms),
     .fallback = "60s",
     .doc = "how long it may take to go off by itself"},
};

struct vm {
	const struct provider_env *env;
	const struct target *target;
};

static int manage(const struct provider_env *env, const struct target *t, const char *command, const char *argument,
		  struct str *out, struct err *e)
{
	const struct virtualbox_settings *s = t->settings;
	const char *const argv[] = {s->program, command, s->name, argument, NULL};

	if (tool_do(env, argv, out, e, "%s the VirtualBox machine '%s'", command, s->name) == 0)
		return 0;
	bool none = strstr(e->why, "VBOX_E_OBJECT_NOT_FOUND") != NULL || strstr(e->why, "registered machine") != NULL;
	e->kind = none ? ERR_MISSING : e->kind;
	if (none)
		(void)err_hint(e, "there is none of that name; those of this user: %s list vms", s->program);
	else
		(void)err_hint(e, "VirtualBox keeps a log in the machine's folder: Logs/VBox.log");
	return -1;
}

/* The machine's state in VirtualBox's word, "running", "poweroff"; NULL with e. */
static const char *state_of(const struct provider_env *env, const struct target *t, struct err *e)
{
	struct str out;

	if (manage(env, t, "showvminfo", "--machinereadable", &out, e) < 0)
		return NULL;
	while (out.n > 0) {
		struct str line = str_trim(str_cut(&out, '\n')), name = str_cut(&line, '"');
		if (str_eq(name, "VMState="))
			return str_dup(env->arena, str_cut(&line, '"'));
	}
	(void)err_set(e, ERR_CORRUPT, "VBoxManage does not say what state '%s' is in", t->name);
	return NULL;
}

/* On its way from one state to another. */
static bool is_moving(const char *state)
{
	static const char *const moving[] = {"starting",  "stopping",	      "saving",
					     "restoring", "teleporting",      "teleportingin",
					     "settingup", "livesnapshotting", "onlinesnapshotting"};

	for (size_t i = 0; i < ARRAY_LEN(moving); i++)
		if (strcmp(state, moving[i]) == 0)
			return true;
	return false;
}

static bool is_off(const char *state)
{
	return strcmp(state, "poweroff") == 0 || strncmp(state, "aborted", 7) == 0 || strcmp(state, "saved") == 0 ||
	       strcmp(state, "teleported") == 0;
}

static int settled(void *arg, struct err *e)
{
	const struct vm *vm = arg;
	const char *state = state_of(vm->env, vm->target, e);

	return state == NULL ? -1 : !is_moving(state);
}

static int off(void *arg, struct err *e)
{
	const struct vm *vm = arg;
	const char *state = state_of(vm->env, vm->target, e);

	return state == NULL ? -1 : is_off(state);
}

static int virtualbox_is_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	struct vm vm = {env, t};

	if (tool_wait(env, INT32_MAX, settled, &vm, e) < 0)
		return -1;
	int is = off(&vm, e);
	return is < 0 ? -1 : !is;
}

static int virtualbox_switch_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct virtualbox_settings *s = t->settings;

	tool_progress(env, "starting the machine");
	if (manage(env, t, "startvm", arena_printf(env->arena, "--type=%s", s->start_mode), NULL, e) < 0)
		return -1;
	int on = virtualbox_is_on(env, t, e);
	if (on != 0)
		return on < 0 ? -1 : 0;
	(void)err_set(e, ERR_SYSTEM, "the VirtualBox machine '%s' went off as soon as it was started", s->name);
	return err_hint(e, "its log is in its folder: Logs/VBox.log");
}

static int virtualbox_address(const struct provider_env *env, const struct target *t, const char **address,
			      struct err *e)
{
	const struct virtualbox_settings *s = t->settings;
	const char *const argv[] = {s->program, "guestproperty", "get", s->name, "/VirtualBox/GuestInfo/Net/0/V4/IP",
				    NULL};
	struct str out;

	if (s->addr != NULL)
		return tool_address(env, s->addr, address, e) < 0 ? -1 : 1;
	if (tool_do(env, argv, &out, e, "ask the VirtualBox machine '%s' for its address", s->name) < 0)
		return -1;
	/* "Value: 192.168.56.101", or "No value set!". */
	if (!str_starts(out, "Value:"))
		return 0;
	out = str_trim((struct str){out.p + 6, out.n - 6});
	*address = str_dup(env->arena, out);
	return 1;
}

static int virtualbox_switch_off(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct virtualbox_settings *s = t->settings;
	bool sleeps = strcmp(s->stop_mode, "acpisleepbutton") == 0;
	struct vm vm = {env, t};

	tool_progress(env, "switching the machine off");
	/* One that is paused, or has crashed, does not see its buttons. */
	int gone =
	    manage(env, t, "controlvm", s->stop_mode, NULL, e) < 0 ? 0 : tool_wait(env, s->power_off_ms, off, &vm, e);
	if (gone != 0)
		return gone < 0 ? -1 : 0;
	/* A guest that sleeps stays on for VirtualBox: what it has in memory is put to disk. */
	tool_progress(env, sleeps ? "saving its memory" : "it does not go off by itself: powering it off");
	if (manage(env, t, "controlvm", sleeps ? "savestate" : "poweroff", NULL, e) < 0)
		return -1;
	gone = tool_wait(env, s->power_off_ms, off, &vm, e);
	if (gone != 0)
		return gone < 0 ? -1 : 0;
	return err_set(e, ERR_TIMEOUT, "the VirtualBox machine '%s' does not go off", s->name);
}

static int virtualbox_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct virtualbox_settings *s = t->settings;

	if (tool_have(env, s->program, "VBoxManage comes with VirtualBox, from virtualbox.org or the distribution", e) <
	    0)
		return -1;
	const char *state = state_of(env, t, e);
	if (state == NULL || strcmp(state, "paused") != 0)
		return state == NULL ? -1 : 0;
	(void)err_set(e, ERR_BUSY, "the VirtualBox machine '%s' is paused", s->name);
	return err_hint(e, "somebody has paused it; to let it go on: %s controlvm '%s' resume", s->program, s->name);
}

static const struct existing_ops existing = {virtualbox_is_on, virtualbox_switch_on, virtualbox_address,
					     virtualbox_switch_off};

const struct provider_ops provider_virtualbox = {
    .kind = {.name = "virtualbox",
	     .doc = "a VirtualBox machine of this user",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct virtualbox_settings),
	     .one = true},
    .check = virtualbox_check,
    .start = existing_start,
    .describe = existing_describe,
    .stop = existing_stop,
    .list = existing_list,
    .existing = &existing,
};
