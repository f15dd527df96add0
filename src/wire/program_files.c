#include "wire/program.h"

/* Mounts the snapshot, and a later one unless that is NULL, where nobody sees them, for as long as the program runs:
 * $d/one, $d/two; $p is the path below them.  A link in the snapshot may lead to what the archiver itself has by that
 * name: in one of them, `inside PATH` ends the program then. */
static void mounted(struct buf *b, const struct files_wish *w, const char *later)
{
	const struct {
		const char *snapshot, *place;
	} all[] = {{w->snapshot, "one"}, {later, "two"}};

	for (size_t i = 0; i < ARRAY_LEN(all) && all[i].snapshot != NULL; i++) {
		buf_puts(b, "zfs list -H -o name -t snapshot");
		shell_pair(b, w->dataset, '@', all[i].snapshot);
		buf_puts(b, " >/dev/null </dev/null || exit 3\n");
	}
	buf_puts(b, "d=$(mktemp -d) && d=$(cd \"$d\" && pwd -P) && mkdir \"$d/one\" \"$d/two\" || exit 3\n"
		    "leave() {\ncd /\nfor m in \"$d/one\" \"$d/two\"; do\n"
		    "umount \"$m\" 2>/dev/null || umount -l \"$m\" 2>/dev/null\nrmdir \"$m\"\ndone\nrmdir \"$d\"\n}\n"
		    "trap leave EXIT\ntrap 'exit 1' HUP INT TERM PIPE\n"
		    "inside() {\ncase $(readlink -f -- \"$1\")/ in\n\"$PWD\"/*) ;;\n"
		    "*) echo 'it points to a place outside of the snapshot' >&2; exit 4 ;;\nesac\n}\n");
	for (size_t i = 0; i < ARRAY_LEN(all) && all[i].snapshot != NULL; i++) {
		buf_puts(b, "mount -t zfs -o ro,nosuid,nodev");
		shell_pair(b, w->dataset, '@', all[i].snapshot);
		buf_printf(b, " \"$d/%s\" || exit 3\n", all[i].place);
	}
	buf_puts(b, "p=");
	shquote(b, ".");
	shquote(b, w->path);
	buf_putc(b, '\n');
}

void program_two_lists(struct buf *b, const struct files_wish *w, const char *later)
{
	program_begin(b);
	mounted(b, w, later);
	buf_puts(b, "for side in one two; do\ncd \"$d/$side\" || exit 3\nprintf '#%s\\0' $side\n"
		    "if [ -e \"$p\" ] || [ -L \"$p\" ]; then\ninside \"${p%/*}\"\n"
		    "find \"$p\" -printf '%i %y %s %T@ %C@ %m:%U:%G\\0%p\\0' </dev/null || exit 3\nfi\ndone\n"
		    "printf '#end\\0'\n");
	program_end(b);
}

void program_files(struct buf *b, const struct files_wish *w)
{
	static const char *const commands[] = {
	    [FILES_LIST] = "ls -lA -- \"$p\"",
	    /* Paths as the snapshot has them; the exit code of the left side of a pipe would be lost. */
	    [FILES_FIND] = "{ find \"$p\" -name \"$pattern\" || kill $$; } | sed 's/^\\.//; s/^$/\\//'",
	    [FILES_CAT] = "inside \"$p\"\ncat -- \"$p\"",
	    [FILES_TAR] = ("while [ \"$p\" != \"${p%/}\" ]; do p=${p%/}; done\n"
			   "tar -cSf - --numeric-owner --acls --xattrs --xattrs-include='*' "
			   "-C \"${p%/*}\" -- \"${p##*/}\""),
	};

	program_begin(b);
	mounted(b, w, NULL);
	buf_puts(b, "cd \"$d/one\" || exit 3\npattern=");
	shquote(b, w->pattern == NULL ? "*" : w->pattern);
	buf_puts(b, "\nif [ ! -e \"$p\" ] && [ ! -L \"$p\" ]; then echo 'there is no such file or folder in it' >&2; "
		    "exit 4; fi\n");
	buf_puts(b, "inside \"${p%/*}\"\n");
	buf_printf(b, "{\n%s\n} </dev/null\n", commands[w->kind]);
	program_end(b);
}
