/* What a host tells of itself, read strictly. */
#ifndef WIRE_HOST_TEXT_H
#define WIRE_HOST_TEXT_H

#include "base/err.h"
#include "base/str.h"
#include "model/host.h"

/* The output of program_host.  Strings are in the arena.  Of what zfs allow lists, that counts which holds for the
 * dataset and for all below it, for the user, a group of theirs, or everyone; sets are resolved. */
int host_parse(struct str out, struct arena *a, struct host *h, struct err *e) MUST_CHECK;

#endif
