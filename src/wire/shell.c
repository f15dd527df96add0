#include "wire/shell.h"

/* What follows the program must still be there for it.  This dd reads so much and no more; where there is none that can
 * (iflag is not in POSIX) nothing has been read, and read takes a pipe byte by byte: two seconds for each megabyte.
 * Lines are gathered in pieces of 64 then: appending each to one long text would take quadratic time. */
static const char loader[] = "read -r n || exit 125\n"
			     "p=$(dd bs=\"$n\" count=1 iflag=fullblock 2>/dev/null) || {\n"
			     "p= q= n=0 l=\n"
			     "while [ \"$l\" != '#end' ] && IFS= read -r l; do\n"
			     "q=\"$q$l\n\"\n"
			     "n=$((n+1))\n"
			     "if [ $n = 64 ]; then p=\"$p$q\" q= n=0; fi\n"
			     "done\n"
			     "p=\"$p$q\" p=${p%?}\n"
			     "}\n"
			     "case $p in *'\n#end') eval \"$p\" ;; *) exit 125 ;; esac";

enum { LENGTH = 11 }; /* of the first line */

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

void shell_word(struct buf *b, const char *s)
{
	buf_putc(b, ' ');
	shquote(b, s);
}

void shell_pair(struct buf *b, const char *x, char between, const char *y)
{
	AUTO(buf) struct buf t = {0};
	buf_puts(&t, x);
	buf_putc(&t, between);
	buf_puts(&t, y);
	shell_word(b, buf_text(&t));
}

void program_begin(struct buf *b)
{
	assert(b->n == 0);
	buf_printf(b, "%*s\n", LENGTH - 1, "");
	buf_puts(b, "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\nexport PATH\nLC_ALL=C\nexport LC_ALL\n");
}

void program_end(struct buf *b)
{
	AUTO(buf) struct buf length = {0};

	buf_puts(b, "#end\n");
	buf_printf(&length, "%*zu", LENGTH - 1, b->n - LENGTH);
	assert(length.n == LENGTH - 1);
	memcpy(b->p, length.p, length.n);
}
