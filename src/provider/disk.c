/* Pools on a disk of this host that is not always there, or not always turning.  It is "on" while its pools are
 * imported: without ZFS knowing of them at the next boot (cachefile=none), and without mounting anything. */
#include <unistd.h>

#include "provider/existing.h"
#include "provider/registry.h"
#include "provider/tool.h"
#include "wire/zfs_blame.h"

struct disk_settings {
	struct strings devices, power_on, power_off;
};

static const struct field fields[] = {
    {.name = "devices",
     .type = FIELD_STRINGS,
     .offset = offsetof(struct disk_settings, devices),
     .required = true,
     .doc = "the disks or partitions that the pools are on: [\"/dev/disk/by-id/…\"]"},
    {.name = "power_on",
     .type = FIELD_STRINGS,
     .offset = offsetof(struct disk_settings, power_on),
     .doc = "a command that makes them appear, as a list of words"},
    {.name = "power_off",
     .type = FIELD_STRINGS,
     .offset = offsetof(struct disk_settings, power_off),
     .doc = "a command that lets them rest, as a list of words: [\"hdparm\", \"-y\", \"/dev/…\"]"},
};

static int command(const struct provider_env *env, const struct target *t, const struct strings *words,
		   const char *doing, struct err *e)
{
	if (words->n == 0)
		return 0;
	return tool_do(env, proc_argv(words, env->arena), NULL, e, "%s the disk '%s'", doing, t->name);
}

/* zpool COMMAND… POOL; what zpool says is told as everywhere. */
static int zpool(const struct provider_env *env, const struct strings *words, const char *doing, const char *pool,
		 struct err *e)
{
	struct strings argv = {0};
	struct proc_result r;

	*vec_add(&argv, env->arena) = "zpool";
	for (size_t i = 0; i < words->n; i++)
		*vec_add(&argv, env->arena) = words->v[i];
	*vec_add(&argv, env->arena) = pool;
	*vec_add(&argv, env->arena) = NULL;
	if (tool_run(env, argv.v, &r, e) < 0)
		return -1;
	if (r.status == 0)
		return 0;
	zfs_blame(r.err, e);
	return err_wrap(e, "cannot %s the pool '%s'", doing, pool);
}

/* How many of the pools are imported; -1. */
static int imported(const struct provider_env *env, const struct target *t, bool *is, struct err *e)
{
	const char *const argv[] = {"zpool", "list", "-Ho", "name", NULL};
	struct str out;
	int n = 0;

	for (size_t i = 0; i < t->pools.n; i++)
		is[i] = false;
	if (tool_do(env, argv, &out, e, "list the pools of this host") < 0)
		return -1;
	while (out.n > 0) {
		struct str name = str_cut(&out, '\n');
		for (size_t i = 0; i < t->pools.n; i++) {
			if (!str_eq(name, t->pools.v[i]))
				continue;
			is[i] = true;
			n++;
		}
	}
	return n;
}

static bool *flags(const struct provider_env *env, const struct target *t)
{
	return arena_alloc(env->arena, t->pools.n + 1);
}

/* One of them is enough: a start or a stop may have been left in the middle. */
static int disk_is_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	int n = imported(env, t, flags(env, t), e);
	return n < 0 ? -1 : n > 0;
}

struct wait {
	const struct disk_settings *settings;
	const char *missing;
};

static int all_there(void *arg, struct err *e)
{
	struct wait *w = arg;

	(void)e;
	for (size_t i = 0; i < w->settings->devices.n; i++) {
		w->missing = w->settings->devices.v[i];
		if (access(w->missing, F_OK) != 0)
			return 0;
	}
	return 1;
}

static int disk_switch_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct disk_settings *s = t->settings;
	struct wait w = {s, NULL};
	struct strings words = {0};
	static const char *const options[] = {"import", "-N", "-o", "cachefile=none"};
	bool *is = flags(env, t);

	if (command(env, t, &s->power_on, "switch on", e) < 0)
		return -1;
	if (all_there(&w, e) == 0)
		tool_progress(env, arena_printf(env->arena, "waiting for %s", w.missing));
	if (tool_wait(env, INT32_MAX, all_there, &w, e) == 0) {
		(void)err_set(e, ERR_MISSING, "the disk '%s' is not there", t->name);
		(void)err_why(e, "%s did not appear", w.missing);
		return err_hint(e, "plug it in, and ask again; the devices of its block: ls -l /dev/disk/by-id");
	}
	tool_progress(env, "importing pools");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		*vec_add(&words, env->arena) = options[i];
	for (size_t i = 0; i < s->devices.n; i++) {
		*vec_add(&words, env->arena) = "-d";
		*vec_add(&words, env->arena) = s->devices.v[i];
	}
	if (imported(env, t, is, e) < 0)
		return -1;
	for (size_t i = 0; i < t->pools.n; i++)
		if (!is[i] && zpool(env, &words, "import", t->pools.v[i], e) < 0)
			return -1;
	return 0;
}

static int disk_switch_off(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct disk_settings *s = t->settings;
	struct strings words = {0};
	bool *is = flags(env, t);

	tool_progress(env, "exporting pools");
	*vec_add(&words, env->arena) = "export";
	if (imported(env, t, is, e) < 0)
		return -1;
	for (size_t i = 0; i < t->pools.n; i++) {
		if (!is[i] || zpool(env, &words, "export", t->pools.v[i], e) == 0)
			continue;
		return err_hint(e, "somebody uses it: fuser -vm a mountpoint of it; do not unplug it yet");
	}
	return command(env, t, &s->power_off, "switch off", e);
}

static int disk_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct disk_settings *s = t->settings;

	if (t->pools.n == 0) {
		(void)err_set(e, ERR_CONFIG, "target '%s' has no pools", t->name);
		return err_hint(e, "say which pools are on the disk: pools = [\"usb\"]");
	}
	if (tool_have(env, "zpool", "OpenZFS: apt install zfsutils-linux", e) < 0)
		return -1;
	int n = imported(env, t, flags(env, t), e);
	if (n > 0 && n < (int)t->pools.n) {
		(void)err_set(e, ERR_BUSY, "only some of the pools of '%s' are imported", t->name);
		return err_hint(e, "export them, or import the others, too: zpool list");
	}
	for (int i = 0; i < 2 && n >= 0; i++) {
		const struct strings *words = i == 0 ? &s->power_on : &s->power_off;
		if (words->n > 0 &&
		    tool_have(env, words->v[0], "it stands in the target's block; hdparm is in the package hdparm", e) <
			0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

static const struct existing_ops existing = {
    .is_on = disk_is_on, .switch_on = disk_switch_on, .switch_off = disk_switch_off};

const struct provider_ops provider_disk = {
    .kind = {.name = "disk",
	     .doc = "pools on a disk of this host that is not always there",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct disk_settings),
	     .one = true,
	     .unchecked = true,
	     .local = true},
    .check = disk_check,
    .start = existing_start,
    .describe = existing_describe,
    .stop = existing_stop,
    .list = existing_list,
    .existing = &existing,
};
