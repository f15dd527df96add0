/* ssh-config, known-hosts: so that ssh, and all that uses it, finds the machines. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sys/fdio.h"
#include "sys/host_key.h"
#include "wire/ssh_args.h"
#include "wire/ssh_files.h"

enum { SSH_FILE_MAX = 1 << 20 };

/* Where it is installed. */
struct place {
	const char *config, *known_hosts; /* files of our own */
	const char *user_config;	  /* the one that gets an Include line; NULL: ssh reads ours by itself */
	mode_t mode;
};

/* What is known of a target's host key, as lines. */
static int write_keys(struct buf *b, struct cli *c, const struct target *t, struct err *e)
{
	const char *authority = NULL;
	struct str now = {"", 0};

	if (t->ssh.made == MADE_SIGNED && host_authority(c->paths.state_dir, t->name, &c->arena, &authority, e) < 0)
		return -1;
	const char *line = ssh_known_hosts_line(t, authority, &c->arena);
	if (line != NULL)
		now = str_of(line);
	/* Of machines that there are now. */
	else if (t->ssh.made == MADE_PLAIN && fd_read_file(ssh_known_hosts_path(c->paths.runtime_dir, t, &c->arena),
							   SSH_FILE_MAX, &c->arena, &now, e) < 0)
		return e->sys == ENOENT ? 0 : -1;
	buf_add(b, now.p, now.n);
	return 0;
}

/* Each target's text, by lines of known_hosts or blocks of ssh_config. */
static int write_targets(struct buf *b, struct cli *c, const struct targets *targets, const struct ssh_way *way,
			 struct err *e)
{
	for (size_t i = 0; i < targets->n; i++) {
		if (targets->v[i].local)
			continue;
		if (way != NULL)
			ssh_host_block(b, &targets->v[i], way);
		else if (write_keys(b, c, &targets->v[i], e) < 0)
			return -1;
	}
	return 0;
}

static int find_place(struct cli *c, bool everybody, struct place *p, struct err *e)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *home = getenv("HOME");
	struct stat st;

	if (everybody) {
		*p = (struct place){"/etc/ssh/ssh_config.d/dormouse.conf", "/etc/ssh/dormouse_known_hosts", NULL, 0644};
		if (stat("/etc/ssh/ssh_config.d", &st) == 0)
			return 0;
		(void)err_sys(e, errno, "this host has no folder '/etc/ssh/ssh_config.d'");
		return err_hint(e, "put what dormouse ssh-config prints into the system's ssh_config yourself");
	}
	if (home == NULL || *home != '/')
		home = pw == NULL ? "/" : pw->pw_dir;
	const char *folder = arena_printf(&c->arena, "%s/.ssh", home);
	*p = (struct place){arena_printf(&c->arena, "%s/dormouse_config", folder),
			    arena_printf(&c->arena, "%s/dormouse_known_hosts", folder),
			    arena_printf(&c->arena, "%s/config", folder), 0600};
	if (pw != NULL && strcmp(pw->pw_dir, home) != 0)
		(void)fprintf(stderr, "dormouse: ssh itself reads '%s/.ssh/config', whatever HOME says\n", pw->pw_dir);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make the folder '%s'", folder);
	return 0;
}

/* The user's own file, with our line at its top, where no Host block is open yet, or without it. */
static int include(struct cli *c, const struct place *p, bool in, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct str old = {"", 0};
	const char *line = ssh_include_line(p->config, &c->arena);

	if (p->user_config == NULL)
		return 0;
	if (fd_read_file(p->user_config, SSH_FILE_MAX, &c->arena, &old, e) < 0 && e->sys != ENOENT)
		return -1;
	if (in)
		buf_printf(&b, "%s\n", line);
	ssh_without_line(&b, old, line);
	if (b.n == old.n && memcmp(buf_text(&b), old.p, b.n) == 0)
		return 0;
	if (fd_replace_file(p->user_config, buf_str(&b), p->mode, e) == 0)
		return 0;
	return err_hint(e, in ? "put this line at its top yourself: %s" : "take this line out yourself: %s", line);
}

static int install(struct cli *c, const struct place *p, const struct targets *targets, struct err *e)
{
	AUTO(buf) struct buf keys = {0};
	AUTO(buf) struct buf config = {0};
	const struct ssh_way way = {c->paths.self, c->paths.config, p->known_hosts, c->paths.runtime_dir, NULL};

	buf_puts(&config, "# Made by dormouse ssh-config --install, which makes it anew.\n");
	if (write_targets(&keys, c, targets, NULL, e) < 0 || write_targets(&config, c, targets, &way, e) < 0 ||
	    fd_replace_file(p->known_hosts, buf_str(&keys), p->mode, e) < 0 ||
	    fd_replace_file(p->config, buf_str(&config), p->mode, e) < 0)
		return -1;
	return include(c, p, true, e);
}

static int removal(struct cli *c, const struct place *p, struct err *e)
{
	const char *const ours[] = {p->config, p->known_hosts};

	/* ssh minds no Include of what is not there, but the user might. */
	if (include(c, p, false, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (unlink(ours[i]) < 0 && errno != ENOENT)
			return err_sys(e, errno, "cannot remove '%s'", ours[i]);
	return 0;
}

static int chosen(struct cli *c, struct targets *out, struct err *e)
{
	*out = c->config.targets;
	if (c->args.n == 0)
		return 0;
	*out = (struct targets){0};
	for (size_t i = 0; i < c->args.n; i++) {
		const struct target *t = config_target(&c->config, c->args.v[i]);
		if (t == NULL) {
			(void)err_set(e, ERR_USAGE, "there is no target '%s'", c->args.v[i]);
			return err_hint(e, "dormouse machines shows which there are");
		}
		*vec_add(out, &c->arena) = *t;
	}
	return 0;
}

static void say_installed(const struct place *p, const struct targets *targets)
{
	(void)printf("%s: %zu target%s, for %s\n", p->config, targets->n, targets->n == 1 ? "" : "s",
		     p->user_config == NULL ? "every user of this host" : p->user_config);
	for (size_t i = 0; i < targets->n; i++)
		if (!ssh_pinned(&targets->v[i]))
			(void)fprintf(
			    stderr, "dormouse: target '%s' pins no host key (ssh.host_key): ssh asks the first time\n",
			    targets->v[i].name);
}

struct wish {
	bool keys; /* known-hosts */
	bool install, remove, everybody;
	const char *jump; /* "": wherever it listens */
};

/* Where the jump host is reached: what was given, or what the file says. */
static int find_jump(struct cli *c, const char *given, const char **out, struct err *e)
{
	char name[HOST_NAME_MAX + 1] = "localhost";

	if (*given != '\0')
		return ssh_jump(given, &c->arena, out, e);
	if (!c->config.server.set) {
		(void)err_set(e, ERR_CONFIG, "'%s' has no server block: there is no jump host", c->paths.config);
		return err_hint(e, "add one, see dormouse-jump(8); or say where another one is: --jump HOST[:PORT]");
	}
	(void)gethostname(name, sizeof(name) - 1);
	return ssh_jump_at(c->config.server.listen, name, &c->arena, out, e);
}

/* The jump host's own line of known_hosts. */
static int write_jump(struct buf *b, struct cli *c, const char *jump, struct err *e)
{
	struct str key;
	const char *path = arena_printf(&c->arena, "%s/jump_host_key.pub", c->paths.state_dir);

	if (fd_read_file(path, SSH_FILE_MAX, &c->arena, &key, e) < 0) {
		(void)err_wrap(e, "the key of the jump host is not known");
		return err_hint(e, "it is written at its first start: dormouse daemon, or dormouse jump");
	}
	buf_puts(b, ssh_jump_known(jump, key, &c->arena));
	return 0;
}

static int fulfil(struct cli *c, const struct wish *w, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct ssh_way way = {c->paths.self, c->paths.config, NULL, c->paths.runtime_dir, NULL};
	struct targets targets;
	struct place place;

	if (w->install + w->remove + (w->jump != NULL) > 1 || (w->everybody && !w->install && !w->remove) ||
	    (w->remove && c->args.n > 0)) {
		(void)err_set(e, ERR_USAGE, "these options do not go together");
		return err_hint(e, "--help says which do");
	}
	if ((w->install || w->remove) && find_place(c, w->everybody, &place, e) < 0)
		return -1;
	if (w->remove)
		return removal(c, &place, e);
	if (chosen(c, &targets, e) < 0 || (w->jump != NULL && find_jump(c, w->jump, &way.jump, e) < 0))
		return -1;
	if (w->install) {
		if (install(c, &place, &targets, e) < 0)
			return -1;
		say_installed(&place, &targets);
		return 0;
	}
	if (write_targets(&b, c, &targets, w->keys ? NULL : &way, e) < 0)
		return -1;
	if (w->keys && w->jump != NULL && write_jump(&b, c, way.jump, e) < 0)
		return -1;
	(void)fputs(buf_text(&b), stdout);
	return 0;
}

static int ssh_files(int argc, char **argv, const char *usage, bool keys)
{
	struct wish w = {.keys = keys};
	const struct cli_option own[] = {{"--install", &w.install, NULL},
					 {"--remove", &w.remove, NULL},
					 {"--system", &w.everybody, NULL},
					 {"--jump", NULL, &w.jump}};
	struct cli c;
	struct err e;

	/* Behind it nothing is left that could be its value. */
	if (argc > 1 && strcmp(argv[argc - 1], "--jump") == 0) {
		w.jump = "";
		argc--;
	}
	int rc = cli_begin(&c, argc, argv, usage, own, ARRAY_LEN(own));

	/* What was installed is removed without the file that it was made from. */
	if (rc < 0 && !w.remove && !cli_config(&c))
		rc = EXIT_USAGE;
	if (rc < 0)
		rc = fulfil(&c, &w, &e) < 0 ? cli_fail(&c, &e) : EXIT_DONE;
	cli_end(&c);
	return rc;
}

int cmd_ssh_config(int argc, char **argv)
{
	return ssh_files(
	    argc, argv,
	    "usage: dormouse ssh-config [--install [--system]] [TARGET…]\n"
	    "       dormouse ssh-config [TARGET…] --jump [HOST[:PORT]]\n"
	    "       dormouse ssh-config --remove [--system]\n"
	    "What ssh must know so that the targets are hosts like any other, which wake when somebody "
	    "connects: printed, or installed for this user or for all (--system), with the pinned host keys; "
	    "--remove takes it away again. --jump prints it for another machine, from which this host's jump "
	    "host is reached at that address, or else where the file's server block listens.",
	    false);
}

int cmd_known_hosts(int argc, char **argv)
{
	return ssh_files(
	    argc, argv,
	    "usage: dormouse known-hosts [--install [--system]] [TARGET…]\n"
	    "       dormouse known-hosts [TARGET…] --jump [HOST[:PORT]]\n"
	    "       dormouse known-hosts --remove [--system]\n"
	    "The host keys that the targets pin, as lines of known_hosts; with --jump also the jump host's own. "
	    "The options are those of ssh-config: what they print or install belongs together.",
	    true);
}
