#include "wire/shell.h"

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
	buf_puts(b, "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\nexport PATH\nLC_ALL=C\nexport LC_ALL\n");
}

void program_end(struct buf *b)
{
	buf_puts(b, "#end\n");
}
