#include "wire/program.h"

#include "wire/properties.h"

/* read takes a pipe byte by byte, so what follows "#end" is still there for the program.  Lines are
 * gathered in pieces of 64 first: appending each to one long text would take quadratic time. */
static const char loader[] = "p= q= n=0\n"
			     "while IFS= read -r l && [ \"$l\" != '#end' ]; do\n"
			     "q=\"$q$l\n\"\n"
			     "n=$((n+1))\n"
			     "if [ $n = 64 ]; then p=\"$p$q\" q= n=0; fi\n"
			     "done\n"
			     "[ \"$l\" = '#end' ] || exit 125\n"
			     "eval \"$p$q\"";

static const char head[] = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\nexport PATH\nLC_ALL=C\nexport LC_ALL\n";
/* Stands on what a restore has received, with its own name, until its properties are put back. */
#define RESTORING "dormouse:restoring"

static const char end[] = "#end\n";

void shquote(struct buf *b, const char *s)
{
	buf_putc(b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *s);
	}
	buf_putc(b, '\'');
}

const char *const *side_argv(const struct side *s, struct arena *a)
{
	size_t n = 0;
	while (s->argv[n] != NULL)
		n++;
	const char **argv = arena_alloc(a, (n + 2) * sizeof(*argv));
	memcpy(argv, s->argv, n * sizeof(*argv));
	if (s->remote) {
		/* The other end's login shell may be any; it is asked for one command only. */
		AUTO(buf) struct buf b = {0};
		buf_puts(&b, "exec /bin/sh -c ");
		shquote(&b, loader);
		argv[n] = str_dup(a, buf_str(&b));
	} else {
		argv[n] = loader;
	}
	return argv;
}

static void word(struct buf *b, const char *s)
{
	buf_putc(b, ' ');
	shquote(b, s);
}

/* A word made of two names with something in between: 'tank/a@b'. */
static void word2(struct buf *b, const char *x, char between, const char *y)
{
	AUTO(buf) struct buf t = {0};
	buf_puts(&t, x);
	buf_putc(&t, between);
	buf_puts(&t, y);
	word(b, buf_text(&t));
}

void program_look(struct buf *b, const char *root, bool points, const char *properties)
{
	buf_puts(b, head);
	/* What it complains of stands behind a '!', and so does that it failed: the exit code of the left side of a
	 * pipe would be lost. */
	buf_puts(
	    b,
	    "look() {\necho \"#look $1\"\nshift\n"
	    "{ { zfs \"$@\" 2>&1 >&3 || echo \"#failed $?\"; } | sed 's/^/!/'; } 3>&1\n"
	    "}\n"
	    "look datasets list -Hp -t filesystem,volume -o name,type,guid,encryption,origin,used,referenced,available,"
	    "written,receive_resume_token,dormouse:placeholder,dormouse:gone,dormouse:restoring,"
	    "readonly,canmount,dormouse:backup,com.sun:auto-snapshot");
	for (enum label l = LABEL_FREQUENT; l < LABELS; l++)
		buf_printf(b, ",com.sun:auto-snapshot:%s", label_name(l));
	if (*root != '\0') {
		buf_puts(b, " -r");
		word(b, root);
	}
	if (points)
		buf_puts(b, "\nlook points list -Hp -t snapshot,bookmark -o name,guid,createtxg,creation,userrefs");
	if (points && *root != '\0') {
		buf_puts(b, " -r");
		word(b, root);
	}
	if (properties != NULL) {
		buf_puts(
		    b,
		    "\nlook properties get -Hp -t filesystem,volume -s local,received -o name,property,value all -r");
		word(b, properties);
	}
	buf_puts(b, "\necho '#look end'\n");
	buf_puts(b, end);
}

void program_tokens(struct buf *b, const struct strings *tokens)
{
	buf_puts(b, head);
	for (size_t i = 0; i < tokens->n; i++) {
		buf_printf(b, "echo '#token %zu'\nzfs send -nvt", i);
		word(b, tokens->v[i]);
		buf_puts(b, " 2>&1 </dev/null\n");
	}
	buf_puts(b, "echo '#token end'\n");
	buf_puts(b, end);
}

/* The pool of a dataset's name: up to the first '/'. */
static size_t pool_len(const char *dataset)
{
	return strcspn(dataset, "/");
}

void program_snapshot(struct buf *b, const struct snap_steps *steps)
{
	buf_puts(b, head);
	buf_puts(b, "rc=0\n");
	for (size_t s = 0; s < steps->n; s++) {
		const struct snap_step *step = &steps->v[s];
		/* zfs snapshot takes many names but only of one pool; a backup's tree is in one. */
		assert(step->datasets.n > 0);
		size_t pool = pool_len(step->datasets.v[0]);
		buf_puts(b, "zfs snapshot");
		for (size_t i = 0; i < step->datasets.n; i++) {
			assert(strncmp(step->datasets.v[i], step->datasets.v[0], pool) == 0);
			word2(b, step->datasets.v[i], '@', step->name);
		}
		buf_puts(b, " </dev/null || rc=1\n");
	}
	buf_puts(b, "exit $rc\n");
	buf_puts(b, end);
}

static void give_up(struct buf *b, const char *dataset)
{
	buf_puts(b, "zfs receive -A");
	word(b, dataset);
	buf_puts(b, " </dev/null\n");
}

static void stand_in(struct buf *b, const char *dataset)
{
	buf_puts(b, "zfs create -u -o canmount=off -o com.sun:auto-snapshot=false -o");
	word2(b, "dormouse:placeholder", '=', dataset);
	word(b, dataset);
	buf_puts(b, " </dev/null\n");
}

void program_parents(struct buf *b, const struct parent_steps *parents, const struct abort_steps *aborts)
{
	buf_puts(b, head);
	buf_puts(b, "set -e\n");
	for (size_t i = 0; i < aborts->n; i++)
		give_up(b, aborts->v[i].dataset);
	for (size_t i = 0; i < parents->n; i++)
		stand_in(b, parents->v[i].dataset);
	buf_puts(b, end);
}

void program_make_room(struct buf *b, const struct abort_steps *aborts)
{
	const char *pool = aborts->v[0].dataset;

	buf_puts(b, head);
	buf_puts(b, "set -e\n");
	for (size_t i = 0; i < aborts->n; i++)
		give_up(b, aborts->v[i].dataset);
	/* zpool-wait(8).  What is freed can be used again two transactions later. */
	buf_printf(b, "{\nzpool wait -t free '%.*s'\n", (int)pool_len(pool), pool);
	for (int i = 0; i < 3; i++)
		buf_printf(b, "zpool sync '%.*s'\n", (int)pool_len(pool), pool);
	buf_puts(b, "} </dev/null || true\n");
	buf_puts(b, end);
}

void program_repair(struct buf *b, const struct repair_step *s)
{
	buf_puts(b, head);
	buf_puts(b, "set -e\n");
	switch (s->kind) {
	case REPAIR_ROLLBACK:
		buf_puts(b, "zfs rollback -r");
		word2(b, s->dataset, '@', s->base);
		buf_puts(b, " </dev/null\n");
		break;
	case REPAIR_GIVE_UP:
		give_up(b, s->dataset);
		break;
	case REPAIR_KEEP_BOTH:
		buf_puts(b, "zfs rename");
		word(b, s->dataset);
		word(b, s->to);
		buf_puts(b, " </dev/null\n");
		if (s->children.n > 0)
			stand_in(b, s->dataset);
		for (size_t i = 0; i < s->children.n; i++) {
			buf_puts(b, "zfs rename");
			word2(b, s->to, '/', s->children.v[i]);
			word2(b, s->dataset, '/', s->children.v[i]);
			buf_puts(b, " </dev/null\n");
		}
		break;
	}
	buf_puts(b, end);
}

void program_prune(struct buf *b, const struct prune_steps *steps, bool dry)
{
	buf_puts(b, head);
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
				word(b, s->each.v[k]);
			buf_puts(b, "\n}\n");
		}
		buf_printf(b, "destroy '%s'", s->below ? "-r" : "");
		word(b, s->dataset);
		buf_printf(b, " %zu %zu ", s->below ? s->each.n : 1, s->snapshots.n);
		for (size_t k = 0; k < s->snapshots.n; k++)
			buf_printf(b, "%s%s", k == 0 ? "" : ",", s->snapshots.v[k]);
		buf_putc(b, '\n');
	}
	buf_puts(b, "echo '#prune end'\n");
	buf_puts(b, end);
}

void program_tidy(struct buf *b, const struct tidy_steps *steps)
{
	buf_puts(b, head);
	buf_puts(b, "rc=0\n");
	for (size_t i = 0; i < steps->n; i++) {
		const struct tidy_step *s = &steps->v[i];
		AUTO(buf) struct buf gone = {0};
		switch (s->kind) {
		case TIDY_RENAME:
			buf_puts(b, "zfs rename");
			word(b, s->dataset);
			word(b, s->to);
			break;
		case TIDY_GONE:
			buf_printf(&gone, "dormouse:gone=%lld:%s", (long long)s->at, s->dataset);
			buf_puts(b, "zfs set");
			word(b, buf_text(&gone));
			word(b, s->dataset);
			break;
		case TIDY_CLOSE:
			buf_puts(b, s->is_volume ? "zfs set readonly=on" : "zfs set readonly=on canmount=noauto");
			word(b, s->dataset);
			break;
		case TIDY_BACK:
			buf_puts(b, "zfs inherit dormouse:gone");
			word(b, s->dataset);
			break;
		case TIDY_FORGET:
			/* Its snapshots, then itself; with anything below it, it stays. */
			buf_puts(b, "zfs destroy");
			word2(b, s->dataset, '@', "%");
			buf_puts(b, " </dev/null && zfs destroy");
			word(b, s->dataset);
			break;
		}
		buf_puts(b, " </dev/null || rc=1\n");
	}
	buf_puts(b, "exit $rc\n");
	buf_puts(b, end);
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
			buf_printf(b, "\n%s", command);
			word(b, tag);
		}
		word2(b, m->dataset, '@', m->snapshot);
	}
	buf_putc(b, '\n');
}

/* The order of kinds is what makes every hold of ours findable by a bookmark, whatever crashes. */
void program_marks(struct buf *b, const struct mark_steps *marks, const char *tag)
{
	buf_puts(b, head);
	/* What was asked for twice, or is gone already, is as it should be. */
	buf_puts(b, "rc=0\ntry() {\nok=$1\nshift\n"
		    "out=$(\"$@\" 2>&1 </dev/null) || ! printf '%s\\n' \"$out\" | grep -vF \"$ok\" >&2 || rc=1\n}\n");
	for (size_t i = 0; i < marks->n; i++) {
		const struct mark_step *m = &marks->v[i];
		if (m->kind != MARK_BOOKMARK)
			continue;
		buf_puts(b, "try 'bookmark exists' zfs bookmark");
		word2(b, m->dataset, '@', m->snapshot);
		word2(b, m->dataset, '#', m->bookmark);
		buf_putc(b, '\n');
	}
	marks_together(b, marks, MARK_HOLD, "try 'tag already exists' zfs hold", tag);
	marks_together(b, marks, MARK_RELEASE, "try 'no such tag' zfs release", tag);
	for (size_t i = 0; i < marks->n; i++) {
		const struct mark_step *m = &marks->v[i];
		if (m->kind != MARK_UNBOOKMARK)
			continue;
		buf_puts(b, "try 'does not exist' zfs destroy");
		word2(b, m->dataset, '#', m->snapshot);
		buf_putc(b, '\n');
	}
	buf_puts(b, "exit $rc\n");
	buf_puts(b, end);
}

void program_create(struct buf *b, const struct strings *datasets)
{
	buf_puts(b, head);
	buf_puts(b, "set -e\n");
	for (size_t i = 0; i < datasets->n; i++) {
		buf_puts(b, "zfs list");
		word(b, datasets->v[i]);
		buf_puts(b, " >/dev/null 2>&1 </dev/null || zfs create -u");
		word(b, datasets->v[i]);
		buf_puts(b, " </dev/null\n");
	}
	buf_puts(b, end);
}

void program_put_back(struct buf *b, const char *dataset, const struct properties *p, bool inherit)
{
	buf_puts(b, head);
	for (size_t i = 0; i < p->n; i++) {
		buf_puts(b, "zfs set");
		word2(b, p->v[i].name, '=', p->v[i].value);
		word(b, dataset);
		buf_puts(b, " </dev/null\n");
	}
	if (inherit) {
		buf_puts(b, "zfs inherit -S canmount");
		word(b, dataset);
		buf_puts(b, " </dev/null\n");
	}
	buf_puts(b, "zfs inherit " RESTORING);
	word(b, dataset);
	buf_puts(b, " </dev/null\n");
	buf_puts(b, end);
}

void program_files(struct buf *b, const struct files_wish *w)
{
	static const char *const commands[] = {
	    [FILES_LIST] = "ls -lA -- \"$p\"",
	    /* Paths as the snapshot has them. */
	    [FILES_FIND] = "find \"$p\" -name \"$pattern\" | sed 's/^\\.//; s/^$/\\//'",
	    [FILES_CAT] = ("case $(readlink -f -- \"$p\") in\n\"$d\"/*) cat -- \"$p\" ;;\n"
			   "*) echo \"it points to a place outside of the snapshot\" >&2; exit 4 ;;\nesac"),
	    [FILES_TAR] = ("tar -cSf - --numeric-owner --acls --xattrs --xattrs-include='*' "
			   "-C \"$(dirname \"$p\")\" -- \"$(basename \"$p\")\""),
	};

	buf_puts(b, head);
	buf_puts(b, "zfs list -H -o name -t snapshot");
	word2(b, w->dataset, '@', w->snapshot);
	buf_puts(b, " >/dev/null </dev/null || exit 3\n");
	buf_puts(b, "d=$(mktemp -d) && d=$(cd \"$d\" && pwd -P) || exit 3\n"
		    "leave() {\ncd /\numount \"$d\" 2>/dev/null || umount -l \"$d\" 2>/dev/null\nrmdir \"$d\"\n}\n"
		    "trap leave EXIT\ntrap 'exit 1' HUP INT TERM PIPE\n"
		    "mount -t zfs -o ro,nosuid,nodev");
	word2(b, w->dataset, '@', w->snapshot);
	buf_puts(b, " \"$d\" || exit 3\ncd \"$d\" || exit 3\np=");
	shquote(b, ".");
	shquote(b, w->path);
	buf_puts(b, "\npattern=");
	shquote(b, w->pattern == NULL ? "*" : w->pattern);
	buf_puts(b, "\nif [ ! -e \"$p\" ] && [ ! -L \"$p\" ]; then echo 'there is no such file or folder in it' >&2; "
		    "exit 4; fi\n");
	buf_printf(b, "{\n%s\n} </dev/null\n", commands[w->kind]);
	buf_puts(b, end);
}

static void each_pool(struct buf *b, const struct strings *pools, const char *wanted, const char *command)
{
	buf_puts(b, head);
	buf_puts(b, "rc=0\n");
	for (size_t i = 0; i < pools->n; i++) {
		buf_puts(b, "if ");
		buf_puts(b, wanted);
		buf_puts(b, "zpool list -H -o name");
		word(b, pools->v[i]);
		buf_puts(b, " >/dev/null 2>&1 </dev/null; then ");
		buf_puts(b, command);
		word(b, pools->v[i]);
		buf_puts(b, " </dev/null || rc=1; fi\n");
	}
	buf_puts(b, "exit $rc\n");
	buf_puts(b, end);
}

void program_import(struct buf *b, const struct strings *pools)
{
	each_pool(b, pools, "! ", "zpool import -N");
}

void program_export(struct buf *b, const struct strings *pools)
{
	each_pool(b, pools, "", "zpool export");
}

static void send_command(struct buf *b, const struct send_step *s, const char *options)
{
	buf_printf(b, "zfs send%s", options);
	switch (s->kind) {
	case SEND_RESUME:
		buf_puts(b, " -t");
		word(b, s->token);
		return;
	case SEND_FULL:
	case SEND_CLONE:
	case SEND_INCREMENTAL:
	case SEND_INTERMEDIATE:
		break;
	}
	buf_puts(b, s->raw ? " -w" : " -L -c -e");
	if (s->kind == SEND_CLONE) {
		buf_puts(b, " -i");
		word(b, s->origin);
	} else if (s->kind != SEND_FULL) {
		buf_puts(b, s->kind == SEND_INTERMEDIATE ? " -I" : " -i");
		word2(b, s->source, s->base.kind == POINT_BOOKMARK ? '#' : '@', s->base.name);
	}
	word2(b, s->source, '@', s->to.name);
}

void program_estimate(struct buf *b, const struct send_steps *sends)
{
	buf_puts(b, head);
	for (size_t i = 0; i < sends->n; i++) {
		buf_printf(b, "echo '#estimate %zu'\n", i);
		send_command(b, &sends->v[i], " -nvP");
		buf_puts(b, " 2>&1 </dev/null\n");
	}
	buf_puts(b, "echo '#estimate end'\n");
	buf_puts(b, end);
}

/* The dataset, and each above it: for the words of one command, the nearest first. */
static void upwards(struct buf *b, const char *dataset)
{
	AUTO(arena) struct arena a = {0};
	char *name = arena_strdup(&a, dataset);

	for (char *slash = name; slash != NULL;) {
		word(b, name);
		slash = strrchr(name, '/');
		if (slash != NULL)
			*slash = '\0';
	}
}

void program_available(struct buf *b, const char *dataset)
{
	buf_puts(b, head);
	buf_puts(b, "for d in");
	upwards(b, dataset);
	buf_puts(b, "; do zfs list -Hp -o available \"$d\" 2>/dev/null </dev/null && exit; done\nexit 1\n");
	buf_puts(b, end);
}

void program_host(struct buf *b, const char *dataset)
{
	buf_puts(b, head);
	buf_puts(b,
		 "exec </dev/null\necho '#host facts'\n"
		 "echo \"user $(id -un)\"\necho \"uid $(id -u)\"\necho \"groups $(id -Gn)\"\necho \"now $(date +%s)\"\n"
		 "set -- $(zfs version 2>/dev/null | sed 's/^zfs-//; s/^kmod-//')\n"
		 "echo \"zfs $1\"\necho \"module $2\"\n"
		 "if [ -r /dev/zfs ] && [ -w /dev/zfs ]; then echo 'open yes'; fi\n"
		 "near=\nfor d in");
	upwards(b, dataset);
	buf_puts(b, "; do if zfs list -H -o name \"$d\" >/dev/null 2>&1; then near=$d; break; fi; done\n"
		    "echo \"nearest $near\"\n"
		    "if [ -n \"$near\" ]; then\necho '#host allow'\nzfs allow \"$near\" 2>/dev/null\n"
		    "echo '#host features'\nzpool get -H -o name,property,value all \"${near%%/*}\"\nfi\n"
		    "echo '#host end'\n");
	buf_puts(b, end);
}

void program_send(struct buf *b, const struct send_step *steps, size_t n)
{
	buf_puts(b, head);
	buf_puts(b, "failed() {\necho \"dormouse-send $1 $2\" >&2\nexit \"$2\"\n}\n");
	for (size_t i = 0; i < n; i++) {
		send_command(b, &steps[i], "");
		buf_printf(b, " </dev/null || failed %zu $?\n", i);
	}
	buf_puts(b, end);
}

/* What a received dataset must never bring along or be given: nothing that mounts it, limits it, or
 * lets anything on the target write to it or snapshot it.  A volume refuses the properties of file
 * systems (zfs-receive(8): -o and -x must apply to the type). */
static const char both_options[] = " -o readonly=on -o com.sun:auto-snapshot=false -x reservation -x refreservation"
				   " -x snapshot_limit";
static const char filesystem_options[] = " -o canmount=noauto -x mountpoint -x quota -x refquota";

static void receive_options(struct buf *b, const struct send_step *s)
{
	AUTO(arena) struct arena a = {0};

	if (s->restores) {
		buf_puts(b, s->is_volume ? " -o" : " -o canmount=noauto -o");
		word2(b, RESTORING, '=', s->target);
		return;
	}
	buf_puts(b, both_options);
	if (!s->is_volume)
		buf_puts(b, filesystem_options);
	if (s->kind == SEND_CLONE) {
		buf_puts(b, " -o");
		word2(b, "origin", '=', s->target_origin);
	}
	if (s->properties != NULL) {
		buf_puts(b, " -o");
		word2(b, PROPERTIES_NAME, '=', properties_text(s->properties, &a));
	}
}

void program_receive(struct buf *b, const struct send_step *steps, size_t n)
{
	buf_puts(b, head);
	/* The answer: index, exit code, GUID of the snapshot that should be there now ('-' if it is not), then what zfs
	 * said, each line behind a '!'. */
	buf_puts(b, "took() {\n"
		    "guid=$(zfs get -Hp -o value guid \"$4\" 2>/dev/null </dev/null) || guid=-\n"
		    "echo \"$1 $2 ${guid:--}\"\n"
		    "[ -z \"$3\" ] || printf '%s\\n' \"$3\" | sed 's/^/!/'\n"
		    "[ \"$guid\" = \"$5\" ] || exit 1\n"
		    "}\n"
		    /* docs/decisions/0006 */
		    "ours() {\n"
		    "[ \"$(zfs get -Hp -o value dormouse:placeholder \"$1\" </dev/null)\" = \"$1\" ] && "
		    "[ -z \"$(zfs list -H -o name -d 1 -t snapshot \"$1\" </dev/null 2>&1)\" ] && return\n"
		    "echo \"cannot receive: $1 is no stand-in of dormouse any more\"\nreturn 1\n"
		    "}\n");
	for (size_t i = 0; i < n; i++) {
		const struct send_step *s = &steps[i];
		buf_puts(b, "out=$(");
		if (s->replaces) {
			buf_puts(b, "{ ours");
			word(b, s->target);
			buf_puts(b, " && ");
		}
		buf_puts(b, s->replaces ? "zfs receive -s -u -F" : "zfs receive -s -u");
		receive_options(b, s);
		word(b, s->target);
		if (s->replaces) {
			buf_puts(b, " && zfs inherit dormouse:placeholder");
			word(b, s->target);
			buf_puts(b, " </dev/null; }");
		}
		buf_printf(b, " 2>&1)\ntook %zu $? \"$out\"", i);
		word2(b, s->target, '@', s->to.name);
		buf_printf(b, " %llu\n", (unsigned long long)s->to.guid);
	}
	buf_puts(b, end);
}
