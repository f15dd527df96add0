/* What every file may use without asking: attributes, scope clean-up, and the ban on unsafe
 * functions.  Nothing here does I/O. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/banned.h"

#define MUST_CHECK	  __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a)	  (sizeof(a) / sizeof((a)[0]))

/* AUTO(arena) struct arena a = {0};  runs arena_auto(&a) at the end of the scope. */
#define AUTO(kind) __attribute__((cleanup(kind##_auto)))

#endif
