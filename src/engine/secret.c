#include "engine/secret.h"

#include <errno.h>
#include <sys/stat.h>

#include "sys/fdio.h"
#include "sys/proc.h"

enum { MAX_BYTES = 64 * 1024, COMMAND_MS = 10000 };

static int from_file(const char *path, const char *what, struct arena *a, struct str *out, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		(void)err_sys(e, errno, "cannot read the %s in '%s'", what, path);
		return err_hint(e, "is it there, and may this user read it?");
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IROTH | S_IWOTH)) != 0) {
		(void)err_set(e, ERR_DENIED, "the %s in '%s' is no secret: %s", what, path,
			      S_ISREG(st.st_mode) ? "others may read or write it" : "it is no file");
		return err_hint(e, "chmod 600 '%s', and let it be made anew if somebody may have read it", path);
	}
	return fd_read_file(path, MAX_BYTES, a, out, e);
}

static int from_command(const struct strings *words, const char *what, struct arena *a, struct str *out, struct err *e)
{
	struct proc_result r;
	char how[80];

	if (proc_run(proc_argv(words, a), NULL, NULL, MAX_BYTES, COMMAND_MS, a, &r, e) < 0)
		return err_wrap(e, "cannot get the %s", what);
	*out = r.out;
	if (r.status == 0)
		return 0;
	/* What it printed may be half of the secret. */
	(void)err_set(e, ERR_SYSTEM, "cannot get the %s: its command ended with %s", what,
		      proc_status_text(r.status, how, sizeof(how)));
	return err_hint(e, "run it by hand, as the same user: it is '%s'", words->v[0]);
}

int secret_read(const struct secret *s, const char *what, struct arena *a, const char **out, struct err *e)
{
	struct str text = str_of(s->text == NULL ? "" : s->text);

	*out = NULL;
	if (s->text == NULL && s->file == NULL && s->command.n == 0)
		return 0;
	if (s->file != NULL && from_file(s->file, what, a, &text, e) < 0)
		return -1;
	if (s->command.n > 0 && from_command(&s->command, what, a, &text, e) < 0)
		return -1;
	text = str_trim(text);
	bool good = text.n > 0;
	for (size_t i = 0; i < text.n; i++)
		good &= (unsigned char)text.p[i] > ' ' && text.p[i] != 127;
	if (!good) {
		(void)err_set(e, ERR_CONFIG, "the %s is %s", what, text.n == 0 ? "empty" : "not one word");
		return err_hint(e, "it is one line without blanks");
	}
	*out = str_dup(a, text);
	return 0;
}
