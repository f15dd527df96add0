#include "check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/examine.h"
#include "sys/fdio.h"
#include "sys/proc.h"
#include "wire/control.h"
#include "wire/host_text.h"
#include "wire/known.h"
#include "wire/machine_json.h"
#include "wire/observed.h"
#include "wire/plan_json.h"
#include "wire/program.h"
#include "wire/ssh_args.h"
#include "wire/zfs_blame.h"
#include "wire/zfs_text.h"
#include "zfs_model.h"

/* --- programs, through real shells --------------------------------------------------------------- */

static const char *run(const char *shell, const char *program, const char *rest, struct arena *a)
{
	const char *const argv_local[] = {shell, "-c", NULL};
	struct side side = {"here", argv_local, false};
	struct str input = str_of(arena_printf(a, "%s%s", program, rest));
	struct proc_result r;
	struct err e;

	assert_int_equal(proc_run(side_argv(&side, a), NULL, &input, 1 << 24, 60000, a, &r, &e), 0);
	assert_int_equal(r.status, 0);
	return r.out.p;
}

static void quoting(void **state)
{
	static const char *const shells[] = {"/bin/sh", "/bin/bash"};
	AUTO(arena) struct arena a = {0};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		/* Every byte but NUL and the new line, which no name can have; alone and in company. */
		for (int c = 1; c < 256; c++) {
			AUTO(buf) struct buf b = {0};
			char text[4] = {'x', (char)c, 'y', '\0'};
			if (c == '\n' || (s == 1 && c % 5 != 0 && c >= 128))
				continue;
			program_begin(&b);
			buf_puts(&b, "printf '%s' ");
			shquote(&b, text);
			buf_putc(&b, '\n');
			program_end(&b);
			assert_string_equal(run(shells[s], buf_text(&b), "", &a), text);
		}
	}
	AUTO(buf) struct buf b = {0};
	program_begin(&b);
	buf_puts(&b, "printf '%s' ");
	shquote(&b, "'; rm -rf / #$(x)`y`\\");
	buf_putc(&b, '\n');
	program_end(&b);
	assert_string_equal(run("/bin/sh", buf_text(&b), "", &a), "'; rm -rf / #$(x)`y`\\");
}

/* What follows the program is its input, to the byte; long programs work; a cut one does nothing. */
static void loader(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};

	(void)state;
	program_begin(&b);
	buf_puts(&b, "read -r x\nprintf '[%s]\\n' \"$x\"\ncat\n");
	program_end(&b);
	/* Where no dd can read a number of bytes, it is read line by line. */
	for (int old = 0; old < 2; old++) {
		const char *const argv[] = {"/bin/sh", "-c", old ? "dd() { return 1; }\neval \"$0\"" : NULL, NULL};
		struct side side = {"here", argv, false};
		struct str input = str_of(arena_printf(&a, "%sfirst\\n line\n  rest\n", buf_text(&b)));
		struct proc_result r;
		struct err e;
		assert_int_equal(proc_run(side_argv(&side, &a), NULL, &input, 1000, 10000, &a, &r, &e), 0);
		assert_string_equal(r.out.p, "[first\\n line]\n  rest\n");
		for (size_t n = 0; n < b.n - 1; n += n < 20 || n + 20 > b.n ? 1 : 19) {
			struct str cut = {b.p, n};
			assert_int_equal(proc_run(side_argv(&side, &a), NULL, &cut, 1000, 10000, &a, &r, &e), 0);
			if (WEXITSTATUS(r.status) != 125)
				fail_msg("cut at %zu of %zu it goes on", n, b.n);
		}
	}
	buf_clear(&b);
	program_begin(&b);
	for (int i = 0; i < 3000; i++)
		buf_printf(&b, "x%d='                                                            %d'\n", i, i);
	buf_puts(&b, "echo \"$x2999\"\n");
	program_end(&b);
	assert_non_null(strstr(run("/bin/sh", buf_text(&b), "", &a), " 2999\n"));
}

static void remote_argv(void **state)
{
	AUTO(arena) struct arena a = {0};
	const char *const argv[] = {"/bin/sh", "-c", NULL};
	struct side side = {"there", argv, true};
	AUTO(buf) struct buf b = {0};
	struct proc_result r;
	struct err e;

	(void)state;
	program_begin(&b);
	buf_puts(&b, "echo $((1+1))\n");
	program_end(&b);
	struct str input = buf_str(&b);
	/* /bin/sh -c stands for ssh: the other end's login shell gets one word. */
	assert_int_equal(proc_run(side_argv(&side, &a), NULL, &input, 1000, 10000, &a, &r, &e), 0);
	assert_string_equal(r.out.p, "2\n");
}

static void contains(const struct buf *b, const char *part)
{
	if (strstr(buf_text(b), part) == NULL)
		fail_msg("'%s' is not in:\n%s", part, buf_text(b));
}

static void programs(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct plan p = {0};
	struct pass pass = {0};
	struct strings names = {0};
	struct point x = {.kind = POINT_SNAPSHOT, .name = "x", .guid = 17},
		     y = {.kind = POINT_BOOKMARK, .name = "y", .guid = 18};
	struct point z = {.kind = POINT_SNAPSHOT, .name = "z", .guid = 19};

	(void)state;
	const struct send_step steps[] = {
	    {.kind = SEND_FULL, .source = "t/a b", .target = "v/a b", .to = x},
	    {.kind = SEND_INCREMENTAL, .source = "t/c", .target = "v/c", .base = y, .to = z, .raw = true},
	    {.kind = SEND_INTERMEDIATE, .source = "t/d", .target = "v/d", .base = x, .to = z, .is_volume = true},
	    {.kind = SEND_RESUME, .source = "t/e", .target = "v/e", .to = z, .token = "1-abc"},
	};
	program_send(&b, steps, ARRAY_LEN(steps), false);
	contains(&b, "zfs send -L -c -e 't/a b@x' </dev/null || failed 0 $?\n");
	contains(&b, "zfs send -w -i 't/c#y' 't/c@z' </dev/null || failed 1 $?\n");
	contains(&b, "zfs send -L -c -e -I 't/d@x' 't/d@z'");
	contains(&b, "zfs send -t '1-abc' </dev/null || failed 3");
	buf_clear(&b);
	/* Into what is encrypted there; below what is encrypted with a key that is not there. */
	const struct send_step keyed = {.source = "t/k", .target = "v/k", .to = x, .keyed = true, .open = true};
	program_send(&b, &keyed, 1, false);
	contains(&b, "zfs send -L -c 't/k@x'");
	buf_clear(&b);
	program_receive(&b, &keyed, 1, false);
	contains(&b, "zfs receive -s -u -o encryption=off -o readonly=on");
	buf_clear(&b);
	program_stand_in(&b, "v/p", true);
	contains(&b, "zfs create -u -o encryption=off -o canmount=off");
	buf_clear(&b);
	program_receive(&b, steps, ARRAY_LEN(steps), false);
	contains(
	    &b,
	    "-o canmount=noauto -x mountpoint -x quota -x refquota 'v/a b' 2>&1)\ntook 0 $? \"$out\" 'v/a b@x' 17\n");
	/* A volume refuses the properties of file systems. */
	contains(&b, "-x snapshot_limit 'v/d' 2>&1)");
	assert_null(strstr(buf_text(&b), " -F"));
	buf_clear(&b);
	/* What lies below the first, and above it. */
	struct send_step below = {.source = "t/a b/x/y", .target = "v/a b/x/y", .to = x};
	*vec_add(&below.parents, &a) = (struct parent_step){.dataset = "v/a b/x", .later = true};
	program_receive(&b, &below, 1, false);
	contains(&b, "out=$({ { zfs list 'v/a b/x' >/dev/null 2>&1 </dev/null || zfs create -u ");
	contains(&b, "'dormouse:placeholder=v/a b/x' 'v/a b/x' </dev/null\n} && zfs receive -s -u ");
	contains(&b, "'v/a b/x/y'; } 2>&1)\ntook 0 $?");
	buf_clear(&b);
	*vec_add(&names, &a) = "t/a";
	*vec_add(&names, &a) = "t/b";
	*vec_add(&pass.snaps, &a) = (struct snap_step){.name = "s", .datasets = names};
	program_snapshot(&b, &pass.snaps);
	contains(&b, "zfs snapshot 't/a@s' 't/b@s' </dev/null");
	buf_clear(&b);
	*vec_add(&p.parents, &a) = (struct parent_step){.dataset = "v/t"};
	*vec_add(&p.aborts, &a) = (struct abort_step){.dataset = "v/q"};
	program_parents(&b, &p.parents, &p.aborts);
	contains(&b, "zfs receive -A 'v/q'");
	contains(&b, "zfs create -u -o canmount=off");
	buf_clear(&b);
	*vec_add(&p.marks, &a) = (struct mark_step){.kind = MARK_HOLD, .dataset = "t/a", .snapshot = "s"};
	*vec_add(&p.marks, &a) = (struct mark_step){.kind = MARK_RELEASE, .dataset = "t/a", .snapshot = "r"};
	*vec_add(&p.marks, &a) =
	    (struct mark_step){.kind = MARK_BOOKMARK, .dataset = "t/a", .snapshot = "s", .bookmark = "m"};
	*vec_add(&p.marks, &a) = (struct mark_step){.kind = MARK_UNBOOKMARK, .dataset = "t/a", .snapshot = "o"};
	program_marks(&b, &p.marks, "dormouse:b");
	contains(&b, "\nbook 't/a@s' 't/a#m'\nall\n\nhold 'dormouse:b' 't/a@s'\nall\n[ $rc = 0 ] || exit $rc\n");
	contains(&b, "\nrelease 'dormouse:b' 't/a@r'\n");
	contains(&b, "\nunbook 't/a#o'\n");
	buf_clear(&b);
	program_look(&b, "t/it's", true, NULL, false);
	contains(&b, "'t/it'\\''s'");
	assert_null(strstr(buf_text(&b), "#look pool"));
	buf_clear(&b);
	program_look(&b, "t/it's", true, NULL, true);
	contains(&b, "\necho '#look pool'\nzpool list -H -o health 't' 2>/dev/null || true\necho '#look end'\n");
	buf_clear(&b);
	program_tokens(&b, &names);
	contains(&b, "zfs send -nvt 't/b'");
	buf_clear(&b);
	program_import(&b, &names);
	contains(&b, "if ! zpool list -H -o name 't/a'");
	buf_clear(&b);
	program_export(&b, &names);
	contains(&b, "zpool export 't/a'");
}

/* What programs for real shells do with a zfs that only writes down what it is asked.  It destroys nothing that is
 * held, and takes programs for the kernel only where there is a file "root", and after the first only where there is
 * "always". */
static const char *logged(const char *folder, struct str program, struct proc_result *r, struct arena *a)
{
	static const char zfs[] =
	    "#!/bin/sh\ncd \"${0%/*}\"\necho \"$*\" | cut -c1-60 >>log\n"
	    "case $1,$* in\n"
	    "program,*)\n[ -e root ] || exit 1\n[ -e always ] || rm root\ncat >lua\nshift 7\n"
	    "printf 'Channel program fully executed with return value:\\n    \"\\n'\n"
	    "for one in \"$@\"; do case $one in *held*) echo \"$one\" ;; esac; done\nexit 0 ;;\n"
	    "destroy,*held*) echo 'it is held' >&2; exit 1 ;;\n"
	    "hold,*refused*) echo 'no' >&2; exit 1 ;;\n"
	    "bookmark,*' t/b#'*) echo \"cannot create bookmark: bookmark exists\" >&2; exit 1 ;;\n"
	    "esac\n";
	const char *const sh[] = {"/bin/sh", "-c", NULL}, *const env[] = {
							      arena_printf(a, "PATH=%s:/usr/bin:/bin", folder), NULL};
	const char *log = arena_printf(a, "%s/log", folder);
	struct side side = {"here", sh, false};
	struct str said;
	struct err e;

	assert_int_equal(fd_replace_file(arena_printf(a, "%s/zfs", folder), str_of(zfs), 0755, &e), 0);
	(void)remove(log);
	assert_int_equal(proc_run(side_argv(&side, a), env, &program, 1 << 20, 60000, a, r, &e), 0);
	return fd_read_file(log, 1 << 20, a, &said, &e) == 0 ? said.p : "";
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void destroys(void **state)
{
	static const char *const names[] = {"s1", "held", "s2"};
	AUTO(arena) struct arena a = {0};
	char folder[] = "/tmp/dormouse-zfs-XXXXXX";
	struct prune_step steps[] = {{.dataset = "t/a b"}, {.dataset = "t", .below = true}, {.dataset = "u/x"}};
	const struct prune_steps all = {.v = steps, .n = 3};
	AUTO(buf) struct buf b = {0};
	struct proc_result r;
	struct pruned p;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < 3; i++)
		*vec_add(&steps[0].snapshots, &a) = names[i];
	for (size_t i = 0; i < 501; i++)
		*vec_add(&steps[1].each, &a) = arena_printf(&a, "t/d%zu", i);
	*vec_add(&steps[1].snapshots, &a) = "s3";
	*vec_add(&steps[2].snapshots, &a) = "s1";
	program_prune(&b, &all, false);

	/* Not root: as many at once as zfs has commands for, and the good ones out of those that fail together. */
	const char *log = logged(folder, buf_str(&b), &r, &a);
	assert_int_equal(prune_parse(r.out, &a, &p, &e), 0);
	assert_int_equal(p.destroyed, 2 + 501 + 1);
	assert_int_equal(p.failed.n, 1);
	assert_string_equal(p.failed.v[0], "t/a b@held: it is held");
	assert_int_equal(count(log, "program"), 1);
	assert_int_equal(count(log, "destroy -r t@s3\n"), 1);

	/* Root: three programs, one of each pool and not more than 500 names; what stays is told by zfs destroy. */
	assert_int_equal(fd_replace_file(arena_printf(&a, "%s/root", folder), str_of(""), 0644, &e), 0);
	assert_int_equal(fd_replace_file(arena_printf(&a, "%s/always", folder), str_of(""), 0644, &e), 0);
	log = logged(folder, buf_str(&b), &r, &a);
	assert_int_equal(prune_parse(r.out, &a, &p, &e), 0);
	assert_int_equal(p.destroyed, 2 + 501 + 1);
	assert_int_equal(p.failed.n, 1);
	assert_string_equal(p.failed.v[0], "t/a b@held: it is held");
	assert_int_equal(count(log, "program -t 100000000 -m 100000000 t - "), 2);
	assert_int_equal(count(log, "program -t 100000000 -m 100000000 u - "), 1);
	assert_int_equal(count(log, "destroy"), 1);

	/* A program that the kernel gives up half way: the rest one by one. */
	(void)remove(arena_printf(&a, "%s/always", folder));
	log = logged(folder, buf_str(&b), &r, &a);
	assert_int_equal(prune_parse(r.out, &a, &p, &e), 0);
	assert_int_equal(p.destroyed, 2 + 501 + 1);
	assert_int_equal(p.failed.n, 1);
	assert_int_equal(count(log, "destroy t/d"), 4);

	/* What an archive that is taken over needs: one command for all of a kind. */
	struct tidy_steps tidies = {0};
	for (size_t i = 0; i < 503; i++)
		*vec_add(&tidies, &a) = (struct tidy_step){
		    .kind = i < 502 ? TIDY_CLOSE : TIDY_BACK, .dataset = i == 0 ? "t/a" : "t/b", .is_volume = i == 501};
	buf_clear(&b);
	program_tidy(&b, &tidies);
	log = logged(folder, buf_str(&b), &r, &a);
	assert_int_equal(r.status, 0);
	assert_int_equal(count(log, "\n"), 4);
	assert_int_equal(count(log, "set readonly=on canmount=noauto t/a t/b"), 1);
	assert_int_equal(count(log, "set readonly=on canmount=noauto t/b\nset readonly=on t/b\n"), 1);
	assert_int_equal(count(log, "inherit dormouse:gone t/b\n"), 1);

	/* Bookmarks: one program, or a command for each. */
	struct mark_steps marks = {0};
	for (size_t i = 0; i < 2; i++)
		*vec_add(&marks, &a) = (struct mark_step){
		    .kind = MARK_BOOKMARK, .dataset = i == 0 ? "t/a" : "t/b", .snapshot = "s", .bookmark = "m"};
	buf_clear(&b);
	program_marks(&b, &marks, "dormouse:b");
	log = logged(folder, buf_str(&b), &r, &a);
	assert_int_equal(r.status, 0);
	assert_int_equal(count(log, "program"), 1);
	assert_int_equal(count(log, "\nbookmark t/a@s t/a#m\n"), 1);
	assert_int_equal(count(log, "\nbookmark t/b@s t/b#m\n"), 1);
	assert_int_equal(fd_replace_file(arena_printf(&a, "%s/root", folder), str_of(""), 0644, &e), 0);
	assert_string_equal(logged(folder, buf_str(&b), &r, &a),
			    "program -t 100000000 -m 100000000 t - t/a@s t/a#m t/b@s t/b#\n");
	assert_int_equal(r.status, 0);

	/* Holds: dealt out to 16 commands at once; what one of them says is the end of it, once all have ended. */
	marks = (struct mark_steps){0};
	for (size_t i = 0; i < 200; i++)
		*vec_add(&marks, &a) = (struct mark_step){.kind = i < 199 ? MARK_HOLD : MARK_UNBOOKMARK,
							  .dataset = "t/a",
							  .snapshot = i == 77 ? "refused" : "s"};
	buf_clear(&b);
	program_marks(&b, &marks, "dormouse:b");
	log = logged(folder, buf_str(&b), &r, &a);
	assert_int_equal(WEXITSTATUS(r.status), 1);
	assert_int_equal(count(log, "hold dormouse:b t/a@"), 16);
	assert_int_equal(count(log, "destroy"), 0);
	assert_int_equal(proc_run((const char *const[]){"rm", "-r", folder, NULL}, NULL, NULL, 1, 60000, &a, &r, &e),
			 0);
}

/* Side by side: each gets its own input and keeps its own answer, and one that fails leaves the other alone. */
static void jobs(void **state)
{
	AUTO(arena) struct arena a = {0};
	const char *const cat[] = {"cat", NULL}, *const fails[] = {"sh", "-c", "echo no >&2; exit 3", NULL};
	const char *const endless[] = {"yes", NULL}, *const none[] = {"/none", NULL},
			  *const sleep[] = {"sleep", "60", NULL};
	const struct proc_spec pipes = {.in = PROC_PIPE, .out = PROC_PIPE, .err = PROC_PIPE};
	AUTO(buf) struct buf big = {0};
	struct proc_job j[2] = {{.spec = pipes}, {.spec = pipes}};

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as main does */
	for (size_t i = 0; i < 300000; i++)
		buf_puts(&big, "x");
	struct str input[] = {buf_str(&big), str_of("other")};
	j[0].spec.argv = j[1].spec.argv = cat;
	j[0].input = &input[0];
	j[1].input = &input[1];
	proc_run_jobs(j, 2, 1 << 20, 60000, &a);
	assert_true(j[0].err.kind == ERR_NONE && j[1].err.kind == ERR_NONE);
	assert_int_equal(j[0].result.out.n, 300000);
	assert_string_equal(j[1].result.out.p, "other");
	j[0].spec.argv = fails;
	proc_run_jobs(j, 2, 1 << 20, 60000, &a);
	assert_true(j[0].err.kind == ERR_NONE && WEXITSTATUS(j[0].result.status) == 3);
	assert_string_equal(j[0].result.err.p, "no\n");
	assert_string_equal(j[1].result.out.p, "other");
	j[0].spec.argv = endless;
	proc_run_jobs(j, 2, 1 << 16, 60000, &a);
	assert_int_equal(j[0].err.kind, ERR_CORRUPT);
	assert_string_equal(j[1].result.out.p, "other");
	j[0].spec.argv = none;
	proc_run_jobs(j, 2, 1 << 16, 60000, &a);
	assert_int_equal(j[0].err.kind, ERR_SYSTEM);
	assert_string_equal(j[1].result.out.p, "other");
	/* Only the one that is late is ended. */
	j[0].spec.argv = sleep;
	proc_run_jobs(j, 2, 1 << 16, 300, &a);
	assert_int_equal(j[0].err.kind, ERR_TIMEOUT);
	assert_true(j[1].err.kind == ERR_NONE);
	assert_string_equal(j[1].result.out.p, "other");
}

/* A disk, by the real shell program with a zpool and a zfs that only write down what they are asked: fresh is what lies
 * at both ends of the disk, guid what it is marked with; "there": a pool of that name is on it. */
static int disks_run(const char *folder, const char *fresh, const char *guid, bool there, struct pool_disks *disks,
		     struct arena *a, const char **log)
{
	static const char zpool[] =
	    "#!/bin/sh\ncd \"${0%/*}\"\necho \"zpool $*\" >>log\ncase $1 in\nlist) [ -e imported ] ;;\n"
	    "import) case $* in *' 77 cold'|*' 78 cold') touch imported ;; *) [ -e there ] && touch imported ;; esac "
	    ";;\n"
	    "create) touch imported ;;\nget) echo 77 ;;\nesac\n";
	static const char zfs[] = "#!/bin/sh\ncd \"${0%/*}\"\necho \"zfs $*\" >>log\n[ $1 != list ]\n";
	const char *const sh[] = {"/bin/sh", "-c", NULL}, *const env[] = {
							      arena_printf(a, "PATH=%s:/usr/bin:/bin", folder), NULL};
	struct side side = {"here", sh, false};
	struct pool_dataset sets[] = {{.name = "b's"}};
	AUTO(buf) struct buf b = {0};
	struct proc_result r;
	struct str said;
	struct err e;

	assert_int_equal(fd_replace_file(arena_printf(a, "%s/zpool", folder), str_of(zpool), 0755, &e), 0);
	assert_int_equal(fd_replace_file(arena_printf(a, "%s/zfs", folder), str_of(zfs), 0755, &e), 0);
	for (const char *const *f = (const char *const[]){"log", "imported", "there", NULL}; *f != NULL; f++)
		(void)remove(arena_printf(a, "%s/%s", folder, *f));
	if (there)
		assert_int_equal(fd_replace_file(arena_printf(a, "%s/there", folder), str_of(""), 0644, &e), 0);
	for (size_t i = 0; i < 3 * 1024; i++)
		buf_add(&b, (char[1024]){0}, 1024);
	memcpy(b.p + b.n - strlen(fresh), fresh, strlen(fresh));
	const char *disk = arena_printf(a, "%s/it's a disk", folder);
	assert_int_equal(fd_replace_file(disk, buf_str(&b), 0644, &e), 0);
	strings_add_pair(&sets[0].properties, a, "acltype", "posixacl");
	*disks = (struct pool_disks){0};
	*vec_add(disks, a) =
	    (struct pool_disk){.path = disk, .pool = "cold", .guid = guid, .datasets = sets, .ndatasets = 1};
	buf_clear(&b);
	program_disks(&b, disks);
	struct str program = buf_str(&b);
	assert_int_equal(proc_run(side_argv(&side, a), env, &program, 1 << 20, 60000, a, &r, &e), 0);
	assert_int_equal(fd_read_file(arena_printf(a, "%s/log", folder), 1 << 16, a, &said, &e), 0);
	*log = said.p;
	if (r.status == 0)
		assert_int_equal(disks_parse(r.out, a, disks, &e), 0);
	return r.status;
}

static void pools_on_disks(void **state)
{
	AUTO(arena) struct arena a = {0};
	char folder[] = "/tmp/dormouse-disks-XXXXXX";
	struct pool_disks d;
	const char *log;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	/* Blank, and for a pool: it is made, with what it is to have. */
	assert_int_equal(disks_run(folder, "", NULL, false, &d, &a, &log), 0);
	assert_non_null(strstr(log, "zpool create -o ashift=12 -o cachefile=none -O mountpoint=none cold /tmp/"));
	assert_non_null(strstr(log, "zfs create -u -o acltype=posixacl cold/b's\n"));
	assert_string_equal(d.v[0].guid, "77");
	assert_true(d.v[0].fresh);
	/* Made by somebody who could not mark it: found. */
	assert_int_equal(disks_run(folder, "x", NULL, true, &d, &a, &log), 0);
	assert_null(strstr(log, "zpool create"));
	assert_true(d.v[0].fresh);
	/* Anything at its end: left alone. */
	assert_int_not_equal(disks_run(folder, "x", NULL, false, &d, &a, &log), 0);
	assert_null(strstr(log, "zpool create"));
	/* Known: imported by its GUID, and never made. */
	assert_int_equal(disks_run(folder, "x", "77", false, &d, &a, &log), 0);
	assert_non_null(strstr(log, "-d /tmp/dormouse-disks-"));
	assert_null(strstr(log, "zpool create"));
	assert_false(d.v[0].fresh);
	/* Another one than the mark says. */
	assert_int_not_equal(disks_run(folder, "", "78", false, &d, &a, &log), 0);
	assert_null(strstr(log, "zpool create"));
	/* What is not said of all disks is not believed. */
	assert_int_equal(disks_parse(str_of("pool 77 warm\npool x cold\n"), &a, &d, &e), -1);
	assert_int_equal(proc_run((const char *const[]){"rm", "-r", folder, NULL}, NULL, NULL, 1, 60000, &a,
				  &(struct proc_result){0}, &e),
			 0);
}

/* --- what zfs says, as captured from OpenZFS 2.1.11 ------------------------------------------------ */

#define UNSET                                                                                                          \
	"\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-" /* dormouse:gone and restoring, readonly, canmount, dormouse:backup, \
					       com.sun:auto-snapshot with its labels */

static const char listing[] = "#look datasets\n"
			      "b\tfilesystem\t8406389638837370961\toff\t-\t25679360\t24576\t100149760\t24576\t-\t-\t-\n"
			      "b/a/f\tfilesystem\t15222262679454268748\toff\t-\t37888\t25088\t100149760\t0\t-\ton\n";

static void looks(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "b"};
	struct err e;
	const char *good =
	    "#look datasets\n"
	    "b\tfilesystem\t8406389638837370961\toff\t-\t25679360\t24576\t100149760\t24576\t-\t-\t-\t-"
	    "\ton\ton\tno\t-\ttrue\t-"
	    "\tfalse\t-"
	    "\t-"
	    "\t-\t-\n"
	    "b/v 2\tvolume\t904882014860879063\taes-256-gcm\tb/x@o\t12288\t12288\t100149760\t0\t1-abc\tb/v "
	    "2\t77-99:b/v "
	    "2\tb/v 2\ton\t-\t-\tb"
	    "\t-\t-\t-\t-\t-\t-\t-\n"
	    "#look points\n"
	    "b/v 2@s2\t456089288620915151\t13\t1795463834\t1\n"
	    "b/v 2@s1\t3215519801123668724\t12\t1795463833\t0\n"
	    "b/v 2#m1\t3215519801123668724\t12\t1795463833\t-\n"
	    "b/gone@s1\t1\t12\t1795463833\t0\n"
	    "#look pool\nDEGRADED\n"
	    "#look end\n";

	(void)state;
	assert_int_equal(look_parse(str_of(good), &a, &s, &e), 0);
	assert_true(s.root_exists && s.seen);
	assert_int_equal(s.datasets.n, 2);
	assert_string_equal(s.pool_health, "DEGRADED");
	const struct dataset *v = side_find(&s, "b/v 2");
	assert_true(v->type == DATASET_VOLUME && v->encrypted && v->placeholder);
	assert_string_equal(v->origin, "b/x@o");
	assert_true(v->gone_since == 77 && v->gone_seen == 99 && v->restoring && !v->open && s.datasets.v[0].open &&
		    v->chosen == NULL);
	assert_string_equal(s.datasets.v[0].chosen, "no");
	assert_true(s.datasets.v[0].key_root == NULL && strcmp(v->key_root, "b") == 0);
	assert_string_equal(s.datasets.v[0].wants[LABEL_NONE], "true");
	assert_string_equal(s.datasets.v[0].wants[LABEL_HOURLY], "false");
	assert_null(s.datasets.v[0].wants[LABEL_DAILY]);
	assert_string_equal(v->resume.token, "1-abc");
	assert_int_equal(v->points.n, 3);
	assert_true(v->points.v[0].kind == POINT_BOOKMARK && strcmp(v->points.v[1].name, "s1") == 0);
	assert_true(v->points.v[2].userrefs == 1 && v->points.v[2].guid == 456089288620915151u);
	assert_string_equal(dataset_newest(v)->name, "s2");

	/* Not there, said of the root itself, and only so. */
	s = (struct side_state){.root = "b"};
	const char *missing = "#look datasets\n!cannot open 'b': dataset does not exist\n!#failed 1\n#look points\n"
			      "!cannot open 'b': dataset does not exist\n#look pool\n#look end\n";
	assert_int_equal(look_parse(str_of(missing), &a, &s, &e), 0);
	assert_true(s.seen && !s.root_exists && s.pool_health == NULL);
	static const char *const bad[] = {
	    "",
	    "#look datasets\n#look points\n#look end\n",
	    "#look datasets\n!cannot open 'c': dataset does not exist\n#look points\n#look end\n",
	    "#look datasets\n!internal error: out of memory\n#look points\n#look end\n",
	    "#look datasets\nb\tfilesystem\t12\n#look points\n#look end\n",
	    "#look datasets\nb\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET
	    "\n!#failed 137\n#look points\n#look end\n",
	    "#look datasets\nb\tfilesystem\t-5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET "\n#look points\n#look end\n",
	    "#look datasets\nb\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET "\n#look points\nb@x\t1\t2\n#look end\n",
	    "#look datasets\nb\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET
	    "\n#look points\nb\t1\t2\t3\t4\n#look end\n",
	    "#look datasets\nb\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET
	    "\n#look points\nb@\t1\t2\t3\t4\n#look end\n",
	    "#look datasets\nb\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET "\n#look points\n", /* cut off */
	    "Last login: today\n#look datasets\n",
	    listing,
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s = (struct side_state){.root = "b"};
		if (look_parse(str_of(bad[i]), &a, &s, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_true(e.what[0] != '\0');
	}
}

/* A look at names: b has s1, s2, s3 and a bookmark; b/a has one. */
static void look_at_names(struct side_state *s, struct arena *a)
{
	static const char text[] = "#look datasets\n"
				   "b\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET "\n"
				   "b/a\tfilesystem\t6\toff\t-\t1\t1\t1\t1\t-\t-" UNSET "\n"
				   "#look points\nb#m\t7\t1\t100\t-\n"
				   "#look names\nb/a@s2\nb@s3\nb@s1\nb@s2\nb/new@s1\n#look end\n";
	struct err e;

	*s = (struct side_state){.root = ""};
	assert_int_equal(look_parse(str_of(text), a, s, &e), 0);
	assert_true(s->datasets.n == 2 && s->datasets.v[0].points.n == 4 && s->datasets.v[1].points.n == 1);
	assert_true(s->datasets.v[0].points.v[0].guid == 0);
}

/* The snapshots of b, oldest first: "s1 7 recalled, s2 …". */
static const char *shown(const struct side_state *s, struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	for (size_t i = 0; i < s->datasets.v[0].points.n; i++) {
		const struct point *p = &s->datasets.v[0].points.v[i];
		if (p->kind == POINT_SNAPSHOT)
			buf_printf(&b, "%s %llu%s, ", p->name, (unsigned long long)p->guid,
				   p->recalled ? " recalled" : "");
	}
	return str_dup(a, buf_str(&b));
}

#define KNOWN(dataset, lines) "dormouse snapshots 2\n=" dataset "\t1000\n" lines "end\n"

static void recalls(void **state)
{
	static const struct {
		const char *known, *want;
	} cases[] = {
	    {KNOWN("b\t5", "s2\t8\t2\t200\ns1\t7\t1\t100\n"), "s3 0, s1 7 recalled, s2 8 recalled, "},
	    {KNOWN("b\t5", ""), "s1 0, s2 0, s3 0, "},
	    /* Another dataset of that name; one that is not there. */
	    {KNOWN("b\t4", "s1\t7\t1\t100\n"), "s1 0, s2 0, s3 0, "},
	    {KNOWN("c\t5", "s1\t7\t1\t100\n"), "s1 0, s2 0, s3 0, "},
	    /* s0 was there, and is not: it may have become s1. */
	    {KNOWN("b\t5", "s1\t7\t1\t100\ns0\t6\t0\t90\n"), "s1 0, s2 0, s3 0, "},
	    {KNOWN("b\t5", "s0\t6\t0\t90\n=b/a\t6\t1000\ns2\t9\t2\t200\n"), "s1 0, s2 0, s3 0, "},
	};
	static const char *const bad[] = {
	    "",
	    "dormouse snapshots 1\nend\n",
	    "dormouse snapshots 2\n",
	    "dormouse snapshots 2\n=b\t5\t1000\ns1\t7\t1\t100\n",
	    "dormouse snapshots 2\n=b\t5\nend\n",
	    "dormouse snapshots 2\ns1\t7\t1\t100\nend\n",
	    KNOWN("b\t5", "s1\t7\t1\n"),
	    KNOWN("b\t5", "s1\t7\t1\t-1x\n"),
	    KNOWN("b\t5", "s1\t0\t1\t100\n"),
	    KNOWN("b", ""),
	    KNOWN("b\t5", "") "more\n",
	};
	AUTO(arena) struct arena a = {0};
	struct side_state s, known;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		look_at_names(&s, &a);
		assert_int_equal(known_read(str_of(cases[i].known), &a, &known, &e), 0);
		known_fill(&known, &s);
		side_sort(&s);
		assert_string_equal(shown(&s, &a), cases[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (known_read(str_of(bad[i]), &a, &known, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
}

/* A look at the newest: of b it is the one named, of b/a there is none. */
static void look_at_newest(struct side_state *s, const char *newest, struct arena *a)
{
	struct err e;

	*s = (struct side_state){.root = "", .seen_at = 5000};
	assert_int_equal(
	    look_parse(str_of(arena_printf(a,
					   "#look datasets\nb\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-" UNSET "\t%s\n"
					   "b/a\tfilesystem\t6\toff\t-\t1\t1\t1\t1\t-\t-" UNSET "\t-\n#look end\n",
					   newest)),
		       a, s, &e),
	    0);
}

static void recalls_by_the_newest(void **state)
{
	static const struct {
		const char *known, *newest, *want;
		size_t unlisted;
	} cases[] = {
	    {KNOWN("b\t5", "s2\t8\t2\t200\ns1\t7\t1\t100\n"), "b@s2", "s1 7 recalled, s2 8 recalled, ", 0},
	    {KNOWN("b\t5", "s2\t8\t2\t200\ns1\t7\t1\t100\n"), "-", "", 0},
	    /* A newer one, or the newest is gone; another dataset; nothing is known; it is long ago, or will be. */
	    {KNOWN("b\t5", "s2\t8\t2\t200\ns1\t7\t1\t100\n"), "b@s3", "", 1},
	    {KNOWN("b\t5", "s2\t8\t2\t200\ns1\t7\t1\t100\n"), "b@s1", "", 1},
	    {KNOWN("b\t4", "s2\t8\t2\t200\n"), "b@s2", "", 1},
	    {KNOWN("c\t5", "s2\t8\t2\t200\n"), "b@s2", "", 1},
	    {KNOWN("b\t5", ""), "b@s2", "", 1},
	    {"dormouse snapshots 2\n=b\t5\t-81400\ns2\t8\t2\t200\nend\n", "b@s2", "", 1},
	    {"dormouse snapshots 2\n=b\t5\t-81399\ns2\t8\t2\t200\nend\n", "b@s2", "s2 8 recalled, ", 0},
	    {"dormouse snapshots 2\n=b\t5\t5001\ns2\t8\t2\t200\nend\n", "b@s2", "", 1},
	};
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct side_state s, known;
	struct err e;
	bool changed;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dataset_refs unlisted = {0};
		look_at_newest(&s, cases[i].newest, &a);
		assert_int_equal(known_read(str_of(cases[i].known), &a, &known, &e), 0);
		known_recall(&known, &s, &a, &unlisted);
		assert_string_equal(shown(&s, &a), cases[i].want);
		assert_int_equal(unlisted.n, cases[i].unlisted);
	}

	/* What was sent is expected: the source has s2, s3 and s4, and s4 went with all between. */
	struct point of[] = {{.name = "s2", .guid = 8, .createtxg = 20},
			     {.name = "mark", .kind = POINT_BOOKMARK, .createtxg = 25},
			     {.name = "s3", .guid = 9, .createtxg = 30},
			     {.name = "s4", .guid = 10, .createtxg = 40},
			     {.name = "s5", .guid = 11, .createtxg = 50}};
	struct dataset sent = {.name = "t", .guid = 1, .points = {of, ARRAY_LEN(of), 0}};
	struct side_state source = {.root = "t", .datasets = {&sent, 1, 0}};
	struct send_step step = {.kind = SEND_INTERMEDIATE, .source = "t", .target = "b", .base = of[0], .to = of[3]};
	struct send_steps steps = {&step, 1, 0};
	struct dataset_refs unlisted = {0};
	for (int i = 0; i < 3; i++) {
		look_at_newest(&s, "b@s4", &a);
		assert_int_equal(known_read(str_of(cases[0].known), &a, &known, &e), 0);
		/* One goes without those between; another began elsewhere. */
		step.kind = i == 1 ? SEND_INCREMENTAL : SEND_INTERMEDIATE;
		step.base.guid = i == 2 ? 7 : 8;
		known_expect(&known, &steps, &source, &a);
		known_recall(&known, &s, &a, &unlisted);
		assert_string_equal(shown(&s, &a), i == 0   ? "s1 7 recalled, s2 8 recalled, s3 0, s4 0, "
						   : i == 1 ? "s1 7 recalled, s2 8 recalled, s4 0, "
							    : "");
		assert_int_equal(unlisted.n, i == 2);
	}
	step.kind = SEND_INTERMEDIATE, step.base.guid = 8;
	look_at_newest(&s, "b@s4", &a);
	assert_int_equal(known_read(str_of(cases[0].known), &a, &known, &e), 0);
	known_expect(&known, &steps, &source, &a);
	known_recall(&known, &s, &a, &unlisted);
	assert_int_equal(points_parse(str_of("#look points\nb@s4\t10\t4\t400\t0\n#look end\n"), &s, &changed, &e), 0);
	assert_string_equal(shown(&s, &a), "s1 7 recalled, s2 8 recalled, s3 0, s4 10, ");
	/* It is still not listed; who lists it knows all. */
	known_write(&s, str_of(""), &(struct verdicts){0}, &b);
	assert_non_null(strstr(buf_text(&b), "=b\t5\t1000\n"));
	s.datasets.v[0].points = (struct points){0};
	s.datasets.v[0].listed_at = 0;
	assert_int_equal(
	    listed_parse(str_of("#look points\nb@s4\t10\t4\t400\t0\nb@s1\t7\t1\t100\t0\nb#m\t7\t1\t100\t-\n"
				"!cannot open 'b/x': dataset does not exist\n!#failed 1\n#look end\n"),
			 &a, &s, &e),
	    0);
	assert_string_equal(shown(&s, &a), "s1 7, s4 10, ");
	assert_int_equal(listed_parse(str_of("#look points\nb@s4\t10\t4\t400\t0\n"), &a, &s, &e), -1);
	buf_clear(&b);
	known_write(&s, str_of(""), &(struct verdicts){0}, &b);
	assert_non_null(strstr(buf_text(&b), "=b\t5\t5000\n"));
}

static void known_again(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct side_state s, known;
	struct verdicts gone = {0};
	struct err e;
	bool changed;
	const char *all = "#look points\nb@s1\t7\t1\t100\t0\nb@s2\t8\t2\t200\t1\nb@s3\t9\t3\t300\t0\n"
			  "!cannot open 'b/a@s2': dataset does not exist\n!#failed 1\n#look end\n";

	(void)state;
	look_at_names(&s, &a);
	assert_int_equal(points_parse(str_of(all), &s, &changed, &e), 0);
	side_sort(&s);
	assert_string_equal(shown(&s, &a), "s1 7, s2 8, s3 9, ");
	assert_true(!changed && s.datasets.v[1].points.v[0].guid == 0);
	/* s1 is destroyed; the rest is recalled, and holds are not. */
	*vec_add(&gone, &a) =
	    (struct verdict){.dataset = &s.datasets.v[0], .point = &s.datasets.v[0].points.v[1], .why = DROP};
	assert_string_equal(gone.v[0].point->name, "s1");
	s.datasets.v[1].points.n = 0;
	s.seen_at = 1000;
	known_write(&s, str_of("anything"), &gone, &b);
	assert_string_equal(buf_text(&b),
			    "dormouse snapshots 2\n=b\t5\t1000\ns2\t8\t2\t200\ns3\t9\t3\t300\n=b/a\t6\t1000\nend\n");
	/* A look at a part leaves the rest as it was. */
	AUTO(buf) struct buf part = {0};
	s.root = "b/a";
	s.datasets.v++;
	s.datasets.n = 1;
	known_write(&s, buf_str(&b), &(struct verdicts){0}, &part);
	s.datasets.v--;
	assert_string_equal(buf_text(&part),
			    "dormouse snapshots 2\n=b\t5\t1000\ns2\t8\t2\t200\ns3\t9\t3\t300\n=b/a\t6\t1000\nend\n");
	look_at_names(&s, &a);
	assert_int_equal(known_read(buf_str(&b), &a, &known, &e), 0);
	known_fill(&known, &s);
	side_sort(&s);
	assert_string_equal(shown(&s, &a), "s1 0, s2 8 recalled, s3 9 recalled, ");

	/* Asked again: the same, with its holds; then one that was made anew. */
	assert_int_equal(points_parse(str_of("#look points\nb@s2\t8\t2\t200\t1\n#look end\n"), &s, &changed, &e), 0);
	assert_false(changed);
	assert_string_equal(shown(&s, &a), "s1 0, s2 8, s3 9 recalled, ");
	assert_int_equal(dataset_snapshot_by_name(&s.datasets.v[0], "s2")->userrefs, 1);
	assert_int_equal(points_parse(str_of("#look points\nb@s3\t10\t4\t400\t0\n#look end\n"), &s, &changed, &e), 0);
	assert_true(changed);
	static const char *const bad[] = {"", "#look points\nb@s2\t8\t2\t200\t1\n",
					  "#look points\nb@s2\t8\t2\t200\n#look end\n",
					  "#look points\n!internal error: out of memory\n#look end\n"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (points_parse(str_of(bad[i]), &s, &changed, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
}

/* As OpenZFS 2.1 prints it. */
static const char host_text[] = "#host facts\nuser bk\nuid 1000\ngroups bk backup\nnow 1800000000\nzfs 2.1.11-1\n"
				"module 2.1.11-1\nopen yes\nnearest tank/home\n#host allow\n"
				"---- Permissions on tank/home ----------------------------------------\n"
				"Permission sets:\n\t@most hold,@more\n"
				"Create time permissions:\n\tcreate\n"
				"Local permissions:\n\tuser bk destroy\n"
				"Descendent permissions:\n\tuser bk snapshot\n"
				"Local+Descendent permissions:\n\tuser bk bookmark,@most\n\tuser bkx receive\n"
				"\tgroup backup send\n\tgroup wheel rename\n\teveryone userprop\n"
				"---- Permissions on tank ---------------------------------------------\n"
				"Permission sets:\n\t@more release,mount\n"
				"Descendent permissions:\n\tuser bk rollback\n"
				"#host features\ntank\tsize\t5\ntank\tfeature@large_blocks\tactive\n"
				"tank\tfeature@zstd_compress\tenabled\ntank\tfeature@encryption\tdisabled\n#host end\n";

static void hosts(void **state)
{
	static const char *const may[] = {"bookmark", "@most", "send",	  "userprop", "rollback",
					  "hold",     "@more", "release", "mount"};
	AUTO(arena) struct arena a = {0};
	struct host h = {.asked = "tank/home"};
	struct err e;

	(void)state;
	assert_int_equal(host_parse(str_of(host_text), &a, &h, &e), 0);
	assert_string_equal(h.user, "bk");
	assert_false(h.is_root);
	assert_true(h.may_open && h.now == 1800000000);
	assert_string_equal(h.module, "2.1.11-1");
	assert_int_equal(h.may.n, ARRAY_LEN(may));
	for (size_t i = 0; i < h.may.n; i++)
		assert_string_equal(h.may.v[i], may[i]);
	assert_int_equal(h.features.n, 3);
	assert_int_equal(h.features.v[0].state, FEATURE_ACTIVE);
	assert_int_equal(h.features.v[2].state, FEATURE_DISABLED);
	/* Cut off anywhere, it is never taken for whole. */
	for (size_t n = 0; n + 1 < sizeof(host_text) - 1; n++) {
		h = (struct host){.asked = "tank/home"};
		assert_int_equal(host_parse((struct str){host_text, n}, &a, &h, &e), -1);
	}
}

static const struct finding *with(const struct findings *all, const char *text)
{
	for (size_t i = 0; i < all->n; i++)
		if (strstr(all->v[i].what, text) != NULL)
			return &all->v[i];
	fail_msg("nothing is said of '%s'", text);
	return NULL;
}

static void examinations(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct backup b = {.name = "b", .keep = {.set = true}};
	struct host h = {.asked = "tank/home"}, other;
	struct findings found = {0};
	struct err e;

	(void)state;
	assert_int_equal(host_parse(str_of(host_text), &a, &h, &e), 0);
	other = h;
	examine_source(&h, "nas", true, h.now - 600, &a, &found);
	assert_string_equal(
	    with(&found, "clock of nas is 10 min ahead")->hint,
	    "set it, and keep it right (chrony, systemd-timesyncd): the age of snapshots comes from it");
	assert_string_equal(with(&found, "bk on nas may not do destroy,snapshot on tank/home")->hint,
			    "as root there: zfs allow -u bk destroy,snapshot tank/home");
	examine_target(&b, &h, "nas", &a, &found);
	assert_int_equal(with(&found, "may not do canmount,create,destroy,readonly,receive on tank/home")->verdict,
			 FINDING_WRONG);
	assert_int_equal(with(&found, "may not rename")->verdict, FINDING_NOTE);
	/* What is in use here and not even known there; known, and not enabled. */
	other.features = (struct features){0};
	*vec_add(&other.features, &a) = (struct feature){"encryption", FEATURE_DISABLED};
	examine_both(&b, &h, &other, "nas", &a, &found);
	assert_non_null(strstr(with(&found, "streams with large_blocks")->hint, "install a newer one"));
	*vec_add(&other.features, &a) = (struct feature){"large_blocks", FEATURE_DISABLED};
	found = (struct findings){0};
	examine_both(&b, &h, &other, "nas", &a, &found);
	assert_string_equal(found.v[0].hint, "as root there: zpool set feature@large_blocks=enabled tank");
	assert_int_equal(found.n, 1);
	b.compress = COMPRESS_ZSTD;
	h.has_zstd = true;
	found = (struct findings){0};
	examine_both(&b, &h, &other, "nas", &a, &found);
	assert_string_equal(found.v[0].hint, "install it on nas (Debian: zstd)");
	/* No ZFS at all is the one thing that is said. */
	found = (struct findings){0};
	examine_source(&(struct host){.asked = "x", .user = "u"}, "nas", true, 0, &a, &found);
	assert_int_equal(found.n, 1);
	assert_non_null(strstr(found.v[0].what, "no zfs command"));
}

static void tokens(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state s = {.root = "b"};
	struct err e;
	const char *text = "#token 0\nresume token contents:\nnvlist version: 0\n\tobject = 0x2\n\toffset = 0x580000\n"
			   "\tbytes = 0x5a40d8\n\ttoguid = 0xaf69f99ccf5e4884\n\ttoname = a/i@1\n\tembedok = 1\n"
			   "full send of a/i@1 estimated size is 10.4M\n"
			   "#token 1\ncannot resume send: 'a/j@1' used in the initial send no longer exists\n"
			   "#token 2\n\ttoguid = 0x1\n\trawok = 1\n#token end\n";

	(void)state;
	model_dataset(&s, &a, "b/i", "?");
	model_dataset(&s, &a, "b/h", "@x");
	model_dataset(&s, &a, "b/j", "?");
	model_dataset(&s, &a, "b/k", "?");
	assert_int_equal(tokens_parse(str_of(text), &a, &s, &e), 0);
	assert_true(side_find(&s, "b/i")->resume.to_guid == 0xaf69f99ccf5e4884u);
	assert_string_equal(side_find(&s, "b/i")->resume.to_name, "a/i@1");
	assert_non_null(strstr(side_find(&s, "b/j")->resume.why, "no longer exists"));
	assert_true(side_find(&s, "b/k")->resume.raw && !side_find(&s, "b/i")->resume.raw);
	assert_int_equal(tokens_parse(str_of("#token 0\n"), &a, &s, &e), -1);
	assert_int_equal(tokens_parse(str_of("#token 0\ntoguid = 0xzz\n#token end\n"), &a, &s, &e), -1);
}

static void answers(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct receive_answers r = {0};
	struct err e;

	(void)state;
	assert_int_equal(
	    receive_answers_parse(str_of("0 0 17\n1 1 -\n!cannot receive: out of space\n!second line\n"), &a, &r, &e),
	    0);
	assert_int_equal(r.n, 2);
	assert_true(r.v[0].guid == 17 && r.v[0].code == 0 && r.v[1].guid == 0 && r.v[1].code == 1);
	zfs_blame(r.v[1].text, &e);
	assert_int_equal(e.kind, ERR_FULL);
	static const char *const bad[] = {"1 0 17\n", "0 0\n",	     "0 256 1\n", "0 x 1\n",
					  "!text\n",  "0 0 17 18\n", "0 0 -1\n"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct receive_answers q = {0};
		assert_int_equal(receive_answers_parse(str_of(bad[i]), &a, &q, &e), -1);
	}
}

static void samples(void **state)
{
	static const char *const good[] = {
	    "zstd yes\nbytes 2097152\npacked 262200\n0m0.000000s 0m0.010000s\n0m1.230000s 0m0.470000s\nratio 1.53\n"
	    "ratio 1.00\n#sample end\n",
	    "zstd yes\npacked 262200\nbytes  2097152\n0m0.000s 0m0.010s\n0m1.230s 0m0.470s\nratio 1.00x\n"
	    "#sample end\n",
	};
	static const char *const bad[] = {"", "zstd yes\nbytes 1\npacked 2\n#sample end\n",
					  "zstd yes\nx\nm1s 0m\nratio 1.00\n#sample end\n"};
	struct compress_sample s;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(sample_parse(str_of(good[i]), &s, &e), 0);
		assert_true(s.has_zstd && s.bytes == 2097152 && s.packed == 262200 && s.cpu_ms == 1700);
		assert_int_equal(s.ratio_percent, 100);
	}
	assert_int_equal(sample_parse(str_of("zstd no\n0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n#sample end\n"), &s, &e), 0);
	assert_false(s.has_zstd);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(sample_parse(str_of(bad[i]), &s, &e), -1);
	/* The program itself, with a zfs that has something to say. */
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	const char *const argv[] = {"/bin/sh", "-c",
				    "zfs() {\nif [ $1 = get ]; then echo 1.07; else head -c 3000000 /dev/zero; fi\n}\n"
				    "eval \"$0\"",
				    NULL};
	struct side side = {"here", argv, false};
	const struct send_step steps[] = {{.source = "t/a", .to = {.name = "x"}},
					  {.source = "t/b", .to = {.name = "x"}}};
	struct proc_result r;
	program_sample(&b, steps, 2, 1000000);
	struct str program = buf_str(&b);
	assert_int_equal(proc_run(side_argv(&side, &a), NULL, &program, 1 << 16, 60000, &a, &r, &e), 0);
	assert_int_equal(sample_parse(r.out, &s, &e), 0);
	assert_int_equal(s.bytes, 2000000);
	assert_int_equal(s.ratio_percent, 107);
	assert_true(s.packed > 0 && s.packed < 20000);
}

static void estimates(void **state)
{
	static const char *const bad[] = {"", "#estimate 0\nsize\t5\n", "#estimate 0\nsize\tx\n#estimate end\n",
					  "#estimate 0\nsize\t-1\n#estimate end\n"};
	AUTO(arena) struct arena a = {0};
	struct send_steps sends = {0};
	struct err e;

	(void)state;
	for (int i = 0; i < 3; i++)
		*vec_add(&sends, &a) = (struct send_step){.source = "t/a"};
	assert_int_equal(
	    estimates_parse(str_of("#estimate 0\nfull\tt/a@x\t624\nsize\t624\n#estimate 1\ncannot open "
				   "'t/a@x': dataset does not exist\n#estimate 2\nsize\t7\n#estimate end\n"),
			    &sends, &e),
	    0);
	assert_true(sends.v[0].bytes == 624 && sends.v[1].bytes == 0 && sends.v[2].bytes == 7);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(estimates_parse(str_of(bad[i]), &sends, &e), -1);
	/* More than was asked is nobody's. */
	assert_int_equal(estimates_parse(str_of("#estimate 0\n#estimate 1\n#estimate 2\n#estimate 3\nsize\t9\n"
						"#estimate end\n"),
					 &sends, &e),
			 0);
}

static void blame(void **state)
{
	static const struct {
		const char *text;
		enum err_kind kind;
	} t[] = {
	    {"cannot receive incremental stream: destination b/a/f has been modified\nsince most recent snapshot",
	     ERR_CONFLICT},
	    {"cannot receive: most recent snapshot of b does not match incremental source", ERR_CONFLICT},
	    {"cannot receive new filesystem stream: out of space", ERR_FULL},
	    {"cannot receive: failed to read from stream", ERR_NET},
	    {"cannot receive new filesystem stream: checksum mismatch or incomplete stream.\nPartially received "
	     "snapshot is saved.",
	     ERR_NET},
	    {"root@h: Permission denied (publickey).", ERR_DENIED},
	    {"Host key verification failed.", ERR_DENIED},
	    {"ssh: connect to host h port 22: Connection refused", ERR_NET},
	    {"Connection to archiver closed by remote host.", ERR_NET},
	    {"sh: 1: zfs: not found", ERR_MISSING},
	    {"cannot open 'x': no such pool", ERR_MISSING},
	    {"something never heard of", ERR_SYSTEM},
	    {"", ERR_SYSTEM},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		zfs_blame(str_of(t[i].text), &e);
		if (e.kind != t[i].kind)
			fail_msg("'%s' is %s", t[i].text, err_kind_name(e.kind));
		assert_true(e.hint[0] != '\0');
	}
	struct send_step step = {.source = "t/a", .target = "v/t/a"};
	/* The receiver left, so the sender lost its reader: the receiver is at fault. */
	struct stage_end send = {0, str_of("warning: cannot send 't/a@x': Broken pipe\ndormouse-send 0 1\n"), 0};
	struct stage_end recv = {1, str_of("!cannot receive new filesystem stream: out of space"), 0};
	stream_blame(&step, &send, &recv, &e);
	assert_int_equal(e.kind, ERR_FULL);
	assert_non_null(strstr(e.what, "cannot receive 'v/t/a'"));
	/* A key that is not loaded: each side has a way out of its own. */
	zfs_blame(str_of("warning: cannot send 't/a@x': dataset key must be loaded"), &e);
	assert_non_null(strstr(e.hint, "zfs load-key"));
	zfs_blame(str_of("cannot receive new filesystem stream: inherited key must be loaded"), &e);
	assert_non_null(strstr(e.hint, "destination"));
	/* The sender failed of itself; what the receiver says is a symptom. */
	send.text = str_of("cannot open 't/a@x': dataset does not exist\ndormouse-send 0 1\n");
	recv.text = str_of("!cannot receive: failed to read from stream");
	stream_blame(&step, &send, &recv, &e);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_non_null(strstr(e.what, "cannot send 't/a'"));
	send.text = recv.text = str_of("");
	stream_blame(&step, &send, &recv, &e);
	assert_int_equal(e.kind, ERR_NET);
	/* A shared connection that is cut: the sender only lost its reader, and nobody says why. */
	send.text = str_of("dormouse-send 0 141\n");
	stream_blame(&step, &send, &recv, &e);
	assert_true(e.kind == ERR_NET && e.retry == RETRY_LATER);
	/* Likewise where no stream was under way; what does say something is believed. */
	ssh_blame(str_of(""), &e);
	assert_true(e.kind == ERR_NET && e.retry == RETRY_LATER);
	ssh_blame(str_of("Host key verification failed."), &e);
	assert_int_equal(e.kind, ERR_DENIED);
}

/* --- JSON ------------------------------------------------------------------------------------------- */

static void observations(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf one = {0};
	AUTO(buf) struct buf two = {0};
	struct observed o = {.backup = "b", .now = 5}, back;
	struct err e;

	(void)state;
	o.source = (struct side_state){.root = "t", .seen = true, .root_exists = true, .seen_at = 4};
	o.target = (struct side_state){.root = "v", .recorded = true};
	struct dataset *d = model_dataset(&o.source, &a, "t/a", "@a+ #a @b ?c");
	d->guid = UINT64_MAX;
	d->origin = "t/x@y";
	d->resume.to_name = "t/a@c";
	model_dataset(&o.source, &a, "t/v", "")->type = DATASET_VOLUME;
	AUTO(json) json_t *j = observed_json(&o);
	json_write(&one, j);
	assert_int_equal(observed_read(buf_str(&one), &a, &back, &e), 0);
	AUTO(json) json_t *k = observed_json(&back);
	json_write(&two, k);
	assert_string_equal(buf_text(&one), buf_text(&two));
	assert_true(side_find(&back.source, "t/a")->guid == UINT64_MAX);
	static const char half[] = "{\"format\":1,\"backup\":\"b\",\"source\":{\"root\":\"t\",\"datasets\":"
				   "[{\"name\":\"t\",\"type\":\"volume\",\"guid\":\"1\",\"points\":[{}]}]}}";
	static const char *const bad[] = {
	    "",
	    "{}",
	    "[]",
	    "{\"format\":2,\"backup\":\"b\"}",
	    "{\"format\":1,\"backup\":\"b\"}",
	    "{\"format\":1,\"backup\":\"b\",\"source\":{\"root\":\"t\",\"datasets\":[{}]}}",
	    half,
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(observed_read(str_of(bad[i]), &a, &back, &e), -1);
}

static void plans(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct plan p = {.backup = "b", .now = 7};
	struct pass pass = {.now = 7};
	struct archive archive = {0};
	struct point x = {.kind = POINT_SNAPSHOT, .name = "x", .guid = 17};

	(void)state;
	*vec_add(&p.sends, &a) = (struct send_step){
	    .kind = SEND_INCREMENTAL, .source = "t", .target = "v/t", .base = x, .to = x, .reason = "r"};
	struct strings names = {0};
	*vec_add(&names, &a) = "t";
	*vec_add(&pass.snaps, &a) =
	    (struct snap_step){.label = LABEL_HOURLY, .name = "s", .datasets = names, .reason = "due"};
	*vec_add(&pass.notes, &a) = "n";
	*vec_add(&archive.prunes, &a) = (struct prune_step){.dataset = "v/t", .snapshots = names, .below = true};
	*vec_add(&archive.tidies, &a) = (struct tidy_step){.kind = TIDY_GONE, .dataset = "v/t", .reason = "r"};
	*vec_add(&p.renames, &a) =
	    (struct tidy_step){.kind = TIDY_RENAME, .dataset = "v/o", .to = "v/n", .reason = "r"};
	*vec_add(&p.parents, &a) = (struct parent_step){.dataset = "v", .reason = "r"};
	*vec_add(&p.aborts, &a) = (struct abort_step){"v/a", "r"};
	*vec_add(&p.marks, &a) = (struct mark_step){.kind = MARK_HOLD, .dataset = "t", .snapshot = "s", .reason = "r"};
	*vec_add(&p.conflicts, &a) = (struct conflict){.source = "t", .target = "v", .why = "w", .hint = "h"};
	*vec_add(&p.skips, &a) = (struct skip){.source = "t", .reason = "r"};
	AUTO(json) json_t *j = plan_json(&pass, &p, &archive);
	json_write(&b, j);
	contains(&b, "\"sends\":[{\"kind\":\"incremental\",\"source\":\"t\",\"target\":\"v/"
		     "t\",\"base\":{\"snapshot\":\"x\",\"guid\":\"17\"");
	contains(&b, "\"marks\":[{\"dataset\":\"t\",\"reason\":\"r\",\"kind\":\"hold\",\"name\":\"s\"}]");
	contains(&b, "\"conflicts\":[{\"dataset\":\"t\"");
	contains(&b, "\"snapshots\":[{\"label\":\"hourly\",\"name\":\"s\",\"datasets\":[\"t\"]");
	contains(&b, "\"renames\":[{\"dataset\":\"v/o\",\"reason\":\"r\",\"to\":\"v/n\"}]");
	contains(&b, "\"archive_prunes\":[{\"dataset\":\"v/t\",\"below\":true,\"snapshots\":[\"t\"]}]");
	contains(&b, "\"archive_tidies\":[{\"dataset\":\"v/t\",\"reason\":\"r\",\"kind\":\"gone\"}]");
}

static void control(void **state)
{
	static const struct control_request all[] = {{.op = CONTROL_OPEN, .target = "t", .port = 22},
						     {.op = CONTROL_LEASE, .target = "t", .text = "why \"x\"\n"},
						     {.op = CONTROL_LEASE, .target = "t", .use = "bulk"},
						     {.op = CONTROL_SLEEP, .target = "t", .force = true},
						     {.op = CONTROL_MACHINES},
						     {.op = CONTROL_RUN_BEGIN, .backup = "b"},
						     {.op = CONTROL_RUN_STORY, .json = "x"},
						     {.op = CONTROL_RUN_END, .number = 2, .json = "{}"},
						     {.op = CONTROL_RECORD, .backup = "b", .json = "{}"},
						     {.op = CONTROL_RECALL, .backup = "b"},
						     {.op = CONTROL_HISTORY, .number = 5},
						     {.op = CONTROL_RUN, .number = 9}};
	AUTO(arena) struct arena a = {0};
	struct control_request r;
	struct control_reply reply;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		AUTO(buf) struct buf one = {0};
		AUTO(buf) struct buf two = {0};
		control_write_request(&one, &all[i]);
		assert_int_equal(control_read_request(str_trim(buf_str(&one)), &a, &r, &e), 0);
		control_write_request(&two, &r);
		assert_string_equal(buf_text(&one), buf_text(&two));
	}
	static const char *const bad[] = {"",
					  "{",
					  "[]",
					  "{}",
					  "{\"op\":\"x\"}",
					  "{\"op\":\"open\",\"target\":\"t\"}",
					  "{\"op\":\"open\",\"target\":\"t\",\"port\":0}",
					  "{\"op\":\"open\",\"target\":\"t\",\"port\":\"22\"}",
					  "{\"op\":\"lease\",\"target\":5}",
					  "{\"op\":\"machines\",\"x\":1}",
					  "{\"op\":\"machines\",\"target\":\"t\"}",
					  "{\"op\":\"machines\"} x",
					  "{\"op\":\"machines\",\"op\":\"machines\"}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (control_read_request(str_of(bad[i]), &a, &r, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
	struct control_reply replies[] = {{.event = CONTROL_PROGRESS, .text = "x\xff"},
					  {.event = CONTROL_READY},
					  {.event = CONTROL_ANSWER, .text = "[]"},
					  {.event = CONTROL_ERROR}};
	(void)err_set(&replies[3].err, ERR_BUSY, "w");
	(void)err_hint(&replies[3].err, "h");
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		AUTO(buf) struct buf b = {0};
		control_write_reply(&b, &replies[i]);
		assert_int_equal(control_read_reply(str_trim(buf_str(&b)), &a, &reply, &e), 0);
		assert_int_equal(reply.event, replies[i].event);
	}
	assert_true(reply.err.kind == ERR_BUSY && strcmp(reply.err.hint, "h") == 0);
	assert_int_equal(control_read_reply(str_of("{\"event\":\"answer\"}"), &a, &reply, &e), -1);
	assert_int_equal(control_read_reply(str_of("{\"event\":\"dance\"}"), &a, &reply, &e), -1);
	assert_int_equal(control_read_reply(str_of("nothing"), &a, &reply, &e), -1);
}

static void facts(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct machine_facts f;
	struct err e;
	const char *good = "{\"power\":\"running\",\"id\":\"i\",\"address\":\"10.0.0.1\",\"detail\":\"d\",\"doors\":[{"
			   "\"port\":22,\"host\":\"h\",\"at\":40022}]}";

	(void)state;
	AUTO(json) json_t *j = json_parse(str_of(good), "x", &e);
	assert_int_equal(machine_facts_read(j, &a, &f, &e), 0);
	AUTO(json) json_t *k = machine_facts_json(&f);
	json_write(&b, k);
	assert_string_equal(buf_text(&b), good);
	static const char *const bad[] = {"{}", "{\"power\":\"on\"}", "{\"power\":\"running\"}",
					  "{\"power\":\"running\",\"doors\":[{\"port\":0,\"host\":\"h\",\"at\":1}]}",
					  "{\"power\":\"running\",\"doors\":[{\"port\":1,\"at\":1}]}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(json) json_t *x = json_parse(str_of(bad[i]), "x", &e);
		assert_int_equal(machine_facts_read(x, &a, &f, &e), -1);
	}
}

static void ssh(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct target t = {
	    .name = "arch",
	    .ssh = {.user = "root", .identity_file = "/k y", .host_key = "ssh-ed25519 AAAA", .port = 22}};
	struct ssh_door straight = {.host = "10.0.0.1", .port = 2222, .known_hosts = "/run/kh"};
	struct ssh_door proxy = {.proxy_command = "dormouse connect", .control_path = "/run/c"};
	AUTO(buf) struct buf b = {0};

	(void)state;
	for (const char *const *v = ssh_args(&t, &straight, &a); *v != NULL; v++)
		buf_printf(&b, "%s|", *v);
	contains(&b, "ssh|-T|");
	contains(&b, "|-o|StrictHostKeyChecking=yes|");
	contains(&b, "|-o|IdentityFile=\"/k y\"|");
	contains(&b, "|-o|HostKeyAlias=arch@dormouse|-o|UserKnownHostsFile=\"/run/kh\"|");
	contains(&b, "|-o|ProxyCommand=none|-o|Port=2222|-o|HostName=10.0.0.1|");
	contains(&b, "|--|arch|");
	buf_clear(&b);
	t.ssh.host_key = NULL;
	t.ssh.program = "/opt/ssh";
	t.ssh.config = "/etc/my ssh";
	for (const char *const *v = ssh_args(&t, &proxy, &a); *v != NULL; v++)
		buf_printf(&b, "%s|", *v);
	contains(&b, "|-o|ProxyCommand=dormouse connect|-o|ProxyUseFdpass=yes|-o|ControlPath=/run/c|");
	contains(&b, "|-o|HostKeyAlias=arch|");
	contains(&b, "/opt/ssh|-T|-F|/etc/my ssh|-o|");
	t.ssh.made = MADE_PLAIN;
	buf_clear(&b);
	for (const char *const *v = ssh_args(&t, &straight, &a); *v != NULL; v++)
		buf_printf(&b, "%s|", *v);
	contains(&b, "|-o|HostKeyAlias=arch@dormouse|-o|UserKnownHostsFile=\"/run/kh\"|");
	assert_string_equal(ssh_known_hosts_path("/run", &t, &a), "/run/known_hosts-arch");
	assert_null(ssh_known_hosts_line(&t, NULL, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quoting),	      cmocka_unit_test(loader),
	    cmocka_unit_test(remote_argv),    cmocka_unit_test(programs),
	    cmocka_unit_test(pools_on_disks), cmocka_unit_test(destroys),
	    cmocka_unit_test(jobs),	      cmocka_unit_test(looks),
	    cmocka_unit_test(tokens),	      cmocka_unit_test(answers),
	    cmocka_unit_test(estimates),      cmocka_unit_test(samples),
	    cmocka_unit_test(blame),	      cmocka_unit_test(observations),
	    cmocka_unit_test(plans),	      cmocka_unit_test(control),
	    cmocka_unit_test(hosts),	      cmocka_unit_test(examinations),
	    cmocka_unit_test(facts),	      cmocka_unit_test(ssh),
	    cmocka_unit_test(recalls),	      cmocka_unit_test(recalls_by_the_newest),
	    cmocka_unit_test(known_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
