/* What the file says that is right, and could be better: what check and plan say of targets. */
#ifndef CLI_ADVISING_H
#define CLI_ADVISING_H

#include "cli/cli.h"

/* Of the target named so, or of all (NULL); of the caller's own, an array of {target, what, hint}. */
json_t *advising_json(struct cli *c, const char *target);
void advising_print(const json_t *advices);

#endif
