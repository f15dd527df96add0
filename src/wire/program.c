#include "wire/program.h"

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

void program_look(struct buf *b, const char *root, bool points)
{
	buf_puts(b, head);
	/* What it complains of stands behind a '!', and so does that it failed: the exit code of the left side of a
	 * pipe would be lost. */
	buf_puts(b, "look() {\necho \"#look $1\"\nshift\n"
		    "{ { zfs list -Hp \"$@\" 2>&1 >&3 || echo \"#failed $?\"; } | sed 's/^/!/'; } 3>&1\n"
		    "}\n"
		    "look datasets -t filesystem,volume -o name,type,guid,encryption,origin,used,referenced,available,"
		    "written,receive_resume_token,dormouse:placeholder,dormouse:gone,com.sun:auto-snapshot");
	for (enum label l = LABEL_FREQUENT; l < LABELS; l++)
		buf_printf(b, ",com.sun:auto-snapshot:%s", label_name(l));
	if (*root != '\0') {
		buf_puts(b, " -r");
		word(b, root);
	}
	if (points)
		buf_puts(b, "\nlook points -t snapshot,bookmark -o name,guid,createtxg,creation,userrefs");
	if (points && *root != '\0') {
		buf_puts(b, " -r");
		word(b, root);
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

void program_parents(struct buf *b, const struct parent_steps *parents, const struct abort_steps *aborts)
{
	buf_puts(b, head);
	buf_puts(b, "set -e\n");
	for (size_t i = 0; i < aborts->n; i++) {
		buf_puts(b, "zfs receive -A");
		word(b, aborts->v[i].dataset);
		buf_puts(b, " </dev/null\n");
	}
	for (size_t i = 0; i < parents->n; i++) {
		buf_puts(b, "zfs create -u -o canmount=off -o com.sun:auto-snapshot=false -o");
		word2(b, "dormouse:placeholder", '=', parents->v[i].dataset);
		word(b, parents->v[i].dataset);
		buf_puts(b, " </dev/null\n");
	}
	buf_puts(b, end);
}

void program_prune(struct buf *b, const struct prune_steps *steps, bool dry)
{
	buf_puts(b, head);
	/* destroy OPTION PLACE NAME,NAME…: names of snapshots that we know hold neither blanks nor commas. */
	buf_puts(b, "destroy() {\nlocal out first second n i\n");
	buf_printf(b, "out=$(zfs destroy %s $1 \"$2@$3\" 2>&1 </dev/null) && { printf '%%s\\n' \"$out\"; return; }\n",
		   dry ? "-nvp" : "-vp");
	buf_puts(
	    b,
	    "case $3 in\n"
	    "*,*)\n"
	    "n=$(printf %s \"$3\" | tr -cd , | wc -c) first= second= i=0\n"
	    "for name in $(printf %s \"$3\" | tr , ' '); do\n"
	    "i=$((i+1))\n"
	    "if [ $((2*i)) -le $((n+1)) ]; then first=$first,$name; else second=$second,$name; fi\n"
	    "done\n"
	    "destroy \"$1\" \"$2\" \"${first#,}\"\n"
	    "destroy \"$1\" \"$2\" \"${second#,}\" ;;\n"
	    "*)\n"
	    "if [ -z \"$1\" ]; then printf '!%s@%s: %s\\n' \"$2\" \"$3\" \"$(printf %s \"$out\" | tr '\\n\\t' '  ')\"\n"
	    "else each | while IFS= read -r one; do destroy '' \"$one\" \"$3\"; done\n"
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
		buf_putc(b, ' ');
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

void program_marks(struct buf *b, const struct mark_steps *marks, const char *tag)
{
	buf_puts(b, head);
	/* What was asked for twice, or is gone already, is as it should be. */
	buf_puts(b, "rc=0\ntry() {\nok=$1\nshift\n"
		    "out=$(\"$@\" 2>&1 </dev/null) && return\n"
		    "case $out in *\"$ok\"*) ;; *) printf '%s\\n' \"$out\" >&2; rc=1 ;; esac\n}\n");
	for (size_t i = 0; i < marks->n; i++) {
		const struct mark_step *m = &marks->v[i];
		switch (m->kind) {
		case MARK_HOLD:
			buf_puts(b, "try 'tag already exists' zfs hold");
			word(b, tag);
			word2(b, m->dataset, '@', m->snapshot);
			break;
		case MARK_RELEASE:
			buf_puts(b, "try 'no such tag' zfs release");
			word(b, tag);
			word2(b, m->dataset, '@', m->snapshot);
			break;
		case MARK_BOOKMARK:
			buf_puts(b, "try 'bookmark exists' zfs bookmark");
			word2(b, m->dataset, '@', m->snapshot);
			word2(b, m->dataset, '#', m->bookmark);
			break;
		case MARK_UNBOOKMARK:
			buf_puts(b, "try 'does not exist' zfs destroy");
			word2(b, m->dataset, '#', m->snapshot);
			break;
		}
		buf_putc(b, '\n');
	}
	buf_puts(b, "exit $rc\n");
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

static void send_command(struct buf *b, const struct send_step *s)
{
	buf_puts(b, "zfs send");
	switch (s->kind) {
	case SEND_RESUME:
		buf_puts(b, " -t");
		word(b, s->token);
		return;
	case SEND_FULL:
	case SEND_INCREMENTAL:
	case SEND_INTERMEDIATE:
		break;
	}
	buf_puts(b, s->raw ? " -w" : " -L -c -e");
	if (s->kind != SEND_FULL) {
		buf_puts(b, s->kind == SEND_INTERMEDIATE ? " -I" : " -i");
		word2(b, s->source, s->base.kind == POINT_BOOKMARK ? '#' : '@', s->base.name);
	}
	word2(b, s->source, '@', s->to.name);
}

void program_send(struct buf *b, const struct send_step *steps, size_t n)
{
	buf_puts(b, head);
	buf_puts(b, "failed() {\necho \"dormouse-send $1 $2\" >&2\nexit \"$2\"\n}\n");
	for (size_t i = 0; i < n; i++) {
		send_command(b, &steps[i]);
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
		    "}\n");
	for (size_t i = 0; i < n; i++) {
		const struct send_step *s = &steps[i];
		buf_puts(b, "out=$(zfs receive -s -u");
		buf_puts(b, both_options);
		if (!s->is_volume)
			buf_puts(b, filesystem_options);
		word(b, s->target);
		buf_printf(b, " 2>&1)\ntook %zu $? \"$out\"", i);
		word2(b, s->target, '@', s->to.name);
		buf_printf(b, " %llu\n", (unsigned long long)s->to.guid);
	}
	buf_puts(b, end);
}
