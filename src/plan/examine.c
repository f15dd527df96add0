#include "plan/examine.h"

#include "base/num.h"

static struct finding *say(struct findings *out, struct arena *a, int verdict, const char *what)
{
	struct finding *f = vec_add(out, a);
	*f = (struct finding){.verdict = verdict, .what = what};
	return f;
}

static bool may(const struct host *h, const char *permission)
{
	for (size_t i = 0; i < h->may.n; i++)
		if (strcmp(h->may.v[i], permission) == 0)
			return true;
	return false;
}

/* Those of the list, but for one, that the user has not, with commas between. */
static const char *lacking(const struct host *h, const char *const *list, const char *but, struct arena *a)
{
	const char *text = "";

	for (; *list != NULL; list++)
		if (!may(h, *list) && (but == NULL || strcmp(*list, but) != 0))
			text = arena_printf(a, "%s%s%s", text, *text == '\0' ? "" : ",", *list);
	return text;
}

/* Whether there is a ZFS that can be spoken to. */
static bool zfs_is_there(const struct host *h, const char *label, struct arena *a, struct findings *out)
{
	if (h->zfs == NULL) {
		say(out, a, FINDING_WRONG, arena_printf(a, "%s has no zfs command", label))->hint =
		    "install OpenZFS there (Debian: zfsutils-linux)";
		return false;
	}
	if (h->module == NULL) {
		say(out, a, FINDING_WRONG, arena_printf(a, "the ZFS kernel module is not loaded on %s", label))->hint =
		    "load it there: modprobe zfs";
		return false;
	}
	if (strcmp(h->zfs, h->module) != 0)
		say(out, a, FINDING_NOTE,
		    arena_printf(a, "%s has the zfs command of %s and the kernel module of %s", label, h->zfs,
				 h->module))
		    ->hint = "restart it after an update, so that both are of one version";
	if (!h->may_open) {
		say(out, a, FINDING_WRONG, arena_printf(a, "%s may not open /dev/zfs on %s", h->user, label))->hint =
		    "the package's udev rule makes it open for all: chmod 666 /dev/zfs; what may be done is a matter "
		    "of zfs allow";
		return false;
	}
	say(out, a, FINDING_FINE, arena_printf(a, "%s has OpenZFS %s", label, h->module));
	return true;
}

/* Whether the user has all that is needed; but: what is not, or NULL. */
static void permissions(const struct host *h, const char *label, const char *dataset, const char *const *needed,
			const char *but, struct arena *a, struct findings *out)
{
	const char *lack = h->is_root ? "" : lacking(h, needed, but, a);

	if (h->is_root)
		say(out, a, FINDING_FINE, arena_printf(a, "%s on %s may do everything", h->user, label));
	else if (*lack == '\0')
		say(out, a, FINDING_FINE,
		    arena_printf(a, "%s on %s may do all that is needed on %s", h->user, label, dataset));
	else
		say(out, a, FINDING_WRONG,
		    arena_printf(a, "%s on %s may not do %s on %s", h->user, label, lack, dataset))
		    ->hint = arena_printf(a, "as root there: zfs allow -u %s %s %s", h->user, lack, dataset);
}

void examine_source(const struct host *h, const char *label, bool snapshots, int64_t now, struct arena *a,
		    struct findings *out)
{
	/* Destroying a bookmark, as a snapshot, asks for mount as well. */
	static const char *const needed[] = {"bookmark", "destroy", "hold",	"mount",
					     "release",	 "send",    "snapshot", NULL};
	enum { SKEW_S = 60 };
	char text[NUM_TEXT];

	if (!zfs_is_there(h, label, a, out))
		return;
	int64_t skew = h->now > now ? h->now - now : now - h->now;
	if (skew > SKEW_S)
		say(out, a, FINDING_WRONG,
		    arena_printf(a, "the clock of %s is %s %s", label, num_show_duration(skew * 1000, text),
				 h->now > now ? "ahead" : "behind"))
		    ->hint =
		    "set it, and keep it right (chrony, systemd-timesyncd): the age of snapshots comes from it";
	if (h->nearest == NULL || strcmp(h->nearest, h->asked) != 0) {
		say(out, a, FINDING_WRONG, arena_printf(a, "'%s' is not there on %s", h->asked, label))->hint =
		    "zfs list shows what is; zpool import shows which pools could be";
		return;
	}
	permissions(h, label, h->asked, needed, snapshots ? NULL : "snapshot", a, out);
}

void examine_target(const struct backup *b, const struct host *h, const char *label, struct arena *a,
		    struct findings *out)
{
	/* create, mount and receive for the stream; the others for what is set with it, which zfs receive leaves out
	 * without a word where it may not.  Tried out with OpenZFS 2.1. */
	static const char *const needed[] = {"canmount", "create",  "destroy",	"mount",
					     "readonly", "receive", "userprop", NULL};
	const char *optional = b->keep.set ? NULL : "destroy";
	static const struct {
		const char *permission, *what;
	} left_out[] = {
	    {"destroy", "a partial receive that nothing fits any more stays until somebody gives it up there"},
	    {"rename", "a dataset that is renamed at the source is not followed"},
	    {"rollback", "a copy that was written to has to be rolled back by somebody there"},
	};

	if (!zfs_is_there(h, label, a, out))
		return;
	if (h->nearest == NULL) {
		say(out, a, FINDING_WRONG, arena_printf(a, "the pool of '%s' is not there on %s", h->asked, label))
		    ->hint = "is it imported? zpool import shows which could be";
		return;
	}
	permissions(h, label, h->nearest, needed, optional, a, out);
	for (size_t i = 0; !h->is_root && i < ARRAY_LEN(left_out); i++)
		if (!may(h, left_out[i].permission) && !(b->keep.set && strcmp(left_out[i].permission, "destroy") == 0))
			say(out, a, FINDING_NOTE,
			    arena_printf(a, "%s on %s may not %s: %s", h->user, label, left_out[i].permission,
					 left_out[i].what));
	if (!h->is_root)
		say(out, a, FINDING_NOTE,
		    arena_printf(a,
				 "%s on %s is not root: ls, find, cat and the restore of files need root there, "
				 "who alone may mount",
				 h->user, label));
}

static const struct feature *feature_of(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->features.n; i++)
		if (strcmp(h->features.v[i].name, name) == 0)
			return &h->features.v[i];
	return NULL;
}

void examine_both(const struct backup *b, const struct host *source, const struct host *target, const char *label,
		  struct arena *a, struct findings *out)
{
	/* zpool-features(7): what can be in a stream, and must be known where it is received. */
	static const char *const matter[] = {"embedded_data", "encryption",   "large_blocks", "large_dnode",
					     "longname",      "lz4_compress", "zstd_compress"};
	if (b->compress == COMPRESS_ZSTD && !(source->has_zstd && target->has_zstd))
		say(out, a, FINDING_WRONG, "compress = \"zstd\" needs the zstd command on both sides")->hint =
		    arena_printf(a, "install it %s (Debian: zstd)",
				 source->has_zstd   ? arena_printf(a, "on %s", label)
				 : target->has_zstd ? "at the source"
						    : "on both");
	size_t missing = out->n;

	if (source->features.n == 0 || target->features.n == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(matter); i++) {
		const struct feature *ours = feature_of(source, matter[i]), *theirs = feature_of(target, matter[i]);
		int n = (int)strcspn(target->nearest, "/");
		if (ours == NULL || ours->state != FEATURE_ACTIVE ||
		    (theirs != NULL && theirs->state != FEATURE_DISABLED))
			continue;
		struct finding *f = say(
		    out, a, FINDING_WRONG,
		    arena_printf(a, "the pool '%.*s' on %s cannot take streams with %s, which the source's pool uses",
				 n, target->nearest, label, matter[i]));
		f->hint = theirs == NULL
			      ? arena_printf(a, "OpenZFS %s there does not know it: install a newer one", target->zfs)
			      : arena_printf(a, "as root there: zpool set feature@%s=enabled %.*s", matter[i], n,
					     target->nearest);
	}
	if (out->n == missing)
		say(out, a, FINDING_FINE, "what the source's pool uses, the target's pool can take");
}
