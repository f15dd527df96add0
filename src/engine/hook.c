#include "engine/hook.h"

#include "sys/proc.h"

int hook_run(const char *name, const struct strings *words, const char *const *env, int64_t timeout_ms,
	     const char *input, struct arena *a, struct err *e)
{
	struct proc_result out;
	struct str in = str_of(input == NULL ? "" : input);
	char how[80];

	if (words->n == 0)
		return 0;
	if (proc_run(proc_argv(words, a), env, &in, 1 << 20, timeout_ms, a, &out, e) < 0)
		return err_wrap(e, "%s did not run to its end", name);
	if (out.status == 0)
		return 0;
	struct str said = str_trim(out.err.n > 0 ? out.err : out.out);
	(void)err_set(e, ERR_SYSTEM, "%s failed: %s", name, proc_status_text(out.status, how, sizeof(how)));
	return err_why(e, "%.*s", (int)(said.n < 200 ? said.n : 200), said.n == 0 ? "" : said.p);
}
