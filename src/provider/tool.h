/* What several kinds of machines share: running a program of theirs, waiting until something is so, and finding
 * an address. */
#ifndef PROVIDER_TOOL_H
#define PROVIDER_TOOL_H

#include "port/provider.h"
#include "sys/proc.h"

/* Runs a program to its end, in English (LC_ALL=C); -1 when it cannot be run (ERR_MISSING: there is none) or takes
 * longer than the deadline.  How it ended is in r->status. */
int tool_run(const struct provider_env *env, const char *const *argv, struct proc_result *r, struct err *e) MUST_CHECK;
/* The same, where an exit code other than 0 is an error with what the program said: "cannot DOING".  out may be NULL.
 */
int tool_do(const struct provider_env *env, const char *const *argv, struct str *out, struct err *e, const char *doing,
	    ...) MUST_CHECK PRINTF(5, 6);
/* Can a program of that name be run?  If not, hint says how to get it. */
int tool_have(const struct provider_env *env, const char *program, const char *hint, struct err *e) MUST_CHECK;

/* Asks again and again, more and more seldom, until is says 1 (then 1), fails (-1), or most_ms or the deadline is over
 * (0). */
int tool_wait(const struct provider_env *env, int64_t most_ms, int (*is)(void *arg, struct err *e), void *arg,
	      struct err *e) MUST_CHECK;

/* Sleeps before the same is asked of a service again; tried: how often it was.  Anything up to a limit that doubles
 * each time, so that many who were refused at once do not come again at once.  false: there is no time for it. */
bool tool_rest(const struct provider_env *env, int tried);

/* A line for who waits. */
void tool_progress(const struct provider_env *env, const char *text);

/* The IP address of a name; an IPv4 one where there are both.  Brackets around an IPv6 address are taken off. */
int tool_address(const struct provider_env *env, const char *name, const char **address, struct err *e) MUST_CHECK;

#endif
