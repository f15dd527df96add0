/* What goes back, what is written down for it, and what mends a copy. */
#include "check.h"

#include "plan/file_diff.h"
#include "plan/repair_plan.h"
#include "plan/replicate_plan.h"
#include "plan/restore_plan.h"
#include "wire/files_text.h"
#include "wire/program.h"
#include "wire/properties.h"
#include "wire/zfs_text.h"
#include "zfs_model.h"

static struct side_state side(const char *root)
{
	return (struct side_state){.root = root, .seen = true, .root_exists = true};
}

static void set(struct dataset *d, struct arena *a, const char *name, const char *value)
{
	d->has_record = true;
	*vec_add(&d->recorded, a) = (struct property){name, value};
}

/* "full tank/a @b" for each stream, "there tank/a" for what is there, or the error. */
static const char *brief(const struct restore_wish *w, const struct side_state *archive, const struct side_state *home,
			 struct arena *a, struct restore *r)
{
	AUTO(buf) struct buf b = {0};
	struct err e;

	if (restore_plan(w, archive, home, a, r, &e) < 0)
		return arena_printf(a, "%s: %s", err_kind_name(e.kind), e.what);
	for (size_t i = 0; i < r->sends.n; i++)
		buf_printf(&b, "%s %s@%s %s%s; ",
			   r->sends.v[i].kind == SEND_RESUME	     ? "-t"
			   : r->sends.v[i].kind == SEND_INTERMEDIATE ? "-I"
								     : "full",
			   r->sends.v[i].source, r->sends.v[i].to.name, r->sends.v[i].target,
			   r->sends.v[i].raw	? " raw"
			   : r->sends.v[i].open ? " open"
						: "");
	for (size_t i = 0; i < r->skips.n; i++)
		buf_printf(&b, "there %s; ", r->skips.v[i].source);
	for (size_t i = 0; i < r->parents.n; i++)
		buf_printf(&b, "make %s%s; ", r->parents.v[i].dataset, r->parents.v[i].open ? " open" : "");
	buf_puts(&b, r->more ? "more;" : "");
	return str_dup(a, str_trim(buf_str(&b)));
}

static void plans(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state archive = side("v"), home = side("tank"), empty = side("tank/home");
	struct restore r;
	struct restore_wish w = {.copy = "v/tank/home", .was = "tank/home", .top = "v/tank/home", .to = "tank/home"};

	(void)state;
	model_dataset(&archive, &a, "v/tank/home", "@a @b");
	model_dataset(&archive, &a, "v/tank/home/x", "@a @b @c")->encrypted = true;
	model_dataset(&archive, &a, "v/tank/home/y", "@a");
	model_dataset(&archive, &a, "v/tank/homely", "@a");
	empty.root_exists = false;
	assert_string_equal(brief(&w, &archive, &empty, &a, &r), "full v/tank/home@b tank/home;");
	w.below = true;
	assert_string_equal(brief(&w, &archive, &empty, &a, &r),
			    "full v/tank/home@b tank/home; full v/tank/home/x@c tank/home/x raw; "
			    "full v/tank/home/y@a tank/home/y;");
	w.snapshot = "b";
	assert_string_equal(brief(&w, &archive, &empty, &a, &r),
			    "full v/tank/home@b tank/home; full v/tank/home/x@b tank/home/x raw;");
	assert_true(strstr(r.notes.v[2], "'v/tank/home/y' has no snapshot '@b'") != NULL);
	w.snapshot = "z";
	assert_string_equal(brief(&w, &archive, &empty, &a, &r), "missing: 'v/tank/home' has no snapshot '@z'");
	w.snapshot = NULL;
	w.to = "tank/new";
	assert_string_equal(brief(&w, &archive, &empty, &a, &r),
			    "full v/tank/home@b tank/new; full v/tank/home/x@c tank/new/x raw; "
			    "full v/tank/home/y@a tank/new/y;");
	/* What an earlier restore brought, or began to; what somebody else has there. */
	model_dataset(&home, &a, "tank/new", "@b");
	model_dataset(&home, &a, "tank/new/x", "?c");
	assert_string_equal(brief(&w, &archive, &home, &a, &r),
			    "-t v/tank/home/x@c tank/new/x raw; full v/tank/home/y@a tank/new/y; there tank/new;");
	model_dataset(&home, &a, "tank/new/y", "@q");
	side_sort(&home);
	assert_string_equal(brief(&w, &archive, &home, &a, &r),
			    "conflict: 'tank/new/y' exists, and nothing is restored over it");
	w.copy = "v/tank/none";
	assert_string_equal(brief(&w, &archive, &home, &a, &r), "missing: the archive has no 'v/tank/none'");
}

/* Everything that is not there any more, with its history. */
static void recovers(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct side_state archive = side("v/b"), home = side("tank/x/home"), empty = side("tank/x/home");
	struct restore r;
	struct restore_wish w = {.copy = "v/b/tank/x/home",
				 .was = "tank/x/home",
				 .top = "v/b/tank/x/home",
				 .to = "tank/x/home",
				 .below = true,
				 .history = true,
				 .missing = true};

	(void)state;
	empty.root_exists = false;
	model_dataset(&archive, &a, "v/b/tank/x/home", "")->placeholder = true;
	model_dataset(&archive, &a, "v/b/tank/x/home/a", "@a @b @c");
	model_dataset(&archive, &a, "v/b/tank/x/home/a/s", "")->placeholder = true;
	model_dataset(&archive, &a, "v/b/tank/x/home/a/s/d", "@d");
	model_dataset(&archive, &a, "v/b/tank/x/home/b", "@e");
	assert_string_equal(brief(&w, &archive, &empty, &a, &r),
			    "full v/b/tank/x/home/a@a tank/x/home/a; -I v/b/tank/x/home/a@c tank/x/home/a; "
			    "full v/b/tank/x/home/b@e tank/x/home/b; make tank/x; make tank/x/home; more;");
	assert_int_equal(r.sends.v[1].snapshots, 2);
	assert_int_equal(r.restored.n, 2);
	/* What the first round brought; one was cut off in the midst of its first stream, one behind it. */
	model_dataset(&home, &a, "tank/x/home", "");
	model_dataset(&home, &a, "tank/x/home/a", "?a")->restoring = true;
	model_dataset(&home, &a, "tank/x/home/b", "@e");
	assert_string_equal(brief(&w, &archive, &home, &a, &r),
			    "-t v/b/tank/x/home/a@a tank/x/home/a; -I v/b/tank/x/home/a@c tank/x/home/a; "
			    "there tank/x/home/b; more;");
	home.datasets.n = 0;
	model_dataset(&home, &a, "tank/x/home", "");
	model_dataset(&home, &a, "tank/x/home/a", "@a @b")->restoring = true;
	model_dataset(&home, &a, "tank/x/home/a/s", "");
	assert_string_equal(brief(&w, &archive, &home, &a, &r),
			    "-I v/b/tank/x/home/a@c tank/x/home/a; full v/b/tank/x/home/a/s/d@d tank/x/home/a/s/d; "
			    "full v/b/tank/x/home/b@e tank/x/home/b;");
	/* What is not encrypted below what is: its key is not there yet. */
	struct side_state mixed = side("v/b");
	model_dataset(&mixed, &a, "v/b/tank/x/home", "@a")->encrypted = true;
	model_dataset(&mixed, &a, "v/b/tank/x/home/p", "@b");
	model_dataset(&mixed, &a, "v/b/tank/x/home/p/q", "@c");
	model_dataset(&mixed, &a, "v/b/tank/x/home/p/r", "@d")->encrypted = true;
	assert_string_equal(brief(&w, &mixed, &empty, &a, &r),
			    "full v/b/tank/x/home@a tank/x/home raw; full v/b/tank/x/home/p@b tank/x/home/p open; "
			    "full v/b/tank/x/home/p/q@c tank/x/home/p/q; full v/b/tank/x/home/p/r@d tank/x/home/p/r "
			    "raw; make tank/x;");
	/* An archive with a key of its own: what had none has none again. */
	mixed.datasets.n = 0;
	struct dataset *own = model_dataset(&mixed, &a, "v/b/tank/x/home", "@a");
	own->encrypted = true;
	own->key_root = "v/b";
	own = model_dataset(&mixed, &a, "v/b/tank/x/home/s", "@b");
	own->encrypted = true;
	own->key_root = own->name;
	assert_string_equal(brief(&w, &mixed, &empty, &a, &r),
			    "full v/b/tank/x/home@a tank/x/home; full v/b/tank/x/home/s@b tank/x/home/s raw; make "
			    "tank/x;");
	/* What somebody has there is theirs. */
	home.datasets.n = 0;
	model_dataset(&home, &a, "tank/x/home", "");
	model_dataset(&home, &a, "tank/x/home/a", "@a @b");
	model_dataset(&home, &a, "tank/x/home/a/s", "");
	model_dataset(&home, &a, "tank/x/home/b", "@q");
	assert_string_equal(brief(&w, &archive, &home, &a, &r), "full v/b/tank/x/home/a/s/d@d tank/x/home/a/s/d;");
	assert_int_equal(r.notes.n, 3);
	assert_int_equal(r.left, 2);
}

#define LINE(inode, type, size, modified, changed, path) \
	inode " " type " " size " " modified " " changed " 644:0:0\0" path "\0"

/* One list, then the other, as find prints them; and what is made of that. */
static void differs(void **state)
{
	static const char text[] = "#one\0" LINE("1", "d", "9", "1.0", "1.0", "./")
	    LINE("2", "d", "2", "1.0", "1.0", "./a") LINE("3", "f", "5", "1.0", "1.0", "./a/x")
		LINE("4", "f", "5", "1.0", "1.0", "./a/y") LINE("5", "f", "5", "1.0", "1.0", "./a-b")
		    LINE("6", "f", "5", "1.0", "1.0", "./same") LINE("7", "f", "5", "1.0", "1.0", "./gone")
			LINE("8", "f", "5", "1.0", "1.0", "./more") "#two\0" LINE("1", "d", "9", "2.0", "2.0", "./")
			    LINE("2", "d", "2", "2.0", "2.0", "./n") LINE("3", "f", "5", "1.0", "1.0", "./n/x")
				LINE("4", "f", "6", "2.0", "2.0", "./n/y") LINE("5", "f", "5", "1.0", "2.0", "./n/b")
				    LINE("6", "f", "5", "1.0", "1.0", "./same")
					LINE("7", "f", "5", "2.0", "2.0", "./other")
					    LINE("8", "f", "7", "2.0", "2.0", "./more") "#end";
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct files one = {0}, two = {0};
	struct file_changes all = {0};
	struct err e;

	(void)state;
	assert_int_equal(files_parse((struct str){text, sizeof(text)}, &a, &one, &two, &e), 0);
	assert_true(one.n == 8 && two.n == 8);
	file_diff(&one, &two, &a, &all);
	for (size_t i = 0; i < all.n; i++)
		buf_printf(&b, "%c%s%s%s ", "+-MR"[all.v[i].kind], all.v[i].path, all.v[i].to == NULL ? "" : ">",
			   all.v[i].to == NULL ? "" : all.v[i].to);
	/* A number that was used again is another file; what only came along with its folder is not told. */
	assert_string_equal(buf_text(&b), "R/a>/n R/a-b>/n/b -/a/y -/gone M/more +/n/y +/other ");
	for (size_t n = 0; n < sizeof(text) - 5; n++)
		assert_int_equal(files_parse((struct str){text, n}, &a, &one, &two, &e), -1);
}

static void puts_back(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct side_state archive = side("v"), empty = side("tank/home");
	struct restore r;
	struct restore_wish w = {.copy = "v/tank/home", .was = "tank/home", .top = "v/tank/home", .to = "tank/other"};
	struct dataset *d = model_dataset(&archive, &a, "v/tank/home", "@a");

	(void)state;
	empty.root_exists = false;
	set(d, &a, "mountpoint", "/home");
	set(d, &a, "compression", "zstd");
	set(d, &a, "my:note", "it's");
	set(d, &a, "dormouse:incomplete", "on");
	set(d, &a, "volsize", "8192"); /* no matter of a file system, but not to be set on a volume either */
	assert_string_equal(brief(&w, &archive, &empty, &a, &r), "full v/tank/home@a tank/other;");
	assert_int_equal(r.restored.v[0].properties.n, 2);
	assert_string_equal(r.restored.v[0].left.v[0], "mountpoint=/home");
	assert_false(r.restored.v[0].inherit_canmount);
	assert_true(r.sends.v[0].restores);
	w.to = "tank/home";
	(void)brief(&w, &archive, &empty, &a, &r);
	assert_int_equal(r.restored.v[0].properties.n, 3);
	assert_true(r.restored.v[0].inherit_canmount && r.restored.v[0].left.n == 0);
	program_put_back(&b, "tank/home", &r.restored.v[0].properties, true);
	assert_non_null(strstr(buf_text(&b), "zfs set 'my:note=it'\\''s' 'tank/home' </dev/null\n"));
	assert_non_null(strstr(buf_text(&b), "zfs inherit -S canmount 'tank/home'"));
	assert_non_null(strstr(buf_text(&b), "zfs inherit dormouse:restoring 'tank/home'"));
	buf_clear(&b);
	/* What goes back is no copy: it must not be read-only, nor say so of itself. */
	program_receive(&b, r.sends.v, r.sends.n, false);
	assert_null(strstr(buf_text(&b), "readonly"));
	assert_non_null(strstr(buf_text(&b), "zfs receive -s -u -o canmount=noauto -o 'dormouse:restoring=tank/home' "
					     "'tank/home'"));
	/* One that ended before that was done has left a mark: nothing is sent, and it is done now. */
	struct side_state half = side("tank/home");
	struct dataset *there = model_dataset(&half, &a, "tank/home", "@a");
	assert_string_equal(brief(&w, &archive, &half, &a, &r), "there tank/home;");
	assert_int_equal(r.restored.n, 0);
	there->restoring = true;
	assert_string_equal(brief(&w, &archive, &half, &a, &r), "there tank/home;");
	assert_int_equal(r.restored.v[0].properties.n, 3);
}

static void records(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct properties p = {0}, back;
	struct err e;
	char *big = arena_alloc(&a, 9000);

	(void)state;
	*vec_add(&p, &a) = (struct property){"my:text", "a\tb\n\"c\" \\ \xc3\xa9"};
	*vec_add(&p, &a) = (struct property){"quota", "5"};
	const char *text = properties_text(&p, &a);
	assert_null(strchr(text, '\n'));
	assert_null(strchr(text, '\t'));
	assert_int_equal(properties_parse(str_of(text), &a, &back, &e), 0);
	assert_int_equal(back.n, 2);
	assert_string_equal(back.v[0].name, "quota");
	assert_string_equal(back.v[1].value, p.v[0].value);
	/* What zfs itself knows of goes first, and what is too much is not silently gone. */
	memset(big, '\n', 8999);
	big[8999] = '\0';
	p.v[0].value = big;
	text = properties_text(&p, &a);
	assert_true(strlen(text) < 8192);
	assert_int_equal(properties_parse(str_of(text), &a, &back, &e), 0);
	assert_string_equal(back.v[0].name, "quota");
	assert_string_equal(back.v[1].name, "dormouse:incomplete");
	static const char *const bad[] = {"", "[]", "{", "{\"a\": 1}", "\"x\"", "{\"a\":\"1\",\"a\":\"2\"}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(properties_parse(str_of(bad[i]), &a, &back, &e), -1);
	/* And as it is looked at: ours are not the source's. */
	struct side_state s = {.root = "b"};
	const char *look = "#look datasets\n"
			   "b\tfilesystem\t5\toff\t-\t1\t1\t1\t1\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n"
			   "#look points\n#look properties\n"
			   "b\tcompression\tlz4\n"
			   "b\tmy:text\tone\ttwo\nthree lines\n"
			   "b\tdormouse:properties\t{\"quota\":\"7\"}\n"
			   "b\tdormouse:gone\t7:b\n"
			   "c\tquota\t7\n"
			   "#look end\n";
	assert_int_equal(look_parse(str_of(look), &a, &s, &e), 0);
	assert_true(s.has_properties && s.datasets.v[0].has_record);
	assert_int_equal(s.datasets.v[0].properties.n, 2);
	assert_string_equal(s.datasets.v[0].properties.v[1].value, "one\ttwo");
	assert_string_equal(s.datasets.v[0].recorded.v[0].value, "7");
	program_look(&b, "b", true, "b/c", false);
	assert_non_null(strstr(buf_text(&b), "-s local,received -o name,property,value all -r 'b/c'"));
}

static void files(void **state)
{
	AUTO(buf) struct buf b = {0};
	struct files_wish w = {
	    .kind = FILES_FIND, .dataset = "v/a b", .snapshot = "s", .path = "/it's", .pattern = "*.c'"};

	(void)state;
	program_files(&b, &w);
	assert_non_null(strstr(buf_text(&b), "mount -t zfs -o ro,nosuid,nodev 'v/a b@s' \"$d/one\" || exit 3"));
	assert_non_null(strstr(buf_text(&b), "p='.''/it'\\''s'\n"));
	assert_non_null(strstr(buf_text(&b), "pattern='*.c'\\'''\n"));
}

static void repairs(void **state)
{
	static const struct {
		const char *source, *target;
		const char *want[3]; /* rollback, keep both, give up */
	} t[] = {
	    {"@a", "@a @q", {"'v/tank/home@a'", "rename", NULL}},
	    {"@a", "@a ~", {"'v/tank/home@a'", "rename", NULL}},
	    {"@a", "@q", {NULL, "rename", NULL}},
	    {"@a", "", {NULL, "rename", NULL}},
	    {"@a", "?", {NULL, NULL, "zfs receive -A 'v/tank/home'"}},
	    {"", "@a", {NULL, NULL, NULL}},
	};
	const struct backup b = {.name = "b", .source = "tank/home", .dest_target = "x", .dest = "v"};
	int64_t now;

	(void)state;
	assert_true(civil_parse(str_of("2027-01-02T03:04:05Z"), &now));
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(arena) struct arena a = {0};
		struct side_state source = side("tank/home"), target = side("v");
		struct plan p = {0};
		struct repair_step step;
		struct err e;
		model_dataset(&source, &a, "tank/home", t[i].source);
		model_dataset(&target, &a, "v/tank/home", t[i].target);
		model_dataset(&target, &a, "v/tank/home/x", "@a");
		model_dataset(&target, &a, "v/tank/home/x/y", "@a");
		replicate_plan(&b, NULL, &source, &target, &(struct zone){0}, now, &a, &p);
		assert_int_equal(p.conflicts.n, 1);
		for (int kind = 0; kind < 3; kind++) {
			AUTO(buf) struct buf out = {0};
			int rc = repair_plan(&p.conflicts.v[0], &source, &target, (enum repair_kind)kind, now, &a,
					     &step, &e);
			assert_int_equal(rc, t[i].want[kind] == NULL ? -1 : 0);
			if (rc < 0) {
				assert_true(e.hint[0] != '\0');
				continue;
			}
			program_repair(&out, &step);
			if (strstr(buf_text(&out), t[i].want[kind]) == NULL)
				fail_msg("%s | %s: no %s in %s", t[i].source, t[i].target, t[i].want[kind],
					 buf_text(&out));
			if (kind == REPAIR_ROLLBACK)
				assert_int_equal(step.lost.n, 1);
			if (kind != REPAIR_KEEP_BOTH)
				continue;
			assert_string_equal(step.to, "v/tank/home-kept-20270102030405");
			/* Direct children only; what is below them moves along. */
			assert_int_equal(step.children.n, 1);
			assert_non_null(
			    strstr(buf_text(&out), "zfs rename 'v/tank/home-kept-20270102030405/x' 'v/tank/home/x'"));
			assert_non_null(strstr(buf_text(&out), "dormouse:placeholder=v/tank/home"));
			/* Nothing raw is received where a stand-in is: then they go along. */
			((struct dataset *)(uintptr_t)side_find(&source, "tank/home"))->encrypted = true;
			assert_int_equal(
			    repair_plan(&p.conflicts.v[0], &source, &target, REPAIR_KEEP_BOTH, now, &a, &step, &e), 0);
			buf_clear(&out);
			program_repair(&out, &step);
			assert_true(step.along && step.children.n == 1);
			assert_null(strstr(buf_text(&out), "dormouse:placeholder"));
			assert_null(strstr(buf_text(&out), "/x'"));
		}
	}
}

/* A copy that lies where another tool put it. */
static void takes_over(void **state)
{
	static const struct {
		const char *copy, *has, *want; /* has: what lies there; want: of the program, or of the error */
	} t[] = {
	    {"v/home", "@a @b", "zfs rename 'v/home' 'v/tank/home'"},
	    {"v/deep/home", "@a @b", "dormouse:placeholder=v/tank'"},
	    {"v/home", "@a @b @q", "!is no copy"},
	    {"v/home", "", "!is no copy"},
	    {"v/tank", "@a", "!cannot become"},
	    {"v/tank/home", "@a", "!cannot become"},
	    {"w/home", "@a", "!no copy"},
	    {"v", "@a", "!no copy"},
	};
	const struct backup b = {.name = "b", .source = "tank/home", .dest_target = "x", .dest = "v"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(arena) struct arena a = {0};
		AUTO(buf) struct buf out = {0};
		struct side_state source = side("tank/home"), target = side("v");
		struct repair_step step;
		struct err e;
		model_dataset(&source, &a, "tank/home", "@a @b @c");
		model_dataset(&target, &a, "v", "");
		if (strcmp(t[i].copy, "v") != 0 && strcmp(t[i].copy, "w/home") != 0)
			model_dataset(&target, &a, t[i].copy, t[i].has);
		int rc = repair_take_over(&b, &source, &target, "tank/home", t[i].copy, &a, &step, &e);
		if (rc == 0)
			program_repair(&out, &step);
		assert_int_equal(rc, t[i].want[0] == '!' ? -1 : 0);
		const char *got = rc < 0 ? e.what : buf_text(&out);
		if (strstr(got, t[i].want + (rc < 0)) == NULL)
			fail_msg("%s %s: no %s in %s", t[i].copy, t[i].has, t[i].want, got);
		assert_true(rc == 0 || e.hint[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plans),	 cmocka_unit_test(recovers),   cmocka_unit_test(differs),
	    cmocka_unit_test(puts_back), cmocka_unit_test(records),    cmocka_unit_test(files),
	    cmocka_unit_test(repairs),	 cmocka_unit_test(takes_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
