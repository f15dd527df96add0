/* The one that makes the pages: it listens, gives that away, and answers what the other asks. */
#include "web/web.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "sys/notify.h"
#include "sys/proc.h"
#include "sys/tcp.h"
#include "web/answer.h"

enum { RUNS = 20000, TOKEN_MAX = 4096, PATIENCE_S = 15 };

static const char unix_prefix[] = "unix:";

/* A token that others may read is none. */
static int read_token(const char *path, struct arena *a, const char **token, struct err *e)
{
	struct stat st;
	struct str text;

	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0) {
		(void)err_set(e, ERR_CONFIG, "others may read the token '%s'", path);
		return err_hint(e, "chmod 600 %s; and if somebody has read it, make a new one", path);
	}
	if (fd_read_file(path, TOKEN_MAX, a, &text, e) < 0)
		return -1;
	*token = str_dup(a, str_trim(text));
	if (strlen(*token) >= 16)
		return 0;
	(void)err_set(e, ERR_CONFIG, "the token in '%s' is too short", path);
	return err_hint(e, "16 characters at least: head -c 24 /dev/urandom | base64 >%s", path);
}

static int listen_at(const struct web_options *o, struct tcp_listeners *l, struct err *e)
{
	if (strncmp(o->listen, unix_prefix, strlen(unix_prefix)) == 0) {
		l->n = 1;
		return ipc_listen(o->listen + strlen(unix_prefix), &l->fd[0], e);
	}
	if (o->token_file == NULL && !web_route_is_local(o->listen)) {
		(void)err_set(e, ERR_CONFIG, "'%s' can be reached from elsewhere, and everybody would see all of it",
			      o->listen);
		return err_hint(e, "--token-file FILE, whose text is then the password; or --listen localhost:7980");
	}
	return tcp_listen(o->listen, l, e);
}

/* The rules of the other, on its standard input. */
static int rules_fd(const struct web_options *o, const char *token, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	AUTO(json) json_t *j = json_object();
	json_t *hosts = json_array();
	int64_t uid = -1, gid = -1;
	int ends[2];
	const char *patience = getenv("DORMOUSE_WEB_PATIENCE_S"); /* for tests, which have less */

	if (geteuid() == 0) {
		const struct passwd *nobody = getpwnam("nobody");
		if (nobody == NULL)
			return err_set(e, ERR_SYSTEM, "there is no user 'nobody'");
		uid = nobody->pw_uid;
		gid = nobody->pw_gid;
	}
	(void)json_object_set_new(j, "any_host",
				  json_boolean(strncmp(o->listen, unix_prefix, strlen(unix_prefix)) == 0));
	(void)json_object_set_new(j, "hosts", hosts);
	for (size_t i = 0; i < o->hosts.n; i++)
		(void)json_array_append_new(hosts, json_any(o->hosts.v[i]));
	json_put_text(j, "token", token);
	(void)json_object_set_new(j, "patience_s",
				  json_integer(patience == NULL ? PATIENCE_S : strtoll(patience, NULL, 10)));
	(void)json_object_set_new(j, "uid", json_integer(uid));
	(void)json_object_set_new(j, "gid", json_integer(gid));
	json_write(&b, j);
	if (fd_pipe(ends, e) < 0)
		return -1;
	if (fd_write_all(ends[1], b.p, b.n, e) < 0)
		fd_close(&ends[0]);
	fd_close(&ends[1]);
	return ends[0];
}

static int start(const struct paths *paths, const struct tcp_listeners *l, int rules, struct proc *p, int *link,
		 struct err *e)
{
	const char *const argv[] = {paths->web, "serve", NULL};
	int pair[2], keep[1 + TCP_LISTENERS];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "cannot start the page's server");
	keep[0] = pair[1];
	for (size_t i = 0; i < l->n; i++)
		keep[1 + i] = l->fd[i];
	struct proc_spec spec = {.argv = argv,
				 .in = rules,
				 .out = PROC_NULL,
				 .err = PROC_INHERIT,
				 .bare = true,
				 .tied = true,
				 .keep = keep,
				 .nkeep = 1 + l->n};
	int rc = proc_spawn(&spec, p, e);
	(void)close(pair[1]);
	*link = pair[0];
	if (rc < 0)
		fd_close(link);
	return rc;
}

/* Until the other has gone. */
static void answer_all(int link, struct survey *s)
{
	AUTO(buf) struct buf in = {0};

	for (;;) {
		const char *end = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
		if (end == NULL) {
			if (in.n > LINK_QUESTION_MAX || fd_read_some(link, &in, LINK_QUESTION_MAX) <= 0)
				return;
			continue;
		}
		AUTO(arena) struct arena a = {0};
		AUTO(buf) struct buf body = {0};
		AUTO(buf) struct buf out = {0};
		struct link_question q;
		struct err e;
		size_t len = (size_t)(end - in.p);
		if (link_read_question((struct str){in.p, len}, &a, &q, &e) < 0)
			return;
		buf_drop(&in, len + 1);
		int status = answer_make(s, &q, &body);
		link_write_answer(&out, status, buf_str(&body));
		if (fd_write_all(link, out.p, out.n, &e) < 0)
			return;
	}
}

static int run(const struct paths *paths, struct survey *s, const struct web_options *o, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	struct tcp_listeners l = {.n = 0};
	struct proc p = {0};
	const char *token = NULL;
	AUTO(fd) int link = -1;

	if (o->token_file != NULL && read_token(o->token_file, &a, &token, e) < 0)
		return -1;
	if (listen_at(o, &l, e) < 0)
		return -1;
	AUTO(fd) int rules = rules_fd(o, token, e);
	int rc = rules < 0 ? -1 : start(paths, &l, rules, &p, &link, e);
	tcp_close(&l);
	if (rc < 0)
		return -1;
	(void)fprintf(stderr, "<6>dormouse: web: at %s\n", o->listen);
	notify("READY=1");
	answer_all(link, s);
	proc_end(&p);
	return err_set(e, ERR_SYSTEM, "the page's server has ended");
}

int web_run(const struct paths *paths, const struct config *config, const struct target_kind *const *kinds,
	    size_t nkinds, const struct web_options *o)
{
	struct survey s = {.config = config, .paths = paths, .kinds = kinds, .nkinds = nkinds, .runs = RUNS};
	struct err e;
	char line[800];

	(void)run(paths, &s, o, &e);
	survey_release(&s);
	err_line(&e, line, sizeof(line));
	(void)fprintf(stderr, "dormouse: %s\n%s%s%s", line, e.hint[0] ? "hint: " : "", e.hint, e.hint[0] ? "\n" : "");
	return err_exit_code(&e);
}
