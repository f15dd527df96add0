#include "wire/program.h"

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

static void look_datasets(struct buf *b)
{
	buf_puts(
	    b,
	    "look datasets list -Hp -t filesystem,volume -o name,type,guid,encryption,origin,used,referenced,available,"
	    "written,receive_resume_token,dormouse:placeholder,dormouse:gone,dormouse:restoring,"
	    "readonly,canmount,dormouse:backup,encryptionroot,com.sun:auto-snapshot");
	for (enum label l = LABEL_FREQUENT; l < LABELS; l++)
		buf_printf(b, ",com.sun:auto-snapshot:%s", label_name(l));
}

void program_look(struct buf *b, const char *root, bool with_points, const char *properties)
{
	look_begin(b);
	look_datasets(b);
	if (*root != '\0') {
		buf_puts(b, " -r");
		shell_word(b, root);
	}
	if (with_points)
		buf_printf(b, "\nlook points list -Hp -t snapshot,bookmark %s", points);
	if (with_points && *root != '\0') {
		buf_puts(b, " -r");
		shell_word(b, root);
	}
	if (properties != NULL) {
		buf_puts(
		    b,
		    "\nlook properties get -Hp -t filesystem,volume -s local,received -o name,property,value all -r");
		shell_word(b, properties);
	}
	look_end(b);
}

void program_look_names(struct buf *b)
{
	look_begin(b);
	look_datasets(b);
	buf_printf(b, "\nlook points list -Hp -t bookmark %s\n", points);
	/* Each line of what it returns has an '@', and no other line that zfs program prints. */
	buf_puts(b, "names='local names = {\"\"}\n"
		    "local function walk(dataset)\n"
		    "for one in zfs.list.snapshots(dataset) do names[#names + 1] = one end\n"
		    "for child in zfs.list.children(dataset) do walk(child) end\n"
		    "end\n"
		    "local args = ...\n"
		    "walk(args[\"argv\"][1])\n"
		    "return table.concat(names, \"\\n\") .. \"\\n\"'\n"
		    "echo '#look names'\n"
		    "try list -H -d 0 -o name | while IFS= read -r pool; do\n"
		    "case $pool in '!'*) printf '%s\\n' \"$pool\"; continue ;; esac\n"
		    "if out=$(printf '%s\\n' \"$names\" |\n"
		    "zfs program -n -t 100000000 -m 100000000 \"$pool\" - \"$pool\" 2>/dev/null)\n"
		    "then printf '%s\\n' \"$out\" | grep @\n"
		    "else try list -H -t snapshot -o name -s name -r \"$pool\" </dev/null\n"
		    "fi\n"
		    "done");
	look_end(b);
}

void program_look_points(struct buf *b, const struct strings *snapshots)
{
	enum { TOGETHER = 500 };

	look_begin(b);
	for (size_t i = 0; i < snapshots->n; i++) {
		if (i % TOGETHER == 0)
			buf_printf(b, "\nlook points list -Hp -t snapshot %s", points);
		shell_word(b, snapshots->v[i]);
	}
	look_end(b);
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

/* The pool of a dataset's name: up to the first '/'. */
static size_t pool_len(const char *dataset)
{
	return strcspn(dataset, "/");
}

void program_snapshot(struct buf *b, const struct snap_steps *steps)
{
	program_begin(b);
	buf_puts(b, "rc=0\n");
	for (size_t s = 0; s < steps->n; s++) {
		const struct snap_step *step = &steps->v[s];
		/* zfs snapshot takes many names but only of one pool; a backup's tree is in one. */
		assert(step->datasets.n > 0);
		size_t pool = pool_len(step->datasets.v[0]);
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
	buf_printf(b, "{\nzpool wait -t free '%.*s'\n", (int)pool_len(pool), pool);
	for (int i = 0; i < 3; i++)
		buf_printf(b, "zpool sync '%.*s'\n", (int)pool_len(pool), pool);
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

void program_prune(struct buf *b, const struct prune_steps *steps, bool dry)
{
	program_begin(b);
	/* destroy OPTION PLACE DATASETS COUNT NAME,NAME…: names of snapshots that we know hold neither blanks nor
	 * commas. Only a dry run asks zfs to count: for that it looks at every snapshot there is. */
	buf_puts(b, "destroy() {\nlocal out first second half i name\n");
	if (dry)
		buf_puts(
		    b,
		    "out=$(zfs destroy -nvp $1 \"$2@$5\" 2>&1 </dev/null) && { printf '%s\\n' \"$out\"; return; }\n");
	else
		buf_puts(b, "out=$(zfs destroy $1 \"$2@$5\" 2>&1 </dev/null) && "
			    "{ printf 'destroyed\\t%s\\n' $(($3*$4)); return; }\n");
	buf_puts(
	    b,
	    "case $5 in\n"
	    "*,*)\n"
	    "half=$((($4+1)/2)) first= second= i=0\n"
	    "for name in $(printf %s \"$5\" | tr , ' '); do\n"
	    "i=$((i+1))\n"
	    "if [ $i -le $half ]; then first=$first,$name; else second=$second,$name; fi\n"
	    "done\n"
	    "destroy \"$1\" \"$2\" $3 $half \"${first#,}\"\n"
	    "destroy \"$1\" \"$2\" $3 $(($4-half)) \"${second#,}\" ;;\n"
	    "*)\n"
	    "if [ -z \"$1\" ]; then printf '!%s@%s: %s\\n' \"$2\" \"$5\" \"$(printf %s \"$out\" | tr '\\n\\t' '  ')\"\n"
	    "else each | while IFS= read -r one; do destroy '' \"$one\" 1 1 \"$5\"; done\n"
	    "fi ;;\n"
	    "esac\n"
	    "}\n");
	for (size_t i = 0; i < steps->n; i++) {
		const struct prune_step *s = &steps->v[i];
		if (s->below) {
			buf_puts(b, "each() {\nprintf '%s\\n'");
			for (size_t k = 0; k < s->each.n; k++)
				shell_word(b, s->each.v[k]);
			buf_puts(b, "\n}\n");
		}
		buf_printf(b, "destroy '%s'", s->below ? "-r" : "");
		shell_word(b, s->dataset);
		buf_printf(b, " %zu %zu ", s->below ? s->each.n : 1, s->snapshots.n);
		for (size_t k = 0; k < s->snapshots.n; k++)
			buf_printf(b, "%s%s", k == 0 ? "" : ",", s->snapshots.v[k]);
		buf_putc(b, '\n');
	}
	buf_puts(b, "echo '#prune end'\n");
	program_end(b);
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
			shell_word(b, s->dataset);
			break;
		case TIDY_BACK:
			buf_puts(b, "zfs inherit dormouse:gone");
			shell_word(b, s->dataset);
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

/* A command each, as zfs has it: many at once share the transaction that each waits for. */
static void marks_at_once(struct buf *b, const struct mark_steps *marks, enum mark_kind kind, const char *command)
{
	enum { AT_ONCE = 16 };
	size_t n = 0;

	for (size_t i = 0; i < marks->n; i++) {
		const struct mark_step *m = &marks->v[i];
		if (m->kind != kind)
			continue;
		buf_puts(b, command);
		shell_pair(b, m->dataset, kind == MARK_BOOKMARK ? '@' : '#', m->snapshot);
		if (kind == MARK_BOOKMARK)
			shell_pair(b, m->dataset, '#', m->bookmark);
		buf_puts(b, ++n % AT_ONCE == 0 ? " & pids=\"$pids $!\"\nall\n" : " & pids=\"$pids $!\"\n");
	}
	buf_puts(b, "all\n");
}

/* One command for many: zfs hold and zfs release go on after one that fails. */
static void marks_together(struct buf *b, const struct mark_steps *marks, enum mark_kind kind, const char *command,
			   const char *tag)
{
	enum { TOGETHER = 500 };
	size_t n = 0;

	for (size_t i = 0; i < marks->n; i++) {
		const struct mark_step *m = &marks->v[i];
		if (m->kind != kind)
			continue;
		if (n++ % TOGETHER == 0) {
			buf_printf(b, "%s%s", n > 1 ? " || rc=1\n" : "", command);
			shell_word(b, tag);
		}
		shell_pair(b, m->dataset, '@', m->snapshot);
	}
	buf_puts(b, n > 0 ? " || rc=1\n" : "");
}

/* The order of kinds is what makes every hold of ours findable by a bookmark, whatever crashes. */
void program_marks(struct buf *b, const struct mark_steps *marks, const char *tag)
{
	program_begin(b);
	/* What was asked for twice, or is gone already, is as it should be. */
	buf_puts(b, "rc=0 pids=\ntry() {\nok=$1\nshift\n"
		    "out=$(\"$@\" 2>&1 </dev/null) || ! printf '%s\\n' \"$out\" | grep -vF \"$ok\" >&2\n}\n"
		    "all() {\nfor p in $pids; do wait $p || rc=1; done\npids=\n}\n");
	marks_at_once(b, marks, MARK_BOOKMARK, "try 'bookmark exists' zfs bookmark");
	marks_together(b, marks, MARK_HOLD, "try 'tag already exists' zfs hold", tag);
	/* What was common before is let go of only when what is common now is safe. */
	buf_puts(b, "[ $rc = 0 ] || exit $rc\n");
	marks_together(b, marks, MARK_RELEASE, "try 'no such tag' zfs release", tag);
	marks_at_once(b, marks, MARK_UNBOOKMARK, "try 'does not exist' zfs destroy");
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
