#include "engine/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/channel.h"
#include "engine/compress.h"
#include "engine/pass.h"
#include "engine/side_run.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/stop.h"
#include "wire/files_text.h"
#include "wire/zfs_blame.h"

enum { STALL_MS = 10 * 60 * 1000, TRIES = 3 };

static void stage(struct restoring *r, enum run_stage s, const char *text)
{
	struct run_event ev = {.kind = EVENT_STAGE, .stage = s, .text = text};
	r->listener->tell(r->listener, &ev);
}

int restore_sides(struct restoring *r, struct err *e)
{
	const struct backup *b = r->backup;

	r->archive.link = r->home.link = (struct control)CONTROL_INIT;
	if (reach_init(&r->archive, r->config, r->paths, b->dest_target, "restore", r->arena, r->listener, e) < 0)
		return -1;
	return reach_init(&r->home, r->config, r->paths, b->source_target, "restore", r->arena, r->listener, e);
}

static struct look at_archive(struct restoring *r, const char *copy, struct side_state *to)
{
	return (struct look){.where = &r->archive, .root = copy, .properties = copy, .to = to};
}

static struct look at_home(struct restoring *r, const char *root, struct side_state *to)
{
	return (struct look){.where = &r->home, .root = root, .to = to};
}

int restore_look(struct restoring *r, const char *copy, struct side_state *archive, struct err *e)
{
	const struct look look = at_archive(r, copy, archive);

	return look_at(&look, 1, e);
}

static int plan(struct restoring *r, const struct restore_wish *w, struct err *e)
{
	struct side_state home;
	const struct look looks[] = {at_archive(r, w->copy, &r->seen), at_home(r, w->to, &home)};

	stage(r, STAGE_LOOK, "what the archive has, and what is at home");
	if (look_at(looks, 2, e) < 0 || look_tokens(&r->archive, &home, e) < 0)
		return -1;
	return restore_plan(w, &r->seen, &home, r->arena, &r->plan, e);
}

static int put_back(struct restoring *r, const struct restored *d, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result out;

	for (size_t i = 0; i < d->left.n; i++)
		*vec_add(&r->notes, r->arena) = arena_printf(
		    r->arena, "'%s' lies at another place than before, so %s was not set", d->dataset, d->left.v[i]);
	program_put_back(&b, d->dataset, &d->properties, d->inherit_canmount);
	if (side_run(&r->home.side, buf_str(&b), REACH_MS, r->arena, &out, e) < 0)
		return -1;
	for (struct str rest = str_trim(out.err); rest.n > 0;)
		*vec_add(&r->notes, r->arena) = str_dup(r->arena, str_cut(&rest, '\n'));
	return 0;
}

static const struct restored *restored_of(const struct restoring *r, const char *dataset)
{
	for (size_t i = 0; i < r->plan.restored.n; i++)
		if (strcmp(r->plan.restored.v[i].dataset, dataset) == 0)
			return &r->plan.restored.v[i];
	return NULL;
}

/* One channel.  1: all was taken; 0: broke off, and is worth another look. */
static int send(struct restoring *r, struct err *e)
{
	const struct send_steps *todo = &r->plan.sends;
	struct stream_result *results = arena_alloc(r->arena, todo->n * sizeof(*results));
	struct channels c = {.source = &r->archive,
			     .target = &r->home,
			     .lists = todo,
			     .n = 1,
			     .results = &results,
			     .stall_ms = STALL_MS,
			     .zstd = r->compress.zstd,
			     .listener = r->listener,
			     .bytes = r->bytes};

	if (channels_run(&c, e) < 0)
		return -1;
	r->bytes = c.bytes;
	for (size_t i = 0; i < todo->n; i++) {
		if (results[i].state == STREAM_FAILED) {
			*e = results[i].err;
			return e->retry == RETRY_NEVER ? -1 : 0;
		}
		if (results[i].state != STREAM_TAKEN)
			return 0;
		/* Its properties when all of it is there. */
		if (i + 1 < todo->n && strcmp(todo->v[i].target, todo->v[i + 1].target) == 0)
			continue;
		r->arrived++;
		if (put_back(r, restored_of(r, todo->v[i].target), e) < 0)
			return -1;
	}
	return 1;
}

static int prove(struct restoring *r, const struct restore_wish *w, struct err *e)
{
	struct side_state home;
	const struct look look = at_home(r, w->to, &home);

	stage(r, STAGE_PROVE, "look again at what is there");
	if (look_at(&look, 1, e) < 0)
		return -1;
	for (size_t i = 0; i < r->plan.sends.n; i++) {
		const struct send_step *s = &r->plan.sends.v[i];
		const struct dataset *d = side_find(&home, s->target);
		if (d != NULL && dataset_snapshot_by_guid(d, s->to.guid) != NULL)
			continue;
		(void)err_set(e, ERR_CORRUPT, "cannot restore '%s'", s->target);
		(void)err_why(e, "its '@%s' was received without a complaint, and is not there", s->to.name);
		return err_hint(e, "look at the pool: zpool status -v, zpool events");
	}
	return 0;
}

/* What an earlier restore received, and then ended. */
static int finish_earlier(struct restoring *r, struct err *e)
{
	for (size_t i = 0; i < r->plan.skips.n; i++) {
		const struct restored *d = restored_of(r, r->plan.skips.v[i].source);
		if (d != NULL && put_back(r, d, e) < 0)
			return -1;
	}
	return 0;
}

static int make_parents(struct restoring *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};

	if (r->plan.parents.n == 0)
		return 0;
	program_create(&b, &r->plan.parents);
	return reach_do(&r->home, buf_str(&b), "make what lies above", e);
}

int restore_datasets(struct restoring *r, const struct restore_wish *w, struct err *e)
{
	bool told = false;

	for (int tries = 0;;) {
		if (reach_wake(&r->archive, e) < 0 || reach_wake(&r->home, e) < 0 || plan(r, w, e) < 0)
			return -1;
		for (size_t i = 0; !told && i < r->plan.notes.n; i++)
			*vec_add(&r->notes, r->arena) = r->plan.notes.v[i];
		told = true;
		if (finish_earlier(r, e) < 0 || make_parents(r, e) < 0)
			return -1;
		if (r->plan.sends.n == 0)
			return 0;
		stage(r, STAGE_SEND, arena_printf(r->arena, "%zu streams", r->plan.sends.n));
		if (!r->measured)
			r->compress = compress_choose(&r->archive, &r->home, r->backup, &r->seen, &r->plan.sends, 0);
		r->measured = true;
		int rc = send(r, e);
		if (rc > 0 && !r->plan.more)
			return prove(r, w, e);
		tries = rc > 0 ? 0 : tries + 1;
		if (rc < 0 || tries == TRIES || stop_check(e) < 0)
			return -1;
		if (rc == 0)
			clock_sleep_ms(500 << tries);
		reach_keep(&r->archive);
		reach_keep(&r->home);
	}
}

/* --- files ---------------------------------------------------------------------------------------- */

static int unreadable(struct restoring *r, const struct files_wish *w, struct str said, struct err *e)
{
	zfs_blame(said, e);
	(void)err_wrap(e, "cannot read '%s@%s:%s' on %s", w->dataset, w->snapshot, w->path, r->archive.side.label);
	if (strstr(e->why, "does not exist") != NULL)
		(void)err_hint(e, "dormouse list '%s' shows what there is", r->was);
	else if (strstr(e->why, "key") != NULL)
		(void)err_hint(e,
			       "the archive has it encrypted, and no key: restore the dataset whole, and load the key "
			       "at home");
	else if (e->kind == ERR_SYSTEM)
		(void)err_hint(e, "dormouse ls '%s@%s:/' shows what is there", r->was, w->snapshot);
	return -1;
}

int restore_files(struct restoring *r, const struct files_wish *w, int out, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct proc_result said;

	if (reach_wake(&r->archive, e) < 0)
		return -1;
	program_files(&b, w);
	if (side_stream(&r->archive.side, buf_str(&b), out, r->arena, &said, e) < 0)
		return -1;
	return said.status == 0 ? 0 : unreadable(r, w, said.err, e);
}

int restore_diff(struct restoring *r, const struct files_wish *w, const char *later, struct file_changes *out,
		 struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct files one = {0}, two = {0};
	struct proc_result said;

	program_two_lists(&b, w, later);
	if (reach_ask(&r->archive, buf_str(&b), &said, e) < 0)
		return -1;
	if (said.status != 0)
		return unreadable(r, w, said.err, e);
	if (files_parse(said.out, r->arena, &one, &two, e) < 0)
		return -1;
	file_diff(&one, &two, r->arena, out);
	return 0;
}

int restore_unpack(struct restoring *r, const struct files_wish *w, const char *folder, struct err *e)
{
	const char *const argv[] = {"env",	"LC_ALL=C",	      "tar", "-xpkf", "-", "--numeric-owner", "--acls",
				    "--xattrs", "--xattrs-include=*", "-C",  folder,  NULL};
	struct proc_spec spec = {.argv = argv, .out = PROC_NULL, .err = PROC_PIPE};
	AUTO(buf) struct buf said = {0};
	struct proc tar;
	struct err failed;
	int ends[2], status = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	spec.in = ends[0];
	int rc = proc_spawn(&spec, &tar, e);
	(void)close(ends[0]);
	if (rc == 0)
		rc = restore_files(r, w, ends[1], e);
	(void)close(ends[1]);
	if (tar.pid == 0)
		return -1;
	while (fd_read_some(tar.err, &said, 1 << 12) > 0)
		;
	if (proc_wait(&tar, &status, &failed) < 0)
		status = 0;
	fd_close(&tar.err);
	/* Where tar gave up, what it says is the reason of the other end's failure, too; unless what it complains of is
	 * that nothing came, or not all. */
	if (status == 0 || (rc < 0 && (strstr(buf_text(&said), "does not look like a tar archive") != NULL ||
				       strstr(buf_text(&said), "Unexpected EOF") != NULL)))
		return rc;
	struct str text = str_trim(buf_str(&said)), first = str_cut(&text, '\n');
	(void)err_set(e, ERR_SYSTEM, "cannot unpack into '%s'", folder);
	(void)err_why(e, "%.*s", (int)first.n, first.n == 0 ? "" : first.p);
	return err_hint(e, "nothing that exists is replaced: name an empty folder");
}

void restore_end(struct restoring *r)
{
	reach_rest(&r->archive, &r->home);
}
