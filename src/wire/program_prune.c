/* Destroying snapshots. */
#include "wire/program.h"

/* destroy OPTION PLACE DATASETS COUNT NAME,NAME…: names of snapshots that we know hold neither blanks nor commas. Only
 * a dry run asks zfs to count: for that it looks at every snapshot there is. */
static void destroy_function(struct buf *b, bool dry)
{
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
}

/* What zfs has commands for: fewer than there are snapshots, but it looks at each of all datasets below. */
static void destroy_by_commands(struct buf *b, const struct prune_steps *steps)
{
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
}

/* For root a program in the kernel (zfs-program(8)) destroys many; what it cannot is left to zfs destroy, which also
 * says why: quick SNAPSHOT….  It fails where the kernel takes no program of ours. */
static const char quick_functions[] =
    "quick='local argv = (...)[\"argv\"]\n"
    "local left = {\"\"}\n"
    "for i = 1, #argv do\n"
    "if zfs.sync.destroy(argv[i]) ~= 0 then left[#left + 1] = argv[i] end\n"
    "end\n"
    "return table.concat(left, \"\\n\") .. \"\\n\"'\n"
    "one_by_one() {\nwhile IFS= read -r one; do destroy '' \"${one%@*}\" 1 1 \"${one#*@}\"; done\n}\n"
    "quick() {\n"
    "local out\n"
    "out=$(printf '%s\\n' \"$quick\" |\n"
    "zfs program -t 100000000 -m 100000000 \"${1%%[/@]*}\" - \"$@\" 2>/dev/null) || return 1\n"
    "printf 'destroyed\\t%s\\n' $(($# - $(printf '%s\\n' \"$out\" | grep -c @)))\n"
    "printf '%s\\n' \"$out\" | grep @ | one_by_one\n"
    "return 0\n"
    "}\n"
    "surely() {\nquick \"$@\" || printf '%s\\n' \"$@\" | one_by_one\n}\n";

/* The next snapshot of the next dataset; false: there is none. */
struct pruning {
	const struct prune_steps *steps;
	size_t step, dataset, snapshot;
};

static bool next_name(struct pruning *p, const char **dataset, const char **snapshot)
{
	while (p->step < p->steps->n) {
		const struct prune_step *s = &p->steps->v[p->step];
		if (p->dataset < (s->below ? s->each.n : 1)) {
			*dataset = s->below ? s->each.v[p->dataset] : s->dataset;
			*snapshot = s->snapshots.v[p->snapshot];
			if (++p->snapshot == s->snapshots.n) {
				p->snapshot = 0;
				p->dataset++;
			}
			return true;
		}
		p->dataset = 0;
		p->step++;
	}
	return false;
}

/* All of one pool, in commands of some hundred: a transaction of the pool takes one. */
static void destroy_quickly(struct buf *b, struct pruning *p, const char **dataset, const char **snapshot,
			    const char *how)
{
	enum { TOGETHER = 500 };
	size_t pool = dataset_pool_len(*dataset);
	const char *first = *dataset;

	buf_puts(b, how);
	for (size_t n = 0; n < TOGETHER && *dataset != NULL; n++) {
		if (dataset_pool_len(*dataset) != pool || strncmp(*dataset, first, pool) != 0)
			break;
		shell_pair(b, *dataset, '@', *snapshot);
		if (!next_name(p, dataset, snapshot))
			*dataset = NULL;
	}
}

void program_prune(struct buf *b, const struct prune_steps *steps, bool dry)
{
	struct pruning p = {.steps = steps};
	const char *dataset, *snapshot;

	program_begin(b);
	destroy_function(b, dry);
	if (dry || !next_name(&p, &dataset, &snapshot)) {
		destroy_by_commands(b, steps);
	} else {
		buf_puts(b, quick_functions);
		destroy_quickly(b, &p, &dataset, &snapshot, "if quick");
		buf_puts(b, "; then :\n");
		while (dataset != NULL) {
			destroy_quickly(b, &p, &dataset, &snapshot, "surely");
			buf_putc(b, '\n');
		}
		buf_puts(b, "else\n");
		destroy_by_commands(b, steps);
		buf_puts(b, "fi\n");
	}
	buf_puts(b, "echo '#prune end'\n");
	program_end(b);
}
