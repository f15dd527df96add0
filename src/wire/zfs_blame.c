#include "wire/zfs_blame.h"

#include "base/num.h"

/* Texts of zfs (lib/libzfs/libzfs_sendrecv.c) and of ssh, and what they mean for us. */
static const struct {
	const char *text;
	enum err_kind kind;
	const char *why, *hint;
} causes[] = {
    {"has been modified", ERR_CONFLICT, "the target was changed since its newest snapshot",
     "dormouse repair DATASET --rollback-target drops the change, --keep-both keeps it aside"},
    {"does not match incremental source", ERR_CONFLICT,
     "the target's newest snapshot is not the one this increment is based on",
     "run the backup again: it looks at both sides afresh; if it stays, something else writes to the target"},
    {"out of space", ERR_FULL, "the target's pool is full",
     "make room there or grow the pool, then run the backup again"},
    {"No space left", ERR_FULL, "the target's pool is full",
     "make room there or grow the pool, then run the backup again"},
    {"quota exceeded", ERR_FULL, "a quota on the target is used up",
     "raise it there (zfs get -r quota,refquota,snapshot_limit DATASET shows which), then run the backup again"},
    {"partially-complete state", ERR_BUSY, "an earlier receive was cut off and can be resumed",
     "run the backup again: it goes on from there"},
    {"incomplete stream", ERR_NET, "the stream was cut off", "run the backup again: it goes on from where it stopped"},
    {"failed to read from stream", ERR_NET, "the stream was cut off before it began", "run the backup again"},
    {"dataset is busy", ERR_BUSY, "something else uses the dataset on the target",
     "look for another receive or a mount there, then run the backup again"},
    {"destination already exists", ERR_CONFLICT, "there is a dataset of that name already", "rename it on the target"},
    {"must specify -F to overwrite", ERR_CONFLICT, "there is a dataset of that name already",
     "rename it on the target (zfs rename), then run the backup again"},
    {"permission denied", ERR_DENIED, "the user there may not do this",
     "dormouse doctor shows what is missing, as zfs allow commands"},
    {"Permission denied (", ERR_DENIED, "ssh was not let in",
     "is the key in the machine's authorized_keys, and identity_file right? Try: ssh -v"},
    {"Host key verification failed", ERR_DENIED, "the machine's ssh host key is not the expected one",
     "put the right key into host_key of the target's ssh block, after checking it by other means"},
    {"Could not resolve hostname", ERR_NET, "the name of the machine is unknown", "check the name and the network"},
    {"Connection refused", ERR_NET, "nothing listens there", "is sshd running on the machine?"},
    {"Connection timed out", ERR_NET, "no answer", "is the machine on, and its firewall open?"},
    {"closed by remote host", ERR_NET, "the connection was cut",
     "run the backup again: it goes on from where it stopped"},
    {"Connection closed", ERR_NET, "the connection was cut", "run the backup again: it goes on from where it stopped"},
    {"Connection reset", ERR_NET, "the connection was cut", "run the backup again: it goes on from where it stopped"},
    {"Broken pipe", ERR_NET, "the connection was cut", "run the backup again: it goes on from where it stopped"},
    {"zstd: not found", ERR_MISSING, "there is no zstd command",
     "install it there (Debian: zstd), or leave compress out of the backup"},
    {"zfs: not found", ERR_MISSING, "there is no zfs command", "install OpenZFS there (Debian: zfsutils-linux)"},
    {"zfs: command not found", ERR_MISSING, "there is no zfs command",
     "install OpenZFS there (Debian: zfsutils-linux)"},
    {"modules are not loaded", ERR_MISSING, "the ZFS kernel module is not loaded", "load it: modprobe zfs"},
    {"/dev/zfs", ERR_MISSING, "the ZFS kernel module is not loaded", "load it: modprobe zfs"},
    {"dataset does not exist", ERR_MISSING, "a dataset is not there",
     "is the pool imported? zpool import shows what could be"},
    {"no such pool", ERR_MISSING, "the pool is not there", "is it imported? zpool import shows what could be"},
    {"pool I/O is currently suspended", ERR_SYSTEM, "the pool is suspended: a device failed",
     "zpool status -v shows which; zpool clear once it is back"},
    {"kernel modules must be upgraded", ERR_CONFLICT,
     "the partial receive does not fit this stream, or OpenZFS there is too old", "compare zfs version on both sides"},
    {"IV set guid", ERR_CONFLICT, "the target has it under a key of its own: it was not received raw",
     "set it aside there, outside the destination (zfs rename), then run the backup again: a new copy begins, raw"},
    {"encryption key", ERR_CONFLICT, "the encryption keys do not fit",
     "an encrypted dataset is sent raw; was the target received otherwise?"},
    {"dataset key must be loaded", ERR_CONFLICT, "its key is not loaded where it is sent from",
     "load it there (zfs load-key), then do it again"},
    {"key must be loaded", ERR_CONFLICT, "the target's parent is encrypted and locked",
     "choose a destination that is not below an encrypted dataset"},
    {"key is not loaded", ERR_CONFLICT, "the target's parent is encrypted and locked",
     "choose a destination that is not below an encrypted dataset"},
    {"Spill block flag missing", ERR_CONFLICT, "the OpenZFS that sends is too old for encrypted data",
     "update OpenZFS at the source: zfs version shows what it is"},
    {"pool must be upgraded", ERR_MISSING, "the target's pool lacks a feature that this stream uses",
     "dormouse doctor shows which, and the command that enables it"},
    {"read-only", ERR_DENIED, "the pool is imported read-only", "import it for writing"},
};

/* The last line that says something, without the mark of an answer's text. */
static struct str last_words(struct str text)
{
	struct str last = {"", 0};

	while (text.n > 0) {
		struct str line = str_cut(&text, '\n');
		if (line.n > 0 && line.p[0] == '!')
			line = (struct str){line.p + 1, line.n - 1};
		line = str_trim(line);
		if (line.n > 0 && !str_starts(line, "dormouse-send "))
			last = line;
	}
	/* What stands in a sentence of ours has no full stop of its own. */
	last.n -= last.n > 0 && last.p[last.n - 1] == '.';
	return last;
}

void zfs_blame(struct str text, struct err *e)
{
	struct str last = last_words(text);

	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		if (text.n == 0 || memmem(text.p, text.n, causes[i].text, strlen(causes[i].text)) == NULL)
			continue;
		(void)err_set(e, causes[i].kind, "%.*s", (int)(last.n < 200 ? last.n : 200), last.p);
		(void)err_why(e, "%s", causes[i].why);
		(void)err_hint(e, "%s", causes[i].hint);
		return;
	}
	(void)err_set(e, ERR_SYSTEM, "%.*s", (int)(last.n < 200 ? last.n : 200), last.p);
	if (last.n == 0)
		(void)err_set(e, ERR_SYSTEM, "it ended without a word");
	(void)err_hint(e, "dormouse doctor asks both sides; zpool status -v there shows how the pools are");
}

void ssh_blame(struct str text, struct err *e)
{
	zfs_blame(text, e);
	if (last_words(text).n > 0)
		return;
	(void)err_set(e, ERR_NET, "the connection ended without a word");
	(void)err_hint(e, "run it again: it goes on from where it stopped");
}

/* Did the sender itself report that this stream failed? */
static bool sender_failed(const struct stage_end *sender, uint64_t *code)
{
	struct str text = sender->text;

	while (text.n > 0) {
		struct str line = str_cut(&text, '\n');
		uint64_t index;
		if (!str_starts(line, "dormouse-send "))
			continue;
		line = (struct str){line.p + 14, line.n - 14};
		if (num_u64(str_cut(&line, ' '), &index) && index == sender->index && num_u64(line, code))
			return true;
	}
	return false;
}

void stream_blame(const struct send_step *step, const struct stage_end *sender, const struct stage_end *receiver,
		  struct err *e)
{
	enum { SIGPIPE_CODE = 128 + 13 };
	uint64_t code = 0;
	struct err cause;

	bool said = sender_failed(sender, &code);
	bool lost_reader =
	    said && (code == SIGPIPE_CODE || memmem(sender->text.p, sender->text.n, "Broken pipe", 11) != NULL);
	if (said && !lost_reader) {
		zfs_blame(sender->text, &cause);
		char line[sizeof(cause.why)];
		err_line(&cause, line, sizeof(line));
		(void)err_set(e, cause.kind, "cannot send '%s'", step->source);
		(void)err_why(e, "%s", line);
		(void)err_hint(e, "%s", cause.hint);
		return;
	}
	ssh_blame(last_words(receiver->text).n > 0 ? receiver->text : sender->text, &cause);
	char line[sizeof(cause.why)];
	err_line(&cause, line, sizeof(line));
	(void)err_set(e, cause.kind, "cannot receive '%s'", step->target);
	(void)err_why(e, "%s", line);
	(void)err_hint(e, "%s", cause.hint);
	/* What it is to go on with does not belong there. */
	if (step->kind == SEND_RESUME && cause.kind == ERR_CONFLICT)
		(void)err_hint(e,
			       "dormouse repair '%s' --give-up drops what has arrived of it; the next run looks afresh",
			       step->source);
}
