/* How it is said what apply, rollback and destroy do. */
#ifndef CLI_WORK_TEXT_H
#define CLI_WORK_TEXT_H

#include "cli/applying.h"

const char *work_what(const struct work *w); /* "target", "report" */
/* What is to be done for one of them, or was: on standard output, as JSON, and as a line for each step. */
void work_show(const struct work *w);
json_t *work_json(const struct work *w);
void work_lines(const struct work *w, struct strings *lines);

#endif
