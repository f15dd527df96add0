/* How values become shell, and how a shell program gets to a side.  Nothing that came from outside is ever read as
 * shell.  POSIX sh, as dash and bash have it. */
#ifndef WIRE_SHELL_H
#define WIRE_SHELL_H

#include "base/buf.h"
#include "model/side.h"

/* One word of POSIX shell that stands for s, whatever is in it. */
void shquote(struct buf *b, const char *s);

/* The argv that runs a program on a side: the side's own words and, as the last one, the loader, a
 * constant that reads the real program from standard input (its length, then itself) and leaves the rest of the input
 * to it.  NULL-terminated, in the arena. */
const char *const *side_argv(const struct side *s, struct arena *a);

/* A blank and a word; the same with two names and something in between: 'tank/a@b'. */
void shell_word(struct buf *b, const char *s);
void shell_pair(struct buf *b, const char *x, char between, const char *y);

/* What stands before and behind every program; it is the first in its buffer. */
void program_begin(struct buf *b);
void program_end(struct buf *b);

#endif
