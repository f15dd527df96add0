/* A side: where zfs commands run.  A shell program is run by putting it behind argv as the last
 * word; for this host argv is {"/bin/sh", "-c"}, for another {"ssh", …, host}.  Because a program
 * can be longer than the kernel's limit for one word, what stands in argv is always the same small
 * loader, which reads the real program from its standard input (see wire/program.h). */
#ifndef MODEL_SIDE_H
#define MODEL_SIDE_H

#include "base/base.h"

struct side {
	const char *label;	 /* for people: "this host", "archiver" */
	const char *const *argv; /* NULL-terminated, without the program */
	bool remote;		 /* the program goes through the remote login shell: quote it once more */
};

#endif
