#include "provider/tool.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"

enum { OUTPUT_MAX = 1024 * 1024, PAUSE_MS = 50, PAUSE_MOST_MS = 1000, REST_MS = 500, REST_MOST_MS = 20000 };

static int64_t left(const struct provider_env *env)
{
	int64_t ms = env->deadline_ms - clock_mono_ms();
	return ms > 1 ? ms : 1;
}

int tool_run(const struct provider_env *env, const char *const *argv, struct proc_result *r, struct err *e)
{
	static const char *const english[] = {"LC_ALL=C", NULL};

	if (proc_run(argv, english, NULL, OUTPUT_MAX, left(env), env->arena, r, e) == 0)
		return 0;
	e->kind = e->sys == ENOENT ? ERR_MISSING : e->kind;
	return -1;
}

int tool_do(const struct provider_env *env, const char *const *argv, struct str *out, struct err *e, const char *doing,
	    ...)
{
	struct proc_result r;
	char what[sizeof(e->what)], how[80];
	va_list ap;

	va_start(ap, doing);
	(void)vsnprintf(what, sizeof(what), doing, ap);
	va_end(ap);
	if (tool_run(env, argv, &r, e) < 0)
		return err_wrap(e, "cannot %s", what);
	if (out != NULL)
		*out = r.out;
	if (r.status == 0)
		return 0;
	(void)err_set(e, ERR_SYSTEM, "cannot %s", what);
	struct str said = str_trim(r.err.n > 0 ? r.err : r.out);
	(void)err_why(e, "'%s' says: %.*s", argv[0], (int)(said.n < 400 ? said.n : 400), said.p);
	if (said.n == 0)
		(void)err_why(e, "'%s' ended with %s", argv[0], proc_status_text(r.status, how, sizeof(how)));
	return -1;
}

int tool_have(const struct provider_env *env, const char *program, const char *hint, struct err *e)
{
	struct str path = str_of(getenv("PATH") == NULL ? "/usr/bin:/bin" : getenv("PATH"));

	if (strchr(program, '/') != NULL && access(program, X_OK) == 0)
		return 0;
	while (strchr(program, '/') == NULL && path.n > 0) {
		struct str dir = str_cut(&path, ':');
		if (access(arena_printf(env->arena, "%.*s/%s", (int)dir.n, dir.p, program), X_OK) == 0)
			return 0;
	}
	(void)err_set(e, ERR_MISSING, "there is no program '%s' on this host", program);
	return err_hint(e, "%s", hint);
}

int tool_wait(const struct provider_env *env, int64_t most_ms, int (*is)(void *arg, struct err *e), void *arg,
	      struct err *e)
{
	int64_t until = clock_mono_ms() + most_ms, pause = PAUSE_MS;

	until = until < env->deadline_ms ? until : env->deadline_ms;
	for (;;) {
		int rc = is(arg, e);
		int64_t now = clock_mono_ms();
		if (rc < 0 && e->kind == ERR_TIMEOUT && now >= env->deadline_ms)
			return 0;
		if (rc != 0 || now >= until)
			return rc;
		clock_sleep_ms(pause < until - now ? pause : until - now);
		pause = pause * 3 / 2 < PAUSE_MOST_MS ? pause * 3 / 2 : PAUSE_MOST_MS;
	}
}

bool tool_rest(const struct provider_env *env, int tried)
{
	int64_t most = REST_MS * ((int64_t)1 << tried);
	uint32_t dice = 0;

	most = most < REST_MOST_MS ? most : REST_MOST_MS;
	(void)!getrandom(&dice, sizeof(dice), 0);
	int64_t pause = dice % most;
	if (clock_mono_ms() + pause >= env->deadline_ms)
		return false;
	clock_sleep_ms(pause);
	return true;
}

void tool_progress(const struct provider_env *env, const char *text)
{
	if (env->progress != NULL)
		env->progress(env, text);
}

int tool_address(const struct provider_env *env, const char *name, const char **address, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL, *best;
	char text[NI_MAXHOST];
	size_t n = strlen(name);

	if (n > 2 && name[0] == '[' && name[n - 1] == ']')
		name = arena_strndup(env->arena, name + 1, n - 2);
	int code = getaddrinfo(name, NULL, &hints, &found);
	if (code != 0 || found == NULL) {
		(void)err_set(e, ERR_NET, "cannot find the address of '%s'", name);
		(void)err_why(e, "%s", code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
		e->retry = RETRY_LATER;
		return err_hint(e, "is the name right?  to try it: getent ahosts '%s'", name);
	}
	best = found;
	for (struct addrinfo *i = found; i != NULL; i = i->ai_next)
		best = best->ai_family != AF_INET && i->ai_family == AF_INET ? i : best;
	code = getnameinfo(best->ai_addr, best->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(found);
	if (code != 0)
		return err_set(e, ERR_NET, "cannot read the address of '%s'", name);
	*address = arena_strdup(env->arena, text);
	return 0;
}
