/* Lists of files, as find(1) prints them, read strictly. */
#ifndef WIRE_FILES_TEXT_H
#define WIRE_FILES_TEXT_H

#include "base/err.h"
#include "base/str.h"
#include "model/file.h"

/* The output of program_two_lists.  Strings are in the arena; paths are bytes, whatever they are. */
int files_parse(struct str out, struct arena *a, struct files *one, struct files *two, struct err *e) MUST_CHECK;

#endif
