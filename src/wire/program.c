#include "wire/program.h"

/* So many of anything at most in one command. */
enum { TOGETHER = 500 };

static const char points[] = "-o name,guid,createtxg,creation,userrefs";

static void look_begin(struct buf *b)
{
	program_begin(b);
	/* What it complains of stands behind a '!', and so does that it failed: the exit code of the left side of a
	 * pipe would be lost. */
	buf_puts(b, "try() { { { zfs \"$@\" 2>&1 >&3 || echo \"#failed $?\"; } | sed 's/^/!/'; } 3>&1; }\n"
		    "look() {\necho \"#look $1\"\nshift\ntry \"$@\"\n}\n");
}

static void look_end(struct buf *b)
{
	buf_puts(b, "\necho '#look end'\n");
	program_end(b);
}

static void below(struct buf *b, const char *root)
{
	if (*root == '\0')
		return;
	buf_puts(b, " -r");
	shell_word(b, root);
}

static void look_datasets(struct buf *b, const char *root, bool newest)
{
	buf_puts(
	    b,
	    "look datasets list -Hp -t filesystem,volume -o name,type,guid,encryption,origin,used,referenced,available,"
	    "written,receive_resume_token,dormouse:placeholder,dormouse:gone,dormouse:restoring,"
	    "readonly,canmount,dormouse:backup,encryptionroot,com.sun:auto-snapshot");
	for (enum label l = LABEL_FREQUENT; l < LABELS; l++)
		buf_printf(b, ",com.sun:auto-snapshot:%s", label_name(l));
	/* A property that zfsprops(7) does not name, and libzfs has always had. */
	if (newest)
		buf_puts(b, ",prevsnap");
	below(b, root);
}

static void look_points(struct buf *b, const char *types, const char *root)
{
	buf_printf(b, "\nlook points list -Hp -t %s %s", types, points);
	below(b, root);
}

static void look_properties(struct buf *b, const char *root)
{
	if (root == NULL)
		return;
	buf_puts(b, "\nlook properties get -Hp -t filesystem,volume -s local,received -o name,property,value all -r");
	shell_word(b, root);
}

/* That nobody may ask, or that there is none, is no complaint. */
static void look_pool(struct buf *b, const char *root, bool wanted)
{
	AUTO(arena) struct arena a = {0};

	if (!wanted || *root == '\0')
		return;
	buf_puts(b, "\necho '#look pool'\nzpool list -H -o health");
	shell_word(b, arena_strndup(&a, root, dataset_pool_len(root)));
	buf_puts(b, " 2>/dev/null || true");
}

void program_look(struct buf *b, const char *root, bool with_points, const char *properties, bool pool)
{
	look_begin(b);
	look_datasets(b, root, false);
	if (with_points)
		look_points(b, "snapshot,bookmark", root);
	look_properties(b, properties);
	look_pool(b, root, pool);
	look_end(b);
}

void program_look_names(struct buf *b, const char *root, const char *properties, bool pool)
{
	look_begin(b);
	look_datasets(b, root, false);
	look_points(b, "bookmark", root);
	look_properties(b, properties);
	/* Each line of what it returns has an '@', and no other line that zfs program prints. */
	buf_puts(b, "\nnames='local names = {\"\"}\n"
		    "local function walk(dataset)\n"
		    "for one in zfs.list.snapshots(dataset) do names[#names + 1] = one end\n"
		    "for child in zfs.list.children(dataset) do walk(child) end\n"
		    "end\n"
		    "local args = ...\n"
		    "walk(args[\"argv\"][1])\n"
		    "return table.concat(names, \"\\n\") .. \"\\n\"'\n"
		    "echo '#look names'\n");
	if (*root == '\0') {
		buf_puts(b, "try list -H -d 0 -o name");
	} else {
		buf_puts(b, "printf '%s\\n'");
		shell_word(b, root);
	}
	buf_puts(b, " | while IFS= read -r root; do\n"
		    "case $root in '!'*) printf '%s\\n' \"$root\"; continue ;; esac\n"
		    "if out=$(printf '%s\\n' \"$names\" |\n"
		    "zfs program -n -t 100000000 -m 100000000 \"${root%%/*}\" - \"$root\" 2>/dev/null)\n"
		    "then printf '%s\\n' \"$out\" | grep @\n"
		    "else try list -H -t snapshot -o name -s name -r \"$root\" </dev/null\n"
		    "fi\n"
		    "done");
	look_pool(b, root, pool);
	look_end(b);
}

void program_look_newest(struct buf *b, const char *root, const char *properties, bool pool)
{
	look_begin(b);
	look_datasets(b, root, true);
	look_properties(b, properties);
	look_pool(b, root, pool);
	look_end(b);
}

static void look_these(struct buf *b, const char *how, const struct strings *names)
{
	look_begin(b);
	for (size_t i = 0; i < names->n; i++) {
		if (i % TOGETHER == 0)
			buf_printf(b, "\nlook points list -Hp -t %s %s", how, points);
		shell_word(b, names->v[i]);
	}
	look_end(b);
}

void program_look_below(struct buf *b, const struct strings *datasets)
{
	look_these(b, "snapshot,bookmark -d 1", datasets);
}

void program_look_points(struct buf *b, const struct strings *snapshots)
{
	look_these(b, "snapshot", snapshots);
}

void program_pools(struct buf *b)
{
	program_begin(b);
	buf_puts(b, "zpool list -Hp -o name,health,allocated,size\n");
	program_end(b);
}

void program_tokens(struct buf *b, const struct strings *tokens)
{
	program_begin(b);
	for (size_t i = 0; i < tokens->n; i++) {
		buf_printf(b, "echo '#token %zu'\nzfs send -nvt", i);
		shell_word(b, tokens->v[i]);
		buf_puts(b, " 2>&1 </dev/null\n");
	}
	buf_puts(b, "echo '#token end'\n");
	program_end(b);
}

void program_snapshot(struct buf *b, const struct snap_steps *steps)
{
	program_begin(b);
	buf_puts(b, "rc=0\n");
	for (size_t s = 0; s < steps->n; s++) {
		const struct snap_step *step = &steps->v[s];
		/* zfs snapshot takes many names but only of one pool; a backup's tree is in one. */
		assert(step->datasets.n > 0);
		size_t pool = dataset_pool_len(step->datasets.v[0]);
		buf_puts(b, "zfs snapshot");
		for (size_t i = 0; i < step->datasets.n; i++) {
			assert(strncmp(step->datasets.v[i], step->datasets.v[0], pool) == 0);
			shell_pair(b, step->datasets.v[i], '@', step->name);
		}
		buf_puts(b, " </dev/null || rc=1\n");
	}
	buf_puts(b, "exit $rc\n");
	program_end(b);
}

static void give_up(struct buf *b, const char *dataset)
{
	buf_puts(b, "zfs receive -A");
	shell_word(b, dataset);
	buf_puts(b, " </dev/null\n");
}

void program_stand_in(struct buf *b, const char *dataset, bool open)
{
	buf_puts(b, open ? "zfs create -u -o encryption=off" : "zfs create -u");
	buf_puts(b, " -o canmount=off -o com.sun:auto-snapshot=false -o");
	shell_pair(b, "dormouse:placeholder", '=', dataset);
	shell_word(b, dataset);
	buf_puts(b, " </dev/null\n");
}

void program_parents(struct buf *b, const struct parent_steps *parents, const struct abort_steps *aborts)
{
	program_begin(b);
	buf_puts(b, "set -e\n");
	for (size_t i = 0; i < aborts->n; i++)
		give_up(b, aborts->v[i].dataset);
	for (size_t i = 0; i < parents->n; i++)
		if (!parents->v[i].later)
			program_stand_in(b, parents->v[i].dataset, parents->v[i].open);
	program_end(b);
}

void program_make_room(struct buf *b, const struct abort_steps *aborts)
{
	const char *pool = aborts->v[0].dataset;

	program_begin(b);
	buf_puts(b, "set -e\n");
	for (size_t i = 0; i < aborts->n; i++)
		give_up(b, aborts->v[i].dataset);
	/* zpool-wait(8).  What is freed can be used again two transactions later. */
	buf_printf(b, "{\nzpool wait -t free '%.*s'\n", (int)dataset_pool_len(pool), pool);
	for (int i = 0; i < 3; i++)
		buf_printf(b, "zpool sync '%.*s'\n", (int)dataset_pool_len(pool), pool);
	buf_puts(b, "} </dev/null || true\n");
	program_end(b);
}

void program_repair(struct buf *b, const struct repair_step *s)
{
	program_begin(b);
	buf_puts(b, "set -e\n");
	switch (s->kind) {
	case REPAIR_ROLLBACK:
		buf_puts(b, "zfs rollback -r");
		shell_pair(b, s->dataset, '@', s->base);
		buf_puts(b, " </dev/null\n");
		break;
	case REPAIR_GIVE_UP:
		give_up(b, s->dataset);
		break;
	case REPAIR_TAKE_OVER:
		for (size_t i = 0; i < s->parents.n; i++)
			program_stand_in(b, s->parents.v[i], false);
		buf_puts(b, "zfs rename");
		shell_word(b, s->dataset);
		shell_word(b, s->to);
		buf_puts(b, " </dev/null\n");
		break;
	case REPAIR_KEEP_BOTH:
		buf_puts(b, "zfs rename");
		shell_word(b, s->dataset);
		shell_word(b, s->to);
		buf_puts(b, " </dev/null\n");
		if (s->children.n > 0 && !s->along)
			program_stand_in(b, s->dataset, s->open);
		for (size_t i = 0; i < s->children.n && !s->along; i++) {
			buf_puts(b, "zfs rename");
			shell_pair(b, s->to, '/', s->children.v[i]);
			shell_pair(b, s->dataset, '/', s->children.v[i]);
			buf_puts(b, " </dev/null\n");
		}
		break;
	}
	program_end(b);
}

/* The words of one command, from the i-th on: as many as follow and want the same.  An archive that is taken over has
 * one for each of its datasets.  Returns the last. */
static size_t tidied_together(struct buf *b, const struct tidy_steps *steps, size_t i)
{
	const struct tidy_step *first = &steps->v[i];

	for (size_t n = 1;; i++, n++) {
		shell_word(b, steps->v[i].dataset);
		if (i + 1 == steps->n || n == TOGETHER || steps->v[i + 1].kind != first->kind ||
		    steps->v[i + 1].is_volume != first->is_volume)
			return i;
	}
}

void program_tidy(struct buf *b, const struct tidy_steps *steps)
{
	program_begin(b);
	buf_puts(b, "rc=0\n");
	for (size_t i = 0; i < steps->n; i++) {
		const struct tidy_step *s = &steps->v[i];
		AUTO(buf) struct buf gone = {0};
		switch (s->kind) {
		case TIDY_RENAME:
			buf_puts(b, "zfs rename");
			shell_word(b, s->dataset);
			shell_word(b, s->to);
			break;
		case TIDY_GONE:
			buf_printf(&gone, "dormouse:gone=%lld-%lld:%s", (long long)s->since, (long long)s->at,
				   s->dataset);
			buf_puts(b, "zfs set");
			shell_word(b, buf_text(&gone));
			shell_word(b, s->dataset);
			break;
		case TIDY_CLOSE:
			buf_puts(b, s->is_volume ? "zfs set readonly=on" : "zfs set readonly=on canmount=noauto");
			i = tidied_together(b, steps, i);
			break;
		case TIDY_BACK:
			buf_puts(b, "zfs inherit dormouse:gone");
			i = tidied_together(b, steps, i);
			break;
		case TIDY_FORGET:
			/* Its snapshots, then itself; with anything below it, it stays. */
			buf_puts(b, "zfs destroy");
			shell_pair(b, s->dataset, '@', "%");
			buf_puts(b, " </dev/null && zfs destroy");
			shell_word(b, s->dataset);
			break;
		}
		buf_puts(b, " </dev/null || rc=1\n");
	}
	buf_puts(b, "exit $rc\n");
	program_end(b);
}

/* For root one program in the kernel (zfs-program(8)) makes all bookmarks; others, and where one cannot be made, take a
 * command for each, 16 at once.  So do holds, some in each: for each snapshot, zfs waits until the pool has written
 * it, and what is asked for at the same time is written together. */
static const char marks_functions[] =
    "rc=0 pids=\n"
    /* What was asked for twice, or is gone already, is as it should be. */
    "try() {\nok=$1\nshift\n"
    "out=$(\"$@\" 2>&1 </dev/null) || ! printf '%s\\n' \"$out\" | grep -vF \"$ok\" >&2\n}\n"
    "all() {\nfor p in $pids; do wait $p || rc=1; done\npids= n=0\n}\n"
    "more() {\npids=\"$pids $!\" n=$((n+1))\n[ $n -lt 16 ] || all\n}\n"
    "books='local argv = (...)[\"argv\"]\n"
    "for i = 1, #argv, 2 do\n"
    "local errno = zfs.sync.bookmark(argv[i], argv[i + 1])\n"
    "if errno ~= 0 and errno ~= EEXIST then error(errno) end\n"
    "end'\n"
    "book() {\n"
    "printf '%s\\n' \"$books\" | zfs program -t 100000000 -m 100000000 \"${1%%[/@]*}\" - \"$@\" >/dev/null 2>&1 && "
    "return\n"
    "while [ $# -gt 0 ]; do\ntry 'bookmark exists' zfs bookmark \"$1\" \"$2\" & more\nshift 2\ndone\n}\n"
    /* These go on after one that fails. */
    "hold() {\ntry 'tag already exists' zfs hold \"$@\" & more\n}\n"
    "release() {\ntry 'no such tag' zfs release \"$@\" & more\n}\n"
    "unbook() {\nfor one in \"$@\"; do\ntry 'does not exist' zfs destroy \"$one\" & more\ndone\n}\n"
    "n=0\n";

/* So many of n in one command that all 16 have some; but more than a few, for which no program is worth its start. */
static size_t marked_together(size_t n)
{
	size_t together = (n + 15) / 16;
	return together < 8 ? 8 : together > TOGETHER ? TOGETHER : together;
}

static void marks_of(struct buf *b, const struct mark_steps *marks, enum mark_kind kind, const char *command,
		     const char *tag)
{
	size_t n = 0, all = 0;

	for (size_t i = 0; i < marks->n; i++)
		all += marks->v[i].kind == kind;
	size_t together = tag == NULL ? TOGETHER : marked_together(all);
	for (size_t i = 0; i < marks->n; i++) {
		const struct mark_step *m = &marks->v[i];
		if (m->kind != kind)
			continue;
		if (n++ % together == 0) {
			buf_printf(b, "\n%s", command);
			if (tag != NULL)
				shell_word(b, tag);
		}
		shell_pair(b, m->dataset, kind == MARK_UNBOOKMARK ? '#' : '@', m->snapshot);
		if (kind == MARK_BOOKMARK)
			shell_pair(b, m->dataset, '#', m->bookmark);
	}
	buf_puts(b, "\nall\n");
}

/* The order of kinds is what makes every hold of ours findable by a bookmark, whatever crashes. */
void program_marks(struct buf *b, const struct mark_steps *marks, const char *tag)
{
	program_begin(b);
	buf_puts(b, marks_functions);
	marks_of(b, marks, MARK_BOOKMARK, "book", NULL);
	marks_of(b, marks, MARK_HOLD, "hold", tag);
	/* What was common before is let go of only when what is common now is safe. */
	buf_puts(b, "[ $rc = 0 ] || exit $rc\n");
	marks_of(b, marks, MARK_RELEASE, "release", tag);
	marks_of(b, marks, MARK_UNBOOKMARK, "unbook", NULL);
	buf_puts(b, "exit $rc\n");
	program_end(b);
}

void program_create(struct buf *b, const struct parent_steps *datasets)
{
	program_begin(b);
	buf_puts(b, "set -e\n");
	for (size_t i = 0; i < datasets->n; i++) {
		buf_puts(b, "zfs list");
		shell_word(b, datasets->v[i].dataset);
		buf_puts(b, " >/dev/null 2>&1 </dev/null || zfs create -u");
		buf_puts(b, datasets->v[i].open ? " -o encryption=off" : "");
		shell_word(b, datasets->v[i].dataset);
		buf_puts(b, " </dev/null\n");
	}
	program_end(b);
}

static void each_pool(struct buf *b, const struct strings *pools, const char *wanted, const char *command)
{
	program_begin(b);
	buf_puts(b, "rc=0\n");
	for (size_t i = 0; i < pools->n; i++) {
		buf_puts(b, "if ");
		buf_puts(b, wanted);
		buf_puts(b, "zpool list -H -o name");
		shell_word(b, pools->v[i]);
		buf_puts(b, " >/dev/null 2>&1 </dev/null; then ");
		buf_puts(b, command);
		shell_word(b, pools->v[i]);
		buf_puts(b, " </dev/null || rc=1; fi\n");
	}
	buf_puts(b, "exit $rc\n");
	program_end(b);
}

void program_import(struct buf *b, const struct strings *pools)
{
	each_pool(b, pools, "! ", "zpool import -N");
}

void program_export(struct buf *b, const struct strings *pools)
{
	each_pool(b, pools, "", "zpool export");
}

/* The dataset, and each above it: for the words of one command, the nearest first. */
static void upwards(struct buf *b, const char *dataset)
{
	AUTO(arena) struct arena a = {0};
	char *name = arena_strdup(&a, dataset);

	for (char *slash = name; slash != NULL;) {
		shell_word(b, name);
		slash = strrchr(name, '/');
		if (slash != NULL)
			*slash = '\0';
	}
}

void program_available(struct buf *b, const char *dataset)
{
	program_begin(b);
	buf_puts(b, "for d in");
	upwards(b, dataset);
	buf_puts(b, "; do zfs list -Hp -o available \"$d\" 2>/dev/null </dev/null && exit; done\nexit 1\n");
	program_end(b);
}

void program_host(struct buf *b, const char *dataset)
{
	program_begin(b);
	buf_puts(b,
		 "exec </dev/null\necho '#host facts'\n"
		 "echo \"user $(id -un)\"\necho \"uid $(id -u)\"\necho \"groups $(id -Gn)\"\necho \"now $(date +%s)\"\n"
		 "set -- $(zfs version 2>/dev/null | sed 's/^zfs-//; s/^kmod-//')\n"
		 "if command -v zfs >/dev/null; then echo \"zfs ${1:-?}\"; fi\necho \"module $2\"\n"
		 "if command -v zstd >/dev/null; then echo 'zstd yes'; fi\n"
		 "if [ -r /dev/zfs ] && [ -w /dev/zfs ]; then echo 'open yes'; fi\n"
		 "near=\nfor d in");
	upwards(b, dataset);
	buf_puts(b, "; do if zfs list -H -o name \"$d\" >/dev/null 2>&1; then near=$d; break; fi; done\n"
		    "echo \"nearest $near\"\n"
		    "if [ -n \"$near\" ]; then\necho '#host allow'\nzfs allow \"$near\" 2>/dev/null\n"
		    "echo '#host features'\nzpool get -H -o name,property,value all \"${near%%/*}\"\nfi\n"
		    "echo '#host end'\n");
	program_end(b);
}

void program_command(struct buf *b, const struct strings *words)
{
	program_begin(b);
	buf_puts(b, "exec");
	for (size_t i = 0; i < words->n; i++)
		shell_word(b, words->v[i]);
	buf_puts(b, " </dev/null\n");
	program_end(b);
}
