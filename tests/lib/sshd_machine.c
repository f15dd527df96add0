/* usage: sshd_machine FOLDER
 *
 * A machine for tests, as the program of an `exec` target: "on" is a real sshd on a loopback port, and, if the folder
 * names one, an imported pool.  One request on standard input, one answer on standard output (dormouse-provider(7)).
 *
 * FOLDER/machine.json: {"port": N, "pool": NAME or null, "pool_dir": DIR, "import": [options of zpool import],
 * "fail": {"start": "text"}, "delay": seconds, "delay_stop": seconds, "doors": more of them,
 * "late": seconds until its port answers, which it does not wait for}
 * FOLDER/sshd_config is written by whoever made the folder; FOLDER/log gets one line per request, FOLDER/starts a
 * letter per start.  It is started for each request; that it is C is for emulated processors. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *folder;
static json_t *settings;

static const char *path_of(const char *name)
{
	static char path[4][4096];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

static void pause_for(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

/* Its first line; "" if there is none. */
static const char *line_of(const char *path, char *line, int n)
{
	FILE *f = fopen(path, "r");

	line[0] = '\0';
	if (f != NULL) {
		if (fgets(line, n, f) != NULL)
			line[strcspn(line, "\n")] = '\0';
		fclose(f);
	}
	return line;
}

static void add_to(const char *name, const char *mode, const char *text)
{
	FILE *f = fopen(path_of(name), mode);

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(path_of(name));
		exit(1);
	}
}

/* Its exit code; what it says is nobody's. */
static int run(const char *const *argv)
{
	posix_spawn_file_actions_t quiet;
	pid_t pid;
	int status, code;

	posix_spawn_file_actions_init(&quiet);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
	code = posix_spawnp(&pid, argv[0], &quiet, NULL, (char *const *)(void *)argv, environ);
	posix_spawn_file_actions_destroy(&quiet);
	if (code != 0)
		return 127;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* sshd's, or 0. */
static pid_t sshd_pid(void)
{
	char line[32];
	pid_t pid = (pid_t)atol(line_of(path_of("sshd.pid"), line, sizeof line));

	return pid > 0 && kill(pid, 0) == 0 ? pid : 0;
}

static double number(const char *name)
{
	return json_number_value(json_object_get(settings, name));
}

static void answer(json_t *with)
{
	char *text = json_dumps(with, 0);

	printf("%s\n", text);
	fflush(stdout);
	free(text);
	json_decref(with);
}

static json_t *facts(void)
{
	char token[256], id[32];
	pid_t pid = sshd_pid();
	json_t *doors;

	if (pid == 0)
		return json_pack("{s:s}", "power", "absent");
	snprintf(id, sizeof id, "sshd %d", (int)pid);
	doors =
	    json_pack("[{s:i, s:s, s:O}]", "port", 22, "host", "127.0.0.1", "at", json_object_get(settings, "port"));
	json_array_extend(doors, json_object_get(settings, "doors"));
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "power", "running", "token",
			 line_of(path_of("token"), token, sizeof token), "id", id, "address", "127.0.0.1", "doors",
			 doors);
}

static bool pool_is_there(const char *pool)
{
	return run((const char *[]){"zpool", "list", pool, NULL}) == 0;
}

static void import(const char *pool)
{
	const char *argv[16] = {"zpool", "import", "-N"};
	json_t *options = json_object_get(settings, "import");
	size_t n = 3;

	for (size_t i = 0; i < json_array_size(options) && n < 12; i++)
		argv[n++] = json_string_value(json_array_get(options, i));
	argv[n++] = "-d", argv[n++] = json_string_value(json_object_get(settings, "pool_dir")), argv[n] = pool;
	/* Another one of us may have been killed just as it imported the pool: then it may be busy for a moment, or go
	 * again. */
	for (int i = 0; i < 20 && run(argv) != 0 && !pool_is_there(pool); i++)
		pause_for(0.3);
}

static void start(const char *token)
{
	const char *pool = json_string_value(json_object_get(settings, "pool"));
	char config[4096], log[4096], late[32];

	answer(json_pack("{s:s}", "progress", "switching on"));
	pause_for(number("delay"));
	if (pool != NULL)
		import(pool);
	add_to("token", "w", token);
	snprintf(config, sizeof config, "%s/sshd_config", folder);
	snprintf(log, sizeof log, "%s/sshd.log", folder);
	snprintf(late, sizeof late, "%.3f", number("late"));
	/* -r: for each connection it goes on as it is, and is not started anew. */
	if (number("late") > 0) {
		run((const char *[]){
		    "sh", "-c",
		    "setsid sh -c 'echo $$ >\"$3\"; sleep $0; exec /usr/sbin/sshd -D -r -f \"$1\" -E \"$2\"' "
		    "\"$0\" \"$1\" \"$2\" \"$3\" &",
		    late, config, log, path_of("sshd.pid"), NULL});
	} else if (run((const char *[]){"/usr/sbin/sshd", "-r", "-f", config, "-E", log, NULL}) != 0) {
		fprintf(stderr, "sshd does not start; see %s\n", log);
		exit(1);
	}
	for (int i = 0; i < 200 && sshd_pid() == 0; i++)
		pause_for(0.02);
	add_to("starts", "a", "x");
}

/* A machine that goes takes its connections along: sshd and everything below it. */
static void kill_below(pid_t root)
{
	DIR *d = opendir("/proc");

	if (d == NULL)
		return;
	kill(root, SIGSTOP); /* that it has no more while we look */
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
		char path[300], line[512];
		const char *rest;
		pid_t pid = (pid_t)atol(entry->d_name);

		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		/* "pid (name) state parent": the name may be anything. */
		if (pid > 0 && (rest = strrchr(line_of(path, line, sizeof line), ')')) != NULL && strlen(rest) > 4 &&
		    atol(rest + 4) == root)
			kill_below(pid);
	}
	closedir(d);
	kill(root, SIGKILL);
}

static void stop(void)
{
	const char *pool = json_string_value(json_object_get(settings, "pool"));
	pid_t pid = sshd_pid();

	pause_for(number("delay_stop"));
	if (pid > 0)
		kill_below(pid);
	unlink(path_of("sshd.pid"));
	unlink(path_of("token"));
	for (int i = 0; pool != NULL && i < 20 && pool_is_there(pool); i++) {
		if (run((const char *[]){"zpool", "export", pool, NULL}) == 0)
			break;
		pause_for(0.5);
	}
}

static json_t *fine(json_t *with)
{
	json_object_set_new(with, "ok", json_true());
	return with;
}

static json_t *failure(const char *kind, const char *what, const char *hint)
{
	return json_pack("{s:b, s:{s:s, s:s, s:s, s:s}}", "ok", 0, "error", "kind", kind, "what", what, "why", "",
			 "hint", hint);
}

int main(int argc, char **argv)
{
	json_t *request;
	const char *op, *fault, *token = "";
	char line[300];

	if (argc != 2) {
		fprintf(stderr, "usage: sshd_machine FOLDER\n");
		return 2;
	}
	folder = argv[1];
	settings = json_load_file(path_of("machine.json"), 0, NULL);
	request = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL);
	if (settings == NULL || json_unpack(request, "{s:s, s?s}", "op", &op, "token", &token) != 0) {
		fprintf(stderr, "no settings, or no request\n");
		return 1;
	}
	snprintf(line, sizeof line, "%s\n", op);
	add_to("log", "a", line);
	fault = json_string_value(json_object_get(json_object_get(settings, "fail"), op));
	if (fault != NULL) {
		answer(failure("denied", fault, "look at machine.json"));
	} else if (strcmp(op, "check") == 0) {
		answer(json_pack("{s:b}", "ok", 1));
	} else if (strcmp(op, "start") == 0) {
		if (sshd_pid() == 0)
			start(token);
		/* As asked for: what is on already says whose it is by "describe". */
		request = json_pack("{s:s}", "token", token);
		json_object_update_missing(request, facts());
		answer(fine(request));
	} else if (strcmp(op, "describe") == 0) {
		answer(fine(facts()));
	} else if (strcmp(op, "stop") == 0) {
		stop();
		answer(json_pack("{s:b, s:s}", "ok", 1, "power", "absent"));
	} else if (strcmp(op, "list") == 0) {
		answer(json_pack("{s:b, s:o}", "ok", 1, "machines",
				 sshd_pid() ? json_pack("[o]", facts()) : json_array()));
	} else {
		snprintf(line, sizeof line, "'%.200s' is not an operation", op);
		answer(failure("usage", line, ""));
	}
	return 0;
}
